"""The input of a pipeline, sent while somebody wants it (remoting.md 2.8)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import Any

from runner.psrp.outbox import Outbox
from runner.psrp.pipeline import Pipeline
from runner.psrp.protocol import Protocol

#: Bytes of items that are made and sent together: enough for few round trips, little enough to hold up nobody.
_TOGETHER = 32 << 10


async def feed(
    pipeline: Pipeline, items: Iterable[Any] | AsyncIterable[Any], protocol: Protocol, outbox: Outbox
) -> None:
    """Send the items and then the end; a pipeline that has ended wants nothing more.

    Items that are there already go together; of a source that is waited for each goes as it comes.

    Raises:
        HostError: the pool was lost.
        Exception: what iterating ``items`` raised.

    """
    target = pipeline.identifier
    waiting: list[tuple[int, bytes]] = []
    length = 0
    async with aclosing(_each(items)) as each:
        async for item in each:
            if pipeline.end.done():
                return
            made = protocol.item(target, item)
            waiting += made
            length += sum(len(data) for _, data in made)
            if length >= _TOGETHER or isinstance(items, AsyncIterable):
                await outbox.send(waiting, target)
                waiting, length = [], 0
    if not pipeline.end.done():
        await outbox.send([*waiting, *protocol.end_of_input(target)], target)


async def _each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    """The items, one after the other, from either kind of source."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
