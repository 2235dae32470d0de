"""The DAG of a plan drawn: text, Mermaid, Graphviz's dot, SVG and JSON; pure functions of the plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import networkx as nx

from runner.plan.model import Plan
from runner.plan.order import step_graph
from runner.playbook.control import RunIf, Wait

FORMATS = ("text", "mermaid", "dot", "svg", "json")

_SVG_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
     font-family="system-ui, sans-serif" font-size="13">
<title>{title}</title>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" fill="#5b6472"/></marker></defs>"""

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 200, 52, 28, 46, 16


@dataclass(frozen=True, slots=True)
class Box:
    """A step to draw: its level counts from 0, the longest way from a step that needs nothing.

    ``transports`` are those that reach its hosts, ``local`` among them.
    """

    id: str
    level: int
    hosts: str
    run_if: str
    transports: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it runs, and over what: ``3 hosts over winrm``."""
        remote = [name for name in self.transports if name != "local"]
        return self.hosts + (f" over {', '.join(remote)}" if remote else "")


@dataclass(frozen=True, slots=True)
class Line:
    """A need to draw; ``all_hosts`` True where it waits for all hosts."""

    start: str
    end: str
    all_hosts: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes in file order and lines between them."""

    title: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]

    @property
    def levels(self) -> list[list[Box]]:
        """The boxes by level."""
        deepest = max((box.level for box in self.boxes), default=-1)
        return [[box for box in self.boxes if box.level == level] for level in range(deepest + 1)]


def drawing_of(plan: Plan) -> Drawing:
    """What there is to draw of a plan."""
    steps = [planned.step for planned in plan.steps]
    graph = step_graph(steps)
    level = {name: number for number, names in enumerate(nx.topological_generations(graph)) for name in names}
    hosts = {planned.step.id: frozenset(p.host for p in planned.placements) for planned in plan.steps}
    boxes = tuple(
        Box(
            step.id,
            level[step.id],
            _hosts(hosts[step.id]),
            "" if step.run_if is RunIf.SUCCESS else step.run_if,
            tuple(sorted({placement.endpoint.transport for placement in planned.placements})),
        )
        for step, planned in zip(steps, plan.steps, strict=True)
    )
    lines = tuple(
        Line(
            need.step,
            step.id,
            need.wait is Wait.ALL or (need.wait is Wait.AUTO and not hosts[need.step] & hosts[step.id]),
        )
        for step in steps
        for need in step.needs or ()
        if need.step in hosts
    )
    return Drawing(plan.playbook.name, boxes, lines)


def _hosts(names: frozenset[str]) -> str:
    if len(names) == 1:
        return next(iter(names))
    return f"{len(names)} hosts"


def draw(drawing: Drawing, kind: str) -> str:
    """The drawing as text of one of :data:`FORMATS`, ending with a line feed."""
    return _DRAWERS[kind](drawing)


def _needs(drawing: Drawing) -> Mapping[str, list[Line]]:
    needs: dict[str, list[Line]] = {box.id: [] for box in drawing.boxes}
    for line in drawing.lines:
        needs[line.end].append(line)
    return needs


def _text(drawing: Drawing) -> str:
    width = max((len(box.id) for box in drawing.boxes), default=0)
    needs = _needs(drawing)
    rows = [drawing.title]
    for level, boxes in enumerate(drawing.levels):
        rows.append("" if level == 0 else "   │")
        for number, box in enumerate(boxes):
            mark = (
                "┌" if len(boxes) > 1 and number == 0 else "└" if len(boxes) > 1 and box is boxes[-1] else "─"
            )
            mark = "├" if len(boxes) > 1 and mark == "─" else mark
            after = ", ".join(
                line.start + (" (all hosts)" if line.all_hosts else "") for line in needs[box.id]
            )
            row = f" {mark}─ {box.id:<{width}}  {box.place}"
            row += f"  after {after}" if after else ""
            rows.append(row + (f"  run_if {box.run_if}" if box.run_if else ""))
    return "\n".join(rows) + "\n"


