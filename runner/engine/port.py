"""What the driver needs from outside: somebody who runs assignments, and a clock."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from runner.engine.result import Result
from runner.engine.shape import Assignment

Waited = TypeVar("Waited")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an assignment goes on: ``proceed``, or ``result`` says why it does not (skipped, or failed to judge)."""

    proceed: bool
    result: Result | None = None


class Turn(Protocol):
    """An assignment's right to work: its throttle slots, which it gives back while it waits for something."""

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        """Note in the journal that the host is about to be acted on; returns when that is safe on disk.

        ``attempt`` and the loop's ``item`` count from 1 and 0. Called once for each attempt, before anything is sent.

        Raises:
            JournalError: it could not be written; nothing may be sent.

        """

    async def away(self, waiting: Awaitable[Waited], *, late: bool = False) -> Waited:
        """Wait without holding slots; comes back with them. With items at once it parks when all of them wait.

        ``late``: it may be long, and the wave goes on without this host.
        """

    def workers(self, count: int) -> None:
        """How many items of a loop run at once from here on; 1 until said otherwise."""


class Executor(Protocol):
    """Runs assignments. Every method is called in the driver's loop."""

    def judge(self, assignment: Assignment) -> Verdict:
        """Evaluate ``when`` and an empty ``loop``; pure and quick, raises nothing. Of junctions too: a block's."""

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        """Do it. On cancellation stop what runs on the host, within its deadlines, and return a cancelled result."""

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        """The result of an assignment the machine decided not to start."""

    def ended(self, assignment: Assignment, result: Result) -> None:
        """Called once for every assignment when it is over: registers the result, releases what nobody needs now."""

    def passed(self, assignment: Assignment, *, entered: bool, bad: bool, rescued: bool) -> None:
        """A host passed a junction or was skipped there; at a block's end its results are settled."""

    async def check_wave(self, policy: int, wave: int) -> str | None:
        """Wait for the wave's pause and its health; None where the next may begin, else why not, as a sentence."""

    def hurry(self) -> None:
        """A second interrupt: shorten every deadline of stops that are under way."""

    async def close(self) -> tuple[str, ...]:
        """Close sessions and connections with deadlines; gives the names of what may still run on hosts."""


class Recorder(Protocol):
    """Keeps what happened where it outlives this process (``runner.journal``). The order of calls is kept.

    Every method may raise :class:`runner.errors.JournalError`: then the run is stopped in order.
    """

    async def started(self, step: str, host: str, attempt: int, item: int | None) -> None:
        """A host is about to be acted on; returns when that is safe on disk."""

    def ended(self, step: str, host: str, result: Result) -> None:
        """An assignment is over; on disk before anything that is recorded after it."""

    def wave_passed(self, step: str, wave: int) -> None:
        """The wave's pause and health are done; a resumed run does not wait for them again."""

    def broke(self, step: str | None, reason: str) -> None:
        """A policy stopped a step, or the run (None)."""

    def rescued(self, block: str, host: str, steps: Collection[str]) -> None:
        """A block went bad on a host and was mended: the bad results of ``steps`` there count no more."""


class Clock(Protocol):
    """Time, injected."""

    def monotonic(self) -> float:
        """Seconds from an unknown start, never going back."""

    def utc(self) -> datetime:
        """Now, aware, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds; 0 and less only lets others have a turn."""
