"""language.md, "Sessions", `copy`, `fetch`, `assert` and `include`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.author import Author

KINDS = """\
targets: {t: {local: true}, bash: {local: true, shell: bash}, python: {local: true, shell: python}}
sessions:
  sh: {target: t}
  bash: {target: bash}
  python: {target: python}
  fresh: {target: t, reset: step}
  again: {target: t, on_loss: reopen}
"""


@pytest.mark.parametrize("kind", ["sh", "bash"])
def test_what_survives_in_a_shell(author: Author, kind: str) -> None:
    """Variables, functions and the directory stay; options, traps, umask and redirections are reset after each step."""
    (author.folder / "sub").mkdir()
    ran = author.run(
        KINDS
        + f"""
steps:
  - id: one
    session: {kind}
    script: |
      x=kept; f() {{ echo "called $1"; }}; cd sub; export Y=exported
      set -u -f; umask 077; trap 'echo trapped' USR1; exec 3>gone
  - id: two
    session: {kind}
    script: |
      echo "$x" "$Y" "${{PWD##*/}}"; f 1
      echo "[$undefined]" *.nothing; umask; trap
      (echo hi >&3) 2>/dev/null || echo closed
  - {{id: three, session: {kind}, args: [1, 2], environment: {{E: in}}, working_directory: /,
     script: 'x=$x.$#.$E; pwd'}}
  - {{id: four, session: {kind}, script: 'echo $x $# "${{E-unset}}" "${{PWD##*/}}"'}}
"""
    )
    assert ran.output("two")[:2] == ["kept exported sub", "called 1"]
    assert ran.output("two")[2:] == ["[] *.nothing", "0022", "closed"]
    assert ran.output("three") == ["/"]
    assert ran.output("four") == ["kept.2.in 0 unset sub"]


@pytest.mark.parametrize("kind", ["sh", "bash"])
def test_an_exit_trap_is_the_steps_own(author: Author, kind: str) -> None:
    """A trap for EXIT runs at the end of its step and is gone in the next one, in sh as in bash."""
    ran = author.run(
        KINDS
        + f"steps:\n  - {{id: one, session: {kind}, script: \"trap 'echo bye' EXIT; echo one\"}}\n"
        + f"  - {{id: two, session: {kind}, script: 'echo two; exit 0'}}\n"
    )
    assert (ran.output("one"), ran.output("two")) == (["one", "bye"], ["two"])


def test_what_survives_in_python(author: Author) -> None:
    """Names, imports and the directory stay; `sys.exit` and an exception end the step only."""
    ran = author.run(
        KINDS
        + """
steps:
  - {id: one, session: python, script: 'import os; x = 1; os.mkdir("sub"); os.chdir("sub")'}
  - {id: two, session: python, ignore_errors: true, script: 'import sys; x += 1; sys.exit(4)'}
  - {id: three, session: python, ignore_errors: true, script: 'x += 1; raise ValueError("no")'}
  - {id: four, session: python, script: 'print(x, os.path.basename(os.getcwd()))'}
  - {id: zero, session: python, script: 'sys.exit()'}
  - {id: text, session: python, ignore_errors: true, script: 'sys.exit("words")'}
"""
    )
    assert ran.result("two")["exit_code"] == 4
    assert ran.status("three") == "failed"
    assert ran.output("four") == ["3 sub"]
    assert ran.status("zero") == "ok"
    assert (ran.status("text"), ran.result("text")["stderr"]) == ("failed", ["words"])


@pytest.mark.parametrize("end", ["exit 3", "exec sh -c 'exit 3'", "set -e; (exit 3); echo never"])
@pytest.mark.parametrize("kind", ["sh", "bash"])
def test_what_ends_a_shell(author: Author, kind: str, end: str) -> None:
    """`exit`, `exec` and a fired `set -e` end the step with that code and lose the state, which the result says."""
    ran = author.run(
        KINDS
        + f'steps:\n  - {{id: one, session: {kind}, ignore_errors: true, script: "{end}"}}\n'
        + f"  - {{id: two, session: {kind}, script: 'true'}}\n"
    )
    one, two = ran.result("one"), ran.result("two")
    assert (one["exit_code"], one["session_lost"], one["output"]) == (3, True, [])
    assert two["status"] == "failed"
    assert "one" in two["failure"]["message"]


def test_on_loss_reopen_and_reset(author: Author) -> None:
    """`on_loss: reopen` opens a lost session anew and tells; `reset: step` gives each step a new interpreter."""
    ran = author.run(
        KINDS
        + """
steps:
  - {id: one, session: again, ignore_errors: true, script: 'x=1; exit 1'}
  - {id: two, session: again, script: 'echo "[$x]"'}
  - {id: three, session: fresh, script: 'x=1'}
  - {id: four, session: fresh, script: 'echo "[$x]"'}
