"""Turns that are not the driver's own: of work beside any assignment, and of a host that is put aside.

A host that takes much longer than it should keeps neither the slots nor the wave: it goes on without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from runner.engine.port import Clock, Turn, Waited
from runner.engine.result import Result
from runner.execute.guard import forget_cancellation, uninterrupted


class FreeTurn:
    """The turn of work that no assignment stands for (a wave's health check): it has no slots and no record."""

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        """Nothing is recorded: it is done again where a run is resumed."""

    async def away(self, waiting: Awaitable[Waited], *, late: bool = False) -> Waited:
        """Wait."""
        del late
        return await waiting

    def workers(self, count: int) -> None:
        """Nothing is parked."""


class AsideTurn:
    """An assignment's turn that can be put aside as a whole; whoever works under it does not notice."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._aside = False
        self._away = 0
        self._going: set[asyncio.Future[Any]] = set()
        self._back = asyncio.Event()
        self._back.set()

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        """As the driver's."""
        await self._turn.record_start(attempt, item)

    async def away(self, waiting: Awaitable[Waited], *, late: bool = False) -> Waited:
        """As the driver's; put aside, it has no slots to give back."""
        if self._aside:
            return await waiting
        self._away += 1
        self._back.clear()
        try:
            return await self._turn.away(waiting, late=late)
        finally:
            self._away -= 1
            if not self._away:
                self._back.set()

    def workers(self, count: int) -> None:
        """As the driver's, until it is put aside."""
        if not self._aside:
            self._turn.workers(count)

    async def put_aside(self, working: asyncio.Task[Result]) -> None:
        """Wait without slots until the work is done; while it waits on its own account, that comes first."""
        returning = asyncio.ensure_future(self._back.wait())
        await asyncio.wait({working, returning}, return_when=asyncio.FIRST_COMPLETED)
        returning.cancel()
        if working.done():
            return
        self._aside = True
        self._turn.workers(1)
        going = asyncio.ensure_future(self._turn.away(asyncio.wait({working}), late=True))
        self._going.add(going)  # comes back when the assignment has ended: its result does not wait for slots
        going.add_done_callback(self._going.discard)
        await asyncio.wait({working})


async def with_quarantine(
    work: Callable[[Turn], Coroutine[Any, Any, Result]],
    turn: Turn,
    *,
    clock: Clock,
    limit: Callable[[], float | None],
    told: Callable[[float], None],
) -> Result:
    """Do the work under ``turn``; when it has taken longer than ``limit``, put it aside and say so.

    ``limit`` gives seconds since the beginning, None where that is not known yet; it is asked again every
    :data:`ASK_AGAIN` seconds. ``told`` gets how long it had taken.
    """
    aside = AsideTurn(turn)
    begin = clock.monotonic()
    working = asyncio.ensure_future(work(aside))
    timer = asyncio.ensure_future(_until_over(limit, clock, begin))
    try:
        await asyncio.wait({working, timer}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            told(clock.monotonic() - begin)
            await aside.put_aside(working)
    except asyncio.CancelledError:
        working.cancel()
        forget_cancellation()
    finally:
        timer.cancel()
    return await uninterrupted(_result_of(working))


ASK_AGAIN = 10.0
"""Seconds after which a limit that depends on the other hosts is looked at again."""


async def _until_over(limit: Callable[[], float | None], clock: Clock, begin: float) -> None:
    while True:
        seconds, taken = limit(), clock.monotonic() - begin
        if seconds is not None and taken >= seconds:
            return
        await clock.sleep(ASK_AGAIN if seconds is None else max(seconds - taken, 0.001))


async def _result_of(working: asyncio.Task[Result]) -> Result:
    return await working
