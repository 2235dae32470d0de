"""The input of a pipeline, sent while somebody wants it (remoting.md 2.8)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import Any

from runner.psrp.outbox import Outbox
from runner.psrp.pipeline import Pipeline
from runner.psrp.protocol import Protocol


async def feed(
    pipeline: Pipeline, items: Iterable[Any] | AsyncIterable[Any], protocol: Protocol, outbox: Outbox
) -> None:
    """Send each item and then the end, one after the other; a pipeline that has ended wants nothing more.

    Raises:
        HostError: the pool was lost.
        Exception: what iterating ``items`` raised.

    """
    async with aclosing(_each(items)) as each:
        async for item in each:
            if pipeline.end.done():
                return
            await outbox.send(protocol.item(pipeline.identifier, item), pipeline.identifier)
    if not pipeline.end.done():
        await outbox.send(protocol.end_of_input(pipeline.identifier), pipeline.identifier)


async def _each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    """The items, one after the other, from either kind of source."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
