"""A lock on a host while steps go on: renewed in time, lost to others, taken anew; and over PowerShell."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.engine.observe import Notice
from runner.engine.result import Status
from runner.execute.locks.answers import read_answer
from runner.execute.locks.looks import LockLooks
from runner.execute.locks.scripts import POSIX, POWERSHELL
from runner.execute.locks.target import TTL, TargetLocks
from runner.execute.run import run_plan
from runner.transport.local import LocalTransport
from tests.support.powershell_host import Call, FakeHost, FakeWinrm, Refused
from tests.unit.execute.running import Seen, WallClock, plan_of
from tests.unit.locks.test_target_lock import ONE, Run, until

BOOK = """\
version: 1
name: test
targets: {all: {hosts: all}}
steps:
  - {id: one, target: all, lock: target, script: 'until [ -e LOCKS/go ]; do sleep 0.02; done; rm LOCKS/go'}
  - {id: two, target: all, lock: target, script: 'true'}
"""


class HandClock:
    """Time that a test moves on by hand."""

    def __init__(self) -> None:
        self.moved = 0.0
        self.slept: list[float] = []
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        return time.monotonic() + self.moved

    def utc(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.moved)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.monotonic() + seconds, woken))
        await woken

    async def move(self, seconds: float) -> None:
        """Move on once somebody sleeps who wakes in that time."""
        await until(lambda: any(at <= self.monotonic() + seconds for at, _ in self._waiting))
        self.moved += seconds
        for entry in [entry for entry in self._waiting if entry[0] <= self.monotonic()]:
            self._waiting.remove(entry)
            if not entry[1].done():
                entry[1].set_result(None)


LOOK = """\
version: 1
name: look
steps: [{id: look, hosts: a, lock: target, wait_for: {path: /, from: host}}]
"""


class Kept(Run):
    """A run whose first step goes on until :meth:`go`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, BOOK)
        self.clock = HandClock()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await run_plan(
            self.plan,
            transports={"local": LocalTransport()},
            logins={},
            observer=self.seen,
            clock=self.clock,
            target_locks=TargetLocks(self.plan, wait=0.0, folder=str(self.locks)),
        )

    @property
    def path(self) -> Path:
        return max(self.locks.glob(".runner-lock.*"))

    async def taken(self) -> None:
        """Wait until the run knows that it has the lock, and waits for the time to renew it."""
        await until(lambda: TTL / 3 in self.clock.slept)

    def expire(self) -> None:
        """The host's clock passes the lock's end."""
        lines = self.path.read_text().split("\n")
        lines[2] = '"expires": 5,'
        self.path.write_text("\n".join(lines))

    async def go(self) -> None:
        (self.locks / "go").touch()
        await self.task


async def test_it_is_renewed_three_times_in_its_time(tmp_path: Path) -> None:
    """By a file that is written anew, under the same token."""
    run = Kept(tmp_path)
    await run.taken()
    for _ in range(3):
        before = run.path.stat().st_ino
        await run.clock.move(TTL / 3)
        await until(lambda before=before: run.path.stat().st_ino != before)  # type: ignore[misc]
    await run.go()
    assert run.seen.result("two").status is Status.OK
    assert (run.lock["token"], run.lock["expires"], run.notices()) == (1, 0, "")


async def test_one_that_others_took_fails_the_steps_after(tmp_path: Path) -> None:
    """The loss is told at once; what the other holds is not touched."""
    run = Kept(tmp_path)
    await run.taken()
    run.hold(token=2)
    await run.clock.move(TTL / 3)
    await until(lambda: any(isinstance(event, Notice) for event in run.seen.events))
    assert "lost to run `other` of `anna`" in run.notices()
    await run.go()
    failure = run.seen.result("two").failure
    assert failure is not None
    assert (failure.code, failure.may_have_run) == ("lock-target-lost", False)
    assert run.seen.result("one").status is Status.OK
    assert json.loads((run.locks / ".runner-lock.2").read_text())["run"] == "other"


async def test_one_that_another_took_and_gave_back_is_lost(tmp_path: Path) -> None:
    """Somebody worked on the host in between, so it is not taken back unseen."""
    run = Kept(tmp_path)
    await run.taken()
    run.hold(token=2, expires=0)
    await run.clock.move(TTL / 3)
    await until(lambda: any(isinstance(event, Notice) for event in run.seen.events))
    await run.go()
    failure = run.seen.result("two").failure
    assert failure is not None
    assert failure.code == "lock-target-lost"


async def test_one_that_was_released_by_hand_is_lost(tmp_path: Path) -> None:
    """Who did that is told; the step goes on, and the next one that asks for the lock fails."""
    run = Kept(tmp_path)
    await run.taken()
    plan = plan_of(tmp_path, LOOK, inventory=ONE)
    looks = LockLooks({"a": run.lock["holding"]}, folder=str(run.locks))
    await run_plan(
        plan, transports={"local": LocalTransport()}, logins={}, observer=Seen(), clock=WallClock(), target_locks=looks
    )  # fmt: skip
    assert looks.found["a"].taken
    await run.clock.move(TTL / 3)
    await until(lambda: any(isinstance(event, Notice) for event in run.seen.events))
    assert "lost to `runner locks release` of `" in run.notices()
    await run.go()
    failure = run.seen.result("two").failure
    assert failure is not None
    assert failure.code == "lock-target-lost"
    assert run.seen.result("one").status is Status.OK


