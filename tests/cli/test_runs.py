"""`runner runs`: what is recorded of runs, and speaking to those that go on."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.schema_files import schema_text
from tests.support.command_line import Done, Typed, clean_environment

HOSTS = '{"version": 1, "connection": {"transport": "local"}, "hosts": {"a1": {}, "a2": {}, "a3": {}}}'
BOOK = """\
version: 1
name: book
targets: {all: {hosts: all}}
steps:
  - {id: one, target: all, script: 'echo $Using:inventory_hostname'}
  - {id: two, target: all, script: 'test -e free || test $Using:inventory_hostname != a2'}
  - {id: three, target: all, script: echo end}
"""
WAITING = """\
version: 1
name: waiting
steps:
  - {id: before, script: touch before}
  - {id: go, gate: {message: drained?, timeout: 300s}}
  - {id: after, script: touch after}
"""
BUSY = """\
version: 1
name: busy
steps:
  - {id: busy, script: 'touch before; sleep 600'}
"""
RUN = ("run", "book.yml", "-i", "hosts.json", "-o", "quiet")


@pytest.fixture
def place(folder: Path) -> Path:
    """A repository with a playbook that fails on one host of three."""
    (folder / "runner.toml").touch()
    (folder / "hosts.json").write_text(HOSTS, encoding="utf-8")
    (folder / "book.yml").write_text(BOOK, encoding="utf-8")
    return folder


@pytest.fixture
def started(place: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Begins a run of a playbook without a terminal, and waits for its first step."""
    living: list[subprocess.Popen[str]] = []

    def start(book: str) -> subprocess.Popen[str]:
        (place / "going.yml").write_text(book, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "run", "going.yml", "-o", "plain"],
            cwd=place,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # no terminal of the tester
        )
        living.append(process)
        wait_for((place / "before").exists, "the first step")
        return process

    yield start
    for process in living:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        with process:  # waits, and closes its pipes
            pass


def wait_for(true: Callable[[], object], what: str) -> None:
    """Wait until something is true."""
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up, f"{what} did not happen"
        time.sleep(0.02)


def listed(typed: Typed, *words: str) -> list[dict[str, Any]]:
    """The document of `runs list`."""
    found: list[dict[str, Any]] = json.loads(typed("runs", "list", "-o", "json", *words).out)
    return found


def test_nothing_is_recorded(place: Path, typed: Typed) -> None:
    """Without runs the list is empty, and says so; a run that is named is unknown."""
    done = typed("runs", "list")
    assert (done.code, done.out, done.err) == (0, "", "no run is recorded here\n")
    assert listed(typed) == []
    done = typed("runs", "show", "last")
    assert done.code == 2
    assert "error[unknown-run]" in done.err


def test_list(place: Path, typed: Typed) -> None:
    """The newest first, with what became of its hosts."""
    assert typed(*RUN).code == 1
    (place / "free").touch()
    assert typed(*RUN).code == 0
    newest, oldest = listed(typed)
    assert [one["exit_code"] for one in (newest, oldest)] == [0, 1]
    assert oldest["hosts"] == {"ok": 2, "failed": 1, "unreachable": 0}
    assert (oldest["state"], oldest["playbook"], oldest["path"]) == ("finished", "book", "book.yml")
    assert listed(typed, "--limit", "1") == [newest]
    head, first, second = typed("runs", "list").out.splitlines()
    assert head.split() == [
        "RUN",
        "PLAYBOOK",
        "STARTED",
        "TIME",
        "STATE",
        "OK",
        "FAILED",
        "EXIT",
    ]
    assert first.startswith(newest["run"])
    assert second.split()[-3:] == ["2", "1", "1"]


def test_show(place: Path, typed: Typed) -> None:
    """Steps by what became of them, failures with their messages, and how to go on; one result whole."""
    typed(*RUN)
    done = typed("runs", "show", "last")
    assert done.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line[:1].isalpha()}
    assert rows["STEP"] == ["HOSTS", "OK", "SKIPPED", "FAILED"]
    assert (rows["one"], rows["two"], rows["three"]) == (["3", "3"], ["3", "2", "1"], ["3", "2", "1"])
    assert "two failed (exit 1) on a2" in done.out
    (run,) = [one["run"] for one in listed(typed)]
    assert done.out.rstrip().endswith(f"resume with: runner resume {run}")
    document = json.loads(typed("runs", "show", run[:20], "-o", "json").out)
    assert [(one["step"], one["host"], one["status"]) for one in document["bad"]] == [
        ("two", "a2", "failed"),
        ("three", "a2", "skipped"),
    ]
    whole = json.loads(typed("runs", "show", "last", "--step", "one", "--host", "a3", "-o", "json").out)
    assert [one["output"] for one in whole] == [["a3"]]
    assert "a3" in typed("runs", "show", "last", "--step", "one", "--host", "a3").out.splitlines()[-1]
    assert typed("runs", "show", "last", "--step", "on").code == 2


