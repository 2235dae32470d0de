"""The driver with an executor that acts in memory: who runs, who ends, what a stop and a bug lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from runner.engine.driver import DriveOutcome, Driver
from runner.engine.observe import AssignmentEnded, AssignmentStarted, Notice, RunEvent
from runner.engine.port import Turn, Verdict
from runner.engine.result import Result, Status
from runner.engine.shape import Assignment, Edge, RunShape, StepShape

Behaviour = Callable[[Assignment], Awaitable[Status]]


class StoppedClock:
    """A clock that shows one instant."""

    def monotonic(self) -> float:
        return 0.0

    def utc(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)


class MemoryExecutor:
    """Runs a behaviour in place of a host and remembers what it was told."""

    def __init__(self, behaviour: Behaviour, verdict: Callable[[Assignment], Verdict] | None = None) -> None:
        self.behaviour = behaviour
        self.verdict = verdict
        self.running = 0
        self.peak = 0
        self.over: list[Assignment] = []
        self.hurried = 0
        self.two_run = asyncio.Event()

    def judge(self, assignment: Assignment) -> Verdict:
        return self.verdict(assignment) if self.verdict else Verdict(True)

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        del turn
        self.running += 1
        self.peak = max(self.peak, self.running)
        if self.running == 2:
            self.two_run.set()
        try:
            return result(assignment, await self.behaviour(assignment))
        except asyncio.CancelledError:
            return result(assignment, Status.CANCELLED)
        finally:
            self.running -= 1

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        step, host = label(assignment)
        return Result(step=step, host=host, status=Status.SKIPPED, skip_reason=reason, held_back=held_back)

    def ended(self, assignment: Assignment, result: Result) -> None:
        assert label(assignment) == (result.step, result.host)
        self.over.append(assignment)

    def passed(self, assignment: Assignment, *, entered: bool, bad: bool, rescued: bool) -> None:
        pass

    async def check_wave(self, policy: int, wave: int) -> str | None:
        return None

    def hurry(self) -> None:
        self.hurried += 1

    async def close(self) -> tuple[str, ...]:
        return ()


class Recorder:
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []

    def on_event(self, event: RunEvent) -> None:
        self.events.append(event)

    def results(self) -> dict[tuple[str, str], Result]:
        return {
            (e.result.step, e.result.host): e.result for e in self.events if isinstance(e, AssignmentEnded)
        }


def label(assignment: Assignment) -> tuple[str, str]:
    return f"s{assignment.step}", f"h{assignment.position}"


def result(assignment: Assignment, status: Status) -> Result:
    step, host = label(assignment)
    return Result(step=step, host=host, status=status)


async def at_once(_: Assignment) -> Status:
    await asyncio.sleep(0)
    return Status.OK


async def for_ever(_: Assignment) -> Status:
    await asyncio.Event().wait()
    return Status.OK


def driver_of(shape: RunShape, executor: MemoryExecutor) -> tuple[Driver, Recorder]:
    recorder = Recorder()
    return Driver(shape, executor, observer=recorder, clock=StoppedClock(), label=label), recorder


async def test_a_run_ends_and_leaves_no_task() -> None:
    """Everything runs once, in order, under its limit, and nothing is left behind."""
    steps = (
        StepShape(range(50), counters=[((0, 1),)] * 50),
        StepShape(range(50), edges=(Edge(0),), counters=[((0, 1),)] * 50),
    )
    executor = MemoryExecutor(at_once)
    driver, recorder = driver_of(RunShape(steps, (3,)), executor)
    assert await driver.run() == DriveOutcome()
    assert len(executor.over) == len(set(executor.over)) == 100
    assert executor.peak == 3
    assert [type(event) for event in recorder.events].count(AssignmentStarted) == 100
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_long_chains_of_skips_are_no_recursion() -> None:
    """Ten thousand steps behind a failed one are skipped, each with the failed step's name."""

    async def fail(_: Assignment) -> Status:
        return Status.FAILED

    steps = (StepShape([0]), *(StepShape([0], edges=(Edge(number),)) for number in range(10_000)))
    driver, recorder = driver_of(RunShape(steps), MemoryExecutor(fail))
    await driver.run()
    last = recorder.results()["s10000", "h0"]
    assert (last.status, last.held_back, last.skip_reason) == (Status.SKIPPED, True, "`s0` did not succeed")


