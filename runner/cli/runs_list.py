"""``runner runs list``: the runs that are recorded here, the newest first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.engine.observe import Summary
from runner.engine.result import Status
from runner.journal.record import APPLIED, RunHeader
from runner.journal.store import RunEntry
from runner.present.cells import cell_width
from runner.present.encode import encode_time
from runner.present.harmless import harmless
from runner.present.paint import Line
from runner.present.table import table_lines
from runner.units import format_duration

_COLUMNS = ("RUN", "PLAYBOOK", "STARTED", "TIME", "STATE", "OK", "FAILED", "UNREACHABLE", "EXIT")
_NUMERIC = frozenset({"OK", "FAILED", "UNREACHABLE", "EXIT"})
_COUNTS = frozenset({"OK", "FAILED", "UNREACHABLE"})
_MISSED_BEST = ("EXIT", "TIME", "STARTED")
_LEAST_NAME = 12
"""Cells that a playbook's name keeps before a column is left out for it."""
_FAILED = frozenset({Status.FAILED, Status.TIMED_OUT, Status.UNKNOWN, Status.CANCELLED})


def list_lines(entries: Sequence[RunEntry], width: int) -> list[Line]:
    """A line a run; hosts are counted where the run came to an end.

    Columns that nothing is in are left out, and where it is too narrow for a run's id those that can be missed best.
    """
    rows = [_row(entry) for entry in entries]
    shown = [
        index for index, name in enumerate(_COLUMNS) if name not in _COUNTS or any(row[index] for row in rows)
    ]
    for missed in _MISSED_BEST:
        if _least_width(rows, shown) > width:
            shown.remove(_COLUMNS.index(missed))
    return table_lines(
        [_COLUMNS[index] for index in shown],
        [[row[index] for index in shown] for row in rows],
        width,
        numeric=_NUMERIC,
        whole=frozenset(_COLUMNS) - {"PLAYBOOK"},
    )


def _least_width(rows: Sequence[Sequence[str]], shown: Sequence[int]) -> int:
    """Cells that the columns need at least; only the playbook's name may be cut."""
    widths = {index: max(cell_width(row[index]) for row in (_COLUMNS, *rows)) for index in shown}
    name = _COLUMNS.index("PLAYBOOK")
    widths[name] = min(widths[name], _LEAST_NAME)
    return sum(widths.values()) + 2 * (len(shown) - 1)


def list_document(entries: Sequence[RunEntry]) -> list[dict[str, Any]]:
    """The document of ``runs list -o json``."""
    return [_document(entry) for entry in entries]


def _row(entry: RunEntry) -> tuple[str, ...]:
    header, finished = entry.header, entry.finished
    if header is None:
        return (entry.run, "", "", "", entry.state.value, "", "", "", "")
    began = f"{header.started_at.astimezone():%Y-%m-%d %H:%M}"  # as the clock on the wall; the id has UTC
    head = (entry.run, _name(header), began)
    if finished is None:
        return (*head, "", entry.state.value, "", "", "", "")
    fine, failed, unreachable = _hosts(finished.summary)
    told = tuple(str(number) if number else "" for number in (fine, failed, unreachable))
    lasted = format_duration(finished.summary.duration)
    return (*head, lasted, entry.state.value, *told, str(int(finished.summary.exit_code)))


def kind_of(header: RunHeader) -> str:
    """``check`` where nothing was to be changed, ``apply`` of a plan file, else ``run``."""
    if header.options.check:
        return "check"
    return "apply" if APPLIED in header.options.more else "run"


def _name(header: RunHeader) -> str:
    """The playbook, and the kind where it is not the usual one: a column for it would cut the runs' ids."""
    kind, name = kind_of(header), harmless(header.playbook)
    return name if kind == "run" else f"{name} ({kind})"


def _hosts(summary: Summary) -> tuple[int, int, int]:
    """Hosts that fared well, that failed in any way, that were not reached."""
    fine = sum(number for status, number in summary.hosts.items() if not status.bad)
    failed = sum(number for status, number in summary.hosts.items() if status in _FAILED)
    return fine, failed, summary.hosts.get(Status.UNREACHABLE, 0)


def _document(entry: RunEntry) -> dict[str, Any]:
    header, finished = entry.header, entry.finished
    fine, failed, unreachable = _hosts(finished.summary) if finished else (None, None, None)
    return {
        "run": entry.run,
        "kind": kind_of(header) if header else None,
        "playbook": header.playbook if header else None,
        "path": header.path if header else None,
        "started_at": encode_time(header.started_at) if header else None,
        "duration_s": round(finished.summary.duration, 6) if finished else None,
        "state": entry.state.value,
        "pid": entry.pid,
        "hosts": {"ok": fine, "failed": failed, "unreachable": unreachable},
        "exit_code": int(finished.summary.exit_code) if finished else None,
        "problem": entry.problem.message if entry.problem else None,
    }
