"""language.md, "Sessions" and "Time", on PowerShell: what survives, what is new each time, what a loss does."""

from __future__ import annotations

import pytest

from tests.language.author import Author

SESSIONS = """\
targets: {all: {hosts: scripted}, one: {hosts: s1}}
sessions:
  warm: {target: all}
  one: {target: one}
  again: {target: one, on_loss: reopen}
  fresh: {target: one, reset: step}
"""


def test_example_4_of_the_reference(powershell: Author) -> None:
    """`$p` is gone with a target, which gets a new session each step; with a session it is there."""
    ran = powershell.run(
        SESSIONS
        + """
steps:
  - {id: set, target: all, script: $p = kept}
  - {id: gone, target: all, script: $p}
  - {id: keep, session: warm, script: $p = kept}
  - {id: there, session: warm, script: $p}
"""
    )
    assert [ran.output("gone", host) for host in ("s1", "s2")] == [[None], [None]]
    assert [ran.output("there", host) for host in ("s1", "s2")] == [["kept"], ["kept"]]
    assert ran.result("there", "s1")["session"] == "warm"


def test_reset_step_forgets_variables(powershell: Author) -> None:
    """`reset: step` begins each step without the variables of the one before, in the same session."""
    ran = powershell.run(
        SESSIONS
        + "steps:\n  - {id: a, session: fresh, script: $v = 1}\n  - {id: b, session: fresh, script: $v}\n"
    )
    assert ran.output("b", "s1") == [None]


def test_a_failure_keeps_the_session(powershell: Author) -> None:
    """A failed pipeline and `exit` end the step; the session and its variables are there for the next."""
    ran = powershell.run(
        SESSIONS
        + """
steps:
  - {id: a, session: one, script: $v = 1}
  - {id: b, session: one, ignore_errors: true, script: throw bad}
  - {id: c, session: one, ignore_errors: true, script: exit 3}
  - {id: d, session: one, script: $v}
"""
    )
    assert ran.output("d", "s1") == ["1"]
    assert not any(result["session_lost"] for result in ran.results)


def test_a_timeout_keeps_a_session_that_answers(powershell: Author) -> None:
    """The pipeline is stopped, its last output arrives; the session answers and is kept with its variables."""
    ran = powershell.run(
        SESSIONS
        + """
steps:
  - {id: a, session: one, script: $v = 1}
  - {id: b, session: one, timeout: 500ms, ignore_errors: true, script: finally last words}
  - {id: c, session: one, script: $v}
"""
    )
    result = ran.result("b", "s1")
    assert (result["status"], result["output"]) == ("timed_out", ["last words"])
    assert ran.output("c", "s1") == ["1"]


@pytest.mark.parametrize(("session", "status", "output"), [("one", "failed", []), ("again", "ok", [None])])
def test_on_loss_decides_what_the_next_step_does(
    powershell: Author, session: str, status: str, output: list[object]
) -> None:
    """The loss is told with the step it happened in; `fail` fails the next step, `reopen` begins without the state."""
    ran = powershell.run(
        SESSIONS
        + f"""
steps:
  - {{id: a, session: {session}, script: $v = 1}}
  - {{id: b, session: {session}, ignore_errors: true, script: die 3}}
  - {{id: c, session: {session}, script: $v}}
"""
    )
    assert ran.result("b", "s1")["session_lost"]
    assert (ran.status("c", "s1"), ran.result("c", "s1")["output"]) == (status, output)


@pytest.mark.parametrize(("on_loss", "status"), [("fail", "failed"), ("reopen", "ok")])
def test_idle_close_ends_a_session_nobody_uses(powershell: Author, on_loss: str, status: str) -> None:
    """After `idle_close` the session is closed; who comes later is told of it, or gets one without its variables."""
    ran = powershell.run(
        f"""
targets: {{one: {{hosts: s1}}}}
sessions:
  short: {{target: one, idle_close: 100ms, on_loss: {on_loss}}}
  long: {{target: one, idle_close: 1h}}
steps:
  - {{id: a, session: short, script: $v = 1}}
  - {{id: b, session: long, script: $v = 1}}
  - {{id: wait, target: one, script: sleep 1}}
  - {{id: c, session: short, ignore_errors: true, script: $v}}
  - {{id: d, session: long, script: $v}}
"""
    )
    assert ran.status("c", "s1") == status
    assert ran.result("c", "s1")["output"] == ([None] if on_loss == "reopen" else [])
    assert ran.output("d", "s1") == ["1"]


def test_parallel_steps_share_a_session_in_turn(powershell: Author) -> None:
    """Steps on one session run one after the other in file order; none is refused as busy."""
    steps = "".join(f"  - {{id: s{n}, needs: [], session: one, script: '$v = {n}'}}\n" for n in range(4))
    ran = powershell.run(SESSIONS + "steps:\n" + steps + "  - {id: last, session: one, script: $v}\n")
    assert ran.code == 0
    assert ran.output("last", "s1") == ["3"]


def test_a_session_has_one_shell(powershell: Author) -> None:
    """A step that wants another shell in a PowerShell session is refused."""
    ran = powershell.plan(
        SESSIONS
        + "steps:\n  - {id: a, session: one, script: $v}\n  - {id: b, session: one, shell: sh, script: 'true'}\n"
    )
    assert ran.only_problem()["code"] == "session-shells"
