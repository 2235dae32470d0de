"""Shapes with blocks, drawn as a tree and numbered as a plan numbers them: steps first, then junctions."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from runner.engine.shape import Edge, Policy, RunShape, StepShape, WaveShape

HOSTS = range(4)


@dataclass(eq=False, repr=False)
class Node:
    """A step or a junction before it has a number."""

    hosts: list[int]
    edges: list[tuple[Node, str, bool]] = field(default_factory=list)
    run_if: str = "success"
    judged: bool = False
    counters: list[tuple[tuple[int, int], ...]] = field(default_factory=list)
    junction: bool = False
    enter: Node | None = None
    finally_: bool = False


@dataclass(eq=False, repr=False)
class BlockDraft:
    """A block's junctions, and the nodes in each of its parts: steps, and ends of inner blocks."""

    entry: Node
    end: Node
    rescue: Node | None
    always: Node | None
    parts: dict[str, list[Node]]


@dataclass(repr=False)
class Draft:
    """A drawn plan; shown as its shape, for its nodes know each other in circles."""

    shape: RunShape
    nodes: list[Node]
    blocks: list[BlockDraft]

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        printer.text(repr(self.shape))

    def number(self, node: Node) -> int:
        return self.nodes.index(node)


class _Drawer:
    def __init__(self, draw: st.DrawFn, limits: tuple[int | None, ...], *, wide: bool) -> None:
        self.draw = draw
        self.limits = limits
        self.wide = wide
        self.steps: list[Node] = []
        self.junctions: list[Node] = []
        self.blocks: list[BlockDraft] = []

    def part(self, gate: Node | None, depth: int, *, last: bool, most: int = 3) -> list[Node]:
        """Units one behind the other or side by side; gives what others need of them."""
        units: list[Node] = []
        for _ in range(self.draw(st.integers(1, most))):
            needs: list[tuple[Node, str, bool]] = []
            chained = bool(self.draw(st.integers(0, 3)))
            if units and chained:
                waits = ["same"] if gate is not None else ["auto", "all", "same"]
                needed: Node = self.draw(st.sampled_from(units))
                needs.append((needed, self.draw(st.sampled_from(waits)), True))
            elif gate is not None:
                needs.append((gate, "same", False))
            if depth and self.draw(st.integers(0, 2)) == 0:
                units.append(self.block(gate, needs, depth - 1, last=last))
            else:
                units.append(self.step(gate, needs, last=last))
        return units

    def step(self, gate: Node | None, needs: list[tuple[Node, str, bool]], *, last: bool) -> Node:
        hosts = self.draw(st.lists(st.sampled_from(HOSTS), unique=True, max_size=4).map(sorted))
        node = Node(
            hosts,
            needs,
            self.draw(st.sampled_from(["success", "success", "failure", "always"])),
            self.draw(st.integers(0, 3)) == 0,
            [self.slots() for _ in hosts],
            enter=gate,
            finally_=last,
        )
        self.steps.append(node)
        return node

    def slots(self) -> tuple[tuple[int, int], ...]:
        taken = []
        for counter, limit in enumerate(self.limits):
            if self.draw(st.booleans()):
                taken.append((counter, self.draw(st.integers(1, limit or 2))))
        return tuple(taken)

    def block(
        self, gate: Node | None, needs: list[tuple[Node, str, bool]], depth: int, *, last: bool
    ) -> Node:
        hosts: list[int] = []
        entry = Node(
            hosts, needs, self.draw(st.sampled_from(["success", "success", "always"])), junction=True
        )
        entry.enter, entry.judged, entry.finally_ = gate, self.draw(st.integers(0, 3)) == 0, last
        self.junctions.append(entry)
        parts = {"body": self.part(entry, depth, last=last)}
        rescue = always = None
        if self.draw(st.booleans()):
            wide = "all" if self.wide and self.draw(st.integers(0, 3)) == 0 else "same"
            edges = [(node, wide, True) for node in parts["body"]]
            rescue = Node(hosts, edges, "failure", junction=True, enter=entry, finally_=last)
            parts["rescue"] = self.part(rescue, 0, last=last, most=2)
            self.junctions.append(rescue)
        if self.draw(st.booleans()):
            inner = [*parts["body"], *parts.get("rescue", [])]
            edges = [(node, "same", False) for node in inner]
            always = Node(hosts, edges, "always", junction=True, enter=entry, finally_=True)
            parts["always"] = self.part(always, depth, last=True, most=2)
            self.junctions.append(always)
        found = {host for nodes in parts.values() for node in nodes for host in node.hosts}
        hosts.extend(sorted(found))
        end = Node(hosts, [(entry, "same", True)], "always", junction=True, finally_=last)
        end.edges += [(node, "same", rescue is None) for node in parts["body"]]
        end.edges += [(node, "same", True) for node in (*parts.get("rescue", []), *parts.get("always", []))]
        self.junctions.append(end)
        self.blocks.append(BlockDraft(entry, end, rescue, always, parts))
        return end


@st.composite
def drafts(draw: st.DrawFn, *, waves: bool = True, limited: bool = True) -> Draft:
    """Plans with up to three units, blocks two deep, counters with weights, policies and waves on some of them."""
    limits = tuple(draw(st.lists(st.one_of(st.none(), st.integers(1, 3)), max_size=2)))
    drawer = _Drawer(draw, limits, wide=not waves)
    drawer.part(None, 2, last=False)
    nodes = [*drawer.steps, *drawer.junctions]
    policies = _policies(draw, drawer, nodes, waves=waves, limited=limited)
    ends = {id(block.end) for block in drawer.blocks if block.entry.enter is None}
    counted = frozenset(
        number
        for number, node in enumerate(nodes)
        if (id(node) in ends if node.junction else node.enter is None)
    )
    run_limit = st.one_of(st.none(), st.integers(0, 2)) if limited else st.none()
    shape = RunShape(
        tuple(
            StepShape(
                tuple(node.hosts),
                tuple(Edge(nodes.index(needed), wait, taints) for needed, wait, taints in node.edges),
                node.run_if,
                node.judged,
                node.counters,
                node.junction,
                None if node.enter is None else nodes.index(node.enter),
                node.finally_,
            )
            for node in nodes
        ),
        limits,
        policies,
        draw(run_limit),
        draw(run_limit),
        counted,
    )
    return Draft(shape, nodes, drawer.blocks)


def _policies(
    draw: st.DrawFn, drawer: _Drawer, nodes: list[Node], *, waves: bool, limited: bool
) -> tuple[Policy, ...]:
    found = []
    units = [(node, node) for node in drawer.steps] + [(block.entry, block.end) for block in drawer.blocks]
    for start, end in units:
        if draw(st.integers(0, 2)):
            continue
        limit = st.one_of(st.none(), st.integers(0, 2)) if limited else st.none()
        sizes: list[int] = []
        while waves and sum(sizes) < len(start.hosts):
            sizes.append(draw(st.integers(1, len(start.hosts) - sum(sizes))))
        shapes = tuple(WaveShape(size, draw(limit), draw(st.booleans())) for size in sizes)
        stops = limited and draw(st.integers(0, 3)) == 0
        found.append(Policy(nodes.index(start), nodes.index(end), draw(limit), draw(limit), stops, shapes))
    return tuple(found)
