"""`runner locks --on-hosts`: what hosts say of their own locks is shown, and is taken from who is gone."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.cli.locks_on_hosts import Asked, ask_hosts, document, release_on_hosts, rows
from runner.cli.prepare import Given
from runner.errors import UsageError
from runner.schema_files import schema_text
from tests.support.command_line import Typed

INVENTORY = """\
version: 1
connection: {transport: local}
hosts:
  web-01: {}
  web-02: {}
  far: {address: 127.0.0.1, connection: {transport: ssh, port: 1, host_key_checking: accept_new, connect_timeout: 5s}}
"""
HOLDING = "b" * 32


class Machine:
    """This machine as a host, with locks in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.locks = folder / "locks"
        self.locks.mkdir()
        path = folder / "hosts.yml"
        path.write_text(INVENTORY)
        self.given = Given(inventory=(str(path),))

    def hold(self, *, left: int = 100, run: str = "other", token: int = 5) -> None:
        """Somebody holds the lock for so many seconds yet."""
        about = {
            "run": run,
            "user": "anna",
            "controller": "ctl1",
            "pid": 7,
            "since": "2026-11-21T01:50:00+00:00",
        }
        expires = int(time.time()) + left
        found = {"version": 1, "expires": expires, "token": token, "holding": HOLDING, **about}
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        (self.locks / f".runner-lock.{token}").write_text("{\n" + lines + "\n}\n")

    def ask(self, *patterns: str) -> Asked:
        asked = ask_hosts(patterns, self.given, folder=str(self.locks))
        assert asked is not None
        return asked

    def release(self, *patterns: str, run: str | None = None, force: bool = False) -> int:
        return release_on_hosts(patterns, run, self.given, force=force, folder=str(self.locks))

    def lock(self) -> dict[str, Any]:
        (path,) = self.locks.iterdir()
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nobody_holds_anything(machine: Machine) -> None:
    """To ask leaves nothing on a host."""
    asked = machine.ask("web-01", "web-02")
    assert (asked.held, asked.failed, asked.exit_code) == ({}, {}, 0)
    assert list(machine.locks.iterdir()) == []


def test_who_holds_it_is_told(machine: Machine) -> None:
    """With the run, since when, for how long yet, and the hosts folded; documents are as the schema says."""
    machine.hold()
    asked = machine.ask("web-01", "web-02")
    ((hosts, run, who, since, left),) = rows(asked)
    assert (hosts, run, who, since) == (
        "web-[01-02]", "other", "anna@ctl1:7", "2026-11-21T01:50:00+00:00"
    )  # fmt: skip
    assert left.startswith("in 1m ")
    shown = json.loads(json.dumps(document(asked)))
    Draft202012Validator(json.loads(schema_text("lock"))).validate(shown)
    assert [entry["host"] for entry in shown["hosts"]] == ["web-01", "web-02"]
    assert shown["hosts"][0]["token"] == 5
    assert shown["hosts"][0]["holder"]["expired"] is False
    assert machine.lock()["holding"] == HOLDING


def test_one_whose_time_is_over_is_told_as_that(machine: Machine) -> None:
    """It is not free yet for who looks: the next run takes it over."""
    machine.hold(left=-1)
    asked = machine.ask("web-01")
    assert rows(asked)[0][-1] == "expired"
    assert document(asked)["hosts"][0]["holder"]["expired"] is True  # type: ignore[index]


def test_a_file_of_somebody_else_is_told(machine: Machine) -> None:
    """It holds the host too, and is not released."""
    (machine.locks / ".runner-lock.3").write_text("mine")
    asked = machine.ask("web-01")
    assert f"{machine.locks}/.runner-lock.3" in rows(asked)[0][2]
    Draft202012Validator(json.loads(schema_text("lock"))).validate(document(asked))
    with pytest.raises(UsageError) as refused:
        machine.release("web-01", force=True)
    assert refused.value.code == "lock-unknown"
    assert (machine.locks / ".runner-lock.3").read_text() == "mine"


def test_a_host_out_of_reach_is_told_beside_the_others(machine: Machine) -> None:
    """With its reason, and exit code 3."""
    machine.hold()
    asked = machine.ask()
    assert list(asked.held) == ["web-01", "web-02"]
    assert (list(asked.failed), asked.exit_code) == (["far"], 3)
    (line,) = asked.complaints()
    assert line.startswith("far could not be asked: error[connection-refused]: ")


def test_one_that_may_live_is_left_alone_without_force(machine: Machine) -> None:
    """Nobody can see from here whether the run goes on."""
    machine.hold()
    with pytest.raises(UsageError) as refused:
        machine.release("web-01")
    assert refused.value.code == "lock-alive"
    assert "run `other` of `anna` on `ctl1` (process 7)" in refused.value.message
    assert machine.lock()["expires"] > 0


def test_with_force_it_is_free_and_its_number_has_grown(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """So the holder cannot renew it (fencing), which is told."""
    machine.hold()
    assert machine.release("web-01", force=True) == 0
    said = capsys.readouterr().err
    assert "released web-01, held by run `other` of `anna` on `ctl1` (process 7)" in said
    assert "its step there goes on too; it cannot renew the lock" in said
    assert (machine.lock()["token"], machine.lock()["expires"]) == (6, 0)
    assert machine.ask("web-01").held == {}


def test_what_expired_needs_no_force(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Only of the run that is named, where one is."""
    machine.hold(left=-1)
    with pytest.raises(UsageError) as refused:
        machine.release("web-01", run="another")
    assert "run `another` holds no lock on these hosts" in refused.value.message
    assert machine.release("web-01", run="other") == 0
    assert "goes on" not in capsys.readouterr().err
    assert machine.lock()["expires"] == 0


@pytest.mark.parametrize("words", [["web-01"], ["--run", "x"]])
def test_hosts_that_nobody_knows_are_refused(typed: Typed, folder: Path, words: list[str]) -> None:
    """As every command refuses them."""
    (folder / "hosts.yml").write_text(INVENTORY)
    done = typed("locks", "release", "--on-hosts", "-i", "hosts.yml", "wbe-01", *words)
    assert done.code == 2
    assert "unknown-host" in done.err


def test_hosts_choose_among_locks_on_hosts_alone(typed: Typed) -> None:
    """The locks of a controller are listed whole."""
    done = typed("locks", "list", "web-01")
    assert done.code == 2
    assert "--on-hosts" in done.err
