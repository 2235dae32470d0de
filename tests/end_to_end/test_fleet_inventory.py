"""The example playbook over a lab, through the command line: what the demo shows is what is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from runner.lab.control import lab_down, lab_up
from runner.lab.state import LabState

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """Five hosts."""
    directory = tmp_path_factory.mktemp("lab")
    yield lab_up(5, directory)
    lab_down(directory)


def run_inventory(inventory: Path, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``runner run playbooks/fleet-inventory.yml``, for a user with an empty home."""
    command = ["run", str(ROOT / "playbooks" / "fleet-inventory.yml"), "-i", str(inventory), *options]
    return subprocess.run(
        [sys.executable, "-m", "runner", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
    )


def findings_of(document: Any) -> set[tuple[str, str, tuple[str, ...]]]:
    """Severity, subject and hosts of what the comparison found."""
    [result] = [result for result in document["results"] if result["step"] == "compare"]
    return {(found["severity"], found["about"], tuple(found["hosts"])) for found in result["output"]}


PLANTED = {
    ("warning", "system", ("web-01",)),
    ("warning", "configuration", ("web-02",)),
    ("error", "services", ("web-03",)),
    ("warning", "packages", ("app-01",)),
    ("error", "disks", ("db-01",)),
}


def test_the_inventory_finds_what_is_odd(lab: LabState, tmp_path: Path) -> None:
    """Everything that was planted and nothing else; the results hold to their schema and their types."""
    done = run_inventory(lab.inventory, tmp_path, "-o", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    schema = json.loads((ROOT / "schemas" / "result.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert findings_of(document) == PLANTED
    disks = next(r["output"] for r in document["results"] if (r["step"], r["host"]) == ("disks", "db-01"))
    assert [disk["used_percent"] for disk in disks] == [32, 93]


def test_a_host_that_is_down_holds_nothing_up(lab: LabState, tmp_path: Path) -> None:
    """The others are compared, the report names it, and the exit code says it."""
    document = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
    document["groups"]["db"]["hosts"]["db-01"]["connection"]["port"] = 1
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = run_inventory(inventory, tmp_path, "-o", "json=out.json", "-e", "disk_limit=90")
    assert done.returncode == 3, done.stderr
    findings = findings_of(json.loads((tmp_path / "out.json").read_text(encoding="utf-8")))
    assert findings == {*PLANTED, ("error", "hosts", ("db-01",))} - {("error", "disks", ("db-01",))}
    assert "5 hosts looked at" in done.stdout
    assert "unreachable on db-01 in 6 steps" in done.stderr


def test_quiet_says_nothing_about_a_good_run(lab: LabState, tmp_path: Path) -> None:
    """As a cron job would run it."""
    done = run_inventory(lab.inventory, tmp_path, "-o", "quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
