"""A folder with a playbook and an inventory, and commands typed in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.cli.main import run_command_line
from tests.support.command_line import HELLO, INVENTORY, Done, Typed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: hello.yml and hosts.yml, no settings."""
    (tmp_path / "hello.yml").write_text(HELLO, encoding="utf-8")
    (tmp_path / "hosts.yml").write_text(INVENTORY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in [
        *(name for name in os.environ if name.startswith("RUNNER_")),
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
    ]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def typed(folder: Path, capfd: pytest.CaptureFixture[str]) -> Typed:
    """Types a command in the folder, in this process."""

    def run(*words: str) -> Done:
        capfd.readouterr()
        code = run_command_line(words)
        printed = capfd.readouterr()
        return Done(code, printed.out, printed.err)

    return run
