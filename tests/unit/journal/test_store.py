"""Run directories: made, locked, found, listed, pruned; and how others speak to a run."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import ExitCode, JournalError, UsageError
from runner.journal import record as rec
from runner.journal.control import Control, WaitingGate
from runner.journal.disk import LocalDisk
from runner.journal.lines import line_of
from runner.journal.store import RunDirectory, RunState, RunStore
from tests.unit.journal.samples import MOMENT, header, run_in, summary

NAMES = [f"2026-11-2{day}T015000Z-{day}aaa" for day in range(1, 6)]
HOLD = """
import sys, pathlib
from runner.journal.store import RunDirectory
lock = RunDirectory(pathlib.Path(sys.argv[1])).lock()
print("held", flush=True)
sys.stdin.read()
"""


def end(directory: RunDirectory, **changed: object) -> None:
    with directory.journal.open("ab") as file:
        file.write(line_of(rec.Finished(summary(**changed), MOMENT)).data)


@contextmanager
def running(directory: RunDirectory) -> Iterator[int]:
    """Another process that holds the run until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_run_has_a_directory_with_its_header(tmp_path: Path) -> None:
    """Only its owner enters it; the header is whole before the file has its name."""
    directory = run_in(tmp_path / ".runner")

    assert directory.path == tmp_path / ".runner" / "runs" / header().run
    assert directory.replay().header == header()
    assert {path.name for path in directory.path.iterdir()} == {"journal.jsonl", "spool", "control"}
    assert directory.path.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_refuses_the_run(tmp_path: Path) -> None:
    """Before anything connects, with the option that names another place."""
    (tmp_path / "runs").write_text("no folder", encoding="utf-8")

    with pytest.raises(UsageError, match="nothing was run") as caught:
        run_in(tmp_path)
    assert (caught.value.code, caught.value.exit_code) == ("journal-not-created", ExitCode.REFUSED)
    assert "--record" in caught.value.hints[0]


def test_a_run_that_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    """A disk that is full when the header is written."""

    class FullDisk(LocalDisk):
        def write(self, descriptor: int, data: memoryview) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(UsageError, match="No space left"):
        RunStore(tmp_path, FullDisk()).create(header())

    assert list((tmp_path / "runs").iterdir()) == []


def test_an_id_is_used_once(tmp_path: Path) -> None:
    """A run never writes into what another has recorded."""
    directory = run_in(tmp_path)

    with pytest.raises(UsageError):
        run_in(tmp_path)
    assert directory.replay().header == header()


def test_a_run_is_found_by_its_name(tmp_path: Path) -> None:
    """By its id, by the only beginning, or as the last."""
    for name in NAMES:
        run_in(tmp_path, name)
    store = RunStore(tmp_path)

    assert store.find(NAMES[2]).run == NAMES[2]
    assert store.find("2026-11-24").run == NAMES[3]
    assert store.find("last").run == NAMES[4]


def test_runs_of_one_second_are_told_apart_by_when_they_began(tmp_path: Path) -> None:
    """Their ids begin alike, and what comes behind is chance."""
    names = [f"2026-11-21T015000Z-{end}" for end in ("ffff", "0000", "8888")]
    for number, name in enumerate(names):
        run_in(tmp_path, name, started_at=MOMENT + timedelta(milliseconds=number))

    assert [each.run for each in RunStore(tmp_path).list()] == names[::-1]
    assert RunStore(tmp_path).find("last").run == names[2]


def test_a_directory_without_a_journal_is_no_run(tmp_path: Path) -> None:
    """Its process died while it made it, before anything was run."""
    run_in(tmp_path, NAMES[0])
    (tmp_path / "runs" / NAMES[1]).mkdir()

    assert RunStore(tmp_path).find("last").run == NAMES[0]
    assert [each.run for each in RunStore(tmp_path).list()] == NAMES[:1]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("2026", "5 runs begin with `2026`", "type more of the one you mean"),
        (NAMES[0][:-1] + "b", "no run", f"did you mean `{NAMES[0]}`?"),
        ("latest", "no run", "did you mean `last`?"),
        ("../secrets", "no run", "`runner runs list`"),
        ("", "no run", "`runner runs list`"),
    ],
)
def test_a_run_that_is_not_there_is_told(tmp_path: Path, name: str, message: str, hint: str | None) -> None:
    """With the near one, or where to look; a path is no name."""
    for each in NAMES:
        run_in(tmp_path, each)

    with pytest.raises(UsageError, match=message) as caught:
        RunStore(tmp_path).find(name)
    assert caught.value.code == "unknown-run"
    assert hint is None or hint in caught.value.hints[0]


def test_where_no_run_is_there_is_no_last(tmp_path: Path) -> None:
    """Also where the folder itself is missing."""
    with pytest.raises(UsageError, match="no run is recorded") as caught:
        RunStore(tmp_path / "nowhere").find("last")
    assert caught.value.code == "unknown-run"
    assert list(RunStore(tmp_path / "nowhere").list()) == []


