"""What is known of a run at a moment: counts, who runs since when, how each host fared. Pure bookkeeping of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    ProgressReceived,
    RunEnded,
    RunEvent,
    RunStarted,
    StepOutline,
    Summary,
)
from runner.engine.result import WORST_FIRST, Result, Status

_RANK = {status: rank for rank, status in enumerate(WORST_FIRST)}


@dataclass(slots=True)
class StepProgress:
    """One step.

    ``running`` holds its hosts with the moment they started, in that order; ``said`` what the scripts on them last
    said of their progress; ``skip_reasons`` at most two, as only a single one can be told for all.
    """

    outline: StepOutline
    running: dict[str, datetime] = field(default_factory=dict)
    said: dict[str, ProgressReceived] = field(default_factory=dict)
    counts: Counter[Status] = field(default_factory=Counter)
    ignored: int = 0
    skip_reasons: set[str] = field(default_factory=set)
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ended(self) -> int:
        """Hosts that are through."""
        return self.counts.total()

    @property
    def over(self) -> bool:
        """Whether every host is through."""
        return self.ended >= self.outline.hosts

    @property
    def duration(self) -> float | None:
        """Seconds from the first start to the last end; None where nothing started."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


class RunProgress:
    """Follows a run by its events."""

    def __init__(self) -> None:
        self.start: RunStarted | None = None
        self.summary: Summary | None = None
        self.steps: dict[str, StepProgress] = {}
        self._worst: dict[str, Status] = {}

    def on_event(self, event: RunEvent) -> None:
        """Take one event into account."""
        match event:
            case RunStarted():
                self.start = event
                self.steps = {outline.id: StepProgress(outline) for outline in event.steps}
            case AssignmentStarted():
                step = self.steps[event.step]
                step.running[event.host] = event.at
                step.started_at = step.started_at or event.at
            case ProgressReceived():
                self._note_progress(event)
            case AssignmentEnded():
                self._count(event.result, event.at)
            case RunEnded():
                self.summary = event.summary
            case _:
                pass

    def hosts_by_status(self) -> Mapping[Status, list[str]]:
        """Hosts under their worst status, the worst first; an ignored result counts as ok."""
        hosts: dict[Status, list[str]] = {status: [] for status in WORST_FIRST}
        for host, status in self._worst.items():
            hosts[status].append(host)
        return {status: names for status, names in hosts.items() if names}

    def _note_progress(self, event: ProgressReceived) -> None:
        """Keep the last one of a host; the end of an activity takes it away, unless another has taken its place."""
        said = self.steps[event.step].said
        if not event.completed:
            said[event.host] = event
        elif event.host in said and said[event.host].activity == event.activity:
            del said[event.host]

    def _count(self, result: Result, at: datetime) -> None:
        step = self.steps[result.step]
        step.running.pop(result.host, None)
        step.said.pop(result.host, None)
        step.counts[result.status] += 1
        step.ignored += result.ignored
        if result.skip_reason is not None and len(step.skip_reasons) < 2:
            step.skip_reasons.add(result.skip_reason)
        step.ended_at = at
        status = Status.OK if result.ignored else result.status
        worst = self._worst.setdefault(result.host, status)
        if _RANK[status] < _RANK[worst]:
            self._worst[result.host] = status
