"""The real PowerShell parser's using expressions of 656 scripts, held against the scanner's.

The recording was made with ``Parser.ParseInput`` of PowerShell 7.6.5: each using expression with its text, whether it
is a bare variable, the variable's name and UTF-16 offset, and the parser's errors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.using.model import Shell
from runner.using.scan import scan

RECORDING = Path(__file__).parents[2] / "recordings" / "using-oracle.json"
CASES: list[dict[str, Any]] = json.loads(RECORDING.read_text(encoding="utf-8"))
ASSIGNMENT_ERRORS = {"InvalidLeftHandSide", "OperatorRequiresVariableOrProperty"}


def utf16(text: str, offset: int) -> int:
    """The offset in UTF-16 units, as .NET counts."""
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def place(text: str, offset: int) -> tuple[int, int]:
    """The line and column of .NET, both from 1."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, utf16(text, offset) - utf16(text, line_start) + 1


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_scanner_finds_what_the_parser_finds(case: dict[str, Any]) -> None:
    """Every expression has the parser's text, bareness, name and place, and none is missing or too much."""
    script = case["script"]
    found = [
        {
            "text": reference.text,
            "bare": reference.bare,
            "variable": reference.name,
            "offset": utf16(script, reference.start),
            "line": place(script, reference.start)[0],
            "column": place(script, reference.start)[1],
        }
        for reference in scan(script, Shell.POWERSHELL).references
    ]
    assert found == sorted(case["using"], key=lambda using: using["offset"])


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_scanner_refuses_what_the_parser_refuses(case: dict[str, Any]) -> None:
    """`InvalidUsingExpression` is reported where the parser reports it and nowhere else; so are assignments."""
    script = case["script"]
    problems = scan(script, Shell.POWERSHELL).problems
    invalid = sorted(
        place(script, problem.start) for problem in problems if problem.code == "invalid-using-expression"
    )
    assert invalid == sorted(
        (error["line"], error["column"])
        for error in case["errors"]
        if error["id"] == "InvalidUsingExpression"
    )
    assigned = any(problem.code == "using-assigned" for problem in problems)
    assert assigned == any(error["id"] in ASSIGNMENT_ERRORS for error in case["errors"])


# A script that begins like this is another one when it stands inside something.
WHOLE_SCRIPTS_ONLY = ("param", "begin", "clean", "using namespace", "#requires", "\ufeff")
MOVABLE = [case for case in CASES if not case["errors"] and not case["script"].startswith(WHOLE_SCRIPTS_ONLY)]
PLACES = [
    "%s",
    "if (1) {\n%s\n}",
    "& {\n%s\n}",
    "$x = $(\n%s\n)",
    "@(\n%s\n).a",
    "@{ k = {\n%s\n}; l = 2 }",
    "function f { param($a = 1)\n%s\n}",
    "class C { [int] m() {\n%s\n} }",
    "try {} catch {\n%s\n}",
    "cmd -a {\n%s\n} -b c",
    "switch (1) { 1 {\n%s\n} default {} }",
    "cmd (& {\n%s\n})[0] x",
    "$x.a({\n%s\n}, 1)",
    "[A({\n%s\n})]$x",
]


@given(parts=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(MOVABLE)), min_size=1, max_size=5))
def test_a_script_has_the_same_expressions_wherever_it_stands(
    parts: list[tuple[str, dict[str, Any]]],
) -> None:
    """In blocks, arguments, classes and after other scripts the parser's expressions of a script stay what they are."""
    script = "\n".join(place % case["script"] for place, case in parts)
    expected = [
        (using["text"], using["bare"])
        for _, case in parts
        for using in sorted(case["using"], key=lambda using: using["offset"])
    ]
    assert [(one.text, one.bare) for one in scan(script, Shell.POWERSHELL).references] == expected
