"""What a run tells the world while it happens; presenters take these and must neither block nor raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from runner.engine.result import Result, Status


@dataclass(frozen=True, slots=True)
class StepOutline:
    """A step as presenters need it: its id, its name where it has one, how many hosts, and how to show it.

    ``show_information``: all information records are for the screen, not only what Write-Host writes.
    """

    id: str
    name: str | None
    hosts: int
    hide_computer_name: bool = False
    show_information: bool = False


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan is made; the first connection comes after this. ``run`` is the run's id."""

    run: str
    playbook: str
    path: str
    at: datetime
    steps: tuple[StepOutline, ...]
    hosts: int


@dataclass(frozen=True, slots=True)
class AssignmentStarted:
    """A step took its throttle slots on a host and begins to connect or to run."""

    step: str
    host: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OutputReceived:
    """A piece of output as it came, whole lines where possible.

    ``stream`` is ``stdout`` or ``stderr``; from PowerShell ``stdout`` for output objects as text, ``error``,
    ``warning``, ``verbose``, ``debug`` or ``information``. ``color`` is the name of a ConsoleColor (``DarkYellow``)
    that the script asked for, None for none.
    """

    step: str
    host: str
    stream: str
    text: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class ProgressReceived:
    """What a script says of its progress (Write-Progress); the last one of an ``activity`` counts.

    ``percent`` is 0 to 100, None where it is not known; ``seconds_left`` likewise. ``completed`` takes it away.
    """

    step: str
    host: str
    activity: str
    status: str = ""
    percent: int | None = None
    seconds_left: int | None = None
    completed: bool = False


@dataclass(frozen=True, slots=True)
class AssignmentEnded:
    """An assignment is over; skipped ones come too, without a start.

    ``restored``: a resumed run took it from the journal; nothing was run now.
    """

    result: Result
    at: datetime
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know now: a warning, a lost session, a stop under way, what may still run."""

    message: str
    at: datetime
    host: str | None = None


class Waits(StrEnum):
    """What an assignment waits for without working."""

    RETRY = "retry"
    UNREACHABLE = "unreachable"
    LOCK = "lock"
    GATE = "gate"
    REBOOT = "reboot"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class AssignmentWaits:
    """It waits: for the next attempt, for a host to come back, for an answer; at the latest ``until`` that ends.

    ``attempt`` is the one that has just ended, 0 before the first. ``reason`` is a short sentence without a full stop.
    ``AssignmentStarted`` comes again when it works again.
    """

    step: str
    host: str
    what: Waits
    reason: str
    at: datetime
    attempt: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeadlineSet:
    """From now on an assignment is in a phase with a time limit: ``connect``, ``open``, ``step``, ``gate``, ``close``.

    ``until`` None is no limit. The next one, or the end, takes its place.
    """

    step: str
    host: str
    phase: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaveStarted:
    """Hosts of a wave may start. ``number`` counts from 1, ``of`` is how many waves the step has."""

    step: str
    number: int
    of: int
    hosts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GateOpened:
    """A gate waits for an answer: on this terminal (``y``, ``n``) or by ``runner runs approve RUN STEP``."""

    run: str
    step: str
    message: str
    at: datetime
    until: datetime | None = None
    default: str = "stop"


@dataclass(frozen=True, slots=True)
class PolicyStopped:
    """``max_fail``, ``max_unreachable`` or a wave's health stopped a step, or the run (``step`` None).

    ``running`` is how many assignments went on at that moment, ``reason`` a sentence with the numbers.
    """

    step: str | None
    reason: str
    running: int
    at: datetime


@dataclass(frozen=True, slots=True)
class BlockRescued:
    """A block went bad on a host and its ``rescue`` mended it; bad results of ``steps`` there count no more."""

    block: str
    host: str
    at: datetime
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts at the end: results by status (an ignored or held back one under its own status), hosts by worst status.

    ``exit_code`` follows cli.md. ``stopped_because`` says why not everything ran, e.g. ``Ctrl-C``; ``policy`` which
    limit ended a part of it, as a sentence. ``rescued`` counts hosts of blocks, ``would_change`` results under
    ``--check``, ``restored`` results that an earlier part of a resumed run recorded (they are in the other counts too).
    """

    results: Mapping[Status, int]
    hosts: Mapping[Status, int]
    ignored: int
    duration: float
    exit_code: int
    stopped_because: str | None = None
    may_still_run: tuple[str, ...] = field(default_factory=tuple)
    rescued: int = 0
    would_change: int = 0
    restored: int = 0
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last event of every run."""

    run: str
    at: datetime
    summary: Summary


RunEvent: TypeAlias = (
    RunStarted
    | AssignmentStarted
    | AssignmentWaits
    | DeadlineSet
    | OutputReceived
    | ProgressReceived
    | AssignmentEnded
    | WaveStarted
    | GateOpened
    | PolicyStopped
    | BlockRescued
    | Notice
    | RunEnded
)


class Observer(Protocol):
    """Takes every event of a run in order. Must not block and must not raise."""

    def on_event(self, event: RunEvent) -> None:
        """Take one event."""
