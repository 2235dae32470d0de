"""What a run leaves on the controller."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.audit.conftest import Audit

LONG = "version: 1\nsteps:\n  - {id: long, script: 'yes | head -c 2000000'}\n"


def kept(out: str) -> Path:
    """The file that keeps the long output."""
    return Path(json.loads(out)["results"][0]["output_file"])


@pytest.mark.parametrize("mark", [".git/config", "runner.toml"])
def test_a_repository(mark: str, audit: Audit, tmp_path: Path) -> None:
    """Long output is below `.runner/` of the playbook's repository, for its owner alone, and git does not see it."""
    done = audit("run", "books/long.yml", "-o", "json", files={mark: "", "books/long.yml": LONG})
    assert done.code == 0, done.err
    path = tmp_path / kept(done.out)
    record = tmp_path / ".runner"
    assert path.is_relative_to(record)
    assert path.stat().st_size == 2_000_000
    assert path.stat().st_mode & 0o777 == 0o600
    folders = [folder for folder in path.parents if folder.is_relative_to(record)]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert (record / ".gitignore").read_text() == "*\n"


def test_no_repository(audit: Audit, tmp_path: Path) -> None:
    """Elsewhere it is in the user's state directory, and `--record` and RUNNER_HOME name another place."""
    files = {"long.yml": LONG}
    words = ("run", "long.yml", "-o", "json")
    assert kept(audit(*words, files=files).out).is_relative_to(tmp_path / ".local/state/runner")
    assert not (tmp_path / ".runner").exists()
    assert kept(audit(*words, "--record", "here").out).parts[0] == "here"
    assert kept(audit(*words, environment={"RUNNER_HOME": "there"}).out).parts[0] == "there"


def test_a_short_run_leaves_its_journal(audit: Audit, tmp_path: Path) -> None:
    """A run whose output fits in memory leaves its record on the controller, and nothing else."""
    book = "version: 1\nsteps:\n  - script: echo hi\n"
    assert audit("run", "book.yml", files={"book.yml": book}).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".local", "book.yml"]
    (run,) = (tmp_path / ".local/state/runner/runs").iterdir()
    kept = {path.name for path in run.rglob("*") if path.is_file()}
    assert kept == {"journal.jsonl", "lock"}
    folders = {path.stat().st_mode & 0o777 for path in (run, *run.iterdir()) if path.is_dir()}
    assert folders == {0o700}
