"""Every page of the document area shows a mistake that gets its code, and the same mended."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import runner.document
from runner.codes.document import CODES
from runner.document.nodes import Mapping, Scalar, Source
from runner.document.traps import (
    check_boolean,
    check_path,
    check_pattern,
    check_script_style,
    check_variable_words,
)
from runner.document.yaml import load
from runner.problems import Problems

EXAMPLES = {code: page for code, page in CODES.items() if page.wrong}


def codes_of(text: str) -> set[str]:
    """The codes that a playbook's loading and the traps of its keys give."""
    problems = Problems()
    root = load(Source("f.yml", text), problems).root
    for key, value in root.items() if isinstance(root, Mapping) else ():
        match key:
            case "hosts":
                check_pattern(value, problems)
            case "script":
                check_script_style(value, problems, key=key)
            case "vars":
                check_variable_words(value, problems)
            case "use_ssl":
                check_boolean(value, problems, key=key)
            case "key_file_path" if isinstance(value, Scalar):
                check_path(value, problems)
    return {problem.code for problem in problems}


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_of_the_pages(code: str) -> None:
    """The wrong example gets the code, the right one gets none."""
    assert code in codes_of(EXAMPLES[code].wrong)
    assert codes_of(EXAMPLES[code].right) == set()


def test_every_page_is_used() -> None:
    """Each code of the table stands in the source of the document layer."""
    texts = {
        node.value
        for path in Path(runner.document.__path__[0]).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert CODES.keys() - texts == set()