"""
    )
    assert (ran.output("two"), ran.output("four")) == (["[]"], ["[]"])
    assert "again" in ran.stderr


def test_a_target_gets_a_new_interpreter(author: Author) -> None:
    """A step with `target` gets a new interpreter: variables do not survive."""
    ran = author.run(
        KINDS + "steps:\n  - {target: t, script: 'x=1'}\n  - {id: b, target: t, script: 'echo \"[$x]\"'}\n"
    )
    assert ran.output("b") == ["[]"]


def test_parallel_steps_of_a_session_in_file_order(author: Author) -> None:
    """Parallel steps on one session run one after another in file order, holding no slot while they wait."""
    steps = "".join(
        f"  - {{id: s{n}, needs: [], session: sh, script: 'echo +{n} >> log; sleep 0.1; echo -{n} >> log'}}\n"
        for n in range(3)
    )
    ran = author.run(
        KINDS + "throttle: 2\nsteps:\n" + steps + "  - {id: other, needs: [], script: 'echo other >> log'}\n"
    )
    assert ran.code == 0
    words = (author.folder / "log").read_text().split()
    assert [w for w in words if w != "other"] == ["+0", "-0", "+1", "-1", "+2", "-2"]
    assert words.index("other") < words.index("+2")


def test_a_session_has_one_shell(author: Author) -> None:
    """Two steps with different shells on one session are an error, also where one of them says none."""
    said = author.validate(
        KINDS + "steps:\n  - {session: sh, shell: sh, script: a}\n  - {session: sh, shell: bash, script: a}\n"
    )
    assert said.codes == ["session-shells"]
    implied = author.validate(
        KINDS + "steps:\n  - {session: sh, script: a}\n  - {session: sh, shell: bash, script: a}\n"
    )
    assert implied.codes == ["session-shells"]
    command = author.validate(
        KINDS + "steps:\n  - {session: sh, shell: python, script: a}\n  - {session: sh, command: echo}\n"
    )
    assert command.codes == ["session-shells"]


def test_sessions_over_ssh(author: Author, fleet: Path) -> None:
    """Each host has its own kept interpreter, also over SSH; the result names session and transport."""
    ran = author.run(
        """
        targets: {all: {hosts: all}}
        sessions: {warm: {target: all, name: Shown}}
        steps:
          - {id: one, session: warm, script: 'x=$Using:inventory_hostname'}
          - {id: two, session: warm, script: 'echo $x'}
          - {id: timed, session: warm, timeout: 300ms, ignore_errors: true, script: 'sleep 9'}
        """,
        inventory=fleet,
    )
    for host in ("web-01", "web-02", "app-01", "app-02"):
        assert ran.output("two", host) == [host]
        assert (ran.result("two", host)["session"], ran.result("two", host)["transport"]) == ("warm", "ssh")
        assert ran.status("timed", host) == "timed_out"


def test_no_new_scope_is_for_local_steps(author: Author) -> None:
    """`no_new_scope` on a step that is not local is refused."""
    ran = author.plan(
        "targets: {t: {ssh_connections: [{host_name: h}], shell: sh}}\nsteps:\n"
        "  - {target: t, no_new_scope: true, script: 'true'}\n"
    )
    assert (ran.code, len(ran.codes)) == (2, 1)
    assert "no_new_scope" in ran.words


def test_standard_input_in_a_session(author: Author) -> None:
    """A step in a session has its own standard input, or none; it never reads the next script."""
    ran = author.run(
        KINDS
        + """
steps:
  - {id: one, session: sh, input_object: [a, b], script: 'read -r x; echo $x'}
  - {id: two, session: sh, script: cat}
  - {id: three, session: bash, script: 'read -r x || echo end'}
  - {id: four, session: python, input_object: [c], script: 'import sys; print(sys.stdin.read().strip())'}
  - {id: five, session: python, script: 'print(repr(sys.stdin.read()))'}
