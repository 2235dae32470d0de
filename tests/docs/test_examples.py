"""Playbooks that stand in pages are playbooks, and consoles show what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.consoles import alike, replay
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
CONSOLES = [path for path in PAGES if "```console checked\n" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("text", EXAMPLES)
def test_playbooks_in_pages_validate_and_plan(text: str, lab: LabState, tmp_path: Path) -> None:
    """A reader who copies one gets no problem and a plan."""
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(text, encoding="utf-8")
    for command in ("validate", "plan"):
        done = runner(command, str(playbook), "-i", str(lab.inventory), home=tmp_path)
        assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr


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
