"""Playbooks from text, for tests of what comes before a plan."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from runner.playbook.load import load_playbook
from runner.playbook.model import Playbook, Step
from runner.problems import Problems


def loaded(folder: Path, text: str, **files: str) -> tuple[Playbook, Problems]:
    """A playbook written into ``folder`` (its version is added), and its problems; ``files`` lie beside it, as YAML."""
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(dedent(content), encoding="utf-8")
    path = folder / "playbook.yml"
    path.write_text("version: 1\n" + dedent(text), encoding="utf-8")
    problems = Problems()
    playbook = load_playbook(path, problems)
    assert playbook is not None, problems.sorted()
    return playbook, problems


def only_step(folder: Path, keys: str) -> Step:
    """The step with these keys (one flow mapping without braces), which has no problem."""
    playbook, problems = loaded(folder, f"targets: {{web: {{hosts: [a]}}}}\nsteps:\n  - {{{keys}}}\n")
    assert problems.sorted() == []
    return playbook.steps[0]
