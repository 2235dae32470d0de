"""The locks of one run: all before anything connects, renewed while it goes on, waited for, lost, given back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.errors import ExitCode, LockHeld, UsageError
from runner.locks.controller import ControllerLocks
from runner.locks.model import Granted
from runner.present.folding import fold
from tests.unit.locks.holders import holder, store


class Clock:
    """Time that passes only where somebody waits for it; ``until`` is where nobody's wait ends any more."""

    def __init__(self, until: float = 1e9) -> None:
        self.seconds = 0.0
        self.until = until
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def utc(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        if self.seconds + seconds > self.until:
            await asyncio.Event().wait()
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


class Run:
    """A run with locks, and what it was told. Its clock stands still unless ``until`` lets it go on."""

    def __init__(self, url: str, name: str, *, wait: float = 0.0, until: float = 0.0) -> None:
        self.lost: list[str] = []
        self.notices: list[str] = []
        self.clock = Clock(until)
        self.locks = ControllerLocks(
            url,
            run=name,
            playbook="patch.yml",
            wait=wait,
            clock=self.clock,
            on_lost=self.lost.append,
            on_notice=self.notices.append,
            name_hosts=fold,
        )


async def test_a_second_run_is_refused_and_told_who_holds_what(url: str) -> None:
    """Who, where, since when, for which hosts; what to type; that nothing ran."""
    one, two = Run(url, "2026-11-21T015000Z-7f3a"), Run(url, "two")
    await one.locks.acquire([f"web{number:02}" for number in range(1, 41)])
    with pytest.raises(LockHeld) as caught:
        await two.locks.acquire(["db1", "web07", "web08"])
    error = caught.value
    assert (error.code, error.exit_code) == ("lock-held", ExitCode.REFUSED)
    assert "`web[07-08]` by run `2026-11-21T015000Z-7f3a` of `" in error.message
    assert "`patch.yml`) since 20" in error.message
    assert error.message.endswith("nothing was run")
    hints = "\n".join(error.hints)
    for words in (
        "runner runs show 2026-11-21T015000Z-7f3a",
        "--lock-wait 10m",
        "runner locks release --run",
    ):
        assert words in hints
    assert {held.host for held in store(url).held()} == {f"web{number:02}" for number in range(1, 41)}
    await one.locks.release()
    assert store(url).held() == []
    await two.locks.release()


async def test_a_run_waits_until_the_hosts_are_given_back(url: str) -> None:
    """It says once for whom it waits, and gets them."""
    one, two = Run(url, "one"), Run(url, "two", wait=1e6, until=1e6)
    await one.locks.acquire(["web1"])
    waiting = asyncio.create_task(two.locks.acquire(["web1"]))
    while len(two.clock.slept) < 3:
        await asyncio.sleep(0)
    assert not waiting.done()
    await one.locks.release()
    await waiting
    assert len(two.notices) == 1
    assert "waits up to" in two.notices[0]
    assert "run `one`" in two.notices[0]
    assert [held.holder.run for held in store(url).held()] == ["two"]
    await two.locks.release()


async def test_a_wait_ends_when_its_time_is_over(url: str) -> None:
    """Neither before nor after, and with the time in the message."""
    one, two = Run(url, "one"), Run(url, "two", wait=30.0, until=1e9)
    await one.locks.acquire(["web1"])
    with pytest.raises(LockHeld, match=r"not given back in 30\.0s"):
        await two.locks.acquire(["web1"])
    assert two.clock.seconds == pytest.approx(30.0)
    assert max(two.clock.slept) <= 1.5
    await one.locks.release()


async def test_a_database_that_is_away_for_a_while_is_waited_for_too(tmp_path: Path) -> None:
    """Once it has answered; one that never did is an error at once."""
    path = tmp_path / "locks.db"
    one, two = (
        Run(f"sqlite:///{path}", name, wait=wait, until=1e6) for name, wait in (("one", 0.0), ("two", 1e6))
    )
    await one.locks.acquire(["web1"])
    waiting = asyncio.create_task(two.locks.acquire(["web1"]))
    while not two.clock.slept:
        await asyncio.sleep(0)
    for file in tmp_path.iterdir():
        file.rename(file.with_name(f"away-{file.name}"))
    path.mkdir()
    seen = len(two.clock.slept)
    while len(two.clock.slept) < seen + 3:
        await asyncio.sleep(0)
    path.rmdir()
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.removeprefix("away-")))
    await one.locks.release()
    await waiting
    assert [held.holder.run for held in store(f"sqlite:///{path}").held()] == ["two"]
    await two.locks.release()


