"""What an auditor needs: a folder to type commands in, and a lab fleet for all tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from runner.lab.control import lab_down, lab_up
from tests.support.command_line import Done, clean_environment

Audit = Callable[..., Done]
"""Types a command as a process of its own in a folder of its own; ``files`` are written there before."""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """The inventory of forty hosts on loopback."""
    directory = tmp_path_factory.mktemp("audit") / "lab"
    yield lab_up(40, directory).inventory
    lab_down(directory)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Types ``runner WORDS`` in an empty folder of its own, which is its HOME too."""

    def run(
        *words: object,
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Done:
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        variables = {"HOME": str(tmp_path), "XDG_STATE_HOME": "", **(environment or {})}
        streams: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        done = subprocess.run(
            [sys.executable, "-m", "runner", *map(str, words)],
            cwd=tmp_path,
            env={**clean_environment(), **variables},
            encoding="utf-8",
            check=False,
            timeout=60,
            **(streams | settings),
        )
        return Done(done.returncode, done.stdout or "", done.stderr or "")

    return run
