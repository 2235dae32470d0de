"""What the carrier knows of one pipeline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(slots=True)
class Pipeline:
    """A command at the server.

    Attributes:
        command_id: what the server calls it; until it has answered, what we wish it to be called.
        task: receives for it.
        ended: its last message has come.
        closing: it is being closed by us, so that the end of its Receive is no news.

    """

    command_id: str
    task: asyncio.Task[None] | None = None
    ended: bool = False
    closing: bool = False

    async def end(self, seconds: float) -> None:
        """See its Receive end; by itself within ``seconds``, else by force."""
        if self.task is None or self.task.done():
            return
        await asyncio.wait([self.task], timeout=seconds)
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])
