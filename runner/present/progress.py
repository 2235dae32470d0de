"""What is known of a run at a moment: counts, who runs since when, how each host fared. Pure bookkeeping of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    AssignmentWaits,
    BlockRescued,
    DeadlineSet,
    GateOpened,
    PolicyStopped,
    ProgressReceived,
    RunEnded,
    RunEvent,
    RunStarted,
    StepOutline,
    Summary,
    Waits,
    WaveStarted,
)
from runner.engine.result import WORST_FIRST, Result, Status


@dataclass(slots=True)
class StepProgress:
    """One step.

    Attributes:
        outline: its id, its name, how many hosts.
        running: hosts that work, with the moment they started, in that order.
        deadlines: of hosts that work, the phase each is in.
        waiting: hosts that wait without working, by what for, in the order in which they began to.
        said: what the scripts on the hosts last said of their progress.
        counts: results by status.
        ignored: bad results that were taken as good.
        restored: results that an earlier part of the run recorded.
        would_change: results that a run without ``--check`` would change.
        skip_reasons: at most two, as only a single one can be told for all.
        asked: the last question of a gate.
        wave: the last one that began; ``before_wave`` is how many hosts stand in those before it.
        started_at: when the first host started.
        ended_at: when the last one that is through ended.

    """

    outline: StepOutline
    running: dict[str, datetime] = field(default_factory=dict)
    deadlines: dict[str, DeadlineSet] = field(default_factory=dict)
    waiting: dict[Waits, dict[str, AssignmentWaits]] = field(default_factory=dict)
    said: dict[str, ProgressReceived] = field(default_factory=dict)
    counts: Counter[Status] = field(default_factory=Counter)
    ignored: int = 0
    restored: int = 0
    would_change: int = 0
    skip_reasons: set[str] = field(default_factory=set)
    asked: GateOpened | None = None
    wave: WaveStarted | None = None
    before_wave: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def gate(self) -> GateOpened | None:
        """The question that waits for an answer."""
        return self.asked if self.waiting.get(Waits.GATE) else None

    @property
    def going_on(self) -> bool:
        """Whether a host works or waits, or a wave for the next one."""
        between = self.wave is not None and not self.over
        return bool(self.running) or between or any(self.waiting.values())

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


_RANK = {status: rank for rank, status in enumerate(WORST_FIRST)}
_LOOKED_AT = (Waits.LOCK, Waits.GATE, Waits.REBOOT, Waits.CONDITION)
"""A host that waits for one of these starts again for every look at it, and still waits until it is there."""


class RunProgress:
    """Follows a run by its events.

    ``stops`` are the limits that were exceeded; ``waves`` the last ones that began of blocks, which are no steps;
    ``mended`` is how many bad results a ``rescue`` has mended.
    """

    def __init__(self) -> None:
        self.start: RunStarted | None = None
        self.summary: Summary | None = None
        self.steps: dict[str, StepProgress] = {}
        self.stops: list[PolicyStopped] = []
        self.waves: dict[str, WaveStarted] = {}
        self.mended = 0
        self._hosts: dict[str, Counter[Status]] = {}
        self._bad: dict[str, list[tuple[str, Status]]] = {}
        self._worst: dict[str, Status] = {}
        self._hosts_with: Counter[Status] = Counter()
        self._rescued: set[str] = set()
        self._would_change: set[str] = set()

    def on_event(self, event: RunEvent) -> None:
        """Take one event into account."""
        match event:
            case RunStarted():
                self.start = event
                self.steps = {outline.id: StepProgress(outline) for outline in event.steps}
            case AssignmentStarted() | AssignmentWaits() | DeadlineSet():
                self._place(self.steps[event.step], event)
            case ProgressReceived():
                self._note_progress(event)
            case AssignmentEnded():
                self._count(event.result, event.at, restored=event.restored)
            case WaveStarted():
                self._note_wave(event)
            case GateOpened():
                self.steps[event.step].asked = event
            case PolicyStopped():
                self.stops.append(event)
            case BlockRescued():
                self._rescue(event.host, event.steps)
            case RunEnded():
                self.summary = event.summary
            case _:
                pass

    @property
    def gate(self) -> GateOpened | None:
        """The question that was asked first of those that wait for an answer."""
        gates = [step.gate for step in self.steps.values() if step.gate is not None]
        return min(gates, key=lambda gate: gate.at, default=None)

    @property
    def rescued_hosts(self) -> int:
        """On how many hosts a ``rescue`` mended a block."""
        return len(self._rescued)

    @property
    def bad_hosts(self) -> int:
        """How many hosts stand under a bad status now."""
        return sum(number for status, number in self._hosts_with.items() if status.bad)

    def works(self, event: AssignmentStarted) -> bool:
        """Whether it works since this start, which was taken into account; else it only looks whether to go on."""
        return event.host in self.steps[event.step].running

    def hosts_by_status(self) -> Mapping[Status, list[str]]:
        """Hosts under their worst status, the worst first; an ignored or rescued result counts as ok."""
        hosts: dict[Status, list[str]] = {status: [] for status in WORST_FIRST}
        for host, status in self._worst.items():
            hosts[status].append(host)
        return {status: names for status, names in hosts.items() if names}

    def was_rescued(self, host: str) -> bool:
        """Whether a ``rescue`` mended a block there."""
        return host in self._rescued

    def would_change(self, host: str) -> bool:
        """Whether a run without ``--check`` would change it."""
        return host in self._would_change

    @staticmethod
    def _place(step: StepProgress, event: AssignmentStarted | AssignmentWaits | DeadlineSet) -> None:
        """Whether a host works or waits from now on, and how long it may."""
        match event:
            case AssignmentStarted():
                step.started_at = step.started_at or event.at
                if not any(event.host in step.waiting.get(what, ()) for what in _LOOKED_AT):
                    _work(step, event.host, event.at)
            case AssignmentWaits():
                step.running.pop(event.host, None)
                step.deadlines.pop(event.host, None)
                step.said.pop(event.host, None)
                _stop_waiting(step, event.host)
                step.waiting.setdefault(event.what, {})[event.host] = event
            case DeadlineSet():
                step.deadlines[event.host] = event
                if event.phase == "step" and event.host in step.waiting.get(Waits.LOCK, ()):
                    _work(step, event.host, event.at)

    def _note_progress(self, event: ProgressReceived) -> None:
        """Keep the last one of a host; the end of an activity takes it away, unless another has taken its place."""
        said = self.steps[event.step].said
        if not event.completed:
            said[event.host] = event
        elif event.host in said and said[event.host].activity == event.activity:
            del said[event.host]

    def _note_wave(self, event: WaveStarted) -> None:
        if (step := self.steps.get(event.step)) is None:
            self.waves[event.step] = event
            return
        step.before_wave += step.wave.hosts if step.wave is not None else 0
        step.wave = event

    def _count(self, result: Result, at: datetime, *, restored: bool) -> None:
        step = self.steps[result.step]
        step.running.pop(result.host, None)
        step.deadlines.pop(result.host, None)
        step.said.pop(result.host, None)
        _stop_waiting(step, result.host)
        step.counts[result.status] += 1
        step.ignored += result.ignored
        step.restored += restored
        step.would_change += result.would_change
        if result.skip_reason is not None and len(step.skip_reasons) < 2:
            step.skip_reasons.add(result.skip_reason)
        step.ended_at = at
        if result.would_change:
            self._would_change.add(result.host)
        if result.bad:
            self._bad.setdefault(result.host, []).append((result.step, result.status))
        status = Status.OK if result.ignored else result.status
        self._hosts.setdefault(result.host, Counter())[status] += 1
        worst = self._worst.get(result.host)
        if worst is None or _RANK[status] < _RANK[worst]:
            self._note_worst(result.host, status)

    def _rescue(self, host: str, steps: Collection[str]) -> None:
        """As the engine counts it: the bad results of these steps there are ``ok`` from now on."""
        self._rescued.add(host)
        left: list[tuple[str, Status]] = []
        for step, status in self._bad.pop(host, []):
            if step not in steps:
                left.append((step, status))
                continue
            self._hosts[host][status] -= 1
            self._hosts[host][Status.OK] += 1
            self.mended += status.bad
        if left:
            self._bad[host] = left
        if (counts := self._hosts.get(host)) is not None:
            self._note_worst(host, next(status for status in WORST_FIRST if counts[status]))

    def _note_worst(self, host: str, worst: Status) -> None:
        if (before := self._worst.get(host)) is not worst:
            if before is not None:
                self._hosts_with[before] -= 1
            self._hosts_with[worst] += 1
            self._worst[host] = worst


def _work(step: StepProgress, host: str, at: datetime) -> None:
    _stop_waiting(step, host)
    step.running[host] = at


def _stop_waiting(step: StepProgress, host: str) -> None:
    for hosts in step.waiting.values():
        hosts.pop(host, None)
