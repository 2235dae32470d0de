"""Playbooks that stand in pages are playbooks, and consoles show what is printed."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest
import yaml

from docs.consoles import alike, replay
from docs.generators.schemas import schema
from runner.lab.control import lab_down
from runner.lab.state import LabState
from tests.docs.conftest import PAGES, page_id, runner

_BLOCK = re.compile(r"^```yaml(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_WHOLE = re.compile(r"^version:.*^steps:", re.MULTILINE | re.DOTALL)

EXAMPLES = [
    pytest.param(block["text"], id=f"{page_id(path)}:{block['name'] or number}")
    for path in PAGES
    for number, block in enumerate(_BLOCK.finditer(path.read_text(encoding="utf-8")), 1)
    if _WHOLE.search(block["text"]) and not (block["name"] or "").startswith("broken")
]
PARTS = [
    pytest.param(block["text"], id=f"{page_id(path)}:{block['name'] or number}")
    for path in PAGES
    if "reference" not in path.parts  # written from the schema, whose examples are tested with it
    for number, block in enumerate(_BLOCK.finditer(path.read_text(encoding="utf-8")), 1)
    if not _WHOLE.search(block["text"]) and not (block["name"] or "").startswith("broken")
]
WINDOWS = """\
version: 1
groups:
  windows:
    hosts: {"win[01:03].corp.example.com": {}}
    connection: {transport: winrm, use_ssl: true}
"""
CONSOLES = [path for path in PAGES if "```console checked\n" in path.read_text(encoding="utf-8")]


WARNED = re.compile(r"authentication: (credssp)")
"""What a page shows with a caution beside it; a plan warns of it, and of nothing else."""


@pytest.mark.parametrize("text", EXAMPLES)
def test_playbooks_in_pages_validate_and_plan(text: str, lab: LabState, tmp_path: Path) -> None:
    """A reader who copies one gets no problem and a plan."""
    playbook, windows = tmp_path / "playbook.yml", tmp_path / "windows.yml"
    playbook.write_text(text, encoding="utf-8")
    windows.write_text(WINDOWS, encoding="utf-8")
    for command in ("validate", "plan"):
        inventories = ("-i", str(lab.inventory), "-i", str(windows))
        done = runner(command, str(playbook), *inventories, home=tmp_path)
        assert done.returncode == 0, done.stderr
        expected = [f"{word}-delegation" for word in WARNED.findall(text)]
        assert re.findall(r"^warning\[(.+?)\]", done.stderr, re.MULTILINE) == expected, done.stderr


@pytest.mark.parametrize("text", PARTS)
def test_parts_in_pages_are_valid(text: str, tmp_path: Path) -> None:
    """A block that shows a few keys is valid in the document that has them."""
    whole = tmp_path / "whole.yml"
    whole.write_text(made_whole(text), encoding="utf-8")
    done = runner("validate", str(whole), home=tmp_path)
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr


def made_whole(text: str) -> str:
    """The playbook or inventory that a part is of, by its keys."""
    part = yaml.safe_load(text)
    if isinstance(part, list):
        return f"version: 1\nsteps:\n{indent(text, '  ')}"
    keys, definitions = set(part) - {"version"}, schema("playbook")["$defs"]
    version = "" if "version" in part else "version: 1\n"
    if keys <= set(schema("inventory")["properties"]):
        return version + text
    if keys <= set(schema("playbook")["properties"]):
        return f"{version}{text}steps: [{{script: hostname}}]\n"
    assert keys <= set(definitions["step"]["properties"]), f"keys of no document: {sorted(keys)}"
    return f"version: 1\nsteps:\n  -\n{indent(text, '    ')}"


@pytest.mark.parametrize("page", CONSOLES, ids=page_id)
def test_consoles_show_what_is_printed(page: Path, tmp_path: Path) -> None:
    """Every command of a page, in its order, prints what the page shows, but for times and numbers of processes."""
    try:
        for block in replay(page.read_text(encoding="utf-8"), tmp_path):
            for console in block:
                assert alike(console.shown) == alike(console.printed), console.command
    finally:
        for place in (".runner/lab", "lab"):
            lab_down(tmp_path / place)
