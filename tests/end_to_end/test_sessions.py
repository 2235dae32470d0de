"""Kept interpreters over OpenSSH: what survives from step to step, what does not, and what a loss does."""

from __future__ import annotations

import pytest

from tests.end_to_end.faults import OWN_SSHD
from tests.end_to_end.site import Site

pytestmark = [pytest.mark.sshd]

KINDS = """\
targets:
  sh: {hosts: all, shell: sh}
  bash: {hosts: all, shell: bash}
  py: {hosts: all, shell: python}
sessions: {sh: {target: sh}, bash: {target: bash}, py: {target: py}}
"""


async def test_state_survives_in_each_shell(site: Site) -> None:
    """Variables, functions and the directory stay in a session, for each host its own; a target forgets them."""
    site.hosts("a", "b")
    done = await site.run_steps(
        """\
        - {id: sh1, session: sh, script: 'p=$Using:inventory_hostname; f() { echo "f $p"; }; cd /usr'}
        - {id: sh2, session: sh, script: 'f; pwd'}
        - {id: sh3, target: sh, script: 'echo "[$p]"; f'}
        - id: bash1
          needs: []
          session: bash
          script: |
            declare -A m=([k]=$Using:inventory_hostname)
            cd /usr
            g() { echo g; }
        - {id: bash2, session: bash, script: 'echo "${m[k]}"; pwd; g'}
        - id: py1
          needs: []
          session: py
          script: |
            import os
            p = [$Using:inventory_hostname]
            def f(): return p * 2
            os.chdir("/usr")
        - {id: py2, session: py, output: json, script: 'import json; print(json.dumps([f(), os.getcwd()]))'}
        - {id: py3, target: py, script: 'print(p)'}
        """,
        head=KINDS,
    )
    for host in "ab":
        assert done.output("sh2", host) == [f"f {host}", "/usr"]
        assert done.output("bash2", host) == [host, "/usr", "g"]
        assert done.output("py2", host) == [[host, host], "/usr"]
        forgotten = done.result("sh3", host)
        assert (forgotten["status"], forgotten["output"], forgotten["exit_code"]) == ("failed", ["[]"], 127)
        error = done.result("py3", host)["errors"][0]
        assert (error["exception"], error["line"]) == (["NameError"], 1)


async def test_one_login_for_everything(site: Site) -> None:
    """Sessions, targets and files of a host share one connection: one login a host for the whole run."""
    site.hosts("a", "b")
    site.write("file", "content")
    logins = site.server.logins()
    done = await site.run_steps(
        f"""\
        - {{id: one, session: sh, script: 'true'}}
        - {{id: two, needs: [], session: py, script: 'pass'}}
        - {{id: three, needs: [], target: bash, script: 'true'}}
        - {{id: four, target: sh, copy: {{src: file, dest: "{site.folder}/to-{{{{ inventory_hostname }}}}"}}}}
        - {{id: five, target: sh, fetch: {{src: "{site.folder}/to-{{{{ inventory_hostname }}}}", dest: back}}}}
        - {{id: six, session: sh, script: 'true'}}
        """,
        head=KINDS,
    )
    assert done.code == 0, done.stdout
    assert site.server.logins() == logins + 2


@pytest.mark.parametrize("kind", ["sh", "bash", "py"])
async def test_parallel_steps_of_a_session_go_in_file_order(site: Site, kind: str) -> None:
    """Steps that need nothing of each other run one after another in one session, as they stand in the file."""
    site.hosts("a")
    script = 'seen = globals().get("seen", "") + "{n}"' if kind == "py" else 'seen="${{seen}}{n}"'
    steps = "".join(
        f"- {{id: s{n}, needs: [], session: {kind}, script: {script.format(n=n)!r}}}\n" for n in range(8)
    )
    last = "print(seen)" if kind == "py" else 'echo "$seen"'
    names = [f"s{n}" for n in range(8)]
    done = await site.run_steps(
        f"{steps}- {{id: last, needs: {names}, session: {kind}, script: {last!r}}}\n", head=KINDS
    )
    assert done.output("last", "a") == ["01234567"]