async def test_a_long_list_of_verdicts_does_not_starve_the_loop() -> None:
    """While thousands are judged, others on the event loop get their turn."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    executor = MemoryExecutor(at_once, lambda a: Verdict(False, result(a, Status.SKIPPED)))
    driver, _ = driver_of(RunShape((StepShape(range(5_000), judged=True),)), executor)
    counting = asyncio.create_task(count())
    await driver.run()
    counting.cancel()
    assert turns >= 5
    assert len(executor.over) == 5_000


async def test_a_stop_cancels_what_runs_and_ends_the_rest() -> None:
    """Ctrl-C: running ones end as they say, the others are cancelled without a start, the reason is told."""
    executor = MemoryExecutor(for_ever)
    driver, recorder = driver_of(RunShape((StepShape(range(4), counters=[((0, 1),)] * 4),), (2,)), executor)
    running = asyncio.create_task(driver.run())
    await executor.two_run.wait()
    driver.request_stop("Ctrl-C")
    assert await running == DriveOutcome("Ctrl-C")
    assert {r.status for r in recorder.results().values()} == {Status.CANCELLED}
    untouched = recorder.results()["s0", "h3"].failure
    assert untouched is not None
    assert not untouched.may_have_run
    assert untouched.message == "not started: the run was stopped (Ctrl-C)"
    assert Notice("stopping: Ctrl-C", StoppedClock().utc()) in recorder.events


async def test_a_task_cancelled_before_its_first_step_still_ends() -> None:
    """A stop in the same turn as the start: the body never ran, the run ends all the same."""
    executor = MemoryExecutor(for_ever)
    driver, recorder = driver_of(RunShape((StepShape([0]),)), executor)
    asyncio.get_running_loop().call_soon(driver.request_stop, "Ctrl-C")
    assert (await driver.run()).stopped_because == "Ctrl-C"
    assert recorder.results()["s0", "h0"].status is Status.CANCELLED


async def test_a_stop_before_the_beginning_starts_nothing() -> None:
    """A signal that comes while the plan is still being shown keeps everything from starting."""
    executor = MemoryExecutor(at_once)
    driver, recorder = driver_of(RunShape((StepShape(range(3)),)), executor)
    driver.request_stop("Ctrl-C")
    await driver.run()
    assert executor.peak == 0
    assert {r.status for r in recorder.results().values()} == {Status.CANCELLED}


async def test_a_second_stop_hurries() -> None:
    """The second Ctrl-C goes to the executor's deadlines; the first reason stays."""
    executor = MemoryExecutor(for_ever)
    driver, _ = driver_of(RunShape((StepShape([0]),)), executor)
    driver.request_stop("Ctrl-C")
    driver.request_stop("Ctrl-C again")
    assert executor.hurried == 1
    assert (await driver.run()).stopped_because == "Ctrl-C"


async def test_the_time_limit_of_the_run_stops_it() -> None:
    """A run that would never end is stopped when its time is over."""
    driver, recorder = driver_of(RunShape((StepShape([0]),)), MemoryExecutor(for_ever))
    outcome = await driver.run(time_limit=0.01)
    assert outcome.stopped_because == "the run's timeout of 10ms"
    assert recorder.results()["s0", "h0"].status is Status.CANCELLED


async def test_a_bug_in_the_executor_stops_the_others_and_is_handed_out() -> None:
    """An exception out of `run` becomes a failed result with the code `internal`; the others are ended first."""

    async def break_on_second(assignment: Assignment) -> Status:
        if assignment.position == 1:
            raise KeyError("oops")
        return await for_ever(assignment)

    driver, recorder = driver_of(RunShape((StepShape(range(3)),)), MemoryExecutor(break_on_second))
    outcome = await driver.run()
    assert isinstance(outcome.bug, KeyError)
    assert outcome.stopped_because == "an internal error"
    failure = recorder.results()["s0", "h1"].failure
    assert failure is not None
    assert failure.code == "internal"
    assert recorder.results()["s0", "h2"].status is Status.CANCELLED


async def test_a_bug_in_judging_is_a_result_too() -> None:
    """An exception out of `judge` fails that assignment and ends the run in order."""

    def broken(_: Assignment) -> Verdict:
        raise ZeroDivisionError

    driver, recorder = driver_of(RunShape((StepShape([0], judged=True),)), MemoryExecutor(at_once, broken))
    assert isinstance((await driver.run()).bug, ZeroDivisionError)
    assert recorder.results()["s0", "h0"].status is Status.FAILED


async def test_a_cancelled_drive_first_ends_what_runs() -> None:
    """Whoever cancels the drive gets its cancellation after the hosts were stopped."""
    executor = MemoryExecutor(for_ever)
    driver, recorder = driver_of(RunShape((StepShape([0, 1]),)), executor)
    running = asyncio.create_task(driver.run())
    await executor.two_run.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert executor.running == 0
    assert recorder.results()["s0", "h0"].status is Status.CANCELLED
