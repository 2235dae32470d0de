"""Values that YAML reads well and means otherwise are told where it is known what they are for."""

from __future__ import annotations

import pytest

from runner.document.nodes import AnyNode, Mapping, Scalar, Source
from runner.document.traps import (
    check_boolean,
    check_path,
    check_pattern,
    check_present,
    check_script_style,
    check_variable_words,
)
from runner.document.yaml import load
from runner.problems import Problems, Severity


def value_of(text: str, key: str) -> AnyNode:
    """The value of a key in a text; problems of the loader are not looked at here."""
    root = load(Source("f.yml", text), Problems()).root
    assert isinstance(root, Mapping)
    value = root.get(key)
    assert value is not None
    return value


def shown(problems: Problems) -> list[tuple[str, int, int, int]]:
    """The codes with line, column and end column."""
    return [
        (problem.code, problem.span.line, problem.span.column, problem.span.end_column)
        for problem in problems.sorted()
        if problem.span is not None
    ]


def hints(problems: Problems) -> str:
    """All hints in one text."""
    return " ".join(hint for problem in problems for hint in problem.hints)


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        ("hosts: &prod\n", [("anchor-not-text", 1, 8, 13)], '`hosts: "&prod"`'),
        ("hosts: &prod:!db\n", [("anchor-not-text", 1, 8, 17)], '`hosts: "&prod:!db"`'),
        ("hosts: [web, &prod]\n", [("anchor-not-text", 1, 14, 19)], '"&prod"'),
        ("hosts:\n", [("missing-value", 1, 7, 7)], "write the value"),
        ("hosts: ~\n", [("missing-value", 1, 8, 9)], "write the value"),
        ("hosts: null\n", [("missing-value", 1, 8, 12)], "write the value"),
        ("hosts: !canary\n", [], ""),  # the loader told it
        ("hosts: *web\n", [], ""),
        ("hosts: &all web\n", [], ""),
        ("hosts: 'web:&prod:!db'\n", [], ""),
        ("hosts: web:&prod:!db\n", [], ""),
        ("hosts: 10\n", [], ""),
    ],
)
def test_patterns(text: str, expected: list[tuple[str, int, int, int]], hint: str) -> None:
    """An anchor or a null where a pattern is due is told as what it is."""
    problems = Problems()
    check_pattern(value_of(text, "hosts"), problems)
    assert shown(problems) == expected
    assert hint in hints(problems)


def test_needs() -> None:
    """``needs`` without a value is told with the form that means none."""
    problems = Problems()
    assert not check_present(value_of("needs:\n", "needs"), problems, key="needs")
    assert "`needs: []`" in hints(problems)
    assert check_present(value_of("needs: []\n", "needs"), Problems(), key="needs")


@pytest.mark.parametrize(
    ("text", "expected", "severity", "hint"),
    [
        ("script: >\n  cd /tmp\n  ls\n", ("script-folded", 1, 9, 5), Severity.ERROR, "`script: |`"),
        ("script: >-\n  ls\n", ("script-folded", 1, 9, 5), Severity.ERROR, "`script: |`"),
        ("script: cd /tmp\n  ls\n", ("script-folded", 1, 9, 5), Severity.ERROR, "`script: |`"),
        ("script: 'cd /tmp\n  ls'\n", ("script-folded", 1, 9, 6), Severity.ERROR, "`script: |`"),
        ("script: echo one #two\n", ("script-comment", 1, 18, 22), Severity.WARNING, '`script: "echo one #two"`'),
        ("script: {Get-Culture}\n", ("script-braces", 1, 9, 22), Severity.ERROR, "`script: Get-Culture`"),
        ("script: { Get-Process | Select Id, Name }\n", ("script-braces", 1, 9, 42), Severity.ERROR,
         "`script: Get-Process | Select Id, Name`"),
        ("script: '{ Get-Culture }'\n", ("script-braces", 1, 9, 26), Severity.WARNING, "`script: Get-Culture`"),
        ("script: &call\n", ("anchor-not-text", 1, 9, 14), Severity.ERROR, "quote"),
        ("script:\n", ("missing-value", 1, 8, 8), Severity.ERROR, "write"),
    ],
)  # fmt: skip
def test_scripts(text: str, expected: tuple[str, int, int, int], severity: Severity, hint: str) -> None:
    """A script whose lines, comments or braces YAML does not keep is told with the block form."""
    problems = Problems()
    check_script_style(value_of(text, "script"), problems, key="script")
    assert shown(problems) == [expected]
    assert [problem.severity for problem in problems] == [severity]
    assert hint in hints(problems)


