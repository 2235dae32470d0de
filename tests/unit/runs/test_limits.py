"""`-l @RUN:failed` in host patterns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runner.cli.limits import named_sets
from runner.cli.prepare import Given, prepare
from runner.engine.result import Result, Status
from runner.errors import UsageError
from runner.problems import Problem

BOOK = "version: 1\ntargets: {all: {hosts: all}}\nsteps: [{id: a, target: all, script: echo}]\n"
HOSTS = 'version: 1\ngroups: {web: {hosts: {"web[1:4]": {}}}, db: {hosts: {db1: {}, web4: {}}}}\n'


def results_of(run: str) -> Sequence[Result]:
    """One run, `last`, in which web1 and web4 failed and web2 is gone from the inventory."""
    if run != "last":
        raise UsageError("unknown-run", f"no run is named `{run}`")
    failed = [Result(step="a", host=host, status=Status.FAILED) for host in ("web1", "web4", "web99")]
    return [*failed, Result(step="a", host="web2", status=Status.OK)]


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str] | list[Problem]]:
    """The hosts of a plan with this `-l`, or its problems."""
    monkeypatch.chdir(tmp_path)
    Path("book.yml").write_text(BOOK, encoding="utf-8")
    Path("hosts.yml").write_text(HOSTS, encoding="utf-8")

    def limit(pattern: str) -> list[str] | list[Problem]:
        prepared = prepare("book.yml", Given(inventory=["hosts.yml"], limit=pattern, results_of=results_of))
        if prepared.plan is None:
            return prepared.problems.sorted()
        return [placement.host for placement in prepared.plan.steps[0].placements]

    return limit


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("@last:failed", ["web1", "web4"]),
        ("web:&@last:failed", ["web1", "web4"]),
        ("db:!@last:failed", ["db1"]),
        ("all:!@last:bad", ["web2", "web3", "db1"]),
        ("@last:ok,db1", ["web2", "db1"]),
        ("@last:failed:!db", ["web1"]),
        ("!@last:failed", ["web2", "web3", "db1"]),
    ],
)
def test_hosts_of_a_run(pattern: str, hosts: list[str], limited: Callable[[str], list[str]]) -> None:
    """They combine with groups as files do, and hosts that are gone from the inventory are left out."""
    assert limited(pattern) == hosts


def test_files_stay_files(limited: Callable[[str], list[str]]) -> None:
    """`@file` is Ansible's: a name a line, also beside a group, and also where a run would be meant."""
    Path("last").write_text("web3  # by hand\n", encoding="utf-8")
    assert limited("@last") == ["web3"]
    assert limited("@last:db") == ["web3", "web4", "db1"]


@pytest.mark.parametrize(
    ("pattern", "code", "hint"),
    [
        ("@last:faild", "unknown-run-status", "did you mean `failed`?"),
        ("@lst:failed", "unknown-run", None),
        ("web:&@last", "run-without-status", "write `@last:failed`"),
    ],
)
def test_what_names_no_hosts(pattern: str, code: str, hint: str | None) -> None:
    """Each mistake has its code, and the near word as a hint."""
    with pytest.raises(UsageError) as caught:
        named_sets(pattern, results_of)
    assert caught.value.code == code
    assert hint is None or any(hint in text for text in caught.value.hints)


def test_what_is_neither_file_nor_run(limited: Callable[[str], list[Problem]]) -> None:
    """The pattern's own reader tells that there is no such file."""
    assert [problem.code for problem in limited("@nowhere")] == ["file-not-found"]


def test_without_an_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of hosts and of runs limit what a playbook lists by itself."""
    monkeypatch.chdir(tmp_path)
    Path("book.yml").write_text(BOOK.replace("hosts: all", "hosts: [web1, web2, db1]"), encoding="utf-8")
    prepared = prepare("book.yml", Given(limit="@last:failed,db1", results_of=results_of))
    assert prepared.plan is not None, prepared.problems.sorted()
    assert [p.host for p in prepared.plan.steps[0].placements] == ["web1", "db1"]
    assert prepared.limited_to == ("web1", "web4", "web99", "db1")
