"""Kept PowerShell sessions and stops: what stays, what is put back, what is told of what a stop leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from psrpcore.types import PSCustomObject

from runner.engine.observe import Notice
from runner.engine.result import Status
from runner.execute.powershell.children import children_request
from tests.support.powershell_host import Call, FakeHost, FakeWinrm, Refused, Stays
from tests.unit.execute.powershell_running import HEAD, INVENTORY, host, play
from tests.unit.execute.running import run

CHILDREN_SCRIPT = children_request().statements[0].commands[0].text

SETTINGS = "strict_mode: latest, error_action: stop, environment: {LAB: y}, working_directory: /tmp"


async def test_session_gets_its_settings_back(tmp_path: Path) -> None:
    """What a step sets of a kept session is gone after it, whether the step succeeded or failed."""
    win = host()
    await play(
        tmp_path,
        win,
        f"""
- {{id: a, session: warm, script: "'x'", {SETTINGS}}}
- {{id: b, session: warm, script: throw 'bad', {SETTINGS}, ignore_errors: true}}
- {{id: c, session: warm, script: "'x'"}}
""",
    )
    runspace = win.carriers[0].runspace
    assert (runspace.location, runspace.strict, runspace.environment) == ("/home/ops", 0, {})
    assert runspace.preferences["ErrorActionPreference"] == "Continue"
    assert win.opened == 1


async def test_session_whose_settings_stay_is_given_up(tmp_path: Path) -> None:
    """Where a setting cannot be put back, what the step did is told, and its session is not used again."""

    def moving(call: Call) -> None:
        if call.named["LiteralPath"] != "/tmp":
            raise Refused("PathNotFound: it was removed")

    win = host(scripts={"Set-Location": moving})
    seen = await play(
        tmp_path,
        win,
        """
- {id: a, session: warm, script: "'x'", working_directory: /tmp}
- {id: b, session: warm, script: "'x'", ignore_errors: true}
""",
    )
    done, refused = seen.result("a", "win"), seen.result("b", "win")
    assert (done.status, done.output, done.session_lost) == (Status.OK, ["x"], True)
    assert any("it was removed" in e.message for e in seen.events if isinstance(e, Notice))
    assert refused.failure is not None
    assert refused.failure.code == "session-lost"


async def test_session_gets_its_settings_back_after_a_timeout(tmp_path: Path) -> None:
    """A step that is stopped leaves its settings behind no more than one that ends."""
    win = host()
    seen = await play(
        tmp_path,
        win,
        f"""
- {{id: a, session: warm, script: hang, timeout: 300ms, {SETTINGS}, ignore_errors: true}}
- {{id: b, session: warm, script: "'x'"}}
""",
    )
    assert seen.result("a", "win").status is Status.TIMED_OUT
    assert seen.result("b", "win").output == ["x"]
    runspace = win.carriers[0].runspace
    assert (runspace.location, runspace.strict, runspace.environment) == ("/home/ops", 0, {})


async def test_variables_stay_in_a_session_and_nowhere_else(tmp_path: Path) -> None:
    """Example 4: a variable is gone with targets, and there with a session."""
    win = host()
    seen = await play(
        tmp_path,
        win,
        """
- {id: t1, target: all, script: $v = 5}
- {id: t2, target: all, script: $v}
- {id: s1, session: warm, script: $v = 5}
- {id: s2, session: warm, script: $v}
""",
    )
    assert seen.result("t2", "win").output == [None]
    assert seen.result("s2", "win").output == [5]
    assert win.opened == 3
    assert win.names == [None, None, "warm"]


@pytest.mark.parametrize(("can_reset", "opened"), [(True, 1), (False, 3)])
async def test_reset_forgets_or_opens_anew(tmp_path: Path, can_reset: bool, opened: int) -> None:
    """`reset: step` has the host forget the variables, or opens a new session where the host cannot."""
    win = host(can_reset=can_reset)
    seen = await play(
        tmp_path,
        win,
        """
- {id: a, session: clean, script: $v = 5}
- {id: b, session: clean, script: $v}
- {id: c, session: clean, script: $v}
""",
    )
    assert seen.result("b", "win").output == [None]
    assert seen.result("c", "win").status is Status.OK
    assert win.opened == opened


async def test_stop_keeps_session_and_what_came(tmp_path: Path) -> None:
    """A timeout stops the pipeline; its output so far is in the result, and the session goes on with its variables."""
    seen = await play(
        tmp_path,
        host(),
        """
- {id: a, session: warm, script: $v = 5}
- {id: b, session: warm, script: hang, timeout: 300ms, ignore_errors: true}
- {id: c, session: warm, script: $v}
""",
    )
    stopped = seen.result("b", "win")
    assert stopped.status is Status.TIMED_OUT
    assert stopped.output == ["begun"]
    assert not stopped.session_lost
    assert seen.result("c", "win").output == [5]


def cutting(call: Call) -> None:
    call.write("begun")
    asyncio.get_running_loop().call_later(0.05, call.host.carriers[-1].cut)
    raise Stays


async def test_broken_link_fails_what_ran_and_loses_the_session(tmp_path: Path) -> None:
    """A link that breaks in mid-pipeline fails that step as one that may have run; the next is refused by name."""
    seen = await play(
        tmp_path,
        host(scripts={"cut": cutting}),
        """
