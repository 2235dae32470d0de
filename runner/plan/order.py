"""The DAG of steps: needs as edges, a cycle told as a sentence, what is upstream of what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import networkx as nx

from runner.playbook.control import Need
from runner.playbook.model import Step
from runner.problems import Problem, Problems


def step_graph(steps: Sequence[Step]) -> nx.DiGraph[str]:
    """The graph with an edge from each needed step to the step that needs it; unknown needs are left out."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(step.id for step in steps)
    known = set(graph.nodes)
    for step in steps:
        graph.add_edges_from((need.step, step.id) for need in step.needs or () if need.step in known)
    return graph


def check_cycles(graph: nx.DiGraph[str], steps: Sequence[Step], problems: Problems) -> bool:
    """Note each circle of needs as one problem; True where there is none."""
    by_id = {step.id: step for step in steps}
    clean = True
    for component in nx.strongly_connected_components(graph):
        first = min(component, key=lambda name: by_id[name].span)
        if len(component) == 1 and not graph.has_edge(first, first):
            continue
        clean = False
        circle = [edge[0] for edge in nx.find_cycle(graph.subgraph(component), first)]
        circle.reverse()  # from "is needed by" to "needs"
        circle = circle[circle.index(min(circle, key=lambda name: by_id[name].span)) :] + circle
        circle = circle[: len(set(circle))]
        needs = [
            (by_id[name], _need(by_id[name], following))
            for name, following in zip(circle, [*circle[1:], circle[0]], strict=True)
        ]
        path = " -> ".join(f"`{name}`" for name in [*circle, circle[0]])
        problems.add(
            Problem(
                "plan-cycle",
                f"steps wait for each other: {path}",
                needs[0][1].span,
                hints=("remove one of these `needs`",),
                related=tuple((need.span, f"`{step.id}` needs `{need.step}`") for step, need in needs),
            )
        )
    return clean


def _need(step: Step, needed: str) -> Need:
    return next(need for need in step.needs or () if need.step == needed)


def passed_through(graph: nx.DiGraph[str], steps: Sequence[Step], kept: Collection[str]) -> list[Step]:
    """The kept steps; where they need a dropped one, they need what that one needs (language.md, "Order").

    ``graph`` is that of all ``steps`` and has no circle.
    """
    by_id = {step.id: step for step in steps}
    resolved: dict[str, dict[str, Need]] = {}
    for name in nx.topological_sort(graph):
        found: dict[str, Need] = {}
        for need in by_id[name].needs or ():
            through = {need.step: need} if need.step in kept else resolved.get(need.step, {})
            found |= {step: inner for step, inner in through.items() if step not in found}
        resolved[name] = found
    return [replace(step, needs=tuple(resolved[step.id].values())) for step in steps if step.id in kept]
