"""Who comes first where not all can start: a host that is in a block goes through it before another comes in. Pure.

Without this the lowest number starts first, so with a throttle every host would do a block's first step before any host
did its second, and a limit of the block would find nobody whom it could still keep out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from runner.engine.admission import Admission, Path
from runner.engine.blocks import Blocks
from runner.engine.shape import RunShape


class DepthFirst:
    """An :class:`runner.engine.admission.Admission` in which the later steps of a block stand before its earlier ones.

    It knows assignments by their numbers, as the other does; inside they have ranks. Steps outside of blocks keep their
    places, and so do the blocks.
    """

    def __init__(
        self,
        limits: Sequence[int | None],
        shared: Sequence[int],
        counters_of: Callable[[int], Path],
        *,
        first: Sequence[int],
        sizes: Sequence[int],
        order: Sequence[int],
    ) -> None:
        self._first = first
        self._order = order
        self._rank_of = [0] * len(order)
        self._begin = [0, *accumulate(sizes[step] for step in order)]
        self._begin.pop()
        for place, step in enumerate(order):
            self._rank_of[step] = self._begin[place]
        self._inner = Admission(limits, shared, lambda rank: counters_of(self._number(rank)))

    @property
    def used(self) -> list[int]:
        """Slots taken of each counter."""
        return self._inner.used

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._inner.waiting

    @property
    def nodes(self) -> int:
        """How many nodes are kept for who waits."""
        return self._inner.nodes

    def offer(self, number: int) -> None:
        """Let an assignment wait."""
        self._inner.offer(self._rank(number))

    def take(self) -> int | None:
        """The first that can start, its slots taken; None where nothing can."""
        rank = self._inner.take()
        return None if rank is None else self._number(rank)

    def release(self, number: int) -> None:
        """Give back the slots of an assignment."""
        self._inner.release(self._rank(number))

    def withdraw(self, number: int) -> None:
        """It waits no more."""
        self._inner.withdraw(self._rank(number))

    def withdraw_all(self) -> None:
        """Nobody waits any more."""
        self._inner.withdraw_all()

    def has_room(self, number: int) -> bool:
        """Whether all of its counters have room now."""
        return self._inner.has_room(self._rank(number))

    def _rank(self, number: int) -> int:
        step = bisect_right(self._first, number) - 1
        return self._rank_of[step] + number - self._first[step]

    def _number(self, rank: int) -> int:
        place = bisect_right(self._begin, rank) - 1
        return self._first[self._order[place]] + rank - self._begin[place]


def steps_in_order(shape: RunShape, blocks: Blocks) -> list[int]:
    """The steps, each outermost block's with the last one first, where the first of them stands."""
    outermost: dict[int, frozenset[int]] = {}
    for entry, block in blocks.of_entry.items():
        if shape.steps[entry].enter is None:
            members = frozenset(step for step in block.inside if not shape.steps[step].junction)
            outermost |= dict.fromkeys(members, members)
    order: list[int] = []
    placed: set[int] = set()
    for step in range(len(shape.steps)):
        if step not in placed:
            group = sorted(outermost.get(step, frozenset({step})), reverse=True)
            order += group
            placed.update(group)
    return order
