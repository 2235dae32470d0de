"""Rows in columns that fit a width; too many columns for it become a list of ``name: value`` a record. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from runner.present.cells import cell_width, fit, pad
from runner.present.paint import Line, Piece, Role, line

_GAP = "  "
_LEAST = 6  # cells a column keeps when it must give some away


def table_lines(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    numeric: AbstractSet[str] = frozenset(),
    strong_first: bool = False,
    whole: AbstractSet[str] = frozenset(),
) -> list[Line]:
    """A head and a line a row, cut to ``width`` cells.

    Args:
        columns: names, as many as cells in each row.
        rows: cells without line feeds.
        width: cells of the whole.
        numeric: columns to align right.
        strong_first: show the first column as names of hosts.
        whole: columns that are never cut.

    """
    widths = [max(map(cell_width, cells)) for cells in zip(columns, *rows, strict=True)]
    least = [each if name in whole else min(each, _LEAST) for name, each in zip(columns, widths, strict=True)]
    fitted = _shrink(widths, least, width - len(_GAP) * (len(widths) - 1))
    if fitted is None:
        return _record_lines(columns, rows, width, strong_first=strong_first)
    roles = [Role.HOSTS if strong_first and index == 0 else Role.PLAIN for index in range(len(columns))]
    right = [name in numeric for name in columns]
    lines = [_row(columns, fitted, right, [Role.FAINT] * len(columns))]
    lines += [_row(row, fitted, right, roles) for row in rows]
    return lines


def _shrink(widths: list[int], least: list[int], room: int) -> list[int] | None:
    """Take from the widest columns until all fit; None where they cannot without becoming unreadable."""
    if sum(least) > room:
        return None
    fitted = list(widths)
    while (excess := sum(fitted) - room) > 0:
        free = [index for index, width in enumerate(fitted) if width > least[index]]
        widest = max(fitted[index] for index in free)
        second = max((fitted[index] for index in free if fitted[index] < widest), default=_LEAST)
        givers = [index for index in free if fitted[index] == widest]
        step = max(min(widest - max(second, _LEAST), -(-excess // len(givers))), 1)
        for index in givers:
            taken = min(step, sum(fitted) - room, fitted[index] - least[index])
            fitted[index] -= max(taken, 0)
    return fitted


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], roles: Sequence[Role]) -> Line:
    pieces: list[Piece] = []
    for index, (cell, size) in enumerate(zip(cells, widths, strict=True)):
        shown = fit(cell, size)
        filled = " " * (size - cell_width(shown)) + shown if right[index] else pad(shown, size)
        if index == len(cells) - 1:
            filled = filled.rstrip()
        pieces += [Piece(_GAP)] if index else []
        pieces.append(Piece(filled, roles[index]))
    return tuple(pieces)


def _record_lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, strong_first: bool
) -> list[Line]:
    label = max(map(cell_width, columns))
    lines: list[Line] = []
    for row in rows:
        lines += [()] if lines else []
        for index, (name, cell) in enumerate(zip(columns, row, strict=True)):
            role = Role.HOSTS if strong_first and index == 0 else Role.PLAIN
            head = f"{pad(name, label)}  "
            lines.append(line(Piece(head, Role.FAINT), Piece(fit(cell, max(width - label - 2, 10)), role)))
    return lines
