"""Whatever many runs do at once, and wherever they die: never two holders of a host, and tokens that only grow."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runner.locks.database import Database
from runner.locks.model import Granted, Holder
from runner.locks.process import this_process
from runner.locks.store import LockStore
from tests.unit.locks.holders import holder, store

HOSTS = ("a", "b", "c", "d")
TTL = 60.0

some_hosts = st.sets(st.sampled_from(HOSTS), min_size=1)
names = st.integers(0, 4)


class Model(RuleBasedStateMachine):
    """The store beside a dictionary: acquire, renew, release, die, and time that passes, in any order.

    Every second run is on a machine that cannot be seen, so that only time says that it is dead.
    """

    @initialize()
    def begin(self) -> None:
        self.now = 1e9
        self.dead: set[str] = set()
        self.holds: dict[str, tuple[str, float]] = {}
        self.tokens: dict[str, int] = {}
        self.runs = 0
        self.current: dict[int, Holder] = {}
        self.folder = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"locks-{os.getpid()}"
        self.folder.mkdir(exist_ok=True)
        self.path = self.folder / "locks.db"
        self.store = LockStore(Database(f"sqlite:///{self.path}"), now=lambda: self.now, alive=self.lives)

    def teardown(self) -> None:
        for file in self.folder.iterdir():
            file.unlink()
        self.folder.rmdir()

    def lives(self, holder: Holder) -> bool | None:
        return None if holder.machine else holder.holding not in self.dead

    def run_of(self, name: int) -> Holder:
        if name not in self.current:
            self.runs += 1
            self.current[name] = holder(f"run{self.runs}", machine="" if name % 2 else "elsewhere")
        return self.current[name]

    def is_free(self, host: str) -> bool:
        if host not in self.holds:
            return True
        holding, expires = self.holds[host]
        seen = any(each.holding == holding and not each.machine for each in self.every)
        return holding in self.dead if seen else expires <= self.now

    @property
    def every(self) -> list[Holder]:
        return [replace(each.holder) for each in self.store.held()]

    @rule(name=names, hosts=some_hosts)
    def acquire(self, name: int, hosts: set[str]) -> None:
        who = self.run_of(name)
        if any(holding == who.holding for holding, _ in self.holds.values()):
            return  # a run asks once
        free = all(self.is_free(host) for host in hosts)
        answer = self.store.acquire(hosts, who, TTL)
        assert isinstance(answer, Granted) == free
        if isinstance(answer, Granted):
            for host in hosts:
                self.tokens[host] = self.tokens.get(host, 0) + 1
                self.holds[host] = (who.holding, self.now + TTL)
            assert answer.tokens == {host: self.tokens[host] for host in hosts}

    @rule(name=names)
    def renew(self, name: int) -> None:
        who = self.run_of(name)
        mine = {host for host, (holding, _) in self.holds.items() if holding == who.holding}
        assert self.store.renew(who.holding, TTL) == mine
        self.holds |= dict.fromkeys(mine, (who.holding, self.now + TTL))

    @rule(name=names)
    def release(self, name: int) -> None:
        who = self.run_of(name)
        self.store.release(who.holding)
        self.holds = {host: held for host, held in self.holds.items() if held[0] != who.holding}
        del self.current[name]

    @rule(name=names)
    def crash(self, name: int) -> None:
        self.dead.add(self.run_of(name).holding)
        del self.current[name]

    @rule(seconds=st.sampled_from([1.0, 20.0, 59.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def the_table_is_the_model(self) -> None:
        held = {each.host: (each.holder.holding, each.token) for each in self.store.held()}
        expected = {host: (holding, self.tokens[host]) for host, (holding, _) in self.holds.items()}
        assert held == expected


Model.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestTheStoreIsAsItsModel = Model.TestCase


def turns(seed: int, count: int) -> Iterator[tuple[str, ...]]:
    """Which hosts a run asks for, turn by turn."""
    chance = random.Random(seed)
    for _ in range(count):
        yield tuple(chance.sample(HOSTS, chance.randint(1, len(HOSTS))))


def test_threads_never_hold_a_host_at_the_same_time(url: str) -> None:
    """Eight of them, each of which holds, looks and gives back."""
    inside: defaultdict[str, list[int]] = defaultdict(list)
    seen: defaultdict[str, list[int]] = defaultdict(list)
    wrong: list[str] = []

    def work(number: int) -> None:
        locks = store(url)
        for turn, hosts in enumerate(turns(number, 6)):
            who = holder(f"{number}-{turn}")
            while not isinstance(answer := locks.acquire(hosts, who, TTL), Granted):
                pass
            for host in hosts:
                inside[host].append(number)
                seen[host].append(answer.tokens[host])
                if inside[host] != [number]:
                    wrong.append(f"{host}: {inside[host]}")
            for host in hosts:
                inside[host].remove(number)
            locks.release(who.holding)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store(url).held() == []
    for tokens in seen.values():
        assert tokens == list(range(1, len(tokens) + 1))


def _die_somewhere(url: str, ledger: str, number: int) -> None:
    """Hold, note it in a ledger that refuses a second holder, give back; at some turn die while holding."""
    chance, locks = random.Random(number), store(url)
    for hosts in turns(number, 6):
        who = this_process(f"run{number}", "p.yml")
        while not isinstance(answer := locks.acquire(hosts, who, TTL), Granted):
            pass
        with sqlite3.connect(ledger, timeout=30.0) as notes:
            for host in hosts:
                notes.execute("insert into grants values (?, ?, ?)", (host, answer.tokens[host], number))
        notes.close()
        if chance.random() < 0.2:
            os._exit(9)
        locks.release(who.holding)


def test_processes_that_die_leave_nothing_held(url: str, tmp_path: Path) -> None:
    """Six of them, some of which die while they hold: the others take over, and no token is given twice."""
    ledger = str(tmp_path / "ledger.db")
    with sqlite3.connect(ledger) as notes:
        notes.execute("create table grants (host, token, number, primary key (host, token))")
    spawn = multiprocessing.get_context("spawn")  # a fork would share the threads of the tests
    processes = [spawn.Process(target=_die_somewhere, args=(url, ledger, number)) for number in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert {process.exitcode for process in processes} <= {0, 9}
    assert 9 in {process.exitcode for process in processes}
    last = this_process("last", "p.yml")
    assert isinstance(store(url).acquire(HOSTS, last, TTL), Granted)
    rows = notes.execute("select host, token from grants order by host, token").fetchall()
    notes.close()
    for host in HOSTS:
        tokens = [token for each, token in rows if each == host]
        assert tokens == list(range(1, len(tokens) + 1))


@pytest.mark.parametrize("count", [8])
def test_threads_that_make_the_tables_at_once(url: str, count: int) -> None:
    """The first runs of a user may begin together."""
    failures: list[BaseException] = []

    def begin(number: int) -> None:
        try:
            store(url).acquire([f"h{number}"], holder(f"{number}"), TTL)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store(url).held()) == count
