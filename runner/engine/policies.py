"""Counts of hosts against limits, and waves: one book for each policy, one for the run. Pure; it decides nothing."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from runner.engine.blocks import Blocks, BlockShape
from runner.engine.shape import Policy, RunShape


class Book:
    """What is counted of one policy.

    Attributes:
        number: the policy's place in the shape.
        open: the wave whose hosts may start, -1 before the first.
        failed: hosts that failed at ``end``.
        unreachable: hosts that were not reached there.
        broken: nothing of ``start`` is begun any more.
        stopped_by: the wave that did not pass, where that broke it.
        checking: somebody is asked whether the next wave may begin.
        inside: the numbers of the steps and junctions between ``start`` and ``end``, both included.

    """

    __slots__ = (
        "_first",
        "_late",
        "_left",
        "_places",
        "_same_order",
        "_shape",
        "_touched",
        "bad_in",
        "broken",
        "checking",
        "failed",
        "inside",
        "number",
        "open",
        "policy",
        "stopped_by",
        "unreachable",
    )

    def __init__(self, shape: RunShape, blocks: Blocks, number: int) -> None:
        policy = shape.policies[number]
        self.number = number
        self.policy = policy
        self._shape = shape
        start, end = shape.steps[policy.start].hosts, shape.steps[policy.end].hosts
        sizes = [wave.size for wave in policy.waves] or [len(start)]
        if sum(sizes) != len(start) or (len(sizes) > 1 and min(sizes) < 1):
            raise ValueError(f"the waves of policy {number} hold {sum(sizes)} hosts of {len(start)}")
        self._first = [0, *accumulate(sizes)]
        self._left = sizes
        self._touched = [False] * len(sizes)
        self.bad_in = [0] * len(sizes)
        self._late: set[int] = set()
        self._same_order = list(start) == list(end)
        self._places: dict[int, int] = {}
        self.inside = _inside(policy, blocks)
        self.open = -1
        self.failed = self.unreachable = 0
        self.broken = self.checking = False
        self.stopped_by: int | None = None

    @property
    def has_waves(self) -> bool:
        """Whether hosts of ``start`` are held until their wave begins."""
        return bool(self.policy.waves)

    def wave_of(self, position: int) -> int:
        """The wave that a position of ``start`` is in."""
        return bisect_right(self._first, position) - 1

    def positions(self, wave: int) -> range:
        """The positions of ``start`` that a wave holds."""
        return range(self._first[wave], self._first[wave + 1])

    def touch(self, position: int) -> None:
        """A host of its wave did something."""
        self._touched[self.wave_of(position)] = True

    def count(self, position: int, *, bad: bool, unreachable: bool) -> None:
        """A host is over at ``end``, there at this position."""
        place = (
            position if self._same_order else self._place(self._shape.steps[self.policy.end].hosts[position])
        )
        if place is None:
            return
        wave = self.wave_of(place)
        if place in self._late:
            self._late.remove(place)
        else:
            self._left[wave] -= 1
        if bad:
            self.failed += not unreachable
            self.unreachable += unreachable
            if wave >= self.open:
                self.bad_in[wave] += 1

    def be_late(self, host: int) -> bool:
        """The wave goes on without this host; says whether that is news."""
        place = self._place(host)
        if place is None or place in self._late:
            return False
        self._late.add(place)
        self._left[self.wave_of(place)] -= 1
        return True

    def exceeded(self) -> bool:
        """Whether more hosts went bad than may."""
        policy = self.policy
        if policy.max_fail is not None and self.failed > policy.max_fail:
            return True
        if policy.max_unreachable is not None and self.unreachable > policy.max_unreachable:
            return True
        return policy.stop_running and self.failed > 0

    def exceeded_wave(self) -> bool:
        """Whether more hosts of the wave that is open went bad than may."""
        if not self.policy.waves or self.open < 0:
            return False
        limit = self.policy.waves[self.open].max_fail
        return limit is not None and self.bad_in[self.open] > limit

    def wave_is_over(self) -> bool:
        """Whether nobody has to be waited for in the wave that is open, and there is one behind it."""
        return self.open < len(self._left) - 1 and (self.open < 0 or not self._left[self.open])

    def must_ask(self) -> bool:
        """Whether the wave that is over did something, and somebody is to say whether what is left may begin."""
        asks = self.open >= 0 and self.policy.waves[self.open].check and self._touched[self.open]
        return asks and any(self._left[self.open + 1 :])

    def begin_next(self) -> bool:
        """Open the next wave; says whether it has anybody who is not over or late."""
        self.open += 1
        return self._left[self.open] > 0

    def _place(self, host: int) -> int | None:
        if not self._places:
            hosts = self._shape.steps[self.policy.start].hosts
            self._places.update((name, position) for position, name in enumerate(hosts))
        return self._places.get(host)


class RunBook:
    """Distinct hosts of the run that failed or were not reached, at the steps that count."""

    def __init__(self, shape: RunShape) -> None:
        self._shape = shape
        self._limited = shape.max_fail is not None or shape.max_unreachable is not None
        self._failed: set[int] = set()
        self._unreachable: set[int] = set()
        self.broken = False

    def counts(self, step: int) -> bool:
        """Whether results of this step count."""
        return self._limited and step in self._shape.counted

    @property
    def failed(self) -> int:
        """Hosts that failed somewhere."""
        return len(self._failed)

    @property
    def unreachable(self) -> int:
        """Hosts that were not reached and did not fail."""
        return len(self._unreachable - self._failed)

    def count(self, host: int, *, unreachable: bool) -> None:
        """A host went bad."""
        (self._unreachable if unreachable else self._failed).add(host)

    def exceeded(self) -> bool:
        """Whether more hosts went bad than may."""
        most_failed, most_unreachable = self._shape.max_fail, self._shape.max_unreachable
        return (most_failed is not None and self.failed > most_failed) or (
            most_unreachable is not None and self.unreachable > most_unreachable
        )


def books_of(shape: RunShape, blocks: Blocks) -> list[Book]:
    """One book for each policy.

    Raises:
        ValueError: two policies have one start or one end, waves do not hold all hosts once, or something in a block
            with waves waits for hosts of a later wave: it would wait for ever.

    """
    books = [Book(shape, blocks, number) for number in range(len(shape.policies))]
    for ends in ([policy.start for policy in shape.policies], [policy.end for policy in shape.policies]):
        if len(set(ends)) < len(ends):
            raise ValueError("two policies have the same start, or the same end")
    for book in books:
        if len(book.policy.waves) > 1:
            _refuse_waiting_ahead(shape, book)
    return books


def _refuse_waiting_ahead(shape: RunShape, book: Book) -> None:
    wave_of = {
        host: book.wave_of(position) for position, host in enumerate(shape.steps[book.policy.start].hosts)
    }
    for number in book.inside:
        for edge in shape.steps[number].edges:
            if edge.wait == "all" and edge.step in book.inside:
                waves = {wave_of.get(host, 0) for host in shape.steps[edge.step].hosts}
                if len(waves) > 1:
                    raise ValueError(
                        f"step {number} would wait for all hosts of {edge.step}, which has waves"
                    )


def _inside(policy: Policy, blocks: Blocks) -> frozenset[int]:
    block: BlockShape | None = blocks.of_end.get(policy.end)
    return frozenset({policy.start, policy.end} | (block.inside if block is not None else set()))