- {id: a, session: warm, script: cut, ignore_errors: true}
- {id: b, session: warm, script: "'x'", ignore_errors: true}
- {id: c, session: again, script: cut, ignore_errors: true}
- {id: d, session: again, script: "'x'"}
""",
    )
    cut, refused = seen.result("a", "win"), seen.result("b", "win")
    assert cut.status is Status.FAILED
    assert cut.failure is not None
    assert cut.failure.may_have_run
    assert refused.failure is not None
    assert refused.failure.code == "session-lost"
    assert seen.result("d", "win").output == ["x"]
    assert any("`again` was lost" in e.message for e in seen.events if isinstance(e, Notice))


def children(*found: tuple[int, str], denied: Collection[int] = ()) -> Any:
    """The script that looks for what is left, on a host where that was found; ``denied`` are not ours to end."""

    def script(call: Call) -> None:
        gone = call.host.ended if call.named["End"] else set()
        for number, name in found:
            if number not in call.named["Except"] and number not in gone:
                ended = bool(call.named["End"]) and number not in denied
                call.write(PSCustomObject(Id=number, Name=name, Ended=ended))
        if call.named["End"]:
            call.host.ended |= {number for number, _ in found} - set(call.named["Except"])

    return script


async def test_children_that_outlive_a_stop_are_named(tmp_path: Path) -> None:
    """What a stopped native program had started is named in the failure, and the run's end says it may still run."""
    seen = await play(
        tmp_path,
        host(scripts={CHILDREN_SCRIPT: children((4711, "sleep"))}),
        "- {id: a, target: all, script: hang, timeout: 300ms}",
    )
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert "was ended on the host; `sleep` (4711), which it had started, still runs" in failure.message
    assert seen.summary is not None
    assert seen.summary.may_still_run == ("`a` on `win`",)


async def test_process_tree_ends_children_and_spares_those_before(tmp_path: Path) -> None:
    """`stop: process_tree` ends what outlives the stop, and nothing that the session had running before the step."""
    started: list[tuple[int, str]] = [(1000, "server")]

    def looking(call: Call) -> None:
        children(*started)(call)
        started[1:] = [(4711, "sleep")]

    win = host(scripts={CHILDREN_SCRIPT: looking})
    seen = await play(
        tmp_path,
        win,
        """
- {id: a, session: warm, script: hang, timeout: 300ms, stop: process_tree, ignore_errors: true}
- {id: b, session: warm, script: "'x'"}
""",
    )
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert "`sleep` (4711), which it had started, was ended too" in failure.message
    assert win.ended == {4711}
    assert seen.summary is not None
    assert seen.summary.may_still_run == ()
    assert seen.result("b", "win").output == ["x"]


async def test_a_child_that_the_host_does_not_let_us_end_is_named(tmp_path: Path) -> None:
    """What `stop: process_tree` could end and what it could not are told apart, and the latter may still run."""
    started: list[tuple[int, str]] = []

    def looking(call: Call) -> None:
        children(*started, denied={12})(call)
        started[:] = [(11, "sleep"), (12, "server")]

    seen = await play(
        tmp_path,
        host(scripts={CHILDREN_SCRIPT: looking}),
        "- {id: a, target: all, script: hang, timeout: 300ms, stop: process_tree}",
    )
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert "`sleep` (11), which it had started, was ended too" in failure.message
    assert "`server` (12), which it had started, still runs" in failure.message
    assert seen.summary is not None
    assert seen.summary.may_still_run == ("`a` on `win`",)


async def test_host_that_cannot_be_asked_is_told_so(tmp_path: Path) -> None:
    """Where it cannot be found out what is left, the failure says that it may still run."""
    seen = await play(tmp_path, host(), "- {id: a, target: all, script: hang, timeout: 300ms}")
    failure = seen.result("a", "win").failure
    assert failure is not None
    assert failure.message.endswith("was ended on the host; what it had started may still run")


async def test_pipeline_that_does_not_stop_ends_with_its_session(tmp_path: Path) -> None:
    """Where a stop has no effect the session is given up within its limit, and told; the run goes on."""

    def deaf(call: Call) -> None:
        call.host.carriers[-1].deaf = True
        raise Stays

    text = HEAD.replace("hosts: win}", "hosts: win, session_option: {cancel_timeout: 500ms}}", 1)
    hosts = {"win": host(scripts={"deaf": deaf}), "other": FakeHost()}
    steps = """\
  - {id: a, session: warm, script: deaf, timeout: 300ms, ignore_errors: true}
  - {id: b, session: warm, script: "'x'", ignore_errors: true}
"""
    seen = await run(tmp_path, text + steps, inventory=INVENTORY, transports={"winrm": FakeWinrm(hosts)})
    stopped, refused = seen.result("a", "win"), seen.result("b", "win")
    assert stopped.status is Status.TIMED_OUT
    assert stopped.session_lost
    assert stopped.failure is not None
    assert "may still run on the host" in stopped.failure.message
    assert refused.failure is not None
    assert refused.failure.code == "session-lost"
