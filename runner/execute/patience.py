"""How long the end of something is waited for: stops have deadlines, and a second interrupt shortens all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

HURRIED_GRACE = 0.2
"""Seconds between TERM and KILL, and for anything else that closes, after a second interrupt."""

MARGIN = 3.0
"""Seconds beyond the grace that a stop may take: its signals are still on their way."""


class Stoppable(Protocol):
    """Something that runs on a host and can be ended (``runner.transport.port.Process``)."""

    async def stop(self, grace: float) -> bool:
        """End it; True when nothing is left."""


class Patience:
    """Waits for ends on behalf of a run; :meth:`hurry` shortens what is waited for now and later."""

    def __init__(self) -> None:
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """A second interrupt came."""
        self._hurried.set()

    async def stop(self, process: Stoppable, grace: float, margin: float = MARGIN) -> bool:
        """End a process: TERM, after ``grace`` seconds KILL; False when it could not be made sure that it ended."""
        if not self._hurried.is_set():
            ended = await self._until_hurried(process.stop(grace), grace + margin)
            if ended is not None:
                return ended
            if not self._hurried.is_set():
                return False
        return bool(await within(process.stop(HURRIED_GRACE), HURRIED_GRACE + 2.0))

    async def close(self, closing: Coroutine[Any, Any, None], seconds: float) -> None:
        """Wait for something to close, no longer than ``seconds``."""
        if self._hurried.is_set():
            await within(closing, HURRIED_GRACE)
        else:
            await self._until_hurried(closing, seconds)

    async def _until_hurried(self, work: Coroutine[Any, Any, T], seconds: float) -> T | None:
        """The work's result, or None where time ran out or a hurry came first; the work is cancelled then."""
        working = asyncio.ensure_future(work)
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait({working, hurried}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            hurried.cancel()
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)


async def within(work: Coroutine[Any, Any, T], seconds: float) -> T | None:
    """The work's result, or None where it took longer than ``seconds`` and was cancelled."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return None
