"""``--trace FILE``: what was decided and sent, a line each with its time, and nothing that is secret."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from runner.cli.prepare import Given, prepare
from runner.cli.trace import traced
from runner.errors import UsageError
from runner.plan.model import Plan
from tests.support.command_line import Typed

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (DEBUG|INFO|WARNING|ERROR) +[a-z._]+: ")


@pytest.fixture(autouse=True)
def recorded_here(folder: Path) -> None:
    """Runs are recorded in the folder, not in the state directory of whoever tests."""
    (folder / "runner.toml").touch()


def plan_of(folder: Path) -> Plan:
    """The plan of hello.yml."""
    plan = prepare(str(folder / "hello.yml"), Given()).plan
    assert plan is not None
    return plan


def test_every_line_has_its_time_and_the_run_is_told_in_order(typed: Typed, folder: Path) -> None:
    """Versions, the plan, each decision, connections opened, used again and closed, the end."""
    done = typed("run", "hello.yml", "--trace", "trace.log")
    assert done.code == 0, done.err
    lines = (folder / "trace.log").read_text().splitlines()
    assert [line for line in lines if not LINE.match(line)] == []
    text = "\n".join(lines)
    told = (
        "runner 0.",
        "step greet: 1 hosts",
        "the run begins: 2 steps, 1 hosts",
        "greet on localhost: starts",
        "localhost: opens local to this machine",
        "greet on localhost: ok",
        "localhost: its open connection is used",
        "report on localhost: ok",
        "localhost: its connection is closed",
        "the run ends after",
    )
    places = [text.find(words) for words in told]
    assert -1 not in places, text
    assert places == sorted(places), text


def test_retries_and_waits_are_told_with_their_times(typed: Typed, folder: Path) -> None:
    """What is waited for, until when, after which attempt; then the failure in its own words."""
    (folder / "hello.yml").write_text(
        "version: 1\nname: n\nsteps:\n- {id: a, script: exit 3, retry: {attempts: 2, delay: 10ms}}\n"
    )
    assert typed("run", "hello.yml", "--trace", "trace.log").code == 1
    text = (folder / "trace.log").read_text()
    assert re.search(r"a on localhost: waits \(retry\) after attempt 1 until .*Z: ", text), text
    assert re.search(r"a on localhost: failed, attempt 2, .*exit code 3.*; \[exit-code\] in execute", text), (
        text
    )


def test_the_file_is_its_owners_alone(typed: Typed, folder: Path) -> None:
    """Names of hosts and users are nobody else's business."""
    typed("run", "hello.yml", "--trace", "trace.log")
    assert (folder / "trace.log").stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_opened_refuses_the_run(typed: Typed, folder: Path) -> None:
    """Nothing is run and nothing recorded."""
    done = typed("run", "hello.yml", "--trace", "missing/trace.log")
    assert done.code == 2
    assert "missing/trace.log`: No such file or directory" in done.err
    assert done.err.endswith("nothing was run\n")
    assert not list(folder.glob(".runner/runs/*"))


def test_a_full_disk_is_told_and_the_run_goes_on(typed: Typed) -> None:
    """A trace is no result: the exit code is the run's own."""
    done = typed("run", "hello.yml", "--trace", "/dev/full")
    assert done.code == 0, done.err
    assert "hello world from north" in done.out
    assert "warning[output-not-written]: the trace in `/dev/full` is not whole: No space left" in done.err
    assert "Traceback" not in done.err


def test_resume_and_apply_are_traced(typed: Typed, folder: Path) -> None:
    """The file is where the command is typed, wherever the run began."""
    (folder / "hello.yml").write_text("version: 1\nname: n\nsteps:\n- {id: a, script: exit 3}\n")
    assert typed("run", "hello.yml").code == 1
    assert typed("resume", "last", "--trace", "again.log").code == 1
    assert "a on localhost: failed" in (folder / "again.log").read_text()
    assert typed("plan", "hello.yml", "--out", "a.plan").code == 0
    assert typed("apply", "a.plan", "--trace", "applied.log").code == 1
    assert "a on localhost: failed" in (folder / "applied.log").read_text()


def test_a_trace_masks_lines_of_any_library_and_keeps_its_lines(folder: Path) -> None:
    """What a library logs passes the mask, and cannot make a line without a time or move a cursor."""
    path = folder / "trace.log"
    with traced(path, plan_of(folder), lambda text: text.replace("hunter2", "***")):
        logging.getLogger("asyncssh.sftp").debug("one hunter2\ntwo \x1b[2J %s", "hunter2")
    lines = path.read_text().splitlines()
    assert [line for line in lines if not LINE.match(line)] == []
    assert lines[-2].endswith("one ***")
    assert lines[-1].endswith("two ^[[2J ***")


def test_a_bug_leaves_its_traceback_in_the_trace(folder: Path) -> None:
    """A report of a bug is what the trace is for; afterwards logging is as it was before."""
    before = {name: logging.getLogger(name).level for name in ("runner", "asyncssh", "asyncio")}
    path = folder / "trace.log"
    with pytest.raises(ZeroDivisionError), traced(path, plan_of(folder), str):
        raise ZeroDivisionError("of ours")
    assert "ended by a bug" in path.read_text()
    assert "ZeroDivisionError: of ours" in path.read_text()
    assert {name: logging.getLogger(name).level for name in before} == before
    assert not logging.getLogger("runner").handlers


def test_a_refusal_is_told_in_the_trace(folder: Path) -> None:
    """Also where nothing is run after all, the trace says why."""
    path = folder / "trace.log"
    with pytest.raises(UsageError), traced(path, plan_of(folder), str):
        raise UsageError("lock-held", "somebody holds it")
    assert "ended by [lock-held] somebody holds it" in path.read_text()
