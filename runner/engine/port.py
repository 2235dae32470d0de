"""What the driver needs from outside: somebody who runs assignments, and a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runner.engine.result import Result
from runner.engine.shape import Assignment


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an assignment goes on: ``proceed``, or ``result`` says why it does not (skipped, or failed to judge)."""

    proceed: bool
    result: Result | None = None


class Executor(Protocol):
    """Runs assignments. Every method is called in the driver's loop."""

    def judge(self, assignment: Assignment) -> Verdict:
        """Evaluate ``when`` and an empty ``loop``; pure and quick, raises nothing."""

    async def run(self, assignment: Assignment) -> Result:
        """Do it. On cancellation stop what runs on the host, within its deadlines, and return a cancelled result."""

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        """The result of an assignment the machine decided not to start."""

    def ended(self, assignment: Assignment, result: Result) -> None:
        """Called once for every assignment when it is over: registers the result, releases what nobody needs now."""

    def hurry(self) -> None:
        """A second interrupt: shorten every deadline of stops that are under way."""

    async def close(self) -> tuple[str, ...]:
        """Close sessions and connections with deadlines; gives the names of what may still run on hosts."""


class Clock(Protocol):
    """Time, injected."""

    def monotonic(self) -> float:
        """Seconds from an unknown start, never going back."""

    def utc(self) -> datetime:
        """Now, aware, UTC."""
