"""The outputs of one step, equal ones under one node set; laid out when the step is over. Pure, memory bounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runner.engine.result import Result
from runner.present.cells import cell_width, fit, pad
from runner.present.folding import fold, natural_key
from runner.present.paint import Line, Piece, Role, fit_line, line, text_of, wrap_line
from runner.present.port import Mask
from runner.present.streams import StreamLine
from runner.present.table import table_lines
from runner.present.values import Shown, show_result

MOST_LINES_A_STEP = 1000
_NODE_SET_LINES = 3  # of a terminal, where a node set stands alone
_MOST_BLOCKS = 8  # more tables under each other are harder to read than one with cut node sets


@dataclass(slots=True)
class OutputGroup:
    """Hosts with the same output."""

    shown: Shown
    hosts: list[str] = field(default_factory=list)


class OutputFold:
    """Takes the results of one step and keeps each different output once.

    Beyond :data:`MOST_LINES_A_STEP` lines only the hosts of further outputs are counted: a person does not read more,
    and a pipeline asks for ``-o json``.
    """

    def __init__(self, mask: Mask, *, information: bool = False) -> None:
        self._mask = mask
        self._information = information
        self._groups: dict[bytes, OutputGroup] = {}
        self._room = MOST_LINES_A_STEP
        self.hosts_left_out = 0

    def add(self, result: Result) -> None:
        """Take one host's output."""
        shown = show_result(result, self._mask, information=self._information)
        if shown is None:
            return
        group = self._groups.get(shown.digest)
        if group is None:
            if self._room <= 0:
                self.hosts_left_out += 1
                return
            group = self._groups[shown.digest] = OutputGroup(shown)
            self._room -= shown.height
        group.hosts.append(self._mask(result.host))

    def groups(self) -> list[OutputGroup]:
        """The biggest group first, so that what differs stands last, next to the prompt; else in natural order."""
        return sorted(self._groups.values(), key=lambda group: (-len(group.hosts), _first_host(group)))

    def __bool__(self) -> bool:
        return bool(self._groups)


def output_lines(outputs: OutputFold, width: int, *, with_hosts: bool) -> list[Line]:
    """All outputs of a step as lines, at most ``width`` cells each.

    Args:
        outputs: of one step, every host of it.
        width: cells of the terminal.
        with_hosts: False leaves the hosts out (``hide_computer_name``, or a step on one host).

    """
    groups = outputs.groups()
    if _make_one_table(groups, width, with_hosts=with_hosts):
        lines = _one_table(groups, width, with_hosts=with_hosts)
    elif with_hosts and _make_one_column(groups, width):
        lines = _name_and_line(groups, width)
    else:
        lines = _blocks(groups, width, with_hosts=with_hosts)
    if outputs.hosts_left_out:
        lines.append(_faint(f"... {outputs.hosts_left_out} more hosts with other output, see `-o json`"))
    return lines


def _make_one_table(groups: list[OutputGroup], width: int, *, with_hosts: bool) -> bool:
    """Whether all outputs have the same columns, and the hosts fit beside them: a few long node sets stand above."""
    if not groups or not groups[0].shown.columns or len({group.shown.columns for group in groups}) > 1:
        return False
    if any(group.shown.difference for group in groups):
        return False  # it stands under its own hosts
    longest = max(cell_width(fold(group.hosts)) for group in groups)
    return not with_hosts or longest <= _host_room(width) or len(groups) > _MOST_BLOCKS


def _make_one_column(groups: list[OutputGroup], width: int) -> bool:
    """Whether every output is one line, and the hosts fit before it."""
    if not all(_is_one_line(group) for group in groups):
        return False
    longest = max((cell_width(fold(group.hosts)) for group in groups), default=0)
    if any(not group.shown.rows and not _fits(group.shown, width - longest - 2) for group in groups):
        return False  # a warning without its end says nothing
    return longest <= width // 2 or len(groups) > _MOST_BLOCKS


def _fits(shown: Shown, width: int) -> bool:
    return cell_width(text_of(_only_line(shown))) <= width


def _host_room(width: int) -> int:
    """Cells of the column of hosts."""
    return max(width // 3, 12)


def _one_table(groups: list[OutputGroup], width: int, *, with_hosts: bool) -> list[Line]:
    columns = groups[0].shown.columns
    numeric = frozenset.intersection(*(group.shown.numeric for group in groups))
    names = {id(group): fit(fold(group.hosts), _host_room(width)) for group in groups}
    rows = [(names[id(group)], *row) if with_hosts else row for group in groups for row in group.shown.rows]
    head = ("host", *columns) if with_hosts else columns
    lines = table_lines(head, rows, width, numeric=numeric, strong_first=with_hosts)
    for group in groups:
        lines += _rest(group.shown, names[id(group)] if with_hosts else "", width)
    return lines + _left_out(max(group.shown.left_out for group in groups))


def _name_and_line(groups: list[OutputGroup], width: int) -> list[Line]:
    names = [fit(fold(group.hosts), max(width // 2, 12)) for group in groups]
    widest = max(map(cell_width, names), default=0)
    return [
        fit_line(line(Piece(pad(name, widest), Role.HOSTS), "  ", *_only_line(group.shown)), width)
        for name, group in zip(names, groups, strict=True)
    ]


def _blocks(groups: list[OutputGroup], width: int, *, with_hosts: bool) -> list[Line]:
    lines: list[Line] = []
    for group in groups:
        if with_hosts:
            count = f" ({len(group.hosts)} hosts)" if len(group.hosts) > 1 else ""
            lines.append(
                line(
                    Piece(fit(fold(group.hosts), _NODE_SET_LINES * width), Role.HOSTS),
                    Piece(count, Role.FAINT),
                )
            )
        indent = "  " if with_hosts else ""
        shown = group.shown
        if shown.columns:
            table = table_lines(shown.columns, shown.rows, width - len(indent), numeric=shown.numeric)
            lines += [line(indent, *pieces) for pieces in [*table, *_left_out(shown.left_out)]]
        else:
            lines += [line(indent + row[0]) for row in shown.rows]
        lines += [line(indent, *pieces) for pieces in _rest(shown, "", width - len(indent))]
    return lines


def _rest(shown: Shown, name: str, width: int) -> Iterable[Line]:
    before = f"{name}: " if name else ""
    for side in shown.side:
        yield from wrap_line(line(before, *_side(side)), width)
    for pieces in shown.difference:
        yield fit_line(line(before, *pieces), width)
    if shown.more:
        yield _faint(f"{before}... {shown.more} more lines, see `-o json`")


def _left_out(properties: int) -> list[Line]:
    """Of .NET's own objects a table shows some properties; said once for all hosts of a table."""
    if not properties:
        return []
    return [_faint(f"... {properties} more {'properties' if properties > 1 else 'property'}, see `-o json`")]


def _only_line(shown: Shown) -> Line:
    if shown.rows:
        return line(shown.rows[0][0])
    return line(*_side(shown.side[0]))


def _side(side: StreamLine) -> tuple[Piece, ...]:
    """What was written for the screen stands as it is, the rest behind its sign."""
    if side.stream == "information":
        return (side.piece,)
    return Piece(f"{side.sign} ", side.piece.role), side.piece


def _is_one_line(group: OutputGroup) -> bool:
    shown = group.shown
    return not shown.columns and shown.height == 1 and not shown.more and not shown.difference


def _first_host(group: OutputGroup) -> tuple[object, ...]:
    return min(map(natural_key, group.hosts))


def _faint(text: str) -> Line:
    return line(Piece(text, Role.FAINT))
