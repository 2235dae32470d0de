"""The DAG of steps and blocks: needs as edges, a cycle told as a sentence, what is upstream of what.

A block is a node of its own, which stands for its end: its steps come before it, and what it needs comes before them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import networkx as nx

from runner.playbook.blocks import around
from runner.playbook.control import Need, Part
from runner.playbook.model import Block, Step
from runner.problems import Problem, Problems

Unit: TypeAlias = Step | Block
"""What ``needs`` may name."""

_NO_BLOCKS: Mapping[str, Block] = {}


def step_graph(steps: Sequence[Step], blocks: Mapping[str, Block] = _NO_BLOCKS) -> nx.DiGraph[str]:
    """The graph with an edge from what must be over to what waits for it; unknown needs are left out.

    Besides ``needs``: a block's steps come before the block, what it needs before its steps, and its parts one after
    the other.
    """
    graph = needs_graph(steps, blocks)
    inside: dict[str, dict[Part, list[str]]] = {name: {part: [] for part in Part} for name in blocks}
    for step in steps:
        for place in around(step.place, blocks):
            inside[place.block][place.part].append(step.id)
    for name, parts in inside.items():
        before = [need.step for need in blocks[name].needs if need.step in graph]
        for inner in parts.values():
            graph.add_edges_from((one, other) for one in before for other in inner)
            graph.add_edges_from((one, name) for one in inner)
            before = inner or before
    return graph


def needs_graph(steps: Sequence[Step], blocks: Mapping[str, Block] = _NO_BLOCKS) -> nx.DiGraph[str]:
    """The graph of what authors wrote and nothing else."""
    units = _units(steps, blocks)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(units)
    known = set(graph.nodes)
    for unit in units.values():
        graph.add_edges_from((need.step, unit.id) for need in unit.needs or () if need.step in known)
    return graph


def check_cycles(steps: Sequence[Step], problems: Problems, blocks: Mapping[str, Block] = _NO_BLOCKS) -> bool:
    """Note each circle of needs as one problem; True where there is none.

    What authors wrote is looked at first: a circle through the inside of a block is told only where no shorter story
    tells it.
    """
    units = _units(steps, blocks)
    return all(
        _is_clean(graph, units, problems) for graph in (needs_graph(steps, blocks), step_graph(steps, blocks))
    )


def _units(steps: Sequence[Step], blocks: Mapping[str, Block]) -> dict[str, Unit]:
    units: list[Unit] = [*steps, *blocks.values()]
    return {unit.id: unit for unit in units}


def _is_clean(graph: nx.DiGraph[str], units: Mapping[str, Unit], problems: Problems) -> bool:
    clean = True
    for component in nx.strongly_connected_components(graph):
        first = min(component, key=lambda name: units[name].span)
        if len(component) == 1 and not graph.has_edge(first, first):
            continue
        clean = False
        circle = [edge[0] for edge in nx.find_cycle(graph.subgraph(component), first)]
        circle.reverse()  # from "is needed by" to "needs"
        circle = circle[circle.index(min(circle, key=lambda name: units[name].span)) :] + circle
        circle = circle[: len(set(circle))]
        pairs = zip(circle, [*circle[1:], circle[0]], strict=True)
        needs = [(units[name], need) for name, other in pairs if (need := _need(units[name], other))]
        path = " -> ".join(f"`{name}`" for name in [*circle, circle[0]])
        problems.add(
            Problem(
                "plan-cycle",
                f"steps wait for each other: {path}",
                needs[0][1].span if needs else units[circle[0]].span,
                hints=("remove one of these `needs`",),
                related=tuple((need.span, f"`{unit.id}` needs `{need.step}`") for unit, need in needs),
            )
        )
    return clean


def _need(unit: Unit, needed: str) -> Need | None:
    """None where the one is inside of the other, or in a later part of the same block."""
    return next((need for need in unit.needs or () if need.step == needed), None)


def passed_through(
    steps: Sequence[Step], kept: Collection[str], blocks: Mapping[str, Block] = _NO_BLOCKS
) -> tuple[list[Step], dict[str, Block]]:
    """The kept steps and blocks; where they need a dropped one, they need what that one needs (language.md, "Order").

    ``kept`` has the ids of steps and blocks. The needs hold no circle.
    """
    units = _units(steps, blocks)
    resolved: dict[str, dict[str, Need]] = {}
    for name in nx.topological_sort(needs_graph(steps, blocks)):
        found: dict[str, Need] = {}
        for need in units[name].needs or ():
            through = {need.step: need} if need.step in kept else resolved.get(need.step, {})
            found |= {step: inner for step, inner in through.items() if step not in found}
        resolved[name] = found
    return (
        [replace(step, needs=tuple(resolved[step.id].values())) for step in steps if step.id in kept],
        {
            name: replace(block, needs=tuple(resolved[name].values()))
            for name, block in blocks.items()
            if name in kept
        },
    )
