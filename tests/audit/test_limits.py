"""Few files, no HOME, no name, nobody's standards: what a machine may be like."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest

from tests.audit.conftest import Audit

BOOK = {"book.yml": "version: 1\nsteps:\n  - {id: nap, hosts: all, script: sleep 1}\n"}


def files(soft: int, hard: int) -> None:
    """Limit this process's open files."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_low_soft_limit_of_files(lab: Path, audit: Audit) -> None:
    """A soft limit below the number of hosts is raised, so no host misses its connection."""
    words = ("run", "book.yml", "-i", lab, "-f", "unlimited", "-o", "json")
    done = audit(*words, files=BOOK, preexec_fn=lambda: files(32, 256))
    assert done.code == 0, done.err
    assert json.loads(done.out)["summary"]["results"]["ok"] == 40


def test_a_low_hard_limit_of_files(lab: Path, audit: Audit) -> None:
    """With fewer files than hosts some hosts are unreachable by name and the others go on; it is no bug of ours."""
    words = ("run", "book.yml", "-i", lab, "-f", "unlimited", "-o", "json")
    done = audit(*words, files=BOOK, preexec_fn=lambda: files(32, 32))
    assert done.code == 3, done.err
    results = json.loads(done.out)["results"]
    reasons = {result["failure"]["code"] for result in results if result["status"] == "unreachable"}
    assert reasons == {"too-many-open-files"}
    assert {result["status"] for result in results} == {"ok", "unreachable"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can take another user's number")
def test_a_user_without_a_name(audit: Audit) -> None:
    """A user who stands in no password file and has no HOME, as in many containers, can run playbooks."""
    book = {"book.yml": "version: 1\nsteps:\n  - {hosts: 127.0.0.1, script: id -u}\n"}
    nobody = {"HOME": "", "USER": "", "LOGNAME": "", "LNAME": "", "USERNAME": ""}

    def become_nobody() -> None:
        os.environ.clear()

    done = audit("run", "book.yml", files=book, environment=nobody, preexec_fn=become_nobody)
    assert done.code == 3, done.err
    assert "internal" not in done.err


@pytest.mark.parametrize("words", [("run", "book.yml"), ("plan", "book.yml"), ("graph", "book.yml")])
def test_all_without_an_inventory(words: tuple[str, ...], audit: Audit) -> None:
    """A forgotten `-i` is said; nobody means a host that is called `all`."""
    done = audit(*words, files=BOOK)
    assert done.code == 2
    assert "error[pattern-without-inventory]" in done.err
    assert "-i inventories/" in done.err
