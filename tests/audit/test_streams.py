"""Standard streams that are closed, full or not there, and outputs that cannot be written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.audit.conftest import Audit

BOOK = {
    "book.yml": "version: 1\nname: book\nsteps:\n  - script: echo hi; echo ran >> ran\n    working_directory: .\n"
}


def test_results_that_cannot_be_written(audit: Audit, tmp_path: Path) -> None:
    """A run whose results cannot be written has run: that is said, and the exit code is 1, not 2."""
    with Path("/dev/full").open("w") as full:
        process = audit("run", "book.yml", files=BOOK, stdout=full)
    assert process.code == 1
    assert "error[output-not-written]" in process.err
    assert "nothing was run" not in process.err
    assert "the run itself went to its end" in process.err
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_a_document_that_cannot_be_written(audit: Audit, tmp_path: Path) -> None:
    """So it is where the whole document is lost at the end."""
    with Path("/dev/full").open("w") as full:
        process = audit("run", "book.yml", "-o", "json", files=BOOK, stdout=full)
    assert process.code == 1
    assert "error[output-not-written]" in process.err
    assert "nothing was run" not in process.err
    assert (tmp_path / "ran").exists()


def test_a_file_that_cannot_be_opened(audit: Audit, tmp_path: Path) -> None:
    """An output that cannot even be opened refuses the run before it begins."""
    done = audit("run", "book.yml", "-o", "json=nowhere/x.json", files=BOOK)
    assert done.code == 2
    assert "nothing was run" in done.err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("--version",), ("schema", "playbook")])
def test_a_full_disk(words: tuple[str, ...], audit: Audit) -> None:
    """A command that cannot print says why, and it is no bug."""
    with Path("/dev/full").open("w") as full:
        done = audit(*words, stdout=full)
    assert done.code == 1
    assert done.err == "error[output-not-written]: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("form", ["plain", "json"])
def test_closed_descriptors(closed: tuple[int, ...], form: str, audit: Audit, tmp_path: Path) -> None:
    """With standard streams closed, as under some daemons, a run goes through and its results are in its file."""

    def close() -> None:
        for number in closed:
            os.close(number)

    done = audit("run", "book.yml", "-o", form, "-o", "jsonl=out", files=BOOK, preexec_fn=close)
    assert done.code == 0, done.err
    assert "internal" not in done.err
    events = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert events[-1]["event"] == "run_ended"
    assert (tmp_path / "ran").read_text() == "ran\n"
