"""``runner locks``: who holds what is shown, and is taken away from who is gone, from nobody else without force."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runner.locks.process import this_process
from runner.schema_files import schema_text
from tests.support.command_line import Typed
from tests.unit.locks.holders import holder, store


@pytest.fixture
def url(folder: Path) -> str:
    """Locks of three runs: one that lives, one that may, one that is gone."""
    url = f"sqlite:///{folder}/locks.db"
    locks = store(url)
    locks.acquire([f"web{number:02}" for number in range(1, 41)], this_process("living", "patch.yml"), 60.0)
    locks.acquire(["db1", "db2"], holder("elsewhere"), 60.0)
    locks.acquire(["old1", "old2"], holder("gone"), -1.0)
    return url


def test_a_list_for_people(typed: Typed, url: str) -> None:
    """A line a run with its hosts folded, those who hold most first."""
    done = typed("locks", "list", "--database", url)
    assert (done.code, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.split() == ["HOSTS", "RUN", "WHO", "SINCE", "EXPIRES", "ALIVE"]
    assert [(line.split()[0], line.split()[1], line.split()[-1]) for line in lines] == [
        ("web[01-40]", "living", "yes"),
        ("db[1-2]", "elsewhere", "unknown"),
        ("old[1-2]", "gone", "unknown"),
    ]
    assert "anna@ctl1:7" in lines[1]
    assert "expired" in lines[2]


def test_a_list_for_programs(typed: Typed, url: str) -> None:
    """Every host by itself, as the schema says, in order."""
    done = typed("locks", "list", "--database", url, "-o", "json")
    document = json.loads(done.out)
    Draft202012Validator(json.loads(schema_text("lock"))).validate(document)
    assert document["database"] == url
    assert [entry["host"] for entry in document["locks"]][:3] == ["db1", "db2", "old1"]
    entry = document["locks"][-1]
    assert (entry["host"], entry["run"], entry["alive"], entry["expired"]) == ("web40", "living", True, False)
    assert datetime.fromisoformat(entry["expires"]) > datetime.fromisoformat(entry["since"])


def test_nobody_holds_anything(typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word the locks are in the user's state directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    done = typed("locks", "list")
    assert (done.code, done.out, done.err) == (0, "", "no host is held\n")
    assert (folder / "state" / "runner" / "locks.db").exists()
    assert json.loads(typed("locks", "list", "-o", "json").out)["locks"] == []


def test_what_is_gone_is_released(typed: Typed, url: str) -> None:
    """By host and by run; what was released is told."""
    done = typed("locks", "release", "old1", "--database", url)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("released old1, held by run `gone` of `anna` on `ctl1`")
    assert typed("locks", "release", "--run", "gone", "--database", url).err.startswith("released old2, ")
    assert [held.host for held in store(url).held()][:3] == ["db1", "db2", "web01"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--run", "living"), "its process lives"),
        (("web07", "old1"), "its process lives"),
        (("db1",), "it may renew them until"),
    ],
)
def test_who_may_live_keeps_its_hosts_without_force(
    typed: Typed, url: str, words: tuple[str, ...], why: str
) -> None:
    """And nothing else is released with it; with force all of it is."""
    done = typed("locks", "release", *words, "--database", url)
    assert (done.code, done.out) == (2, "")
    assert "error[lock-alive]" in done.err
    assert why in done.err
    assert "--force" in done.err
    assert len(store(url).held()) == 44
    assert typed("locks", "release", *words, "--force", "--database", url).code == 0
    assert len(store(url).held()) == 44 - (40 if "--run" in words else len(words))


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("wweb01",), "lock-unknown", "did you mean `web01`?"),
        (("--run", "livin"), "lock-unknown", "did you mean `living`?"),
        (("zzz", "old1"), "lock-unknown", "nothing was released"),
    ],
)
def test_what_nobody_holds(typed: Typed, url: str, words: tuple[str, ...], code: str, hint: str) -> None:
    """A name that was typed wrong releases nothing, also not what stands beside it."""
    done = typed("locks", "release", *words, "--database", url)
    assert done.code == 2
    assert f"error[{code}]" in done.err
    assert hint in done.err
    assert len(store(url).held()) == 44


@pytest.mark.parametrize("words", [(), ("web01", "--run", "living")])
def test_hosts_or_a_run(typed: Typed, words: tuple[str, ...]) -> None:
    """One of them, and not both."""
    done = typed("locks", "release", *words)
    assert (done.code, done.out) == (2, "")
    assert "--run RUN" in done.err


def test_the_password_of_the_database_is_not_shown(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the message nor in the document; the URL may stand in the environment."""
    monkeypatch.setenv("RUNNER_DATABASE", "postgresql://anna:hush-word@127.0.0.1:1/locks")
    for form in ("text", "json"):
        done = typed("locks", "list", "-o", form)
        assert done.code == 2
        assert "lock-database" in done.out + done.err
        assert "hush" not in done.out + done.err
