"""A host that takes much longer than it should: put aside while it works, never lost, never in two states."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from runner.engine.port import Turn, Waited
from runner.engine.result import Failure, Result, Status
from runner.execute.control.aside import with_quarantine
from runner.execute.guard import forget_cancellation
from tests.unit.execute.clocks import MovedClock, settle

OK = Result(step="s", host="h", status=Status.OK)


@dataclass
class Slots:
    """A turn that notes whether its assignment holds slots; it gives them back as the driver's does."""

    log: list[str] = field(default_factory=list)
    holding: bool = True

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        self.log.append(f"start {attempt}")

    async def away(self, waiting: Awaitable[Waited], *, late: bool = False) -> Waited:
        assert self.holding, "it parks twice"
        self.holding = False
        self.log.append("late" if late else "away")
        try:
            return await waiting
        finally:
            self.holding = True

    def workers(self, count: int) -> None:
        self.log.append(f"workers {count}")


@dataclass
class Work:
    """Work that ends when it is told to."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    waited: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)

    async def run(self, turn: Turn) -> Result:
        await turn.record_start(1)
        try:
            await self.done.wait()
        except asyncio.CancelledError:
            forget_cancellation()
            self.ended.append("stopped")
            return Result(
                step="s", host="h", status=Status.CANCELLED, failure=Failure("run-stopped", "stopped")
            )
        return OK

    async def wait_first(self, turn: Turn) -> Result:
        await turn.away(self.waited.wait())
        return await self.run(turn)


def begin(
    work: Work, slots: Slots, clock: MovedClock, told: list[float], *, waits_first: bool = False
) -> asyncio.Task[Result]:
    run = work.wait_first if waits_first else work.run
    quarantined = with_quarantine(run, slots, clock=clock, limit=lambda: 60.0, told=told.append)
    return asyncio.ensure_future(quarantined)


async def test_a_host_within_its_limit_keeps_its_slots() -> None:
    """Nothing is told and nothing is parked."""
    work, slots, clock, told = Work(), Slots(), MovedClock(), list[float]()
    running = begin(work, slots, clock, told)
    await clock.move(59)
    work.done.set()
    assert await running == OK
    assert (slots.log, told) == (["start 1"], [])


async def test_after_the_limit_it_goes_on_without_slots() -> None:
    """It is told once, the wave goes on without it, and its result is that of the work."""
    work, slots, clock, told = Work(), Slots(), MovedClock(), list[float]()
    running = begin(work, slots, clock, told)
    await clock.move(61)
    assert (slots.holding, slots.log[-1], told) == (False, "late", [60.0])
    work.done.set()
    assert await running == OK


async def test_what_waits_on_its_own_account_is_put_aside_when_it_is_back() -> None:
    """An assignment is never parked twice at once."""
    work, slots, clock, told = Work(), Slots(), MovedClock(), list[float]()
    running = begin(work, slots, clock, told, waits_first=True)
    await clock.move(61)
    assert slots.log == ["away"]
    work.waited.set()
    await settle()
    assert (slots.holding, slots.log[-1]) == (False, "late")
    work.done.set()
    assert await running == OK


async def test_waiting_while_it_is_put_aside_parks_nothing() -> None:
    """It has no slots to give back then."""
    slots, clock, told, again = Slots(), MovedClock(), list[float](), asyncio.Event()

    async def work(turn: Turn) -> Result:
        await clock.sleep(100)
        await turn.away(again.wait())
        return OK

    running = asyncio.ensure_future(
        with_quarantine(work, slots, clock=clock, limit=lambda: 60.0, told=told.append)
    )
    await clock.move(101)
    assert slots.log == ["workers 1", "late"]
    again.set()
    assert await running == OK


async def test_a_stop_ends_the_work_wherever_it_is() -> None:
    """Before and after the limit the work itself answers the cancellation, and its result counts."""
    for seconds in (1, 61):
        work, slots, clock, told = Work(), Slots(), MovedClock(), list[float]()
        running = begin(work, slots, clock, told)
        await clock.move(seconds)
        running.cancel()
        result = await running
        assert (result.status, work.ended) == (Status.CANCELLED, ["stopped"])


async def test_a_limit_that_depends_on_others_is_asked_again() -> None:
    """Not known at first, known later: from then on it holds from the beginning of the work."""
    work, slots, clock, told = Work(), Slots(), MovedClock(), list[float]()
    limits: list[float | None] = [None, None, 25.0, 25.0]
    running = asyncio.ensure_future(
        with_quarantine(work.run, slots, clock=clock, limit=lambda: limits.pop(0), told=told.append)
    )
    await clock.move(30)
    assert told == [25.0]
    work.done.set()
    await running
