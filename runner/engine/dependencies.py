"""Who waits for whom, and who is held back by whom (language.md, "Order" and ``run_if``). Pure.

An assignment is a number here: the first number of its step plus its position, so that numbers sort by step, then by
host in inventory order. A link is an edge of the plan resolved to positions. What is remembered of an assignment is
eight bytes: how many of its needs are open, and its taint.

An assignment is *tainted* when its own result is bad, or when anything upstream of it is tainted. Over a link a host
looks at its own assignment of the needed step; a host that has none there looks at all of them (never under
``wait: same``), and takes as many bad ones as the needed step's policy allows for none. A link that does not taint is
an order and nothing else.

A taint is a number too: twice the step whose own result was bad, plus one where the host was not reached.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from runner.engine.blocks import Blocks
from runner.engine.shape import Assignment, Edge, RunShape

_ABSENT = -1
CLEAN = -1
"""No taint."""


def taint_of(step: int, *, unreachable: bool = False) -> int:
    """The taint of what stands behind a bad result of this step."""
    return 2 * step + unreachable


@dataclass(frozen=True, slots=True)
class Link:
    """``step`` needs ``needed``: positions in the one for positions in the other, -1 where the host is absent.

    ``any_host``: every host is judged by all hosts of ``needed`` (a block's rescue under ``rescue_on: block``).
    """

    needed: int
    step: int
    wait: str
    taints: bool
    any_host: bool
    forward: Sequence[int]
    back: Sequence[int]

    def waits_for_all(self, position: int) -> bool:
        """Whether this position of ``step`` waits for the whole of ``needed``."""
        return self.wait == "all" or (self.wait == "auto" and self.back[position] == _ABSENT)


class Dependencies:
    """Open needs and taint of every assignment; ``stained`` says that there is a taint at all."""

    __slots__ = (
        "_bad",
        "_enter",
        "_incoming",
        "_left",
        "_open",
        "_outgoing",
        "_shape",
        "_step_taint",
        "_taint",
        "_tolerance",
        "first",
        "stained",
        "total",
    )

    def __init__(self, shape: RunShape, blocks: Blocks) -> None:
        self._shape = shape
        sizes = [len(step.hosts) for step in shape.steps]
        self.first = [0, *accumulate(sizes)]
        self.total = self.first.pop()
        self._left = sizes
        self._open = array("i", bytes(4 * self.total))
        self._taint = array("i", [CLEAN]) * self.total
        self._step_taint = array("i", [CLEAN]) * len(sizes)
        self._bad = [[0, 0] for _ in sizes]  # tainted assignments of each step: failed, unreachable
        self._tolerance = {
            policy.end: (policy.max_fail or 0, policy.max_unreachable or 0) for policy in shape.policies
        }
        self.stained = False
        self._incoming: list[list[Link]] = [[] for _ in sizes]
        self._outgoing: list[list[Link]] = [[] for _ in sizes]
        self._enter: list[Link | None] = [None] * len(sizes)
        for number in range(len(sizes)):
            for edge in _effective_edges(shape, blocks, number):
                self._connect(number, edge, any_host=number in blocks.rescues and edge.wait == "all")

    def _connect(self, number: int, edge: Edge, *, any_host: bool) -> None:
        hosts, needed = self._shape.steps[number].hosts, self._shape.steps[edge.step].hosts
        link = Link(
            needed=edge.step,
            step=number,
            wait=edge.wait,
            taints=edge.taints,
            any_host=any_host,
            forward=_positions(needed, hosts),
            back=_positions(hosts, needed),
        )
        self._incoming[number].append(link)
        self._outgoing[edge.step].append(link)
        if edge.step == self._shape.steps[number].enter:
            self._enter[number] = link
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

    def entered_by(self, step: int, position: int) -> int | None:
        """The number of the junction that this host entered the step by, None where there is none."""
        link = self._enter[step]
        if link is None or link.back[position] == _ABSENT:
            return None
        return self.first[link.needed] + link.back[position]

    def outgoing(self, step: int) -> Iterable[Link]:
        """The links of what needs this step."""
        return self._outgoing[step]

    def open_needs(self, number: int) -> int:
        """How many of its needs are not over yet."""
        return self._open[number]

    def ready_at_once(self) -> Iterator[int]:
        """All that need nothing, in order."""
        return (number for number, needs in enumerate(self._open) if not needs)

    def taint(self, number: int) -> int:
        """The taint of an assignment that is over."""
        return self._taint[number]

    def cause(self, step: int, position: int) -> int:
        """What taints an assignment from upstream; asked when its needs are over."""
        if not self.stained:
            return CLEAN
        return self.seen(step, position, taints=True)

    def seen(self, step: int, position: int, *, taints: bool, only: Iterable[int] | None = None) -> int:
        """The first taint over its links that taint (or over all), to the steps in ``only`` where that is given."""
        for link in self._incoming[step]:
            if (taints and not link.taints) or (only is not None and link.needed not in only):
                continue
            there = link.back[position]
            if link.any_host:
                taint = self._step_taint[link.needed]
            elif there != _ABSENT:
                taint = self._taint[self.first[link.needed] + there]
            else:
                taint = CLEAN if link.wait == "same" else self._beyond(link.needed)
            if taint != CLEAN:
                return taint
        return CLEAN

    def _beyond(self, needed: int) -> int:
        """The taint of a step as a host sees it that is not in it: of bad hosts beyond what its policy allows for."""
        failed, unreachable = self._bad[needed]
        may_fail, may_be_unreachable = self._tolerance.get(needed, (0, 0))
        if failed <= may_fail and unreachable <= may_be_unreachable:
            return CLEAN
        return self._step_taint[needed]

    def stain(self, step: int, position: int, taint: int) -> None:
        """Note the taint of an assignment that has none yet."""
        self.stained = True
        self._taint[self.first[step] + position] = self._step_taint[step] = taint
        self._bad[step][taint & 1] += 1

    def settle(self, step: int, position: int, taint: int) -> list[int]:
        """Note that an assignment is over, with its taint; gives those whose last need that was."""
        if taint != CLEAN:
            self.stain(step, position, taint)
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


def _effective_edges(shape: RunShape, blocks: Blocks, number: int) -> Iterator[Edge]:
    """A step's edges, where a needed step without any host is replaced by what it needs itself.

    Nothing can wait for a step that has no hosts, but what it was ordered behind still comes first. The stricter word
    goes through: ``all`` and ``same`` on the way to the empty step hold for what stands behind it too, and so does an
    edge that does not taint. Behind the junction it is entered by a step comes in any case, and an end behind its
    block's rescue: the host may be absent in all of the steps that stand between them.
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
            replace(
                beyond,
                wait=beyond.wait if edge.wait == "auto" else edge.wait,
                taints=beyond.taints and edge.taints,
            )
            for beyond in reversed(shape.steps[edge.step].edges)
        )
    block = blocks.of_end.get(number)
    for before in (shape.steps[number].enter, None if block is None else block.rescue):
        if before is not None and not any(edge.step == before for edge in seen):
            yield Edge(before, "same", taints=False)


def _positions(hosts: Sequence[int], others: Sequence[int]) -> Sequence[int]:
    """For each of ``hosts`` its position in ``others``, -1 where it is absent."""
    if hosts is others or list(hosts) == list(others):
        return range(len(hosts))
    places = {host: position for position, host in enumerate(others)}
    return array("i", [places.get(host, _ABSENT) for host in hosts])
