"""The store of locks: all hosts or none, one holder at a time, tokens that grow, what is gone taken over."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.locks.database import Database, default_path
from runner.locks.model import DatabaseBusy, Granted, Holder, Refused
from runner.locks.process import alive, machine, this_process
from runner.locks.store import LockStore
from tests.support.postgresql import PASSWORD
from tests.unit.locks.holders import holder, store

TTL = 60.0


def granted(answer: Granted | Refused) -> Granted:
    assert isinstance(answer, Granted), answer
    return answer


def refused(answer: Granted | Refused) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


def test_all_hosts_or_none(url: str) -> None:
    """Who does not get one host gets none, and is told who holds it."""
    locks, here = store(url), this_process("one", "patch.yml")
    assert granted(locks.acquire(["web1", "web2"], here, TTL)).tokens == {"web1": 1, "web2": 1}
    others = refused(locks.acquire(["db1", "web2", "web1"], holder("two"), TTL)).held
    assert [(held.host, held.holder, held.alive) for held in others] == [
        ("web1", here, True),
        ("web2", here, True),
    ]
    assert [held.host for held in locks.held()] == ["web1", "web2"]
    assert granted(locks.acquire(["db1"], holder("two"), TTL)).tokens == {"db1": 1}


def test_a_token_grows_by_one_with_each_grant_of_the_host(url: str) -> None:
    """Also when the host was given back in between, and in another process."""
    for number in range(1, 4):
        locks, name = store(url), f"run{number}"
        assert granted(locks.acquire(["web1", f"own{number}"], holder(name), TTL)).tokens == {
            "web1": number,
            f"own{number}": 1,
        }
        locks.release(f"holding-{name}")
        assert locks.held() == []


def test_more_hosts_than_one_statement_takes(url: str) -> None:
    """A fleet is held, renewed and given back whole."""
    locks, hosts = store(url), [f"host{number:04}" for number in range(2001)]
    assert granted(locks.acquire(hosts, holder("one"), TTL)).tokens == dict.fromkeys(hosts, 1)
    assert locks.renew("holding-one", TTL) == frozenset(hosts)
    assert len(refused(locks.acquire(hosts, holder("two"), TTL)).held) == 2001
    locks.release("holding-one")
    assert granted(locks.acquire(hosts, holder("two"), TTL)).tokens == dict.fromkeys(hosts, 2)


def test_what_is_not_renewed_in_time_is_taken_over(url: str) -> None:
    """Of a process that cannot be seen; the one it was taken from learns it, and cannot give it back any more."""
    locks = store(url)
    locks.acquire(["web1", "web2"], holder("one"), TTL)
    locks.renew("holding-one", -1.0)
    answer = granted(locks.acquire(["web2"], holder("two"), TTL))
    assert answer.tokens == {"web2": 2}
    assert [(held.holder.run, held.expired, held.alive) for held in answer.taken_over] == [
        ("one", True, None)
    ]
    assert locks.renew("holding-one", TTL) == {"web1"}
    locks.release("holding-one")
    assert [(held.host, held.holder.run) for held in locks.held()] == [("web2", "two")]


def test_the_hosts_of_an_ended_process_are_taken_over_at_once(url: str) -> None:
    """A pid that is gone, or that another process has now, holds nothing."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        here = this_process("one", "patch.yml")
        started = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19])
        other = replace(here, pid=process.pid, started=started)
        locks = store(url)
        locks.acquire(["web1"], other, TTL)
        assert [held.alive for held in refused(locks.acquire(["web1"], here, TTL)).held] == [True]
        process.kill()
        while alive(other):  # a zombie, which nobody has waited for, counts as ended
            pass
        answer = granted(locks.acquire(["web1"], here, TTL))
        assert [(held.alive, held.expired) for held in answer.taken_over] == [(False, False)]
    reused = replace(here, holding="x", started=here.started - 1)
    locks.release(here.holding)
    locks.acquire(["web1"], reused, TTL)
    assert granted(locks.acquire(["web1"], here, TTL)).tokens == {"web1": 4}


def test_a_process_that_lives_keeps_what_it_could_not_renew(url: str) -> None:
    """A machine that slept, or is too busy, is no reason for two runs on one host."""
    locks, here = store(url), this_process("one", "patch.yml")
    locks.acquire(["web1"], here, -1.0)
    (held,) = refused(locks.acquire(["web1"], holder("two"), TTL)).held
    assert (held.alive, held.expired) == (True, True)