async def test_one_that_expired_and_nobody_took_is_taken_anew(tmp_path: Path) -> None:
    """With the next token, by the renewal itself."""
    run = Kept(tmp_path)
    await run.taken()
    run.expire()
    await run.clock.move(TTL / 3)
    await until(lambda: run.path.name == ".runner-lock.2")
    await run.go()
    assert run.seen.result("two").status is Status.OK
    assert (run.lock["token"], run.lock["expires"]) == (2, 0)


async def test_one_that_cannot_be_renewed_is_taken_anew_by_the_next_step(tmp_path: Path) -> None:
    """After its whole time without an answer, which is told; a single failure is not."""
    run = Kept(tmp_path)
    await run.taken()
    hidden = tmp_path / "hidden"
    run.locks.rename(hidden)
    await run.clock.move(TTL / 3)
    for _ in range(7):
        assert run.notices() == ""
        await run.clock.move(TTL / 12)
    await until(lambda: any(isinstance(event, Notice) for event in run.seen.events))
    assert "could not be renewed" in run.notices()
    hidden.rename(run.locks)
    run.expire()
    await run.go()
    assert run.seen.result("two").status is Status.OK
    assert (run.lock["token"], run.lock["expires"]) == (2, 0)


class Windows:
    """A host that speaks PowerShell, whose lock script is done by the sh one: they promise the same."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.verbs: list[str] = []

    def host(self) -> FakeHost:
        return FakeHost(scripts={POWERSHELL: self.lock, "work": lambda call: call.write("done")})

    def lock(self, call: Call) -> None:
        self.verbs.append(call.arguments[0])
        if call.arguments[0] == self.refuses:
            raise Refused("the disk is full")
        words = ["sh", "-c", POSIX, "runner", *map(str, call.arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise Refused(done.stderr)
        call.write(done.stdout)


async def over_powershell(folder: Path, windows: Windows) -> Seen:
    book = BOOK.partition("  - {id: one")[0]
    book += "  - {id: two, target: all, lock: target, script: work}\n"
    inventory = ONE.replace("transport: local", "transport: winrm, use_ssl: true")
    seen, plan = Seen(), plan_of(folder, book, inventory=inventory)
    await run_plan(
        plan,
        transports={"winrm": FakeWinrm({"a": windows.host()})},
        logins={},
        observer=seen,
        clock=WallClock(),
        target_locks=TargetLocks(plan, wait=0.0, folder=str(folder)),
    )
    return seen


async def test_over_powershell(tmp_path: Path) -> None:
    """The same words in the same order, in a pool that is not the step's; given back at the end."""
    windows = Windows()
    seen = await over_powershell(tmp_path, windows)
    assert seen.result("two").status is Status.OK, seen.result("two").failure
    assert windows.verbs == ["take", "give"]
    assert json.loads((tmp_path / ".runner-lock.1").read_text())["expires"] == 0


async def test_one_that_cannot_be_given_back_is_told(tmp_path: Path) -> None:
    """With how long it stays; the run is none the worse for it."""
    windows = Windows(refuses="give")
    seen = await over_powershell(tmp_path, windows)
    assert seen.result("two").status is Status.OK
    (notice,) = [event for event in seen.events if isinstance(event, Notice)]
    assert (notice.host, notice.message) == (
        "a",
        "the lock on the host could not be given back: it is free in 3m 00s",
    )


async def test_what_powershell_refuses_fails_the_step(tmp_path: Path) -> None:
    """In the host's words, before anything of the step was sent."""
    windows = Windows(refuses="take")
    failure = (await over_powershell(tmp_path, windows)).result("two").failure
    assert failure is not None
    assert (failure.code, failure.may_have_run) == ("lock-target-script", False)
    assert "the disk is full" in failure.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 5000,
        '{"version": 1}',
        '{"version": 1, "expires": "1", "holding": 3, "run": 1, "user": 1, "controller": 1, "pid": 1, "since": 1}',
    ],
)
def test_a_lock_that_says_nonsense_is_held_by_a_file(text: str) -> None:
    """No answer of a host is trusted."""
    answer = read_answer("held 3 1795278083 /run/lock\n" + text)
    assert (answer.taken, answer.by) == (False, None)
    assert "`/run/lock/.runner-lock.3`" in answer.who


def test_what_a_lock_says_is_shown_without_control_characters() -> None:
    """And no longer than a name is."""
    found = {"version": 1, "expires": 9, "token": 3, "holding": "a" * 32, "pid": 7, "since": "x"}
    found |= {"run": "\x1b[31mred", "user": "u" * 10_000, "controller": "c\nd"}
    who = read_answer("held 3 4 /tmp\n" + json.dumps(found)).who
    assert "\x1b" not in who
    assert "\n" not in who
    assert len(who) < 500
    assert "for 5.0s yet" in who
