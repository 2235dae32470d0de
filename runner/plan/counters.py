"""Limits as counters: each throttle is a counter of its own, an assignment takes a slot of all of its."""

from __future__ import annotations

from collections.abc import Sequence

from runner.engine.shape import Edge, RunShape, StepShape
from runner.plan.place import Placed
from runner.playbook.model import Step
from runner.playbook.read import UNLIMITED

DEFAULT_THROTTLE = 32


class Counters:
    """Numbers for limits; the same kind and name is the same counter."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._limits: list[int | None] = []
        self._shared: dict[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = {}

    def number(self, kind: str, name: str, limit: int | None) -> int:
        """The counter's number; the first limit given counts."""
        key = (kind, name)
        if key not in self._numbers:
            self._numbers[key] = len(self._limits)
            self._limits.append(limit)
        return self._numbers[key]

    def shared(self, numbers: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """One tuple for equal tuples: a plan has one for each of a million assignments."""
        return self._shared.setdefault(numbers, numbers)

    @property
    def limits(self) -> tuple[int | None, ...]:
        """The limit of each counter."""
        return tuple(self._limits)


def run_shape(
    steps: Sequence[tuple[Step, Sequence[Placed]]],
    host_numbers: dict[str, int],
    *,
    default_throttle: int | None,
    run_throttle: int | None,
) -> RunShape:
    """The plan in numbers.

    ``default_throttle`` is ``-f`` or None for 32; ``run_throttle`` the run's own limit, None or ``UNLIMITED`` for none.
    """
    counters = Counters()
    run = (counters.number("run", "", run_throttle),) if run_throttle else ()
    index = {step.id: position for position, (step, _) in enumerate(steps)}
    shapes = []
    for step, placed in steps:
        throttle = step.throttle if step.throttle is not None else default_throttle
        throttle = DEFAULT_THROTTLE if throttle is None else throttle
        limit = None if throttle == UNLIMITED else throttle
        common = (counters.number("step", step.id, limit), *run)
        shapes.append(
            StepShape(
                hosts=tuple(host_numbers[item.placement.host] for item in placed),
                edges=tuple(
                    Edge(index[need.step], need.wait.value) for need in step.needs or () if need.step in index
                ),
                run_if=step.run_if.value,
                judged=bool(step.when) or step.loop is not None,
                counters=tuple(
                    counters.shared(tuple((number, 1) for number in _numbers(counters, common, item)))
                    for item in placed
                ),
            )
        )
    return RunShape(tuple(shapes), counters.limits)


def _numbers(counters: Counters, common: tuple[int, ...], placed: Placed) -> tuple[int, ...]:
    """The counters of one assignment; the lane of a kept interpreter comes first."""
    placement = placed.placement
    lane: tuple[int, ...] = ()
    if placement.session is not None:
        lane = (counters.number("lane", f"{placement.session}\0{placement.host}", 1),)
    limited = tuple(
        counters.number(kind, name, limit)
        for (kind, name), limit in placed.limits.items()
        if limit != UNLIMITED
    )
    return (*lane, *common, *limited)
