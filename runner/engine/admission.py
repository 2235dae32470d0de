"""Who may start: every limit is a counter, an assignment takes its slots of all of its counters or of none. Pure.

Whoever waits stands in a tree. An assignment's counters, from the one that most assignments share (the run's) to the
one that fewest do (the lane of one host's session), are its path; each node is a counter in the light of the wider ones
above it. A node whose counter is full offers nothing to its parent; when the counter fills or gets room again, only its
own few nodes are looked at, never the assignments under them. So nobody is held up by the head of a queue, the
assignment taken next is always the lowest number of all that could start, and one release costs the depth of the tree,
not the length of a queue (parking each assignment on its first full counter bounces thousands of them between two
counters that fill in turn).

An assignment may take several slots of a counter (a pool's weight). Those that take as many of it stand in one node, so
a counter can be too full for one node and have room for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeAlias

Slots: TypeAlias = tuple[int, int]
"""A counter's number, and how many slots are taken of it."""

Path: TypeAlias = tuple[Slots, ...]


class _Node:
    """Assignments that wait for the same counters, and the nodes of those that wait for further ones as well.

    ``heap`` holds ``(lowest number, child)``, child None for an assignment of the node itself. An entry of a child
    counts only while it says what the child has ``offered``; older ones are dropped when they come up.
    """

    __slots__ = ("children", "heap", "offered", "parent", "path")

    def __init__(self, path: Path, parent: _Node | None) -> None:
        self.path = path
        self.parent = parent
        self.children = 0
        self.heap: list[tuple[int, _Node | None]] = []
        self.offered: int | None = None

    def __lt__(self, other: _Node) -> bool:
        """Nodes are equal to a heap: an assignment that waits again may meet an entry of its first time there."""
        return False

    def lowest(self) -> int | None:
        """The lowest number that nothing below this node blocks."""
        heap = self.heap
        while heap:
            number, child = heap[0]
            if child is None or child.offered == number:
                return number
            heappop(heap)
        return None


class Admission:
    """The counters and everybody who waits for them.

    ``limits`` has None for a counter without one. ``counters_of`` gives the counters of an assignment's number, with
    the slots it takes of each. ``shared`` says for each counter how many assignments of the whole run use it.

    Raises:
        ValueError: a limit is less than 1.

    """

    __slots__ = ("_at", "_counters_of", "_limits", "_nodes", "_root", "_shared", "used", "waiting")

    def __init__(
        self, limits: Sequence[int | None], shared: Sequence[int], counters_of: Callable[[int], Path]
    ) -> None:
        if any(limit is not None and limit < 1 for limit in limits):
            raise ValueError("a limit is at least 1, or None for no limit")
        self._limits = limits
        self._shared = shared
        self._counters_of = counters_of
        self._root = _Node((), None)
        self._nodes: dict[Path, _Node] = {}
        self._at: dict[int, dict[int, dict[_Node, None]]] = {}  # by counter, by slots taken of it
        self.used = [0] * len(limits)
        self.waiting = 0

    @property
    def nodes(self) -> int:
        """How many nodes are kept for who waits."""
        return len(self._nodes)

    def offer(self, number: int) -> None:
        """Let an assignment wait; :meth:`take` gives it out when there is room."""
        node = self._node(self._path(number))
        heappush(node.heap, (number, None))
        self.waiting += 1
        self._refresh(node)

    def take(self) -> int | None:
        """The lowest number that can start, its slots taken; None where nothing can."""
        node = self._root
        if node.lowest() is None:
            return None
        number, child = node.heap[0]
        while child is not None:
            node = child
            node.lowest()
            number, child = node.heap[0]
        heappop(node.heap)
        self.waiting -= 1
        changed = self._use(number, 1)
        self._refresh(node)
        for other in changed:
            self._refresh(other)
        self._prune(node)
        return number

    def release(self, number: int) -> None:
        """Give back the slots of an assignment that is over, or that waits for something that is no work."""
        for node in self._use(number, -1):
            self._refresh(node)

    def withdraw(self, number: int) -> None:
        """An assignment does not wait any more."""
        node = self._node(self._path(number))
        node.heap.remove((number, None))
        heapify(node.heap)
        self.waiting -= 1
        self._refresh(node)
        self._prune(node)

    def withdraw_all(self) -> None:
        """Nobody waits any more: the run is being stopped."""
        self._root = _Node((), None)
        self._nodes.clear()
        self._at.clear()
        self.waiting = 0

    def has_room(self, number: int) -> bool:
        """Whether all of its counters have room now."""
        return all(self._fits(counter, slots) for counter, slots in self._counters_of(number))

    def _path(self, number: int) -> Path:
        """Its limited counters, widest first."""
        counters = [slots for slots in self._counters_of(number) if self._limits[slots[0]] is not None]
        counters.sort(key=lambda slots: (-self._shared[slots[0]], slots[0]))
        return tuple(counters)

    def _node(self, path: Path) -> _Node:
        if not path:
            return self._root
        node = self._nodes.get(path)
        if node is None:
            parent = self._node(path[:-1])
            parent.children += 1
            node = self._nodes[path] = _Node(path, parent)
            counter, slots = path[-1]
            self._at.setdefault(counter, {}).setdefault(slots, {})[node] = None
        return node

    def _prune(self, node: _Node) -> None:
        """Forget a node under which nobody waits, and those above it that it leaves empty."""
        while node.parent is not None and not node.children and node.lowest() is None:
            del self._nodes[node.path]
            counter, slots = node.path[-1]
            weights = self._at[counter]
            nodes = weights[slots]
            del nodes[node]
            if not nodes:
                del weights[slots]
                if not weights:
                    del self._at[counter]
            node = node.parent
            node.children -= 1

    def _fits(self, counter: int, slots: int) -> bool:
        limit = self._limits[counter]
        return limit is None or self.used[counter] + slots <= limit

    def _use(self, number: int, sign: int) -> list[_Node]:
        """Take or give back its slots; gives the nodes for which a counter has room, or no room, by that."""
        changed: list[_Node] = []
        for counter, slots in self._counters_of(number):
            before = self.used[counter]
            self.used[counter] = after = before + sign * slots
            limit = self._limits[counter]
            if limit is None or (weights := self._at.get(counter)) is None:
                continue
            for weight, nodes in weights.items():
                if (before + weight <= limit) != (after + weight <= limit):
                    changed.extend(nodes)
        return changed

    def _refresh(self, node: _Node) -> None:
        """Tell the nodes above what this one has to offer now, as far up as that changes anything."""
        while node.parent is not None:
            offer = node.lowest() if self._fits(*node.path[-1]) else None
            if offer == node.offered:
                break
            node.offered = offer
            if offer is not None:
                heappush(node.parent.heap, (offer, node))
            node = node.parent
