"""`ensure`: a test that decides, a set that runs only where it must, and a second test that has the last word."""

from __future__ import annotations

from pathlib import Path

import pytest
from psrpcore.types import PSCustomObject

from runner.engine.result import Difference, Status
from tests.support.powershell_host import Call, FakeHost, FakeWinrm, Refused
from tests.unit.execute.alone import Done, do


async def ensure(
    folder: Path, test: str, make: str, *, shell: str = "sh", more: str = "", **given: object
) -> Done:
    indent = "\n      "
    steps = (
        f"- id: x\n  target: all\n  shell: {shell}\n  register: made\n{more}  ensure:\n"
        f"    test: |{indent}{test.replace(chr(10), indent)}\n    set: |{indent}{make.replace(chr(10), indent)}\n"
    )
    return await do(folder, steps, **given)  # type: ignore[arg-type]


async def test_what_is_so_is_left_alone(tmp_path: Path) -> None:
    """Where the test says that it is so, nothing is set and nothing is changed."""
    done = await ensure(tmp_path, "echo looked; exit 0", f"touch {tmp_path}/set")
    assert done.result().status is Status.OK
    assert not done.result().changed
    assert done.result().output == []
    assert not (tmp_path / "set").exists()


async def test_what_is_not_so_is_set_and_tested_again(tmp_path: Path) -> None:
    """The output is what `set` printed, the test runs before and after, and only `set` is shown live."""
    test = f"echo looked >>{tmp_path}/looks; test -e {tmp_path}/made"
    done = await ensure(tmp_path, test, f"touch {tmp_path}/made; echo made it")
    result = done.result()
    assert (result.status, result.changed, result.output) == (Status.CHANGED, True, ["made it"])
    assert (tmp_path / "looks").read_text() == "looked\nlooked\n"
    assert done.told() == ["made it\n"]
    assert done.slots.log == ["start 1"]


async def test_a_set_that_does_not_reach_it_fails(tmp_path: Path) -> None:
    """`set` succeeded and the test still says no: the host failed, was changed, and shows what `set` printed."""
    done = await ensure(tmp_path, "echo still not >&2; exit 1", "echo tried")
    assert done.code() == "ensure-not-reached"
    assert "still not" in done.message()
    result = done.result()
    assert (result.status, result.changed, result.output) == (Status.FAILED, True, ["tried"])


@pytest.mark.parametrize("test", ["exit 2", "exit 127", "kill -TERM $$"])
async def test_a_test_that_cannot_tell_fails_and_nothing_is_set(tmp_path: Path, test: str) -> None:
    """An exit code other than 0 and 1, and a signal, are no answer; the message says that `set` was not run."""
    done = await ensure(tmp_path, test, f"touch {tmp_path}/set")
    assert done.code() == "ensure-test"
    assert "`set` was not run" in done.message()
    assert not (tmp_path / "set").exists()


async def test_a_set_that_fails_is_told_as_it_is(tmp_path: Path) -> None:
    """The failure of `set` keeps its code, names `set`, and no second test hides it."""
    test = f"echo looked >>{tmp_path}/looks; exit 1"
    done = await ensure(tmp_path, test, "echo no disk >&2; exit 9")
    assert done.code() == "exit-code"
    assert done.message().startswith("`set`: ")
    assert done.result().exit_code == 9
    assert done.result().stderr == ["no disk"]
    assert (tmp_path / "looks").read_text() == "looked\n"


async def test_python_says_it_by_its_last_value(tmp_path: Path) -> None:
    """A boolean as python or JSON writes it, or a mapping with `ok`; what stands before it is no answer."""
    path = str(tmp_path / "made")
    test = f"import os\nprint('looking')\nprint(os.path.exists({path!r}))"
    done = await ensure(tmp_path, test, f"open({path!r}, 'w')", shell="python")
    assert done.result().status is Status.CHANGED
    done = await ensure(tmp_path, "print('true')", "raise SystemExit(1)", shell="python")
    assert done.result().status is Status.OK
    done = await ensure(tmp_path, "print(3)", "raise SystemExit(1)", shell="python")
    assert done.code() == "ensure-test"
    assert "it gave `3`" in done.message()
    done = await ensure(tmp_path, "pass", "raise SystemExit(1)", shell="python")
    assert "it gave nothing" in done.message()


STATE = """\
import json, os
now = open({path!r}).read() if os.path.exists({path!r}) else None
print(json.dumps({{"ok": now == "new", "before": now, "after": "new"}}))"""


async def test_states_become_a_difference(tmp_path: Path) -> None:
    """`before` and `after` of the mapping are the result's difference, as it was and as it became."""
    path = tmp_path / "state"
    path.write_text("old")
    done = await ensure(
        tmp_path, STATE.format(path=str(path)), f"open({str(path)!r}, 'w').write('new')", shell="python"
    )
    assert done.result().difference == Difference("old", "new")


async def test_a_check_tests_and_sets_nothing(tmp_path: Path) -> None:
    """Under --check a host that is not as it should be would change, with the difference; `set` does not run."""
    path = tmp_path / "state"
    path.write_text("old")
    make = f"open({str(path)!r}, 'w').write('new')"
    done = await ensure(tmp_path, STATE.format(path=str(path)), make, shell="python", check=True)
    result = done.result()
    assert (result.status, result.changed, result.would_change) == (Status.CHANGED, True, True)
    assert result.difference == Difference("old", "new")
    assert path.read_text() == "old"
    path.write_text("new")
    result = (await ensure(tmp_path, STATE.format(path=str(path)), make, shell="python", check=True)).result()
    assert (result.status, result.would_change) == (Status.OK, False)


