"""Every playbook of playbooks/ is checked, planned and run over a lab, and does what its first lines say."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.lab.state import LabState
from tests.docs.conftest import ROOT, runner

PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


@dataclass(frozen=True, slots=True)
class Expected:
    """How a run over a lab ends: its exit code, a line of its results, and options that keep it inside a test."""

    line: str
    exit_code: int = 0
    options: tuple[str, ...] = ()


EXPECTED = {
    "hello": Expected("5 hosts, kernels: 6.1.0-25-amd64, 6.1.0-28-amd64"),
    "disk-space": Expected(r" 93%  db-01 +/var/lib/postgresql", exit_code=1),
    "restart-failed": Expected(r"\[nginx.service\] active"),
    "collect-logs": Expected(
        "web-01 +changed +2 files", options=("-e", "{files: [etc/app.conf]}", "-e", "into=../collected")
    ),
    "push-config": Expected("web-02 .* would reload the service that reads etc/app.conf"),
    "session-state": Expected("4 packages, bash 5.2.15-2, in etc"),
    "parallel-branches": Expected("3 web servers serve 2.4.2"),
    "health-check": Expected("fullest_disk db-01 .* 93"),
    "fleet-inventory": Expected("5 hosts looked at"),
}


@pytest.fixture(scope="module")
def playbooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the playbooks, so that what they write beside themselves stays in the test."""
    copy = tmp_path_factory.mktemp("repository") / "playbooks"
    shutil.copytree(ROOT / "playbooks", copy)
    return copy


def test_every_playbook_is_known_here() -> None:
    """A new playbook comes with what its run must show."""
    assert {path.stem for path in PLAYBOOKS} == set(EXPECTED)


def test_all_files_are_valid(lab: LabState, tmp_path: Path) -> None:
    """Playbooks and steps files together, without a warning."""
    files = [*map(str, PLAYBOOKS), str(ROOT / "playbooks" / "steps")]
    done = runner("validate", *files, "-i", str(lab.inventory), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_plans_and_runs(path: Path, playbooks: Path, lab: LabState, tmp_path: Path) -> None:
    """It ends as expected and prints what it is for."""
    expected = EXPECTED[path.stem]
    words = (str(playbooks / path.name), "-i", str(lab.inventory), *expected.options)
    planned = runner("plan", *words, home=tmp_path)
    assert planned.returncode == 0, planned.stderr
    done = runner("run", *words, "-o", "plain", home=tmp_path)
    assert done.returncode == expected.exit_code, done.stderr
    assert re.search(expected.line, done.stdout), done.stdout
