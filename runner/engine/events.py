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
class Ended:
    """A started assignment is over. ``bad`` as in ``Result.bad``: an ignored failure is not."""

    assignment: Assignment
    bad: bool = False


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Nothing new may start; what runs is cancelled. Asked twice or after the end it changes nothing."""


Event: TypeAlias = RunBegan | Judged | Ended | StopRequested
