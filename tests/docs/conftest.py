"""What the tests of the documentation share: its pages, and a lab fleet for what they show."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.lab.control import lab_down, lab_up
from runner.lab.state import LabState

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def page_id(path: Path) -> str:
    """A page in the name of a test."""
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """Five hosts with what a lab plants on them."""
    directory = tmp_path_factory.mktemp("lab")
    yield lab_up(5, directory)
    lab_down(directory)


def runner(*words: str, home: Path, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """``runner`` from ``path``, in ``home``, for a user with nothing there."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(path),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [sys.executable, "-m", "runner", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env=environment,
    )
