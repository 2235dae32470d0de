"""A sample of benchmarks/crash.py: runs killed at random points and resumed keep their promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_runs_killed_at_random_points(tmp_path: Path) -> None:
    """Nothing that is recorded as done runs again or is lost, and what was skipped as unknown is listed."""
    words = ["--points", "12", "--seed", "5", "--folder", str(tmp_path / "crash")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crash", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("12 runs of 20 hosts x 8 steps")
    assert done.stdout.rstrip().endswith("0 broken promises")