def _mermaid(drawing: Drawing) -> str:
    rows = ["flowchart TD"]
    rows += [f'    {box.id}["{box.id}<br/><small>{box.place}</small>"]' for box in drawing.boxes]
    rows += [
        f"    {line.start} {'==>|all|' if line.all_hosts else '-->'} {line.end}" for line in drawing.lines
    ]
    return "\n".join(rows) + "\n"


def _dot(drawing: Drawing) -> str:
    title = drawing.title.replace("\\", "\\\\").replace('"', '\\"')
    rows = [f'digraph "{title}" {{', "    rankdir=TB;", "    node [shape=box, style=rounded];"]
    rows += [f'    "{box.id}" [label="{box.id}\\n{box.place}"];' for box in drawing.boxes]
    rows += [
        f'    "{line.start}" -> "{line.end}"' + (' [label="all", style=bold];' if line.all_hosts else ";")
        for line in drawing.lines
    ]
    return "\n".join([*rows, "}"]) + "\n"


def _svg(drawing: Drawing) -> str:
    levels = drawing.levels
    widest = max((len(boxes) for boxes in levels), default=1)
    full = widest * (_WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN
    height = len(levels) * (_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    place: dict[str, tuple[float, float]] = {}
    for number, boxes in enumerate(levels):
        left = (full - (len(boxes) * (_WIDTH + _GAP_X) - _GAP_X)) / 2
        for position, box in enumerate(boxes):
            place[box.id] = (left + position * (_WIDTH + _GAP_X), _MARGIN + number * (_HEIGHT + _GAP_Y))
    parts = [
        _SVG_HEAD.format(width=full, height=height, title=escape(drawing.title)),
        *(_svg_line(line, place) for line in drawing.lines),
        *(_svg_box(box, *place[box.id]) for box in drawing.boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _svg_line(line: Line, place: Mapping[str, tuple[float, float]]) -> str:
    (x1, y1), (x2, y2) = place[line.start], place[line.end]
    x1, y1, x2 = x1 + _WIDTH / 2, y1 + _HEIGHT, x2 + _WIDTH / 2
    bend = (y2 - y1) / 2
    width = 2.4 if line.all_hosts else 1.3
    return (
        f'<path d="M{x1:g} {y1:g} C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}" fill="none"'
        f' stroke="#5b6472" stroke-width="{width}" marker-end="url(#arrow)"/>'
    )


def _svg_box(box: Box, x: float, y: float) -> str:
    note = box.place + (f", run_if {box.run_if}" if box.run_if else "")
    middle = x + _WIDTH / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#f4f6f9" stroke="#8a94a3"/>'
        f'<text x="{middle:g}" y="{y + 22:g}" text-anchor="middle" font-weight="600">{escape(_cut(box.id, 26))}</text>'
        f'<text x="{middle:g}" y="{y + 40:g}" text-anchor="middle" fill="#5b6472">{escape(_cut(note, 30))}</text>'
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def graph_document(drawing: Drawing) -> dict[str, Any]:
    """The drawing as plain data."""
    return {
        "playbook": drawing.title,
        "steps": [
            {
                "id": box.id,
                "level": box.level,
                "hosts": box.hosts,
                "transports": list(box.transports),
                "run_if": box.run_if or "success",
            }
            for box in drawing.boxes
        ],
        "edges": [{"from": e.start, "to": e.end, "all_hosts": e.all_hosts} for e in drawing.lines],
    }


def _json(drawing: Drawing) -> str:
    return json.dumps(graph_document(drawing), indent=2, ensure_ascii=False) + "\n"


_DRAWERS: Mapping[str, Callable[[Drawing], str]] = {
    "text": _text,
    "mermaid": _mermaid,
    "dot": _dot,
    "svg": _svg,
    "json": _json,
}
