"""`runner plan --check`: hosts are compared, nothing is changed, and a difference ends with 5."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Done, Typed

BOOK = """\
version: 1
name: Drift
targets: {all: {hosts: all}}
steps:
  - id: motd
    target: all
    copy: {content: "welcome\\n", dest: "FOLDER/motd.{{ inventory_hostname }}"}
  - id: feature
    target: all
    ensure:
      test: test -e "FOLDER/feature.$Using:inventory_hostname"
      set: touch "FOLDER/feature.$Using:inventory_hostname"
  - id: never
    target: all
    script: touch FOLDER/never
"""


@pytest.fixture
def site(folder: Path, typed: Typed) -> Path:
    """Two hosts that are this machine, as the playbook wants them."""
    (folder / ".runner").mkdir()
    (folder / "book.yml").write_text(BOOK.replace("FOLDER", str(folder)), encoding="utf-8")
    (folder / "hosts.yml").write_text(
        "version: 1\nconnection: {transport: local}\nhosts: {a1: {}, a2: {}}\n", encoding="utf-8"
    )
    for host in ("a1", "a2"):
        (folder / f"motd.{host}").write_text("welcome\n", encoding="utf-8")
        (folder / f"feature.{host}").touch()
    return folder


def check(typed: Typed, *words: str) -> Done:
    """Type the check."""
    return typed("plan", "book.yml", "-i", "hosts.yml", "--check", *words)


def header(folder: Path) -> dict[str, Any]:
    """The first line of the only journal below a folder."""
    (journal,) = folder.glob("runs/*/journal.jsonl")
    found: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8").splitlines()[0])
    return found


def test_no_drift_ends_with_0(site: Path, typed: Typed) -> None:
    """Hosts as they should be: exit code 0, and what is no comparison does not run."""
    done = check(typed, "-o", "plain")
    assert done.code == 0, done.err
    assert not (site / "never").exists()


def test_what_was_changed_out_of_band_ends_with_5(site: Path, typed: Typed) -> None:
    """A file edited behind the playbook's back is found on its host, shown with a diff, and left as it is."""
    (site / "motd.a2").write_text("hacked\n", encoding="utf-8")
    done = check(typed, "--diff", "-o", "plain")
    assert done.code == 5
    shown = done.out + done.err
    assert "-hacked" in shown
    assert "+welcome" in shown
    assert (site / "motd.a2").read_text(encoding="utf-8") == "hacked\n"


def test_what_ensure_would_set_ends_with_5(site: Path, typed: Typed) -> None:
    """`ensure` runs its test alone; the result says that it would change, on that host only."""
    (site / "feature.a1").unlink()
    done = check(typed, "-o", "json")
    assert done.code == 5
    would = {(r["step"], r["host"]) for r in json.loads(done.out)["results"] if r["would_change"]}
    assert would == {("feature", "a1")}
    assert not (site / "feature.a1").exists()


def test_exit_zero_hides_the_difference_alone(site: Path, typed: Typed) -> None:
    """`--exit-zero` makes 0 of 5, and nothing else: a failure stays 1."""
    (site / "feature.a1").unlink()
    assert check(typed, "--exit-zero", "-o", "quiet").code == 0
    (site / "motd.a2").unlink()
    (site / "motd.a2").mkdir()
    assert check(typed, "--exit-zero", "-o", "quiet").code == 1


@pytest.mark.parametrize("words", [("--record", "drift"), ("--record=drift",)], ids=" ".join)
def test_a_check_is_recorded_as_one(words: tuple[str, ...], site: Path, typed: Typed) -> None:
    """The record stands where `--record` says, and `runs list` tells checks from runs."""
    assert check(typed, "-o", "quiet", *words).code == 0
    assert header(site / "drift")["options"]["check"] is True
    listed = typed("runs", "list", "--record", "drift")
    assert listed.code == 0
    assert "Drift (check)" in listed.out
    (entry,) = json.loads(typed("runs", "list", "--record", "drift", "-o", "json").out)
    assert entry["kind"] == "check"


def test_record_without_a_folder_is_the_usual_one(site: Path, typed: Typed) -> None:
    """`--record` at the end names no folder: .runner/ of the repository."""
    assert check(typed, "-o", "quiet", "--record").code == 0
    assert header(site / ".runner")["options"]["check"] is True


def test_a_run_that_checks_is_the_same(site: Path, typed: Typed) -> None:
    """`run --check` compares and ends with 5 likewise; without it the run mends what differs."""
    (site / "motd.a2").write_text("hacked\n", encoding="utf-8")
    assert typed("run", "book.yml", "-i", "hosts.yml", "--check", "-o", "quiet").code == 5
    assert typed("run", "book.yml", "-i", "hosts.yml", "-o", "quiet").code == 0
    assert check(typed, "-o", "quiet").code == 0


def test_a_plan_of_a_check_never_connects(site: Path, typed: Typed) -> None:
    """`--check --out` writes the plan of a check; applied it changes nothing and ends with 5."""
    (site / "motd.a2").write_text("hacked\n", encoding="utf-8")
    assert check(typed, "--out", "p.plan").code == 0
    assert not list(site.glob(".runner/runs/*"))
    assert "check: nothing is changed on any host" in typed("plan", "show", "p.plan").out
    assert typed("apply", "p.plan", "-o", "quiet").code == 5
    assert (site / "motd.a2").read_text(encoding="utf-8") == "hacked\n"


def test_problems_come_before_connecting(site: Path, typed: Typed) -> None:
    """A wrong playbook ends with 2, as JSON where that is asked, and nothing is recorded."""
    (site / "book.yml").write_text("version: 1\nname: x\nsteps: [{id: a, scrpt: b}]\n", encoding="utf-8")
    done = check(typed, "-o", "json")
    assert done.code == 2
    assert json.loads(done.out)["problems"]
    assert not list(site.glob(".runner/runs/*"))
