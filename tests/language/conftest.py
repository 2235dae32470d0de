"""A playbook as an author writes it, run with the real command: local steps, or a lab of four hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.main import run_command_line
from runner.lab.control import lab_down, lab_up
from tests.language.author import Author, Ran
from tests.support.engines import engine_program, program, scripted_command

HOSTS = """\
version: 1
vars: {site: north}
hosts:
  here: {connection: {transport: local}}
groups:
  pair:
    hosts: {a: {vars: {weight: 1}}, b: {vars: {weight: 2}}}
    connection: {transport: local}
    vars: {tier: front}
  solo:
    hosts: {c: {}}
    connection: {transport: local}
    vars: {tier: back}
  empty: {}
"""
"""Four hosts that are this controller under four names: `here`, `a`, `b` and `c`."""


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a lab of four hosts over SSH: web-01, web-02, app-01, app-02."""
    folder = tmp_path_factory.mktemp("lab")
    yield lab_up(4, folder).inventory
    lab_down(folder)


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Author:
    """An author in a folder of their own, with an inventory of hosts that are this controller."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("RUNNER_")]:
        monkeypatch.delenv(name)
    (tmp_path / "hosts.yml").write_text(HOSTS, encoding="utf-8")

    def type_command(words: list[str]) -> Ran:
        capfd.readouterr()
        code = run_command_line(words)
        printed = capfd.readouterr()
        return Ran(code, printed.out, printed.err)

    return Author(tmp_path, type_command)


ENGINES = """\
version: 1
connection: {{transport: local, shell: powershell}}
groups:
  recorded: {{hosts: {{r1: {{}}, r2: {{}}}}, connection: {{interpreter: {recorded}}}}}
  scripted: {{hosts: {{s1: {{}}, s2: {{}}}}, connection: {{interpreter: {scripted}}}}}
"""
"""Hosts that are this controller, where PowerShell answers: an engine or its recordings, or one with its own words."""


@pytest.fixture
def powershell(author: Author, tmp_path_factory: pytest.TempPathFactory) -> Author:
    """The author with an inventory of PowerShell hosts: `r1`, `r2` (`recorded`), `s1`, `s2` (`scripted`)."""
    folder = tmp_path_factory.mktemp("engines")
    scripted = folder / "scripted"
    scripted.mkdir()
    text = ENGINES.format(recorded=engine_program(folder), scripted=program(scripted, scripted_command()))
    author.write("hosts.yml", text)
    return author
