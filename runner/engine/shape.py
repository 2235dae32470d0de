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
    """The step needs ``step``. ``wait`` is ``auto``, ``all`` or ``same`` (language.md, "Order").

    ``taints`` False is an order and nothing else: what went wrong in ``step`` and before it is not looked at.
    """

    step: int
    wait: str = "auto"
    taints: bool = True


@dataclass(frozen=True, slots=True)
class StepShape:
    """One step.

    Attributes:
        hosts: number of each host, in the order they start; a host stands in a step at most once.
        edges: what the step needs; every edge points to a step of a lower rank in some topological order (no cycles),
            not necessarily to a lower number.
        run_if: ``success``, ``failure`` or ``always``.
        judged: whether the driver must be asked before an assignment may start (``when``, ``loop``).
        counters: for each position the counters it takes slots of, all at once or none: ``(number, slots)``. The lane
            of a kept session is such a counter with a limit of 1.
        junction: a point that hosts pass and nothing is run at: the entry of a block, of its rescue, of its always, its
            end. It is over as soon as it is decided; it takes no slots.
        enter: the junction that a host must have passed, or the assignment is skipped as that one was.
        finally_: part of a block's ``always``: a stop of the run does not abandon it where the block has begun.

    """

    hosts: Sequence[int]
    edges: tuple[Edge, ...] = ()
    run_if: str = "success"
    judged: bool = False
    counters: Sequence[tuple[tuple[int, int], ...]] = ()
    junction: bool = False
    enter: int | None = None
    finally_: bool = False


@dataclass(frozen=True, slots=True)
class WaveShape:
    """One wave: how many positions of the policy's ``start`` it holds, after those of the waves before it.

    ``max_fail``: how many hosts of this wave may go bad before no further wave begins; None leaves it to the policy.
    ``check``: somebody must say that the next one may begin (``health``, ``pause``): ``CheckWave`` asks.
    """

    size: int
    max_fail: int | None = None
    check: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """When hosts of a step, a block or the run are not started any more.

    Attributes:
        start: the step (or the entry of the block) whose assignments are held and skipped.
        end: the step (or the end of the block) whose results count, host by host; ``start`` for a step.
        max_fail: how many hosts may be failed, None any; exceeded, nothing of ``start`` that waits is begun (of a
            block: on no host where nothing of it was started), and what needs ``end`` is held back on every host.
        max_unreachable: the same of unreachable hosts. They count here and not under ``max_fail``.
        stop_running: a first failure also cancels what runs between ``start`` and ``end`` (``any_errors: stop``).
        waves: in order, together all positions of ``start``; empty is one wave without a word.

    """

    start: int
    end: int
    max_fail: int | None = None
    max_unreachable: int | None = None
    stop_running: bool = False
    waves: tuple[WaveShape, ...] = ()


@dataclass(frozen=True, slots=True)
class RunShape:
    """All steps, the limit of each counter (None: unlimited, only counted), and what ends a run early.

    ``max_fail`` and ``max_unreachable`` are of distinct hosts of the run, counted at ``counted``: the steps outside
    of blocks and the ends of the outermost blocks, so that a rescued host counts for nothing. Exceeded, every step is
    as if its own policy were: only ``run_if: failure`` and ``always`` go on.
    """

    steps: tuple[StepShape, ...]
    limits: tuple[int | None, ...] = ()
    policies: tuple[Policy, ...] = ()
    max_fail: int | None = None
    max_unreachable: int | None = None
    counted: frozenset[int] = frozenset()