def test_export_is_what_the_run_printed(place: Path, typed: Typed) -> None:
    """`runs export` gives the documents of `run -o json` and `-o jsonl`, held to their schemas."""
    printed = json.loads(typed("run", "book.yml", "-i", "hosts.json", "-o", "json").out)
    exported = json.loads(typed("runs", "export", "last").out)
    Draft202012Validator(json.loads(schema_text("result"))).validate(exported)

    def by_key(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
        return {(one["step"], one["host"]): one for one in document["results"]}

    assert by_key(exported) == by_key(printed)
    assert exported["run"] == printed["run"]
    assert exported["summary"]["hosts"] == printed["summary"]["hosts"]
    assert typed("runs", "export", "last", "-o", "jsonl", "--file", "out.jsonl").code == 0
    events = [json.loads(line) for line in (place / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    for event in events:
        Draft202012Validator(json.loads(schema_text("events"))).validate(event)
    assert events[0]["event"] == "run_started"
    assert [event["event"] for event in events].count("assignment_ended") == 9
    assert events[-1]["event"] == "run_ended"


def test_diff(place: Path, typed: Typed) -> None:
    """Equal runs end with 0, others with 5 and what differs, equal differences of many hosts told once."""
    typed(*RUN)
    typed(*RUN)
    second, first = [one["run"] for one in listed(typed)]
    done = typed("runs", "diff", first, second)
    assert (done.code, done.out) == (0, f"no difference between {first} and {second}\n")
    (place / "free").touch()
    (place / "book.yml").write_text(BOOK.replace("echo end", "echo other"), encoding="utf-8")
    typed(*RUN)
    done = typed("runs", "diff", first, "last", "-o", "json")
    assert done.code == 5
    found = {(one["step"], one["host"]): one for one in json.loads(done.out)["differences"]}
    assert found["two", "a2"]["status"] == ["failed", "ok"]
    assert found["two", "a2"]["exit_code"] == [1, 0]
    assert {key for key, one in found.items() if one["output_changed"]} == {
        ("three", h) for h in ("a1", "a2", "a3")
    }
    done = typed("runs", "diff", first, "last")
    assert done.code == 5
    assert [line.split()[0] for line in done.out.splitlines()[2:]] == ["STEP", "two", "three", "three"]
    assert "a[1,3]" in done.out


def test_limit_by_an_earlier_run(place: Path, typed: Typed) -> None:
    """`-l @last:failed` runs where it failed, and a resumed run means the same hosts then."""
    typed(*RUN)
    done = typed("run", "book.yml", "-i", "hosts.json", "-o", "json", "-l", "all:&@last:failed")
    assert done.code == 1
    assert {one["host"] for one in json.loads(done.out)["results"]} == {"a2"}
    (place / "free").touch()
    typed("run", "book.yml", "-i", "hosts.json", "-o", "quiet", "-l", "a1")
    first = listed(typed)[1]["run"]
    done = typed("resume", first, "-o", "json")
    assert done.code == 0, done.err
    assert {one["host"] for one in json.loads(done.out)["results"]} == {"a2"}
    done = typed("run", "book.yml", "-i", "hosts.json", "-l", "@nope:failed")
    assert done.code == 2
    assert "error[unknown-run]" in done.err


def test_prune(place: Path, typed: Typed) -> None:
    """What is removed is said first, and nothing is without a word of agreement."""
    for _ in range(3):
        typed(*RUN)
    runs = [one["run"] for one in listed(typed)]
    assert "error[prune-without-limit]" in typed("runs", "prune").err
    done = typed("runs", "prune", "--keep", "1", "--dry-run")
    assert (done.code, done.out.split()) == (0, runs[1:])
    assert "error[no-terminal]" in typed("runs", "prune", "--keep", "1").err
    assert len(listed(typed)) == 3
    assert typed("runs", "prune", "--older-than", "1d", "--yes").code == 0
    assert len(listed(typed)) == 3
    assert typed("runs", "prune", "--keep", "1", "--yes").code == 0
    assert [one["run"] for one in listed(typed)] == runs[:1]
    assert not (place / ".runner" / "runs" / runs[1]).exists()


def test_stop(place: Path, typed: Typed, started: Callable[[str], subprocess.Popen[str]]) -> None:
    """A run that goes on is stopped in order, its journal says by whom, and then there is nothing to stop."""
    process = started(BUSY)
    (entry,) = listed(typed)
    assert (entry["state"], entry["pid"]) == ("running", process.pid)
    ended = threading.Thread(target=process.wait)  # else it stays a zombie, which holds its lock no more
    ended.start()
    done = typed("runs", "stop", "last")
    ended.join()
    assert done.code == 0, done.err
    assert process.returncode == 143
    assert "resume with: runner resume" in done.err
    shown = json.loads(typed("runs", "show", "last", "-o", "json").out)
    assert shown["state"] == "stopped"
    assert shown["summary"]["stopped_because"].startswith("`runs stop` by ")
    done = typed("runs", "stop", "last")
    assert done.code == 2
    assert "error[run-not-running]" in done.err


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--reject",), 4)], ids=["approved", "rejected"])
def test_approve(
    words: tuple[str, ...],
    code: int,
    place: Path,
    typed: Typed,
    started: Callable[[str], subprocess.Popen[str]],
) -> None:
    """A gate is answered from another terminal, and who did is recorded."""
    process = started(WAITING)
    control = place / ".runner" / "runs"
    wait_for(lambda: list(control.glob("*/control/waiting-*")), "the gate")
    done = typed("runs", "approve", "last", "gp")
    assert done.code == 2
    assert "error[no-such-gate]" in done.err
    assert "`go`" in done.err
    shown = typed("runs", "show", "last").out
    assert "? gate go: " in shown
    assert " go\n" in shown
    assert " go --reject\n" in shown
    done = typed("runs", "approve", "last", "go", *words)
    assert done.code == 0, done.err
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert (place / "after").exists() is (code == 0)
    (gate,) = json.loads(typed("runs", "show", "last", "-o", "json").out)["gates"]
    assert (gate["step"], gate["go"]) == ("go", code == 0)


def test_approve_before_resume(place: Path, typed: Typed) -> None:
    """Where nobody can be asked the run ends at its gate with 4; the answer given then is taken by resume."""
    (place / "book.yml").write_text(WAITING.replace(", timeout: 300s", ""), encoding="utf-8")
    done = typed("run", "book.yml", "-o", "plain")
    assert done.code == 4, done.err
    assert "gate-unattended" in done.err
    assert not (place / "after").exists()
    assert typed("resume", "last", "-o", "plain").code == 4
    done = typed("runs", "approve", "last", "go")
    assert done.code == 0, done.err
    assert "go on with: runner resume" in done.err
    done = typed("resume", "last", "-o", "plain")
    assert done.code == 0, done.err
    assert (place / "after").exists()
    assert typed("runs", "approve", "last", "go").code == 2


def test_watch(place: Path, typed: Typed, started: Callable[[str], subprocess.Popen[str]]) -> None:
    """A run is shown from its journal while it goes on, to its end, with its exit code."""
    process = started(WAITING)
    control = place / ".runner" / "runs"
    wait_for(lambda: list(control.glob("*/control/waiting-*")), "the gate")
    answered = threading.Timer(1.0, lambda: _answer(control))
    answered.start()
    done = typed("runs", "watch", "last", "-o", "jsonl")
    answered.join()
    process.communicate(timeout=60)
    assert done.code == 0, done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    ended = [event["result"]["step"] for event in events if event["event"] == "assignment_ended"]
    assert ended == ["before", "go", "after"]
    assert events[-1]["event"] == "run_ended"
    assert any("gate `go` approved by" in event.get("message", "") for event in events)


def _answer(control: Path) -> None:
    answer = {"go": True, "who": "ada", "at": "2026-11-21T01:50:00+00:00"}
    (folder,) = control.glob("*/control")
    (folder / "gate-go.part").write_text(json.dumps(answer), encoding="utf-8")
    (folder / "gate-go.part").rename(folder / "gate-go.json")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None,
    reason="a full disk is made with a small tmpfs, by root",
)
def test_a_disk_that_fills_up(place: Path, typed: Typed, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A journal that cannot be written any more stops the run with 4; resume goes on where there is room again."""
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "runner-test", str(disk)], check=True)
    try:
        script = "echo ran >> ledger; head -c 30000 /dev/urandom | base64"
        steps = "".join(f"  - {{id: s{number}, target: all, script: '{script}'}}\n" for number in range(12))
        head = "version: 1\nname: full\ntargets: {all: {hosts: all}}\nsteps:\n"
        (place / "book.yml").write_text(head + steps, encoding="utf-8")
        done = typed(*RUN, "--record", str(disk / "rec"))
        assert done.code == 4, done.err
        assert "error[journal-full]" in done.err
        before = (place / "ledger").read_text(encoding="utf-8").split()
        assert len(before) < 36
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        done = typed("resume", "last", "--record", str(disk / "rec"), "-o", "quiet", "--unknown", "skip")
        assert done.code == 0, done.err
        after = (place / "ledger").read_text(encoding="utf-8").split()
        assert len(after) == 36
    finally:
        # The journal is open until its reader is gone, and here no process ends: a run freezes what there is.
        gc.unfreeze()
        gc.collect()
        subprocess.run(["umount", str(disk)], check=True)


def test_what_is_refused_leaves_no_record(place: Path, typed: Typed) -> None:
    """An output that cannot be opened, or a playbook with a problem, is no run."""
    assert typed(*RUN, "-o", f"json={place}/nowhere/out.json").code != 0
    (place / "book.yml").write_text(BOOK.replace("target: all", "target: al"), encoding="utf-8")
    assert typed(*RUN).code == 2
    assert not any((place / ".runner" / "runs").glob("*"))


def test_records_stay_out_of_git(place: Path, typed: Typed) -> None:
    """`.runner/` brings its own .gitignore, also where a run was refused."""
    typed(*RUN)
    assert (place / ".runner" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_results_of_done(place: Path, typed: Typed) -> None:
    """A resumed run that went well does not ask to be resumed."""
    typed(*RUN)
    (place / "free").touch()
    done: Done = typed("resume", "last", "-o", "quiet")
    assert done.code == 0
    assert "resume with" not in done.err
    assert "resume" not in typed("runs", "show", "last").out.splitlines()[-1]