"""
    )
    assert [ran.output(s) for s in ("one", "two", "three", "four", "five")] == [
        ["a"],
        [],
        ["end"],
        ["c"],
        ["''"],
    ]


def test_copy(author: Author) -> None:
    """`copy` puts `content` or `src` there, checks, keeps mode and backup, and is unchanged the second time."""
    author.write("files/x.conf", "from file\n")
    text = """
        vars: {v: 1}
        steps:
          - {id: content, copy: {content: "v={{ v }}\\n", dest: out/a.txt, mode: 0640}}
          - {id: src, copy: {src: files/x.conf, dest: out/b.txt}}
          - {id: validated, copy: {content: bad, dest: out/c.txt, validate: 'grep -q good %s'}, ignore_errors: true}
          - {id: backup, copy: {content: new, dest: out/old.txt, backup: true}}
        """
    (author.folder / "out").mkdir()
    (author.folder / "out" / "old.txt").write_text("old")
    ran = author.run(text)
    assert [r["status"] for r in ran.results] == ["changed", "changed", "failed", "changed"]
    assert (author.folder / "out/a.txt").read_text() == "v=1\n"
    assert (author.folder / "out/a.txt").stat().st_mode & 0o777 == 0o640
    assert (author.folder / "out/b.txt").read_text() == "from file\n"
    assert not (author.folder / "out/c.txt").exists()
    assert sorted(p.read_text() for p in (author.folder / "out").glob("old.txt*")) == ["new", "old"]
    assert sorted(p.name for p in (author.folder / "out").iterdir() if not p.name.startswith("old")) == [
        "a.txt",
        "b.txt",
    ]
    again = author.run(text)
    assert [again.status(s) for s in ("content", "src", "backup")] == ["ok", "ok", "ok"]


def test_fetch(author: Author, fleet: Path) -> None:
    """`fetch` puts files below `dest/HOST/`; `flat` refuses collisions; `max_size` and `missing` are held."""
    ran = author.run(
        """
        steps:
          - {id: make, hosts: web, script: 'mkdir -p d; echo $Using:inventory_hostname > d/x.log; echo 2 > d/y.log'}
          - {id: globs, hosts: web, fetch: {src: [d/*.log], dest: got}}
          - {id: flat, hosts: web, fetch: {src: d/x.log, dest: flat, flat: true}, ignore_errors: true}
          - {id: missing, hosts: web, fetch: {src: nothing, dest: got}, ignore_errors: true}
          - {id: ok, hosts: web, fetch: {src: nothing, dest: got, missing: ok}}
          - {id: big, hosts: web, fetch: {src: d/x.log, dest: big, max_size: 2}, ignore_errors: true}
        """,
        inventory=fleet,
    )
    found = sorted(
        p.relative_to(author.folder / "got").as_posix() for p in (author.folder / "got").rglob("*.log")
    )
    assert len(found) == 4
    assert found[0].startswith("web-01/")
    assert [p.read_text() for p in sorted((author.folder / "got").rglob("x.log"))] == ["web-01\n", "web-02\n"]
    assert sorted(ran.status("flat", h) for h in ("web-01", "web-02")) in (
        ["changed", "failed"],
        ["failed", "ok"],
        ["failed", "failed"],
    )
    assert (ran.status("missing", "web-01"), ran.status("big", "web-01")) == ("failed", "failed")
    assert ran.status("ok", "web-01") == "ok"


def test_assert(author: Author) -> None:
    """`assert` takes an expression, a list or `{that, message}`; what does not hold is told, with the message."""
    ran = author.run(
        """
        vars: {x: 1}
        steps:
          - {id: one, assert: x == 1}
          - {id: many, assert: [x == 1, x < 2]}
          - {id: bad, assert: {that: [x == 1, x == 2], message: 'x is {{ x }}'}, ignore_errors: true}
          - {id: host, hosts: pair, assert: weight == 1, ignore_errors: true}
        """
    )
    assert (ran.status("one"), ran.status("many"), ran.status("bad")) == ("ok", "ok", "failed")
    assert ran.result("bad")["failure"]["message"] == "x is 1"
    assert "x == 2" in " ".join([*ran.result("bad")["failure"]["hints"]])
    assert (ran.status("host", "a"), ran.status("host", "b")) == ("ok", "failed")


def test_include(author: Author) -> None:
    """`include` puts a file's steps in its place, with `vars` below their own and `when` on top; needs go through."""
    author.write(
        "parts/steps.yml",
        "- {id: i1, script: 'echo $Using:v $Using:w'}\n- {id: i2, vars: {v: own}, file: part.sh}\n",
    )
    author.write("parts/part.sh", "echo file $Using:v\n")
    author.write("parts/third.yml", "- {id: t1, script: 'exit 1'}\n")
    ran = author.run(
        """
        vars: {v: play, w: play}
        steps:
          - {id: before, script: 'true'}
          - {id: inc, include: {file: parts/steps.yml, vars: {v: include}}}
          - {id: after, needs: [inc], script: 'true'}
          - {id: not, when: false, include: parts/third.yml}
        """
    )
    assert (ran.output("i1"), ran.output("i2")) == (["include play"], ["file own"])
    assert [r["step"] for r in ran.results] == ["before", "i1", "i2", "after", "t1"]
    assert ran.status("t1") == "skipped"
    document = author.type("plan", "playbook.yml", "-o", "json").document
    assert [[n["step"] for n in s["needs"]] for s in document["steps"]] == [
        [],
        ["before"],
        ["i1"],
        ["i2"],
        ["after"],
    ]


def test_hide_computer_name(author: Author) -> None:
    """`hide_computer_name` is display only: results keep their host, what people read does not show it."""
    text = "steps:\n  - {id: x, hosts: a, hide_computer_name: true, script: 'echo out'}\n"
    assert author.run(text).output("x", "a") == ["out"]
    shown = author.type("run", "playbook.yml", "-i", "hosts.yml", "-o", "plain").stdout
    line = next(line for line in shown.splitlines() if "out" in line)
    assert "a:" not in line
