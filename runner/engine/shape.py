"""The plan in numbers: what the machine needs to know of steps, hosts, edges and limits, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """One step on one host: the step's number in the plan, and the host's position in that step."""

    step: int
    position: int


@dataclass(frozen=True, slots=True)
class Edge:
    """The step needs ``step``. ``wait`` is ``auto``, ``all`` or ``same`` (language.md, "Order")."""

    step: int
    wait: str = "auto"


@dataclass(frozen=True, slots=True)
class StepShape:
    """One step.

    Attributes:
        hosts: number of each host, in the order they start; a host stands in a step at most once.
        edges: what the step needs; every edge points to a step of a lower rank in some topological order (no cycles),
            not necessarily to a lower number.
        run_if: ``success``, ``failure`` or ``always``.
        judged: whether the driver must be asked before an assignment may start (``when``, ``loop``).
        counters: for each position the numbers of the counters it takes a slot of, all at once or none. The lane of a
            kept session is such a counter with a limit of 1.

    """

    hosts: Sequence[int]
    edges: tuple[Edge, ...] = ()
    run_if: str = "success"
    judged: bool = False
    counters: Sequence[tuple[int, ...]] = ()


@dataclass(frozen=True, slots=True)
class RunShape:
    """All steps, and the limit of each counter (None: unlimited, it is only counted)."""

    steps: tuple[StepShape, ...]
    limits: tuple[int | None, ...] = ()
