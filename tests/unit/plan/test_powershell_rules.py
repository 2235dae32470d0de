"""What a step can say of powershell: keys, words and values, on the shells that have them and on no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.document.nodes import Scalar
from runner.plan.inner_hops import inner_hop_hints
from runner.plan.powershell_rules import POWERSHELL_KEYS
from runner.using.model import Shell
from runner.using.scan import scan
from tests.support.planning import codes, prepared

SAID = {
    "strict_mode": "latest",
    "native_exit_code": "true",
    "error_action": "SilentlyContinue",
    "warning_action": "Ignore",
    "information_action": "continue",
    "verbose": "true",
    "debug": "'{{ 1 == 1 }}'",
}


def step(keys: str, *, head: str = "") -> str:
    """A playbook with one local step."""
    return f"version: 1\nname: x\n{head}steps:\n  - {{id: s, {keys}}}\n"


def told(folder: Path, keys: str, *, head: str = "") -> list[str]:
    """The codes of what is told of a step."""
    return codes(prepared(folder, step(keys, head=head)))


def test_the_table_is_whole() -> None:
    """Each key of PowerShell has a value in this test."""
    assert set(POWERSHELL_KEYS) == set(SAID)


@pytest.mark.parametrize("key", POWERSHELL_KEYS)
def test_each_key_arrives_on_powershell(tmp_path: Path, key: str) -> None:
    """On powershell a key is part of the step, said by it or by the defaults."""
    said = f"{key}: {SAID[key]}"
    for playbook in (
        step(f"shell: powershell, script: x, {said}"),
        step("shell: powershell, script: x", head=f"defaults: {{{said}}}\n"),
    ):
        result = prepared(tmp_path, playbook)
        assert result.plan is not None, result.problems.sorted()
        value = getattr(result.plan.steps[0].step, key)
        assert value is True if key == "native_exit_code" else isinstance(value, Scalar)


@pytest.mark.parametrize("key", POWERSHELL_KEYS)
@pytest.mark.parametrize("shell", ["sh", "bash", "python"])
def test_each_key_is_refused_on_another_shell(tmp_path: Path, key: str, shell: str) -> None:
    """Another shell has no such key: it is named at its place, but in `defaults` it is for those that can."""
    said = f"{key}: {SAID[key]}"

    assert ["powershell-key"] == told(tmp_path, f"shell: {shell}, script: x, {said}")
    assert [] == told(tmp_path, f"shell: {shell}, script: x", head=f"defaults: {{{said}}}\n")
    assert [] == told(tmp_path, f"shell: {shell}, script: x, native_exit_code: false, verbose: false")


@pytest.mark.parametrize("key", ["error_action", "warning_action", "information_action"])
@pytest.mark.parametrize("word", ["Inquire", "suspend", "BREAK"])
def test_words_that_need_a_person_are_refused(tmp_path: Path, key: str, word: str) -> None:
    """Nobody can be asked, and there is no workflow to suspend: the reason is said."""
    result = prepared(tmp_path, step(f"shell: powershell, script: x, {key}: {word}"))
    (problem,) = result.problems

    assert "preference-refused" == problem.code
    assert f"`{key}` cannot be `{word}`: it " in problem.message


@pytest.mark.parametrize("word", ["SILENTLYCONTINUE", "stop", "Continue", "ignore"])
def test_words_are_read_in_any_case(tmp_path: Path, word: str) -> None:
    """As in PowerShell."""
    assert [] == told(tmp_path, f"shell: powershell, script: x, error_action: {word}")


@pytest.mark.parametrize(
    ("version", "code"),
    [
        *((v, None) for v in ("1.0", "2.0", "3.0", "5.1", "7.4", "Latest", "off", "2")),
        *((v, "wrong-value") for v in ("0.5", "8.0", "99")),
    ],
)
def test_strict_mode_takes_versions_of_powershell(tmp_path: Path, version: str, code: str | None) -> None:
    """1.0 to 7, `latest` and `off`; the engine would refuse another in the middle of the run."""
    assert ([code] if code else []) == told(tmp_path, f"shell: powershell, script: x, strict_mode: {version}")


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ("strict_mode: latest", True),
        ("native_exit_code: true", True),
        ("environment: {A: b}", True),
        ("working_directory: /tmp", True),
        ("stop: process_tree", True),
        ("stop: pipeline", False),
        ("args: [a]", False),
        ("parameters: {Name: a, Force: true}", False),
        ("error_action: stop", False),
        ("verbose: true", False),
        ("input_object: [1]", False),
    ],
)
def test_what_a_command_can_have(tmp_path: Path, key: str, *, refused: bool) -> None:
    """`command` is for endpoints that take no script, so what needs a script is refused by name."""
    result = prepared(tmp_path, step(f"shell: powershell, command: Get-Process, {key}"))
    found = [(p.code, key.partition(":")[0] in p.message) for p in result.problems]

    assert ([("excluded-key", True)] if refused else []) == found


def test_a_program_may_have_surroundings(tmp_path: Path) -> None:
    """Elsewhere `command` starts a program, which has an environment and a folder."""
    assert [] == told(
        tmp_path, "command: ls, environment: {A: b}, working_directory: /tmp, stop: process_tree"
    )


def test_an_engine_is_a_subsystem_or_a_program(tmp_path: Path) -> None:
    """Over SSH both cannot be meant; with the program of another shell they can stand side by side."""
    head = "targets: {t: {hosts: [a], transport: ssh, subsystem: powershell, interpreter: /opt/x}}\n"

    assert ["excluded-key"] == told(tmp_path, "target: t, script: x", head=head)
    assert [] == told(tmp_path, "target: t, shell: python, script: x", head=head)
    assert [] == told(
        tmp_path, "target: t, shell: powershell, script: x", head=head.replace("subsystem: powershell, ", "")
    )


@pytest.mark.parametrize(
    ("argument", "warned"),
    [
        ("-Force", True),
        ("-Name", True),
        ("-1", False),
        ("-", False),
        ("--flag", False),
        ("a-b", False),
        ("-a b", False),
    ],
)
@pytest.mark.parametrize("body", ["script: x", "command: x"])
def test_a_parameter_by_position_is_told(tmp_path: Path, body: str, argument: str, *, warned: bool) -> None:
    """By position `-Force` is a text; the hint shows `parameters`."""
    keys = f"{body}, args: ['{argument}']"

    assert ["switch-by-position"] * warned == told(tmp_path, f"shell: powershell, {keys}")
    assert [] == told(tmp_path, f"shell: sh, {keys}")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("Get-Item \u2013Path x", "script-typography"),
        ("Write-Host \u201chi\u201d", "script-typography"),
        ("'don\u2019t'", "script-typography"),
        ("if ($a \u2013eq 1) { }", "script-typography"),
        ("x \u00e2\u20ac\u201cSkip", "script-typography"),
        (". $PSScriptRoot/a.ps1", "script-without-file"),
        ('. "$psscriptroot/a.ps1"', "script-without-file"),
        ('Join-Path "$($PSScriptRoot)" x', "script-without-file"),
        ("$PSCommandPath", "script-without-file"),
        ("# $PSScriptRoot \u2013 \u201cno\u201d", None),
        ("'$PSScriptRoot'", None),
        ('"a \u2013 b"', None),
        ("Get-Item -Path 'x'", None),
    ],
)
def test_what_copying_does_to_scripts_is_told(tmp_path: Path, script: str, code: str | None) -> None:
    """Marks of word processors and names that mean nothing over there are warnings; texts and comments are let be."""
    (tmp_path / "s.ps1").write_text(script, encoding="utf-8")
    result = prepared(tmp_path, step("shell: powershell, file: s.ps1"))

    assert result.plan is not None
    assert ([("s.ps1", code)] if code else []) == [
        (Path(p.span.path).name if p.span else "", p.code) for p in result.problems
    ]


def test_a_long_dash_in_another_shell(tmp_path: Path) -> None:
    """sh takes it for a letter; a dash between words is prose."""
    assert ["script-typography"] == told(tmp_path, "script: 'ls \u2013l'")
    assert [] == told(tmp_path, "script: 'echo a \u2013 b'")


NESTED = "Invoke-Command db01 { $Using:inner }"


@pytest.mark.parametrize(
    ("script", "hinted"),
    [
        (NESTED, True),
        ("Start-Job { icm db01 { $Using:inner } }", True),
        ("1..3 | ForEach-Object -Parallel { $Using:inner }", True),
        ("Invoke-Command db01 { 1 }; $Using:inner", False),
        ("if ($true) { $Using:inner }", False),
    ],
)
def test_an_unknown_name_of_an_inner_hop_tells_of_the_trap(
    tmp_path: Path, script: str, *, hinted: bool
) -> None:
    """The outer client resolves inner names too: the error says so, with both ways out."""
    result = prepared(tmp_path, step(f"shell: powershell, script: '{script}'"))
    (problem,) = result.problems

    assert "unknown-using" == problem.code
    assert hinted == any("using: {inner: null}" in hint for hint in problem.hints)
    assert hinted == any("[scriptblock]::Create" in hint for hint in problem.hints)


def test_the_way_out_of_the_trap_works(tmp_path: Path) -> None:
    """A dummy of that name makes the outer side content."""
    assert [] == told(tmp_path, f"shell: powershell, using: {{inner: null}}, script: '{NESTED}'")


def test_a_reference_outside_has_no_hint() -> None:
    """A reference of the outer script is no matter of hops."""
    text = "$Using:a; Start-Job { 1 }"
    (reference,) = scan(text, Shell.POWERSHELL).references

    assert () == inner_hop_hints(text, reference)


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("$Using:credentials.c", None),
        ("$Using:credentials.c.UserName", None),
        ("$Using:credentials.c.password", None),
        ("$Using:credentials.c.Domain", "unknown-using"),
        ("$Using:credentials.nobody", "unknown-using"),
        ("$Using:m.a", None),
        ("$Using:m.b", "unknown-using"),
        ("$Using:m.a.Count", None),
        ("$Using:nothing", "unknown-using"),
        ("@Using:m", None),
    ],
)
def test_every_name_and_member_is_known_before(tmp_path: Path, reference: str, code: str | None) -> None:
    """A name or member that does not exist is told at its place, before anything connects."""
    head = "vars: {m: {a: [1]}}\ncredentials: {c: {username: u, password: {env: P}}}\n"
    result = prepared(tmp_path, step(f"shell: powershell, script: 'x {reference}'", head=head))

    assert ([code] if code else []) == codes(result)
    for problem in result.problems:
        assert problem.span is not None
        assert problem.span.column > len("  - {id: s, shell: powershell, script: 'x")


@pytest.mark.parametrize("key", ["owner: bob", "group: ops", "mode: '0644'"])
def test_owners_and_modes_are_told_for_windows(tmp_path: Path, key: str) -> None:
    """A copy over WinRM would fail by them on Windows: it is told at plan; over SSH nobody knows yet what answers."""
    keys = f"target: t, copy: {{content: x, dest: /x, {key}}}"
    over_winrm = "targets: {t: {hosts: [w], transport: winrm}}\n"
    over_ssh = "targets: {t: {hosts: [w], transport: ssh, subsystem: powershell}}\n"

    assert told(tmp_path, keys, head=over_winrm) == ["owner-over-winrm"]
    assert told(tmp_path, keys, head=over_ssh) == []
    assert told(tmp_path, "target: t, copy: {content: x, dest: /x}", head=over_winrm) == []
