"""`lock: target` through a whole run on this machine: held while steps ask for it, waited for, shared, given back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.engine.observe import AssignmentWaits, Notice, Summary, Waits
from runner.engine.result import Status
from runner.execute.locks.target import TargetLocks
from runner.execute.run import RunControl, run_plan
from runner.plan.model import Placement, Plan
from runner.transport.local import LocalTransport
from tests.unit.execute.running import Seen, WallClock, plan_of

BOOK = """\
version: 1
name: test
targets: {all: {hosts: all}}
steps:
  - {id: one, target: all, lock: target, script: 'cat LOCKS/.runner-lock.* || true'}
  - {id: two, target: all, lock: target, script: 'cat LOCKS/.runner-lock.*'}
  - {id: three, target: all, script: 'cat LOCKS/.runner-lock.*'}
"""

ONE = "version: 1\nconnection: {transport: local}\nhosts: {a: {}}\n"
NAMES = "version: 1\nconnection: {transport: local}\nhosts: {a: {}, b: {}, c: {}}\n"


class Run:
    """One run with locks in a folder of the test."""

    def __init__(
        self, folder: Path, book: str, *, inventory: str = ONE, wait: float = 0.0, **given: Any
    ) -> None:
        self.locks = folder / "locks"
        self.locks.mkdir(exist_ok=True)
        self.plan: Plan = plan_of(
            folder, book.replace("LOCKS", str(self.locks)), inventory=inventory, **given
        )
        self.wait = wait
        self.seen = Seen()
        self.control = RunControl()

    async def to_end(self) -> Summary:
        return await run_plan(
            self.plan,
            transports={"local": LocalTransport()},
            logins={},
            observer=self.seen,
            clock=WallClock(),
            control=self.control,
            target_locks=TargetLocks(self.plan, wait=self.wait, folder=str(self.locks)),
        )

    @property
    def lock(self) -> dict[str, Any]:
        """The lock with the highest token."""
        (path,) = self.locks.iterdir()
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def hold(self, *, run: str = "other", expires: int = 1 << 36, token: int = 5) -> None:
        """Somebody else holds the lock."""
        about = {"run": run, "user": "anna", "controller": "ctl1", "pid": 7, "since": "2026-11-21T01:50:00Z"}
        found = {"version": 1, "expires": expires, "token": token, "holding": "b" * 32, **about}
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        (self.locks / f".runner-lock.{token}").write_text("{\n" + lines + "\n}\n")

    def notices(self) -> str:
        return "\n".join(event.message for event in self.seen.events if isinstance(event, Notice))


def apart(placements: tuple[Placement, ...]) -> tuple[Placement, ...]:
    """The same hosts, each reached by a connection of its own."""
    return tuple(
        replace(each, endpoint=replace(each.endpoint, connect_timeout=10.0 + number))
        for number, each in enumerate(placements)
    )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


async def test_held_from_the_first_step_that_asks_to_the_last(tmp_path: Path) -> None:
    """One grant for both, with who holds it; given back when the third step runs, which does not ask."""
    run = Run(tmp_path, BOOK)
    await run.to_end()
    held = {step: json.loads("\n".join(run.seen.result(step).output)) for step in ("one", "two", "three")}
    assert held["one"]["run"] == run.plan.run
    assert held["one"]["expires"] > 0
    assert (held["one"]["holding"], held["one"]["token"]) == (held["two"]["holding"], 1)
    assert run.lock["expires"] == 0
    assert run.lock["holding"] == held["one"]["holding"]
    assert run.notices() == ""


async def test_a_playbook_asks_for_all_its_steps(tmp_path: Path) -> None:
    """`lock: target` at its top, and steps that say nothing to the host ask for nothing."""
    book = BOOK.replace("lock: target, ", "").replace("name: test", "name: test\nlock: target")
    run = Run(tmp_path, book)
    await run.to_end()
    assert [run.seen.result(step).status for step in ("one", "two", "three")] == [Status.OK] * 3
    assert all('"expires": 0,' not in run.seen.result(step).output for step in ("one", "two", "three"))
    assert run.lock["expires"] == 0


async def test_a_host_that_others_hold_is_refused(tmp_path: Path) -> None:
    """Who, whose, where, since when, for how long yet; nothing ran, and nothing of the other's lock is touched."""
    run = Run(tmp_path, BOOK)
    run.hold()
    await run.to_end()
    failure = run.seen.result("one").failure
    assert failure is not None
    assert (failure.code, failure.phase, failure.may_have_run) == ("lock-target-held", "open", False)
    assert failure.message.startswith(
        "run `other` of `anna` on `ctl1` (process 7, since 2026-11-21T01:50:00Z, for "
    )
    assert failure.message.endswith("nothing was run")
    assert "--lock-wait 10m" in failure.hints[0]
    assert run.lock["holding"] == "b" * 32