async def test_values_reach_both_scripts(tmp_path: Path) -> None:
    """`$Using:` works in `test` and in `set`, and a value that is missing fails before the first test."""
    done = await ensure(
        tmp_path,
        'test -e "$Using:where/made"',
        'touch "$Using:where/made"',
        more=f"  vars: {{where: {tmp_path}}}\n",
    )
    assert done.result().status is Status.CHANGED
    assert (tmp_path / "made").exists()
    more = '  vars: {missing: "{{ [][1] }}"}\n'
    done = await ensure(tmp_path, f"touch {tmp_path}/tested", "echo $Using:missing", more=more)
    assert done.result().status is Status.FAILED
    assert not (tmp_path / "tested").exists()


async def test_a_timeout_is_for_both_together(tmp_path: Path) -> None:
    """The step's timeout ends whichever script runs, and what `set` printed so far is kept."""
    done = await ensure(tmp_path, "exit 1", "echo begun; sleep 600", more="  timeout: 500ms\n")
    assert done.result().status is Status.TIMED_OUT
    assert done.result().output == ["begun"]


async def test_a_kept_session_runs_both(tmp_path: Path) -> None:
    """In a session both scripts run in the kept interpreter: `set` leaves variables there that `test` reads."""
    steps = (
        "- id: x\n  session: warm\n  ensure: {test: 'test \"$made\" = yes', set: 'made=yes'}\n"
        "- {id: after, session: warm, script: 'echo $made'}\n"
    )
    head = "targets: {all: {hosts: [a]}}\nsessions: {warm: {target: all}}\n"
    done = await do(tmp_path, steps, head=head)
    assert done.result().status is Status.CHANGED
    assert done.result("after").output == ["yes"]


async def on_windows(folder: Path, win: FakeHost, body: str, **given: object) -> Done:
    return await do(
        folder,
        f"- {{id: x, target: all, ensure: {body}}}\n",
        head="targets: {all: {hosts: win}}\n",
        inventory="version: 1\nconnection: {transport: winrm, use_ssl: true}\nhosts: {win: {}}\n",
        transports={"winrm": FakeWinrm({"win": win})},
        **given,  # type: ignore[arg-type]
    )


def service(state: list[str], *, stubborn: bool = False) -> FakeHost:
    """A host whose service is in a state that `Test-It` tells and `Set-It` changes."""

    def test(call: Call) -> None:
        call.write("looking", PSCustomObject(Ok=state[0] == "running", Before=state[0], After="running"))

    def make(call: Call) -> None:
        state[0] = state[0] if stubborn else "running"
        call.write("started")

    def fail(call: Call) -> None:
        raise Refused("no such service")

    plain = {
        "Test-Plain": lambda call: call.write(state[0] == "running"),
        "Test-Text": lambda call: call.write("yes"),
    }
    return FakeHost(scripts={"Test-It": test, "Set-It": make, "Test-Bad": fail, **plain})


async def test_powershell_says_it_by_its_last_value(tmp_path: Path) -> None:
    """A boolean or an object with `Ok`, `Before` and `After`; all three scripts run in one runspace pool."""
    win = service(["stopped"])
    done = await on_windows(tmp_path, win, "{test: Test-It, set: Set-It}")
    result = done.result("x", "win")
    assert (result.status, result.output) == (Status.CHANGED, ["started"])
    assert result.difference == Difference("stopped", "running")
    assert len(win.carriers) == 1
    done = await on_windows(tmp_path, service(["stopped"]), "{test: Test-Plain, set: Set-It}")
    assert done.result("x", "win").status is Status.CHANGED
    done = await on_windows(tmp_path, service(["running"]), "{test: Test-Plain, set: Test-Bad}")
    assert done.result("x", "win").status is Status.OK


async def test_powershell_that_fails_or_says_nothing(tmp_path: Path) -> None:
    """An error that ends the test, and a last value that is no boolean, are failures of the test; `set` never ran."""
    state = ["stopped"]
    done = await on_windows(tmp_path, service(state), "{test: Test-Bad, set: Set-It}")
    assert done.code("x", "win") == "ensure-test"
    assert "no such service" in done.message("x", "win")
    done = await on_windows(tmp_path, service(state), "{test: Test-Text, set: Set-It}")
    assert "it gave `yes`" in done.message("x", "win")
    assert state == ["stopped"]
    done = await on_windows(tmp_path, service(state, stubborn=True), "{test: Test-It, set: Set-It}")
    assert done.code("x", "win") == "ensure-not-reached"


async def test_powershell_is_checked_too(tmp_path: Path) -> None:
    """Under --check only the test runs, and the state it wants is the difference."""
    state = ["stopped"]
    result = (await on_windows(tmp_path, service(state), "{test: Test-It, set: Set-It}", check=True)).result(
        "x", "win"
    )
    assert (result.would_change, state) == (True, ["stopped"])
    assert result.difference == Difference("stopped", "running")