def test_the_list_says_what_became_of_each_run(tmp_path: Path) -> None:
    """The newest first; one that cannot be read is listed with why, what is no run is not."""
    runs = [run_in(tmp_path, name) for name in NAMES]
    end(runs[0])
    end(runs[1], stopped_because="Ctrl-C")
    end(runs[2], policy="too many failed")
    runs[3].journal.write_bytes(b"\x00")
    (tmp_path / "runs" / "other").mkdir()

    listed = list(RunStore(tmp_path).list())

    assert [each.run for each in listed] == NAMES[::-1]
    assert [each.state for each in reversed(listed)] == [
        RunState.FINISHED,
        RunState.STOPPED,
        RunState.STOPPED,
        RunState.UNREADABLE,
        RunState.CRASHED,
    ]
    assert listed[1].problem is not None
    assert listed[1].problem.code == "journal-damaged"
    assert listed[4].header == header(NAMES[0])
    assert listed[4].finished is not None


def test_a_run_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    """A second one is refused with the first one's id, until that ends, however it does."""
    directory = run_in(tmp_path)
    assert directory.is_running() is None

    with running(directory) as pid:
        assert directory.is_running() == pid
        (entry,) = RunStore(tmp_path).list()
        assert (entry.state, entry.pid) == (RunState.RUNNING, pid)
        with pytest.raises(JournalError, match=rf"process {pid}") as caught:
            directory.lock()
        assert (caught.value.code, caught.value.exit_code) == ("run-going-on", ExitCode.STOPPED)

    assert directory.is_running() is None
    with directory.lock():
        assert directory.is_running() == os.getpid()
    assert directory.is_running() is None


def test_runs_are_pruned_by_number_and_by_age(tmp_path: Path) -> None:
    """All but the newest, all before a time, or what both say; without either nothing goes."""
    for day, name in enumerate(NAMES):
        end(run_in(tmp_path, name, started_at=MOMENT + timedelta(days=day)))
    store, now = RunStore(tmp_path), MOMENT + timedelta(days=5)

    def pruned(**how: object) -> list[str]:
        return [each.run for each in store.prune(now=now, dry_run=True, **how)]  # type: ignore[arg-type]

    assert pruned() == []
    assert pruned(keep=2) == NAMES[2::-1]
    assert pruned(older_than=timedelta(days=3.5)) == NAMES[1::-1]
    assert pruned(keep=4, older_than=timedelta(days=3.5)) == NAMES[:1]
    assert len(list(store.list())) == 5

    (gone, *others) = store.prune(keep=0, now=now)

    assert (gone.run, len(others)) == (NAMES[4], 4)
    assert gone.size > 300
    assert list((tmp_path / "runs").iterdir()) == []


def test_what_is_running_is_never_pruned(tmp_path: Path) -> None:
    """However old it is."""
    runs = [run_in(tmp_path, name) for name in NAMES[:2]]

    with running(runs[0]):
        pruned = RunStore(tmp_path).prune(keep=0, older_than=timedelta(0), now=MOMENT + timedelta(days=900))
        assert [each.run for each in pruned] == NAMES[1:2]
        assert runs[0].journal.exists()


def control_of(folder: Path) -> Control:
    return run_in(folder).control


def test_a_gate_is_answered_from_outside(tmp_path: Path) -> None:
    """It is seen to wait, its answer is seen by the run, and both are gone when it is passed."""
    control = control_of(tmp_path)
    gate = WaitingGate("deploy/now ü", "Go on?", MOMENT, MOMENT + timedelta(hours=1))
    control.open_gate(gate)
    assert control.waiting() == (gate,)
    assert control.answered(gate.step) is None

    control.answer(gate.step, go=True, who="ops", at=MOMENT)

    assert control.answered(gate.step) == rec.Answered(gate.step, True, "ops", MOMENT)
    control.close_gate(gate.step)
    assert (control.waiting(), control.answered(gate.step)) == ((), None)


def test_an_answer_from_before_does_not_count(tmp_path: Path) -> None:
    """A gate that opens again asks again."""
    control = control_of(tmp_path)
    control.answer("gate", go=True, who="ops", at=MOMENT)

    control.open_gate(WaitingGate("gate", "Go on?", MOMENT))

    assert control.answered("gate") is None


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"go": 1, "who": "x", "at": "2026-11-21"}', '{"go": true}', "\x00"]
)
def test_an_answer_that_is_none_does_not_count(tmp_path: Path, content: str) -> None:
    """Whatever somebody put there."""
    control = control_of(tmp_path)
    (next(tmp_path.glob("runs/*")) / "control" / "gate-a.json").write_text(content, encoding="utf-8")

    assert control.answered("a") is None


def test_a_stop_is_asked_for_and_forgotten(tmp_path: Path) -> None:
    """A resumed run must not stop for what its earlier part was told."""
    control = control_of(tmp_path)
    assert control.stop_requested() is None

    control.request_stop("ops", MOMENT)
    found = control.stop_requested()
    assert found is not None
    assert (found.who, found.at) == ("ops", MOMENT)

    control.clear()
    assert control.stop_requested() is None


def test_an_answer_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The person who gave it must know."""
    with pytest.raises(JournalError) as caught:
        Control(tmp_path / "gone").answer("a", go=True, who="ops", at=MOMENT)
    assert caught.value.code == "journal-not-written"