async def test_a_step_waits_and_says_for_whom(tmp_path: Path) -> None:
    """Until the other has given it back."""
    run = Run(tmp_path, BOOK, wait=60.0)
    run.hold()
    running = asyncio.create_task(run.to_end())
    await until(lambda: any(isinstance(event, AssignmentWaits) for event in run.seen.events))
    run.hold(expires=0)
    await running
    waits = next(event for event in run.seen.events if isinstance(event, AssignmentWaits))
    assert (waits.step, waits.host, waits.what) == ("one", "a", Waits.LOCK)
    assert waits.reason.startswith("run `other` of `anna` on `ctl1`")
    assert waits.until is not None
    assert run.seen.result("three").status is Status.OK
    assert (run.lock["token"], run.lock["expires"]) == (6, 0)


async def test_what_a_dead_controller_held_is_free_when_it_expires(tmp_path: Path) -> None:
    """And what an earlier process of a resumed run held is taken over at once."""
    run = Run(tmp_path, BOOK)
    run.hold(expires=7)
    await run.to_end()
    assert (run.seen.result("two").status, run.lock["token"]) == (Status.OK, 6)
    again = Run(tmp_path / "locks" / "..", BOOK)
    again.hold(run=again.plan.run, token=6)
    await again.to_end()
    assert (again.seen.result("two").status, again.lock["token"]) == (Status.OK, 7)


async def test_names_of_one_machine_share_its_lock(tmp_path: Path) -> None:
    """All of them at once, for the run holds the machine and not the name; the last one gives it back."""
    book = BOOK.replace("{id: two, ", "{id: two, needs: [{step: one, wait: all}], ")
    run = Run(tmp_path, book, inventory=NAMES)
    steps = [replace(planned, placements=apart(planned.placements)) for planned in run.plan.steps]
    run.plan = replace(run.plan, steps=tuple(steps))
    await run.to_end()
    for host in "abc":
        assert run.seen.result("two", host).status is Status.OK, run.seen.result("two", host).failure
        assert json.loads("\n".join(run.seen.result("two", host).output))["expires"] > 0
    assert (run.lock["token"], run.lock["expires"]) == (1, 0)


async def test_two_runs_take_turns(tmp_path: Path) -> None:
    """A ledger that each step enters and leaves never has two inside."""
    book = """\
    version: 1
    name: test
    targets: {all: {hosts: all}}
    steps:
      - id: work
        target: all
        lock: target
        script: |
          mkdir LOCKS-inside && rmdir LOCKS-inside
    """
    runs = []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        runs.append(Run(tmp_path / str(number), book, wait=60.0))
        runs[-1].locks = tmp_path / "locks"
        runs[-1].plan = replace(runs[-1].plan, run=f"run{number}")
    (tmp_path / "locks").mkdir()
    await asyncio.gather(*(run.to_end() for run in runs))
    assert [run.seen.result("work").status for run in runs] == [Status.OK] * 4
    assert (runs[0].lock["token"], runs[0].lock["expires"]) == (4, 0)


@pytest.mark.parametrize("moment", ["held", "waiting"])
async def test_a_run_that_is_stopped_gives_it_back(tmp_path: Path, moment: str) -> None:
    """While a step runs, and while one waits."""
    run = Run(tmp_path, BOOK.replace("cat LOCKS/.runner-lock.* || true", "sleep 60"), wait=60.0)
    if moment == "waiting":
        run.hold()
    running: Awaitable[Summary] = asyncio.create_task(run.to_end())
    if moment == "waiting":
        await until(lambda: any(isinstance(event, AssignmentWaits) for event in run.seen.events))
    else:
        await until(lambda: bool(list(run.locks.glob(".runner-lock.*"))))
    run.control.request_stop("a test")
    await running
    assert run.seen.result("one").status is Status.CANCELLED
    assert (run.lock["expires"] == 0) == (moment == "held")
    assert not list(run.locks.glob(".runner-[!l]*"))


async def test_a_lock_that_cannot_be_made_fails_the_step(tmp_path: Path) -> None:
    """With the host's own reason; nothing ran."""
    run = Run(tmp_path, BOOK)
    run.locks.rmdir()
    await run.to_end()
    failure = run.seen.result("one").failure
    assert failure is not None
    assert failure.code == "lock-target-script"
    assert "nothing was run" in failure.message
    assert not failure.may_have_run


async def test_a_file_that_is_no_lock_is_told_by_its_path(tmp_path: Path) -> None:
    """It is nobody's to take away."""
    run = Run(tmp_path, BOOK)
    (run.locks / ".runner-lock.3").write_text("?")
    await run.to_end()
    failure = run.seen.result("one").failure
    assert failure is not None
    assert f"`{run.locks}/.runner-lock.3`" in failure.message
