"""What the machine wants done: one frozen value for each act of the driver, to be done in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from runner.engine.shape import Assignment


@dataclass(frozen=True, slots=True)
class Judge:
    """Evaluate ``when`` and ``loop``, answer with ``Judged``."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Start:
    """Run it; it holds its counters from now until ``Ended``."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Skip:
    """It is over without having run, because of its ``run_if``; nothing is answered.

    ``held_back`` with ``cause``, the number of the step upstream whose own result is bad; else the step has
    ``run_if: failure`` and nothing upstream is bad, ``cause`` None.
    """

    assignment: Assignment
    held_back: bool
    cause: int | None = None


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


Command: TypeAlias = Judge | Start | Skip | Abandon | Cancel | Finish
