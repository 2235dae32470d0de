"""``runner runs diff``: what differs between two runs, equal differences of many hosts told once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runner.journal.replay import History
from runner.present.folding import fold
from runner.present.harmless import harmless
from runner.present.paint import Line, Piece, Role, line
from runner.present.recap import count_of
from runner.present.table import table_lines
from runner.runs.compare import Side, Unlike


def diff_lines(first: History, second: History, found: Sequence[Unlike], width: int) -> list[Line]:
    """A line for each way in which hosts differ."""
    names = f"{first.header.run} and {second.header.run}"
    if not found:
        return [line(f"no difference between {names}")]
    groups: dict[tuple[object, ...], list[Unlike]] = {}
    for one in found:
        groups.setdefault(one.likeness, []).append(one)
    rows = [
        (one.step, _said(one.first), _said(one.second), "changed" if one.output else "", _hosts(group))
        for group in groups.values()
        for one in group[:1]
    ]
    lines = [line(Piece(f"{count_of(len(found), 'difference')} between {names}", Role.STRONG)), ()]
    return lines + table_lines(("STEP", "FIRST", "SECOND", "OUTPUT", "HOSTS"), rows, width)


def _said(side: Side) -> str:
    if side.status is None:
        return "not run"
    return side.status + (f" (exit {side.exit_code})" if side.exit_code else "")


def _hosts(group: Sequence[Unlike]) -> str:
    return harmless(fold(one.host for one in group))
