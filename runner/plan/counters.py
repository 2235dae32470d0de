"""Limits as counters: each throttle is a counter of its own, an assignment takes a slot of all of its."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from runner.inventory.inventory import Inventory
from runner.plan.place import Placed
from runner.playbook.blocks import around
from runner.playbook.control import Pool, PoolUse
from runner.playbook.model import Block, Step
from runner.playbook.read import UNLIMITED

DEFAULT_THROTTLE = 32

Slots = tuple[tuple[int, int], ...]


class Counters:
    """Numbers for limits; the same kind and name is the same counter."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._limits: list[int | None] = []
        self._shared: dict[Slots, Slots] = {}
        self._pairs: dict[tuple[int, int], tuple[int, int]] = {}

    def number(self, kind: str, name: str, limit: int | None) -> int:
        """The counter's number; the first limit given counts."""
        key = (kind, name)
        if key not in self._numbers:
            self._numbers[key] = len(self._limits)
            self._limits.append(limit)
        return self._numbers[key]

    def shared(self, numbers: Slots) -> Slots:
        """One tuple for equal tuples: a plan has one for each of a million assignments."""
        return self._shared.setdefault(numbers, numbers)

    def of_shared_pairs(self, numbers: Slots) -> Slots:
        """One pair for equal pairs: what has a lane is equal to no other, but is made of pairs that others have too."""
        return tuple([self._pairs.setdefault(pair, pair) for pair in numbers])

    @property
    def limits(self) -> tuple[int | None, ...]:
        """The limit of each counter."""
        return tuple(self._limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What limits the assignments of a plan, beside what stands in steps and placements.

    ``default`` is ``-f`` or None for 32; ``run`` the run's own limit, None or ``UNLIMITED`` for none; ``pools`` by
    name; ``uses_of`` gives what a host takes of pools by itself.
    """

    default: int | None
    run: int | None
    blocks: Mapping[str, Block]
    pools: Mapping[str, Pool]
    uses_of: Callable[[str], Sequence[PoolUse]]


def slots_of(step: Step, placed: Sequence[Placed], counters: Counters, limits: Limits) -> tuple[Slots, ...]:
    """The counters that each assignment of a step takes slots of; the lane of a kept interpreter comes first."""
    throttle = step.throttle if step.throttle is not None else limits.default
    throttle = DEFAULT_THROTTLE if throttle is None else throttle
    common = [counters.number("step", step.id, None if throttle == UNLIMITED else throttle)]
    if limits.run:
        common.append(counters.number("run", "", limits.run))
    for place in around(step.place, limits.blocks):
        limit = limits.blocks[place.block].throttle
        if limit:
            common.append(counters.number("block", place.block, limit))
    return tuple(_slots(step, item, common, counters, limits) for item in placed)


def _slots(step: Step, placed: Placed, common: Sequence[int], counters: Counters, limits: Limits) -> Slots:
    placement = placed.placement
    slots: dict[int, int] = {}
    if placement.session is not None:
        slots[counters.number("lane", f"{placement.session}\0{placement.host}", 1)] = 1
    slots |= dict.fromkeys(common, 1)
    # Delegates are worked on one after another, so each limit of theirs is met by one slot.
    reached = placed.delegates or (placed,)
    for item in reached:
        for (kind, name), limit in item.limits.items():
            if limit != UNLIMITED:
                slots[counters.number(kind, name, limit)] = 1
    for name, weight in pool_weights(step, placed, limits.uses_of).items():
        pool = limits.pools.get(name)
        if pool is not None:
            slots[counters.number("pool", name, pool.size)] = weight
    numbers = tuple(slots.items())
    return counters.shared(numbers) if placement.session is None else counters.of_shared_pairs(numbers)


def uses_of(inventory: Inventory | None) -> Callable[[str], Sequence[PoolUse]]:
    """What each host takes of pools by itself, asked of the inventory once a host."""
    if inventory is None:
        return lambda _: ()
    return cache(inventory.pool_uses)


def pool_weights(
    step: Step, placed: Placed, uses_of: Callable[[str], Sequence[PoolUse]]
) -> Mapping[str, int]:
    """How many tokens of each pool an assignment takes: where the step and the host name the same one, the more."""
    reached = placed.delegates or (placed,)
    weights: dict[str, int] = {}
    for use in (*step.pools, *(use for item in reached for use in uses_of(item.placement.host))):
        weights[use.name] = max(use.weight, weights.get(use.name, 0))
    return weights
