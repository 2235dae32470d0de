"""Every code that the source uses has a page, and every page is of a code that is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from runner.codes import AREAS, code_pages

ROOT = Path(__file__).parents[2] / "runner"
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+|internal|vaulted|schema")


def literals() -> Iterator[str]:
    """Every text in the source outside the tables of codes that has the form of a code."""
    for path in ROOT.rglob("*.py"):
        if path.parent.name == "codes":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                yield node.value


def raised() -> Iterator[str]:
    """Codes given to calls that take one: ``problems.error(...)``, ``Problem(...)``, ``...Error(...)``."""
    takes = {"error", "warning", "Problem", "ScriptProblem", "Failure", "Unreachable", "ConnectionLost"}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if (
                name in takes or name in {"UsageError", "ExecutionFailed", "CredentialError", "VariableError"}
            ) and (
                isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and _CODE.fullmatch(first.value)
            ):
                yield first.value


def test_every_code_in_use_has_a_page() -> None:
    """``runner explain CODE`` knows every code a message can show."""
    assert set() == set(raised()) - set(code_pages())


def test_every_page_is_of_a_code_in_use() -> None:
    """No page outlives its code."""
    assert set() == set(code_pages()) - set(literals())


def test_a_code_has_one_page() -> None:
    """No two areas explain the same code."""
    codes = [code for area in AREAS for code in import_module(f"runner.codes.{area}").CODES]

    assert sorted(set(codes)) == sorted(codes)


def test_pages_are_written_in_the_house_style() -> None:
    """A summary is one sentence without a full stop; an example that is wrong comes with one that is right."""
    for code, page in code_pages().items():
        assert page.summary, code
        assert not page.summary.endswith("."), code
        assert page.explanation, code
        assert bool(page.right) or not page.wrong, code
