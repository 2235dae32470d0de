"""Who waits for hosts gets them in the order of coming; who is dead or gone quiet holds nobody up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import LockHeld
from runner.locks.database import Database
from runner.locks.model import Granted, Holder, Refused
from runner.locks.queue import WAIT_TTL
from runner.locks.store import LockStore
from tests.unit.locks.holders import holder, store
from tests.unit.locks.test_controller import Run

TTL = 60.0
WEB = ["web1", "web2"]


class Store:
    """A store by a clock of the test; runs whose name is in ``dead`` have ended."""

    def __init__(self, url: str) -> None:
        self.now, self.dead = 1e9, set[str]()
        self.locks = LockStore(Database(url), now=lambda: self.now, alive=self.alive)

    def alive(self, holder: Holder) -> bool | None:
        return False if holder.run in self.dead else None

    def ask(self, name: str, hosts: list[str] = WEB, *, waits: bool = True) -> Granted | Refused:
        return self.locks.acquire(hosts, holder(name), TTL, waits=waits)

    def gets(self, name: str, hosts: list[str] = WEB) -> bool:
        return isinstance(self.ask(name, hosts), Granted)

    def leaves(self, name: str) -> None:
        self.locks.release(holder(name).holding)


@pytest.fixture
def fair(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/locks.db")


def test_who_came_first_is_first(url: str) -> None:
    """However often the others ask, and whoever comes later; also in PostgreSQL."""
    locks = store(url)

    def gets(name: str) -> bool:
        return isinstance(locks.acquire(WEB, holder(name), TTL, waits=True), Granted)

    assert gets("holds")
    assert not gets("first")
    assert not gets("second")
    locks.release("holding-holds")
    assert not gets("second")
    assert not gets("third")
    assert gets("first")
    locks.release("holding-first")
    assert not gets("third")
    assert gets("second")


def test_who_does_not_wait_does_not_pass(fair: Store) -> None:
    """It is told who comes first, since when, though nobody holds the hosts."""
    fair.gets("holds")
    fair.gets("first")
    fair.leaves("holds")
    answer = fair.ask("passes", waits=False)
    assert isinstance(answer, Refused)
    assert answer.held == ()
    assert [(each.host, each.holder.run, each.since.timestamp()) for each in answer.ahead] == [
        ("web1", "first", 1e9)
    ]
    assert fair.gets("first")


def test_other_hosts_are_not_waited_for(fair: Store) -> None:
    """Only runs that want a host in common stand behind each other, and those behind them."""
    fair.gets("holds", ["a"])
    assert not fair.gets("first", ["a", "b"])
    assert fair.gets("elsewhere", ["c"])
    assert not fair.gets("second", ["b", "d"])
    assert not fair.gets("third", ["d"])
    fair.leaves("holds")
    assert fair.gets("first", ["a", "b"])


def test_the_dead_hold_nobody_up(fair: Store) -> None:
    """One that has ended on this machine is passed over at once."""
    fair.gets("holds")
    fair.gets("first")
    fair.gets("second")
    fair.leaves("holds")
    fair.dead.add("first")
    assert fair.gets("second")


def test_who_does_not_ask_again_is_passed_over(fair: Store) -> None:
    """After its time, by who has asked meanwhile."""
    for name in ("holds", "first", "second"):
        fair.gets(name)
    fair.now += WAIT_TTL
    fair.leaves("holds")
    assert fair.gets("second")


def test_who_was_only_slow_keeps_its_place(fair: Store) -> None:
    """It is first again when it asks before the others get the hosts."""
    for name in ("holds", "first", "second"):
        fair.gets(name)
    fair.now += WAIT_TTL
    assert not fair.gets("first")
    fair.leaves("holds")
    assert not fair.gets("second")
    assert fair.gets("first")


def test_who_gives_up_leaves_the_queue(fair: Store) -> None:
    """By giving back, which is what a run does in the end in any case."""
    for name in ("holds", "first", "second"):
        fair.gets(name)
    fair.leaves("first")
    fair.leaves("holds")
    assert fair.gets("second")


@settings(max_examples=20, deadline=None)
@given(wants=st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=5), data=st.data())
def test_everybody_gets_a_turn_before_who_came_later(wants: list[set[str]], data: st.DataObject) -> None:
    """In whatever order they ask: of two that want a host in common, the one that came first has it first."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        take_turns(Store(f"sqlite:///{folder}/locks.db"), wants, data)


def take_turns(fair: Store, wants: list[set[str]], data: st.DataObject) -> None:
    """Ask until everybody has had the hosts."""
    fair.gets("holds", list("abcd"))
    waiting = {f"run{number}": sorted(hosts) for number, hosts in enumerate(wants)}
    for name, hosts in waiting.items():
        assert not fair.gets(name, hosts)
    fair.leaves("holds")
    over: list[str] = []
    while waiting:
        asks = data.draw(st.permutations(sorted(waiting)))
        got = [name for name in asks if fair.gets(name, waiting[name])]
        assert got
        for name in got:
            earlier = [each for each in waiting if each < name and set(waiting[each]) & set(waiting[name])]
            assert set(earlier) <= set(over) | set(got)
        assert not any(set(waiting[one]) & set(waiting[other]) for one in got for other in got if one < other)
        for name in got:
            fair.leaves(name)
            over.append(name)
            del waiting[name]


async def test_runs_get_hosts_in_the_order_of_coming(url: str) -> None:
    """Each is told for whom it waits."""
    runs = [Run(url, name, wait=1e6, until=1e6) for name in ("holds", "first", "second")]
    holds, first, second = runs
    await holds.locks.acquire(["web1"])
    order: list[str] = []

    async def wait(run: Run, name: str) -> None:
        await run.locks.acquire(["web1"])
        order.append(name)
        await run.locks.release()

    one = asyncio.create_task(wait(first, "first"))
    while not first.clock.slept:
        await asyncio.sleep(0)
    two = asyncio.create_task(wait(second, "second"))
    while not second.clock.slept:
        await asyncio.sleep(0)
    await holds.locks.release()
    await asyncio.gather(one, two)
    assert order == ["first", "second"]
    assert store(url).held() == []


async def test_a_run_that_may_not_wait_is_told_who_comes_first(tmp_path: Path) -> None:
    """In the words of a host that is held, and with the same code."""
    url = f"sqlite:///{tmp_path}/locks.db"
    locks = store(url)
    locks.acquire(["web1"], holder("holds"), TTL)
    locks.acquire(["web1"], holder("first"), TTL, waits=True)
    locks.release("holding-holds")
    run = Run(url, "passes")
    with pytest.raises(LockHeld) as caught:
        await run.locks.acquire(["web1"])
    assert caught.value.code == "lock-held"
    assert (
        "others came first for hosts and wait for them: `web1` by run `first` of `anna`"
        in caught.value.message
    )