def test_what_was_granted_anew_is_not_freed_by_who_looked_before(url: str) -> None:
    """Freeing is of the grant that was seen, not of the host."""
    locks = store(url)
    locks.acquire(["web1", "web2"], holder("one"), -1.0)
    seen = locks.held()
    locks.acquire(["web1"], holder("two"), TTL)
    assert [held.host for held in locks.free(seen)] == ["web2"]
    assert [(held.host, held.holder.run) for held in locks.held()] == [("web1", "two")]


@pytest.mark.parametrize("known", [True, False, None])
def test_who_lives_is_asked_once_for_a_run(tmp_path: Path, known: bool | None) -> None:
    """Not for each of its hosts."""
    asked: list[Holder] = []

    def look(holder: Holder) -> bool | None:
        asked.append(holder)
        return known

    locks = LockStore(Database(f"sqlite:///{tmp_path}/locks.db"), alive=look)
    locks.acquire(["a", "b", "c"], holder("one"), TTL)
    assert {held.alive for held in locks.held()} == {known}
    assert asked == [holder("one")]


def test_nothing_is_known_of_processes_elsewhere() -> None:
    """Another boot, another container, or a system that tells nothing."""
    here = this_process("one", "p.yml")
    assert alive(here) is True
    assert machine()
    assert [
        alive(replace(here, **other)) for other in ({"machine": "x"}, {"machine": ""}, {"started": 0})
    ] == [None] * 3


@pytest.mark.parametrize(
    ("url", "code", "word"),
    [
        ("mysql://anna:hush@db/locks", "lock-database-url", "`mysql`"),
        ("sqlite://", "lock-database-url", "a file"),
        ("sqlite:///:memory:", "lock-database-url", "a file"),
        ("sqlite:///x?mode=ro", "lock-database-url", "no options"),
        ("hush", "lock-database-url", "no URL"),
        ("postgresql://anna:hush@127.0.0.1:1/locks", "lock-database", "connect"),
        ("postgresql://anna:hush@127.0.0.1:port/locks", "lock-database-url", "no URL"),
        ("sqlite:////proc/none/locks.db", "lock-database", "/proc/none"),
        ("sqlite:////dev/null", "lock-database", "/dev/null"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(url: str, code: str, word: str) -> None:
    """By one sentence with the reason."""
    with pytest.raises(UsageError) as caught:
        store(url).held()
    assert caught.value.code == code
    assert word in caught.value.message
    assert "hush" not in caught.value.message + "".join(caught.value.hints)
    assert "hush" not in repr(caught.value.__cause__)


def test_a_refused_login_is_told_without_the_password(server: str) -> None:
    """The server's own words, and the URL with three stars."""
    with pytest.raises(UsageError) as caught:
        store(server.replace(PASSWORD, "wrong-word")).held()
    assert "password authentication failed" in caught.value.message
    assert "locks:***@" in caught.value.message
    assert "wrong-word" not in caught.value.message


def test_tables_of_another_version_are_refused(tmp_path: Path) -> None:
    """Two versions would not see each other's locks."""
    url = f"sqlite:///{tmp_path}/locks.db"
    store(url).held()
    with sqlite3.connect(tmp_path / "locks.db") as connection:
        connection.execute("update runner_locks_format set version = 9")
    connection.close()
    with pytest.raises(UsageError, match="format 9") as caught:
        store(url).held()
    assert caught.value.code == "lock-database-version"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_STATE_HOME": "/var/state"}, lambda home: Path("/var/state/runner/locks.db")),
        ({"XDG_STATE_HOME": "state"}, lambda home: home / ".local/state/runner/locks.db"),
        ({}, lambda home: home / ".local/state/runner/locks.db"),
    ],
)
def test_where_the_user_s_own_locks_are(
    environment: dict[str, str], expected: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the state directory of the XDG specification, which ignores relative paths."""
    monkeypatch.setenv("HOME", "/home/anna")
    assert default_path(environment) == expected(Path("/home/anna"))


def test_a_file_that_others_keep_locked_is_busy(tmp_path: Path) -> None:
    """Which is told from one that cannot be used, for it may be waited for."""
    path = tmp_path / "locks.db"
    store(f"sqlite:///{path}").held()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy) as caught:
        LockStore(Database(f"sqlite:///{path}", busy=0.01)).held()
    other.close()
    assert caught.value.code == "lock-database"
    assert "database is locked" in caught.value.message