async def test_a_run_that_is_stopped_while_it_waits_holds_nothing(url: str) -> None:
    """Whatever its thread was doing just then."""
    one, two = Run(url, "one"), Run(url, "two", wait=1e6, until=1e6)
    await one.locks.acquire(["web1"])
    waiting = asyncio.create_task(two.locks.acquire(["web1", "web2"]))
    await asyncio.sleep(0)
    await one.locks.release()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert store(url).held() == []


async def test_hosts_are_renewed_while_the_run_goes_on(url: str) -> None:
    """Three times a minute; nothing is told."""
    run = Run(url, "one", until=100.0)
    await run.locks.acquire(["web1"])
    (before,) = store(url).held()
    while run.clock.seconds < 100.0:
        await asyncio.sleep(0)
    await run.locks.release()
    assert run.clock.slept == [20.0] * 5
    assert (run.lost, run.notices) == ([], [])
    assert before.holder.run == "one"


async def test_a_run_learns_that_its_hosts_were_taken(url: str) -> None:
    """Once; and what it still holds it keeps."""
    run = Run(url, "one", until=200.0)
    await run.locks.acquire(["web1", "web2"])
    locks = store(url)
    locks.free([held for held in locks.held() if held.host == "web2"])
    assert isinstance(locks.acquire(["web2"], holder("two"), 60.0), Granted)
    while run.clock.seconds < 200.0:
        await asyncio.sleep(0)
    assert len(run.lost) == 1
    assert "`web2`" in run.lost[0]
    await run.locks.release()
    assert [(held.host, held.holder.run) for held in locks.held()] == [("web2", "two")]


async def test_a_run_that_cannot_renew_for_its_time_counts_as_lost(tmp_path: Path) -> None:
    """Before another may take its hosts, and not at the first failure; giving back fails without an error."""
    run = Run(f"sqlite:///{tmp_path}/locks.db", "one", until=59.0)
    await run.locks.acquire(["web1"])
    (tmp_path / "locks.db").unlink()
    (tmp_path / "locks.db").mkdir()
    while not run.lost:
        await asyncio.sleep(0)
    assert 40.0 < run.clock.seconds < 60.0
    assert "could not be renewed" in run.lost[0]
    await run.locks.release()
    assert len(run.lost) == 1
    assert "could not be given back" in run.notices[-1]


async def test_taking_over_is_told(url: str) -> None:
    """From whom, and why that was right."""
    store(url).acquire(["web1"], holder("gone"), -1.0)
    run = Run(url, "one")
    await run.locks.acquire(["web1", "web2"])
    assert len(run.notices) == 1
    assert "it did not renew them in time" in run.notices[0]
    assert "`web1` by run `gone` of `anna` on `ctl1`" in run.notices[0]
    await run.locks.release()


async def test_no_hosts_need_no_database(tmp_path: Path) -> None:
    """A run that locks nothing opens nothing; giving back twice is giving back once."""
    run = Run(f"sqlite:///{tmp_path}/locks.db", "one")
    await run.locks.acquire([])
    await run.locks.release()
    await run.locks.release()
    assert list(tmp_path.iterdir()) == []


async def test_a_database_that_is_not_there_is_an_error_of_use() -> None:
    """Nothing was run, and nothing is left of the attempt."""
    run = Run("postgresql://anna:hush@127.0.0.1:1/locks", "one")
    with pytest.raises(UsageError) as caught:
        await run.locks.acquire(["web1"])
    assert caught.value.code == "lock-database"
    assert "hush" not in caught.value.message
