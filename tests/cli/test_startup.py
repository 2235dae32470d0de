"""Start-up: help loads nothing heavy, and a command only what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import HELLO, clean_environment

HEAVY = ["jinja2", "yaml", "asyncssh", "networkx", "rich", "jsonschema", "asyncio", "cryptography"]
CHECK = """
import sys
from runner.cli.main import run_command_line
try:
    run_command_line({words!r})
finally:
    print(*sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
"""


def loaded(words: list[str], folder: Path) -> set[str]:
    """The heavy modules that a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(words=words, heavy=HEAVY)],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["completion", "bash"], ["schema"]])
def test_what_needs_nothing_loads_nothing(words: list[str], tmp_path: Path) -> None:
    """Help, version, completion and schemas come without YAML, Jinja, SSH or the screen."""
    assert loaded(words, tmp_path) == set()


def test_a_local_run_loads_no_ssh(tmp_path: Path) -> None:
    """A run on this machine alone never loads asyncssh, and without a terminal no rich."""
    (tmp_path / "hello.yml").write_text(HELLO, encoding="utf-8")
    assert not loaded(["run", "hello.yml", "-o", "quiet"], tmp_path) & {"asyncssh", "rich", "cryptography"}
