"""The page of every code of the schema check shows a mistake that gets the code, and the same mended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import runner.document
from runner.codes import code_pages
from runner.document.nodes import Source
from runner.document.schema import check_inventory, check_playbook
from runner.document.yaml import load
from runner.problems import Problems

FILES = ("parameter_sets.py", "schema_errors.py")
_CODE = re.compile(r'"([a-z]+(?:-[a-z]+)+)"')


def codes_in_source() -> set[str]:
    """Every code that the schema check uses, read from its source."""
    folder = Path(runner.document.__path__[0])
    texts = "".join((folder / file).read_text("utf-8") for file in FILES)
    return set(_CODE.findall(texts))


def codes_of(text: str, code: str) -> set[str]:
    """The codes an example gets as a playbook or an inventory; sections it leaves out are filled in."""
    check = check_inventory if code == "not-an-inventory" else check_playbook
    if not text.startswith("-"):
        if "version:" not in text:
            text = "version: 1\n" + text
        if "steps:" not in text and check is check_playbook:
            text += "\nsteps: []"
    problems = Problems()
    check(load(Source("example.yml", text), problems), problems)
    return {problem.code for problem in problems}


@pytest.mark.parametrize("code", sorted(codes_in_source()))
def test_every_code_has_a_page_with_examples_that_hold(code: str) -> None:
    """The wrong example gets the code, the right one gets nothing."""
    page = code_pages()[code]
    assert code in codes_of(page.wrong, code)
    assert codes_of(page.right, code) == set()


def test_the_source_was_read() -> None:
    """The codes are found where they are used."""
    assert {"unknown-key", "excluded-key", "plain-secret"} <= codes_in_source()
