"""What is known of a pool while it is used: what runs in it, who waits for what, and what it was lost of."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from runner.errors import HostError
from runner.psrp.engine_errors import again
from runner.psrp.fragments import Assembler
from runner.psrp.pipeline import Pipeline


class PoolState:
    """Shared by a pool and what reads its messages."""

    __slots__ = ("current", "error", "opened")

    def __init__(self) -> None:
        #: The pipeline that runs, or ran when the one who waited for it went away: the pool is in doubt until its end.
        self.current: Pipeline | None = None
        #: Done when the peer has said that the pool is open; None but while it is being opened.
        self.opened: asyncio.Future[None] | None = None
        #: Why the pool is of no use any more.
        self.error: HostError | None = None

    @property
    def running(self) -> bool:
        """Whether a script may be running."""
        return self.current is not None

    def assembler_of(self, pipeline: UUID) -> Assembler | None:
        """The stream of a pipeline that runs."""
        current = self.current
        return current.assembler if current is not None and current.identifier == pipeline else None

    def lose(self, error: HostError) -> bool:
        """Tell everybody who waits that the pool is lost; False where it was lost before, of something else."""
        if self.error is not None:
            return False
        self.error = error
        if self.opened is not None:
            fail(self.opened, error)
        if self.current is not None:
            self.current.lost(again(error))
            self.current = None
        return True


def fail(waiter: asyncio.Future[Any], error: HostError) -> None:
    """Give an error to who waits, unless something else was before; nobody need be there."""
    if not waiter.done():
        waiter.set_exception(again(error))
        waiter.exception()  # seen: who waited may be gone
