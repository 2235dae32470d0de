"""The DAG of a plan drawn: text, Mermaid, Graphviz's dot, SVG and JSON; pure functions of the plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import networkx as nx

from runner.plan.blocks import Point, junction, points
from runner.plan.model import Placement, Plan
from runner.plan.order import Unit, needs_graph
from runner.playbook.control import RunIf, Wait
from runner.playbook.model import Block, Step

FORMATS = ("text", "mermaid", "dot", "svg", "json")

_SVG_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
     font-family="system-ui, sans-serif" font-size="13">
<title>{title}</title>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" fill="#5b6472"/></marker></defs>"""

_DOT_BLOCK = ', style="rounded,dashed"'
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 200, 52, 28, 46, 16


@dataclass(frozen=True, slots=True)
class Box:
    """A step to draw, or the end of a block: its level counts from 0, the longest way from a step that needs nothing.

    ``transports`` are those that reach its hosts, ``local`` among them. ``block`` and ``part`` say where a step of a
    block stands; ``is_block`` is true of the end of one.
    """

    id: str
    level: int
    hosts: str
    run_if: str
    transports: tuple[str, ...] = ()
    block: str = ""
    part: str = ""
    is_block: bool = False

    @property
    def note(self) -> str:
        """What it is, where it is not just a step."""
        where = f"{'in' if self.part == 'block' else f'{self.part} of'} {self.block}" if self.block else ""
        return ", ".join(part for part in ("end of block" if self.is_block else "", where) if part)

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
    blocks = {planned.block.id: planned.block for planned in plan.blocks}
    ways = _ways(steps, blocks)
    level = {name: number for number, names in enumerate(nx.topological_generations(ways)) for name in names}
    every: list[tuple[Unit, Sequence[Placement]]] = [
        *((planned.step, planned.placements) for planned in plan.steps),
        *((planned.block, planned.placements) for planned in plan.blocks),
    ]
    hosts = {unit.id: frozenset(p.host for p in placements) for unit, placements in every}
    boxes = tuple(
        Box(
            unit.id,
            level[unit.id],
            _hosts(hosts[unit.id]),
            "" if unit.run_if is RunIf.SUCCESS else unit.run_if,
            tuple(sorted({placement.endpoint.transport for placement in placements})),
            unit.place.block if unit.place is not None else "",
            unit.place.part if unit.place is not None else "",
            unit.id in blocks,
        )
        for unit, placements in every
    )
    lines = tuple(
        Line(
            start,
            end,
            said["wait"] is Wait.ALL or (said["wait"] is Wait.AUTO and not hosts[start] & hosts[end]),
        )
        for start, end, said in ways.edges(data=True)
    )
    return Drawing(plan.playbook.name, boxes, lines)


def _ways(steps: Sequence[Step], blocks: Mapping[str, Block]) -> nx.DiGraph[str]:
    """Steps and ends of blocks, each with what it waits for; what a shorter way says already is left out.

    What an author wrote of a step stays; ``wait`` is the word of each edge.
    """
    named = {point.name: point for point in points(steps, blocks)}
    ends = {junction(name, "end"): name for name in blocks}
    ways: nx.DiGraph[str] = nx.DiGraph()
    for point in named.values():
        if point.block is None or point.name in ends:
            name = ends.get(point.name, point.name)
            ways.add_node(name)
            for needed, wait in _before(point, named, ends):
                ways.add_edge(needed, name, wait=wait)
    written, shortest = needs_graph(steps, {}), nx.transitive_reduction(ways)
    implied = [edge for edge in ways.edges if not written.has_edge(*edge)]
    ways.remove_edges_from([edge for edge in implied if not shortest.has_edge(*edge)])
    return ways


def _before(point: Point, named: Mapping[str, Point], ends: Mapping[str, str]) -> Iterator[tuple[str, Wait]]:
    """What a point waits for, with junctions replaced by what these wait for."""
    for link in point.links:
        needed = named[link.needed]
        if needed.block is None or needed.name in ends:
            yield ends.get(needed.name, needed.name), link.wait
        else:
            yield from _before(needed, named, ends)
            if needed.enter is not None:
                yield from _before(named[needed.enter], named, ends)


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
            row += f"  run_if {box.run_if}" if box.run_if else ""
            rows.append(row + (f"  {box.note}" if box.note else ""))
    return "\n".join(rows) + "\n"


def _mermaid(drawing: Drawing) -> str:
    rows = ["flowchart TD"]
    rows += [f'    {box.id}["{box.id}<br/><small>{_small(box)}</small>"]' for box in drawing.boxes]
    rows += [
        f"    {line.start} {'==>|all|' if line.all_hosts else '-->'} {line.end}" for line in drawing.lines
    ]
    return "\n".join(rows) + "\n"


def _dot(drawing: Drawing) -> str:
    title = drawing.title.replace("\\", "\\\\").replace('"', '\\"')
    rows = [f'digraph "{title}" {{', "    rankdir=TB;", "    node [shape=box, style=rounded];"]
    rows += [
        f'    "{box.id}" [label="{box.id}\\n{_small(box)}"{_DOT_BLOCK if box.is_block else ""}];'
        for box in drawing.boxes
    ]
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
    note = _small(box) + (f", run_if {box.run_if}" if box.run_if else "")
    middle = x + _WIDTH / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#f4f6f9" stroke="#8a94a3"/>'
        f'<text x="{middle:g}" y="{y + 22:g}" text-anchor="middle" font-weight="600">{escape(_cut(box.id, 26))}</text>'
        f'<text x="{middle:g}" y="{y + 40:g}" text-anchor="middle" fill="#5b6472">{escape(_cut(note, 30))}</text>'
    )


def _small(box: Box) -> str:
    return f"{box.place}, {box.note}" if box.note else box.place


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
                "kind": "block" if box.is_block else "step",
                "in": {"block": box.block, "part": box.part} if box.block else None,
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
