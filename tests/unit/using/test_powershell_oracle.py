"""The real PowerShell parser's using expressions of 656 scripts, held against the scanner's.

The recording was made with ``Parser.ParseInput`` of PowerShell 7.6.5: each using expression with its text, whether it
is a bare variable, the variable's name and UTF-16 offset, and the parser's errors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
