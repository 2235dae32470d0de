"""Who waits for whom, and who is held back by whom (language.md, "Order" and ``run_if``). Pure.

An assignment is a number here: the first number of its step plus its position, so that numbers sort by step, then by
host in inventory order. A link is an edge of the plan resolved to positions. What is remembered of an assignment is
eight bytes: how many of its needs are open, and which step tainted it.

An assignment is *tainted* when its own result is bad, or when anything upstream of it is tainted. Over a link a host
looks at its own assignment of the needed step; a host that has none there looks at all of them (never under
``wait: same``).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from runner.engine.shape import Assignment, Edge, RunShape

_ABSENT = -1
_CLEAN = -1


@dataclass(frozen=True, slots=True)
class _Link:
    """``step`` needs ``needed``: positions in the one for positions in the other, -1 where the host is absent."""

    needed: int
    step: int
    wait: str
    forward: Sequence[int]
    back: Sequence[int]

    def waits_for_all(self, position: int) -> bool:
        """Whether this position of ``step`` waits for the whole of ``needed``."""
        return self.wait == "all" or (self.wait == "auto" and self.back[position] == _ABSENT)


class Dependencies:
    """Open needs and taint of every assignment."""

    __slots__ = ("_incoming", "_left", "_open", "_outgoing", "_step_taint", "_taint", "first", "total")

    def __init__(self, shape: RunShape) -> None:
        sizes = [len(step.hosts) for step in shape.steps]
        self.first = [0, *accumulate(sizes)]
        self.total = self.first.pop()
        self._left = sizes
        self._open = array("i", bytes(4 * self.total))
        self._taint = array("i", [_CLEAN]) * self.total
        self._step_taint = array("i", [_CLEAN]) * len(sizes)
        self._incoming: list[list[_Link]] = [[] for _ in sizes]
        self._outgoing: list[list[_Link]] = [[] for _ in sizes]
        for number in range(len(sizes)):
            for edge in _effective_edges(shape, number):
                self._connect(shape, number, edge)

    def _connect(self, shape: RunShape, number: int, edge: Edge) -> None:
        hosts, needed = shape.steps[number].hosts, shape.steps[edge.step].hosts
        link = _Link(edge.step, number, edge.wait, _positions(needed, hosts), _positions(hosts, needed))
        self._incoming[number].append(link)
        self._outgoing[edge.step].append(link)
        for position, there in enumerate(link.back):
            if edge.wait != "same" or there != _ABSENT:
                self._open[self.first[number] + position] += 1

    def locate(self, number: int) -> Assignment:
        """The assignment behind a number."""
        step = bisect_right(self.first, number) - 1
        return Assignment(step, number - self.first[step])

    def number(self, assignment: Assignment) -> int:
        """The number of an assignment."""
        return self.first[assignment.step] + assignment.position

    def open_needs(self, number: int) -> int:
        """How many of its needs are not over yet."""
        return self._open[number]

    def ready_at_once(self) -> Iterator[int]:
        """All that need nothing, in order."""
        return (number for number, needs in enumerate(self._open) if not needs)

    def cause(self, number: int) -> int | None:
        """The step upstream whose own bad result taints this assignment, or None; asked when its needs are over."""
        assignment = self.locate(number)
        for link in self._incoming[assignment.step]:
            there = link.back[assignment.position]
            if there != _ABSENT:
                taint = self._taint[self.first[link.needed] + there]
            else:
                taint = _CLEAN if link.wait == "same" else self._step_taint[link.needed]
            if taint != _CLEAN:
                return taint
        return None

    def settle(self, number: int, *, bad: bool, cause: int | None) -> list[int]:
        """Note that an assignment is over; gives those whose last need that was. ``cause`` as :meth:`cause` has it."""
        assignment = self.locate(number)
        step, position = assignment.step, assignment.position
        if cause is not None or bad:
            self._taint[number] = self._step_taint[step] = step if cause is None else cause
        self._left[step] -= 1
        ready: list[int] = []
        for link in self._outgoing[step]:
            first = self.first[link.step]
            there = link.forward[position]
            if there != _ABSENT and link.wait != "all":
                self._meet(first + there, ready)
            if not self._left[step]:
                for waiting in range(len(link.back)):
                    if link.waits_for_all(waiting):
                        self._meet(first + waiting, ready)
        return ready

    def _meet(self, number: int, ready: list[int]) -> None:
        self._open[number] -= 1
        if not self._open[number]:
            ready.append(number)


def _effective_edges(shape: RunShape, number: int) -> Iterator[Edge]:
    """A step's edges, where a needed step without any host is replaced by what it needs itself.

    Nothing can wait for a step that has no hosts, but what it was ordered behind still comes first. The stricter word
    goes through: ``all`` and ``same`` on the way to the empty step hold for what stands behind it too.
    """
    pending = list(reversed(shape.steps[number].edges))
    seen: set[Edge] = set()
    while pending:
        edge = pending.pop()
        if edge in seen:
            continue
        seen.add(edge)
        if len(shape.steps[edge.step].hosts):
            yield edge
            continue
        pending.extend(
            Edge(beyond.step, beyond.wait if edge.wait == "auto" else edge.wait)
            for beyond in reversed(shape.steps[edge.step].edges)
        )


def _positions(hosts: Sequence[int], others: Sequence[int]) -> Sequence[int]:
    """For each of ``hosts`` its position in ``others``, -1 where it is absent."""
    if hosts is others or list(hosts) == list(others):
        return range(len(hosts))
    places = {host: position for position, host in enumerate(others)}
    return array("i", [places.get(host, _ABSENT) for host in hosts])
