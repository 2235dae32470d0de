"""Whether the end of a pipeline was in an answer that was lost on its way (remoting.md 5.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from runner.psrp.pipeline import Pipeline

#: How often a peer may say that the pipeline runs until it is believed: it may have ended only just now.
_BELIEVED = 2


async def end_missed(
    pipeline: Pipeline, free_runspaces: Callable[[], Coroutine[Any, Any, int]], late: float
) -> bool:
    """Whether the peer has ended the pipeline and does not bring its end.

    What a pipeline sends comes in order, so the end was not in what was lost where anything comes after it, nor where
    the pipeline still runs.

    Args:
        pipeline: the one that may have ended.
        free_runspaces: asks the peer how many of its runspaces are free; what it raises is passed on.
        late: seconds in which a peer that has something for us must bring some of it.

    """
    for _ in range(_BELIEVED):
        received = pipeline.assembler.received
        asking: asyncio.Future[int] = asyncio.ensure_future(free_runspaces())
        try:
            either: set[asyncio.Future[Any]] = {asking, pipeline.end}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not pipeline.end.done():
                await asyncio.wait({pipeline.end}, timeout=late)
            if pipeline.end.done() or pipeline.assembler.received != received:
                return False
            if asking.result() > 0:
                return True
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
    return False
