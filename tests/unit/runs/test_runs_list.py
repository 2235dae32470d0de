"""`runs list` on terminals of any width."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.cli.runs_list import list_lines
from runner.engine.result import Status
from runner.journal import record as rec
from runner.journal.store import RunDirectory, RunEntry, RunState
from runner.present.paint import text_of
from tests.unit.journal.samples import header, summary


def entry(run: str, playbook: str, unreachable: int = 0) -> RunEntry:
    """A run of three hosts that ended with 1."""
    started = replace(
        header(), run=run, playbook=playbook, started_at=datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    )
    counted = replace(
        summary(exit_code=1), hosts={Status.FAILED: 1, Status.UNREACHABLE: unreachable, Status.OK: 2}
    )
    directory = RunDirectory(Path(run))
    return RunEntry(directory, RunState.FINISHED, started, rec.Finished(counted, started.started_at))


@pytest.mark.parametrize("width", [74, 80, 100, 110, 200])
def test_an_id_is_never_cut(width: int) -> None:
    """It is what is typed next: on a narrow terminal names are cut and columns left out, and each line still fits."""
    runs = [f"2026-11-21T01500{number}Z-7f3a" for number in range(3)]
    entries = [entry(run, "A playbook with quite a long name", 1) for run in runs]
    head, *lines = [text_of(one).rstrip() for one in list_lines(entries, width)]
    assert [each.split()[0] for each in lines] == runs
    assert all(len(each) <= width for each in (head, *lines))
    assert "UNREACHABLE" in head
    assert ("EXIT" in head) == (width >= 110)


def test_times_are_those_of_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the zone of who looks, over midnight too."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    try:
        (_, line) = list_lines([entry("2026-11-21T233000Z-7f3a", "book")], 120)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "2026-11-22 00:30" in text_of(line)