@pytest.mark.parametrize(
    "script",
    [
        "|\n  cd /tmp\n  { ls; } # comment\n",
        "Get-Culture\n",
        "'echo one #two'\n",
        "'{ cd /tmp; ls; }'\n",
        "{ref: recent}\n",
        "{sh: ls, powershell: dir}\n",
        "{ref}\n",
        "\n  ref: recent\n",
        "&again |\n  ls\n",
        "!!str ls\n",
        '"a\\nb"\n',
    ],
)
def test_scripts_that_are_fine(script: str) -> None:
    """Blocks, one line, and the mappings of the language are left alone."""
    problems = Problems()
    check_script_style(value_of(f"script: {script}", "script"), problems, key="script")
    assert list(problems) == []


def test_paths() -> None:
    r"""Each control character that a backslash in double quotes made is told at its escape."""
    value = value_of('key_file_path: "C:\\temp\\new.ps1"\n', "key_file_path")
    assert isinstance(value, Scalar)
    problems = Problems()
    check_path(value, problems)
    assert shown(problems) == [("control-in-text", 1, 19, 21), ("control-in-text", 1, 24, 26)]
    assert "`'C:\\temp\\new.ps1'`" in hints(problems)
    assert "TAB (U+0009)" in problems.sorted()[0].message


def test_paths_in_blocks() -> None:
    """A path in a block ends with a line break, which is told once."""
    value = value_of("key_file_path: |\n  ~/.ssh/id\n", "key_file_path")
    assert isinstance(value, Scalar)
    problems = Problems()
    check_path(value, problems)
    assert [problem.code for problem in problems] == ["control-in-text"]
    fine = value_of("key_file_path: 'C:\\temp\\new.ps1'\n", "key_file_path")
    assert isinstance(fine, Scalar)
    check_path(fine, none := Problems())
    assert list(none) == []


@pytest.mark.parametrize(
    ("word", "meant"),
    [("yes", "true"), ("No", "false"), ("ON", "true"), ("off", "false"), ("y", "true"), ("'true'", "true")],
)
def test_booleans(word: str, meant: str) -> None:
    """A word of YAML 1.1 where true or false is due gets the form to type."""
    problems = Problems()
    check_boolean(value_of(f"use_ssl: {word}\n", "use_ssl"), problems, key="use_ssl")
    assert shown(problems) == [("yes-no", 1, 10, 10 + len(word))]
    assert f"`use_ssl: {meant}`" in hints(problems)


@pytest.mark.parametrize("word", ["true", "False", "'{{ x }}'", "[yes]", "1", "soon"])
def test_what_is_no_boolean_word(word: str) -> None:
    """True, false and templates are fine; other wrong values are for the schema to tell."""
    problems = Problems()
    check_boolean(value_of(f"use_ssl: {word}\n", "use_ssl"), problems, key="use_ssl")
    assert list(problems) == []


def test_variable_words() -> None:
    """Words of YAML 1.1 in variables are warned of at any depth, quoted ones are meant."""
    text = "vars:\n  a: no\n  b: [x, Yes, {c: on}]\n  d: 'off'\n  e: false\n  f: n\n"
    problems = Problems()
    check_variable_words(value_of(text, "vars"), problems)
    assert shown(problems) == [
        ("yes-no-text", 2, 6, 8),
        ("yes-no-text", 3, 10, 13),
        ("yes-no-text", 3, 19, 21),
    ]
    assert {problem.severity for problem in problems} == {Severity.WARNING}
