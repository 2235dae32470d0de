"""Rules of a playbook that need no inventory, each told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.planning import codes, found, prepared

HEAD = "version: 1\nname: x\n"

CASES = {
    "duplicate-step": (HEAD + "steps:\n  - {id: a, script: x}\n  - {id: a, script: y}\n", 5, 10),
    "duplicate-register": (
        HEAD + "steps:\n  - {id: a, script: x, register: r}\n  - {id: b, script: y, register: r}\n",
        5,
        34,
    ),
    "reserved-name": (HEAD + "vars: {results: 1}\nsteps: [{id: a, script: x}]\n", 3, 17),
    "unknown-target": (HEAD + "steps:\n  - {id: a, target: wbe, script: x}\n", 4, 21),
    "unknown-session": (HEAD + "steps:\n  - {id: a, session: local, script: x}\n", 4, 22),
    "unknown-step": (HEAD + "steps:\n  - {id: a, needs: [b], script: x}\n", 4, 21),
    "unknown-script": (HEAD + "scripts: {recent: x}\nsteps:\n  - {id: a, script: {ref: recnt}}\n", 5, 27),
    "unknown-credential": (
        HEAD + "targets: {t: {hosts: a, credential: opps}}\nsteps: [{id: a, script: x}]\n",
        3,
        37,
    ),
    "unknown-session-option": (
        HEAD + "targets: {t: {hosts: a, session_option: nope}}\nsteps: [{id: a, script: x}]\n",
        3,
        41,
    ),
    "command-blanks": (HEAD + "steps:\n  - {id: a, command: systemctl restart nginx}\n", 4, 22),
    "parameters-shell": (HEAD + "steps:\n  - {id: a, shell: sh, script: x, parameters: {A: 1}}\n", 4, 47),
    "key-without-body": (HEAD + "steps:\n  - {id: a, assert: {that: 1 == 1}, args: [x]}\n", 4, 37),
    "session-shells": (
        HEAD
        + "sessions: {s: {target: local}}\nsteps:\n"
        + "  - {id: a, session: s, shell: sh, script: x}\n  - {id: b, session: s, shell: python, script: y}\n",
        6,
        32,
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_each_rule_is_told_at_its_place(tmp_path: Path, code: str) -> None:
    """One mistake is one problem with this code at this line and column."""
    text, line, column = CASES[code]

    assert [(code, line, column)] == found(prepared(tmp_path, text))


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("systemctl restart -q nginx", "`args: [restart, -q, nginx]`"),
        ("Get-Service -Name spooler", "`parameters: {Name: spooler}`"),
        ("Remove-Item -Recurse -LiteralPath x", "`parameters: {Recurse: true, LiteralPath: x}`"),
        ("Copy-Item a b -Force", "`parameters: {Force: true}` and `args: [a, b]`"),
    ],
)
def test_a_command_line_is_told_as_keys(tmp_path: Path, command: str, keys: str) -> None:
    """The hint can be typed as it stands; behind a command of PowerShell's `-Name x` is a parameter by name."""
    result = prepared(tmp_path, HEAD + f"steps:\n  - {{id: a, command: {command}}}\n")
    (problem,) = result.problems.sorted()

    assert problem.hints[0] == f"write `command: {command.partition(' ')[0]}` with {keys}"


def test_a_file_whose_name_contradicts_its_shell_is_refused(tmp_path: Path) -> None:
    """The error names the ways out."""
    (tmp_path / "x.py").write_text("print(1)\n", encoding="utf-8")
    result = prepared(tmp_path, HEAD + "steps:\n  - {id: a, file: x.py}\n")
    (problem,) = result.problems.sorted()

    assert ("file-shell", 4, 19) == found(result)[0]
    assert "`shell: python`" in problem.hints[0]


def test_included_and_script_files_that_are_missing_are_told_where_they_are_named(tmp_path: Path) -> None:
    """The place is the name in the playbook."""
    text = HEAD + "vars_files: [nope.yml]\nsteps:\n  - {id: a, file: nope.sh}\n  - {include: nope2.yml}\n"

    assert [3, 5, 6] == [line for _, line, _ in found(prepared(tmp_path, text))]


def test_files_that_include_themselves_end_in_a_problem(tmp_path: Path) -> None:
    """A circle of includes is told, and does not recurse for ever."""
    (tmp_path / "loop.yml").write_text("- {id: a, include: loop.yml}\n", encoding="utf-8")

    assert "include-too-deep" in codes(prepared(tmp_path, HEAD + "steps: [{include: loop.yml}]\n"))


def test_ids_are_made_from_names(tmp_path: Path) -> None:
    """A step without an id is known by its name, or by its number."""
    result = prepared(
        tmp_path,
        HEAD
        + "steps:\n  - {name: Restart the 2 nodes, script: x}\n  - {script: y}\n  - {name: 7 up, script: z}\n",
    )
    assert result.playbook is not None

    assert ["restart_the_2_nodes", "step_2", "step_7_up"] == [step.id for step in result.playbook.steps]


def test_defaults_fill_what_a_step_leaves_out(tmp_path: Path) -> None:
    """A step's own keys win; its own who replaces the default's who."""
    result = prepared(
        tmp_path,
        HEAD
        + "targets: {t: {hosts: [h]}}\ndefaults: {target: t, shell: bash, timeout: 5m, vars: {a: 1}}\n"
        + "steps:\n  - {id: a, script: x}\n  - {id: b, hosts: [i], shell: sh, timeout: 1s, vars: {b: 2}, script: y}\n",
    )
    assert result.plan is not None, result.problems.sorted()
    a, b = (planned.step for planned in result.plan.steps)

    assert (["t"], "bash", 300.0, {"a"}) == (
        [t.text for t in a.targets],
        a.shell,
        a.timeout,
        set(a.variables),
    )
    assert (("i",), "sh", 1.0, {"a", "b"}) == (
        tuple(p.host for p in result.plan.steps[1].placements),
        b.shell,
        b.timeout,
        set(b.variables),
    )


def test_words_of_enumerations_are_read_in_any_case(tmp_path: Path) -> None:
    """``Always``, ``JSON`` and ``Bash`` are ``always``, ``json`` and ``bash``."""
    result = prepared(
        tmp_path, HEAD + "steps:\n  - {id: a, shell: Bash, run_if: Always, output: JSON, script: x}\n"
    )
    assert result.plan is not None, result.problems.sorted()
    step = result.plan.steps[0].step

    assert ("bash", "always", "json") == (step.shell, step.run_if, step.output)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ("'>=0.1'", []),
        ("0.1.0", []),
        ("'>=0.1,<99'", []),
        ("'>=99'", ["runner-version"]),
        ("newest", ["requires-form"]),
    ],
)
def test_requires_names_the_versions_a_playbook_works_with(
    tmp_path: Path, requires: str, expected: list[str]
) -> None:
    """A version that does not fit is refused before anything else happens."""
    assert expected == codes(
        prepared(tmp_path, HEAD + f"requires: {requires}\nsteps: [{{id: a, script: x}}]\n")
    )


def test_a_session_may_have_the_name_of_its_target(tmp_path: Path) -> None:
    """``session: web`` means the session where there is one; it is refused only where ``web`` is just a target."""
    head = HEAD + "targets: {web: {hosts: [a]}}\n"
    step = "steps: [{id: a, session: web, script: x}]\n"

    assert codes(prepared(tmp_path, head + "sessions: {web: {target: web}}\n" + step)) == []
    assert codes(prepared(tmp_path, head + step)) == ["unknown-session"]
