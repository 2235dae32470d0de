"""What the machine is told: one frozen value for each thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from runner.engine.shape import Assignment


@dataclass(frozen=True, slots=True)
class RunBegan:
    """The first event of every run."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to ``Judge``. Where it does not ``proceed`` it is over, and ``bad`` says whether it counts as such."""

    assignment: Assignment
    proceed: bool
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Parked:
    """A started assignment waits for something that is no work: it gives its slots back until ``Resumed``.

    ``late``: it may be long (an unreachable host, a slow one): its wave goes on without it.
    """

    assignment: Assignment
    late: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a parked assignment waited for is there: it wants its slots again, and gets ``Start`` with them."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class WaveChecked:
    """The answer to ``CheckWave``: whether the wave after ``wave`` may begin."""

    policy: int
    wave: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A started assignment is over, parked or not. ``bad`` as in ``Result.bad``: an ignored failure is not.

    ``unreachable``: it is bad because the host was not reached, which policies count apart. ``began``: False where its
    ``Cancel`` overtook its ``Start``, so that nothing of it ran.
    """

    assignment: Assignment
    bad: bool = False
    unreachable: bool = False
    began: bool = True


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Nothing new may start but ``always`` where its block has begun; what runs is cancelled.

    ``wholly``: not even those, and what runs of them is cancelled too. Asked again or after the end it changes nothing
    but that.
    """

    wholly: bool = False


Event: TypeAlias = RunBegan | Judged | Parked | Resumed | Ended | WaveChecked | StopRequested
