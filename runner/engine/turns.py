"""An assignment's right to work, as its executor sees it: slots that are given back while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from runner.engine.events import Parked, Resumed
from runner.engine.port import Waited
from runner.engine.result import Result
from runner.engine.shape import Assignment

Tell = Callable[[Parked | Resumed], None]
Record = Callable[[Assignment, int, int | None], Awaitable[None]]


class WorkingTurn:
    """The turn of one started assignment (``runner.engine.port.Turn``); the driver grants and ends it.

    It is ``parked`` while all of its workers are away, and comes back with the first of them. Once it is ended (the
    assignment was cancelled) nothing waits for slots any more: what is left to do is to stop what runs. ``began`` says
    that its executor was called, ``acted`` that a start was recorded, so that the host may have been acted on; ``task``
    is what runs it.
    """

    __slots__ = (
        "_assignment",
        "_away",
        "_coming",
        "_ended",
        "_late",
        "_record",
        "_tell",
        "_workers",
        "acted",
        "began",
        "parked",
        "task",
    )

    def __init__(self, assignment: Assignment, tell: Tell, record: Record) -> None:
        self._assignment = assignment
        self._tell = tell
        self._record = record
        self._workers = 1
        self._away = 0
        self._late = 0
        self.parked = False
        self._coming: asyncio.Future[None] | None = None
        self._ended = False
        self.acted = self.began = False
        self.task: asyncio.Task[Result] | None = None

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        """Wait for slots where they were lost, then note the start; see the port."""
        await self._come_back()
        await self._record(self._assignment, attempt, item)
        self.acted = True

    async def away(self, waiting: Awaitable[Waited], *, late: bool = False) -> Waited:
        """Wait without slots and come back with them, whatever became of the wait; see the port."""
        self._away += 1
        self._late += late
        self._park_if_all_are_away()
        try:
            return await waiting
        finally:
            self._away -= 1
            self._late -= late
            await self._come_back()

    def workers(self, count: int) -> None:
        """How many items run at once from here on; at least 1."""
        self._workers = max(count, 1)
        self._park_if_all_are_away()

    def granted(self) -> None:
        """The slots are there again."""
        self.parked = False
        self._wake()

    def end(self) -> None:
        """Nothing is parked any more, and nobody waits for slots."""
        self._ended = True
        self._wake()

    def _park_if_all_are_away(self) -> None:
        if self._away >= self._workers and not self.parked and not self._ended:
            self.parked = True
            self._tell(Parked(self._assignment, late=self._late > 0))

    async def _come_back(self) -> None:
        if not self.parked or self._ended:
            return
        coming = self._coming
        if coming is None:
            coming = self._coming = asyncio.get_running_loop().create_future()
            self._tell(Resumed(self._assignment))
        await asyncio.shield(coming)

    def _wake(self) -> None:
        if self._coming is not None and not self._coming.done():
            self._coming.set_result(None)
        self._coming = None
