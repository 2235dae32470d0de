"""What the machine wants done: one frozen value for each act of the driver, to be done in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from runner.engine.shape import Assignment


@dataclass(frozen=True, slots=True)
class Judge:
    """Evaluate ``when`` and ``loop``, answer with ``Judged``."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Start:
    """Run it, or let it go on where it was parked; it holds its counters from now until ``Ended`` or ``Parked``."""

    assignment: Assignment


class Why(StrEnum):
    """Why an assignment is skipped."""

    UPSTREAM = "upstream"
    """``run_if: success``, and ``cause`` upstream is bad."""
    NOTHING_BAD = "nothing_bad"
    """``run_if: failure``, and nothing upstream is bad; or a rescue that nobody needs."""
    NOT_ENTERED = "not_entered"
    """Its block was skipped for this host; ``cause`` is the block's entry."""
    POLICY = "policy"
    """``max_fail`` or ``max_unreachable`` of ``cause`` is exceeded (None: of the whole run)."""
    WAVE = "wave"
    """The wave before did not pass; ``cause`` is the step (or entry) with the waves."""


@dataclass(frozen=True, slots=True)
class Skip:
    """It is over without having run; nothing is answered. ``held_back`` says that it counts as bad for what follows.

    A junction that is skipped is told too, before its ``Passed``: as the reason for what stands behind it.
    """

    assignment: Assignment
    held_back: bool
    cause: int | None = None
    why: Why = Why.UPSTREAM


@dataclass(frozen=True, slots=True)
class Passed:
    """A host passed a junction, or was skipped there. At a block's end ``bad`` is how the block ended for it.

    Of a junction other than an end it can come a second time, with ``entered`` False: nothing of the block had begun on
    the host when a limit was exceeded (a ``Skip`` of the entry says which) or the run was stopped.
    ``rescued``: something in the block went bad and the end is not.
    """

    assignment: Assignment
    entered: bool
    bad: bool = False
    rescued: bool = False


@dataclass(frozen=True, slots=True)
class WaveBegan:
    """Hosts of a wave may start; told of every wave of a policy that has some. Waves count from 0."""

    policy: int
    wave: int


@dataclass(frozen=True, slots=True)
class CheckWave:
    """A wave is over: say with ``WaveChecked`` whether the next one may begin (``health``, ``pause``)."""

    policy: int
    wave: int


@dataclass(frozen=True, slots=True)
class PolicyBroke:
    """A limit is exceeded: nothing that waits there is started. ``policy`` None is the run's own.

    ``failed`` and ``unreachable`` hosts at that moment; ``running`` hosts have begun at ``start`` and are not over at
    ``end`` (of the run: at work, or inside of a block), go on and may add to them. ``wave`` is the one that did not
    pass, where it was that: its own limit was exceeded by ``wave_bad`` hosts, or somebody said so (0).
    """

    policy: int | None
    failed: int
    unreachable: int
    running: int
    wave: int | None = None
    wave_bad: int = 0


@dataclass(frozen=True, slots=True)
class Abandon:
    """It is over without having run, because the run was stopped; nothing is answered."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop what it runs; ``Ended`` is still awaited."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Finish:
    """Every assignment is over; the last command of every run."""


Command: TypeAlias = (
    Judge | Start | Skip | Passed | WaveBegan | CheckWave | PolicyBroke | Abandon | Cancel | Finish
)