@pytest.mark.parametrize("on_loss", ["fail", "reopen"])
async def test_session_that_ended_with_a_step(site: Site, on_loss: str) -> None:
    """`exit` ends the session with the step's code; the next step fails, or runs in a new one, and the loss is told."""
    site.hosts("a")
    done = await site.run_steps(
        """\
        - {id: one, session: warm, script: 'x=1; echo one'}
        - {id: two, session: warm, script: 'echo two; exit 0'}
        - {id: three, session: warm, script: 'echo "three [$x]"'}
        """,
        head=f"targets: {{all: {{hosts: all}}}}\nsessions: {{warm: {{target: all, on_loss: {on_loss}}}}}\n",
    )
    two, three = done.result("two", "a"), done.result("three", "a")
    assert (two["status"], two["exit_code"], two["session_lost"]) == ("ok", 0, True)
    if on_loss == "reopen":
        assert (three["status"], three["output"], done.code) == ("ok", ["three []"], 0)
    else:
        assert (three["status"], three["failure"]["code"], done.code) == ("failed", "session-lost", 1)
        assert three["failure"]["may_have_run"] is False


@pytest.mark.parametrize("on_loss", ["fail", "reopen"])
async def test_session_whose_link_was_cut(site: Site, on_loss: str) -> None:
    """A cut link takes the session with it: the step failed and may have run; a later step opens a new one or fails."""
    site.hosts("a", "b")
    indented = OWN_SSHD.replace("\n", "\n            ")
    done = await site.run_steps(
        f"""\
        - {{id: one, session: warm, script: 'x=1'}}
        - id: two
          session: warm
          ignore_errors: true
          script: |
            {indented}
            echo before
            [ $Using:inventory_hostname = a ] && kill -KILL "$(own_sshd)" && sleep 30
            true
        - {{id: three, session: warm, script: 'echo "[$x]"'}}
        """,
        head=f"targets: {{all: {{hosts: all}}}}\nsessions: {{warm: {{target: all, on_loss: {on_loss}}}}}\n",
    )
    two, three = done.result("two", "a"), done.result("three", "a")
    assert (two["status"], two["ignored"], two["output"]) == ("failed", True, ["before"])
    assert two["failure"]["may_have_run"] is True
    assert done.output("three", "b") == ["[1]"]
    if on_loss == "reopen":
        assert (three["status"], three["output"]) == ("ok", ["[]"])
    else:
        assert (three["status"], three["failure"]["may_have_run"]) == ("failed", False)


async def test_session_after_a_timeout(site: Site) -> None:
    """After a timeout a python session that answers is kept with its variables; one of sh is closed, which is told."""
    site.hosts("a")
    done = await site.run_steps(
        """\
        - {id: py1, session: py, script: 'x = 1'}
        - {id: py2, session: py, timeout: 1s, ignore_errors: true, script: 'import time; time.sleep(60)'}
        - {id: py3, session: py, script: 'print(x)'}
        - {id: sh1, needs: [], session: sh, script: 'x=1'}
        - {id: sh2, session: sh, timeout: 1s, ignore_errors: true, script: 'sleep 60'}
        - {id: sh3, session: sh, script: 'echo "[$x]"'}
        """,
        head=KINDS,
    )
    assert done.result("py2", "a")["status"] == done.result("sh2", "a")["status"] == "timed_out"
    assert done.output("py3", "a") == ["1"]
    lost = done.result("sh3", "a")
    assert (lost["status"], lost["failure"]["code"]) == ("failed", "session-lost")


async def test_python_exit_and_errors_keep_the_session(site: Site) -> None:
    """`sys.exit` and an exception end the python step alone; its variables live on."""
    site.hosts("a")
    done = await site.run_steps(
        """\
        - {id: one, session: py, ignore_errors: true, script: 'import sys; x = 5; sys.exit(3)'}
        - {id: two, session: py, ignore_errors: true, script: 'y = x + 1; 1 / 0'}
        - {id: three, session: py, script: 'print(x, y)'}
        """,
        head=KINDS,
    )
    assert done.result("one", "a")["exit_code"] == 3
    assert done.result("two", "a")["errors"][0]["exception"] == ["ZeroDivisionError"]
    assert done.output("three", "a") == ["5 6"]


async def test_local_steps_without_a_new_scope(site: Site) -> None:
    """``no_new_scope`` steps on the controller share one interpreter; a step without it does not see into it."""
    done = await site.run_steps(
        """\
        - {id: one, no_new_scope: true, script: 'x=kept'}
        - {id: two, no_new_scope: true, script: 'echo "[$x]"'}
        - {id: three, script: 'echo "[$x]"'}
        """,
        head="targets: {all: {local: true}}\n",
    )
    assert done.output("two", "localhost") == ["[kept]"]
    assert done.output("three", "localhost") == ["[]"]
