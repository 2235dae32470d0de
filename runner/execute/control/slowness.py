"""How long hosts take in a step: who is waited for at its end, and when one takes much longer than the others."""

from __future__ import annotations

import asyncio
import statistics
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.engine.port import Clock
from runner.engine.shape import Assignment
from runner.plan.model import Plan
from runner.units import format_duration

TIMES_THE_MEDIAN = 3.0
LEAST_QUARANTINE = 30.0
"""Seconds that ``quarantine: true`` leaves any host, however fast the others are."""
LEAST_REPORT = 10.0
"""Seconds before anybody is told that a host is waited for: sooner would be noise."""
FIRST_INTERVAL = 30.0
"""Seconds between a report and the next; each further one takes twice as long."""
_ENOUGH = 3
_NAMED = 5
_FEW = 10


@dataclass(slots=True)
class _Step:
    """Times of one step, in seconds of the clock; ``left`` counts the hosts that are not over."""

    hosts: int
    left: int
    since: dict[str, float] = field(default_factory=dict)
    taken: array[float] = field(default_factory=lambda: array("d"))
    reporter: asyncio.Task[None] | None = None


class Slowness:
    """Watches all steps of a plan; ``tell`` gets the reports."""

    def __init__(self, plan: Plan, clock: Clock, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._clock = clock
        self._tell = tell
        self._steps = [_Step(len(planned.placements), len(planned.placements)) for planned in plan.steps]

    def started(self, assignment: Assignment, host: str) -> None:
        """The host begins to work."""
        self._steps[assignment.step].since[host] = self._clock.monotonic()

    def ended(self, assignment: Assignment, host: str) -> None:
        """The host is over, whether it worked or not."""
        step = self._steps[assignment.step]
        step.left -= 1
        begin = step.since.pop(host, None)
        if begin is not None:
            step.taken.append(self._clock.monotonic() - begin)
        if not step.left:
            if step.reporter is not None:
                step.reporter.cancel()
            step.taken = array("d")
        elif step.reporter is None and step.left * _FEW < step.hosts and step.taken:
            step.reporter = asyncio.ensure_future(self._report(assignment.step))

    def limit(self, step: int) -> float | None:
        """Seconds after which a host takes much longer than the others of the step; None while too few have ended."""
        taken = self._steps[step].taken
        if len(taken) < _ENOUGH:
            return None
        return max(LEAST_QUARANTINE, TIMES_THE_MEDIAN * statistics.median(taken))

    def close(self) -> None:
        """Report no more."""
        for step in self._steps:
            if step.reporter is not None:
                step.reporter.cancel()

    async def _report(self, number: int) -> None:
        step, interval = self._steps[number], FIRST_INTERVAL
        while step.left:
            now = self._clock.monotonic()
            worth = max(LEAST_REPORT, TIMES_THE_MEDIAN * statistics.median(step.taken))
            slow = sorted((since, host) for host, since in step.since.items() if now - since >= worth)
            if slow:
                self._tell(f"`{self._plan.steps[number].step.id}`: still waiting for {_names(slow, now)}")
                await self._clock.sleep(interval)
                interval *= 2
            else:
                oldest = min(step.since.values(), default=now)
                await self._clock.sleep(max(oldest + worth - now, 1.0))


def _names(slow: list[tuple[float, str]], now: float) -> str:
    named = [f"`{host}` ({format_duration(round(now - since))})" for since, host in slow[:_NAMED]]
    more = len(slow) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
