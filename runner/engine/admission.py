"""Who may start: every limit is a counter, an assignment takes a slot of all of its counters or of none. Pure.

Whoever waits stands in a tree. An assignment's counters, from the one that most assignments share (the run's) to the
one that fewest do (the lane of one host's session), are its path; each node is a counter in the light of the wider ones
above it. A node whose counter is full offers nothing to its parent; when the counter fills or gets room again, only its
own few nodes are looked at, never the assignments under them. So nobody is held up by the head of a queue, the
assignment taken next is always the lowest number of all that could start, and one release costs the depth of the tree,
not the length of a queue (parking each assignment on its first full counter bounces thousands of them between two
counters that fill in turn).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

Path: TypeAlias = tuple[int, ...]


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

    ``limits`` has None for a counter without one. ``counters_of`` gives the counters of an assignment's number.
    ``shared`` says for each counter how many assignments of the whole run use it.

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
        self._at: dict[int, dict[_Node, None]] = {}
        self.used = [0] * len(limits)
        self.waiting = 0

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
        counters = self._counters_of(number)
        for counter in counters:
            self.used[counter] += 1
        self._refresh(node)
        self._refresh_full(counters)
        self._prune(node)
        return number

    def release(self, number: int) -> None:
        """Give back the slots of an assignment that is over."""
        counters = self._counters_of(number)
        filled = [counter for counter in counters if self._full(counter)]
        for counter in counters:
            self.used[counter] -= 1
        for counter in filled:
            for node in self._at.get(counter, ()):
                self._refresh(node)

    def withdraw_all(self) -> None:
        """Nobody waits any more: the run is being stopped."""
        self._root = _Node((), None)
        self._nodes.clear()
        self._at.clear()
        self.waiting = 0

    def has_room(self, number: int) -> bool:
        """Whether all of its counters have room now."""
        return not any(self._full(counter) for counter in self._counters_of(number))

    def _path(self, number: int) -> Path:
        """Its limited counters, widest first."""
        counters = [counter for counter in self._counters_of(number) if self._limits[counter] is not None]
        counters.sort(key=lambda counter: (-self._shared[counter], counter))
        return tuple(counters)

    def _node(self, path: Path) -> _Node:
        if not path:
            return self._root
        node = self._nodes.get(path)
        if node is None:
            parent = self._node(path[:-1])
            parent.children += 1
            node = self._nodes[path] = _Node(path, parent)
            self._at.setdefault(path[-1], {})[node] = None
        return node

    def _prune(self, node: _Node) -> None:
        """Forget a node under which nobody waits, and those above it that it leaves empty."""
        while node.parent is not None and not node.children and node.lowest() is None:
            del self._nodes[node.path]
            nodes = self._at[node.path[-1]]
            del nodes[node]
            if not nodes:
                del self._at[node.path[-1]]
            node = node.parent
            node.children -= 1

    def _full(self, counter: int) -> bool:
        limit = self._limits[counter]
        return limit is not None and self.used[counter] >= limit

    def _refresh_full(self, counters: Path) -> None:
        """Take the nodes of counters that are full now out of their parents' choice."""
        for counter in counters:
            if self._full(counter):
                for node in self._at.get(counter, ()):
                    self._refresh(node)

    def _refresh(self, node: _Node) -> None:
        """Tell the nodes above what this one has to offer now, as far up as that changes anything."""
        while node.parent is not None:
            offer = None if self._full(node.path[-1]) else node.lowest()
            if offer == node.offered:
                break
            node.offered = offer
            if offer is not None:
                heappush(node.parent.heap, (offer, node))
            node = node.parent
