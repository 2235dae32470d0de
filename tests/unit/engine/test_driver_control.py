"""The driver with blocks, waves, a record and restored results, with an executor that acts in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.driver import DriveOutcome, Driver
from runner.engine.observe import AssignmentEnded, AssignmentStarted, PolicyStopped, WaveStarted
from runner.engine.port import Turn, Verdict
from runner.engine.result import Failure, Result, Status
from runner.engine.shape import Assignment, Edge, Policy, RunShape, StepShape, WaveShape
from runner.errors import JournalError
from tests.unit.engine.drafts import Draft, drafts
from tests.unit.engine.test_blocks import AFTER, ALWAYS_STEP, BODY, END, ENTRY, RESCUE_STEP, block
from tests.unit.engine.test_driver import Recorder as Observed
from tests.unit.engine.test_driver import StoppedClock, label, result

Behaviour = Callable[[Assignment, Turn], Awaitable[Status]]


class Executor:
    """Runs a behaviour in place of a host, remembers what it was told, and says no to waves in ``refused``."""

    def __init__(self, behaviour: Behaviour, refused: dict[tuple[int, int], str] | None = None) -> None:
        self.behaviour = behaviour
        self.refused = refused or {}
        self.ran: list[Assignment] = []
        self.over: dict[Assignment, Result] = {}
        self.passes: dict[Assignment, tuple[bool, bool, bool]] = {}
        self.checked: list[tuple[int, int]] = []
        self.verdict: Callable[[Assignment], Verdict] = lambda _: Verdict(True)

    def judge(self, assignment: Assignment) -> Verdict:
        return self.verdict(assignment)

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        self.ran.append(assignment)
        try:
            return result(assignment, await self.behaviour(assignment, turn))
        except asyncio.CancelledError:
            return result(assignment, Status.CANCELLED)

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        step, host = label(assignment)
        return Result(step=step, host=host, status=Status.SKIPPED, skip_reason=reason, held_back=held_back)

    def ended(self, assignment: Assignment, result: Result) -> None:
        assert assignment not in self.over
        self.over[assignment] = result

    def passed(self, assignment: Assignment, *, entered: bool, bad: bool, rescued: bool) -> None:
        self.passes[assignment] = (entered, bad, rescued)

    async def check_wave(self, policy: int, wave: int) -> str | None:
        self.checked.append((policy, wave))
        await asyncio.sleep(0)
        return self.refused.get((policy, wave))

    def hurry(self) -> None:
        pass

    async def close(self) -> tuple[str, ...]:
        return ()


class Journal:
    """A record in memory; a start in ``full`` or an end there cannot be written."""

    def __init__(self, full: set[str] | None = None) -> None:
        self.lines: list[tuple[object, ...]] = []
        self.full = full or set()

    async def started(self, step: str, host: str, attempt: int, item: int | None) -> None:
        await asyncio.sleep(0)
        if f"start {step} {host}" in self.full:
            raise JournalError("journal-full", "no space is left on the disk", hints=["free some"])
        self.lines.append(("started", step, host, attempt, item))

    def ended(self, step: str, host: str, result: Result) -> None:
        if f"end {step} {host}" in self.full:
            raise JournalError("journal-full", "no space is left on the disk")
        self.lines.append(("ended", step, host, result.status))

    def wave_passed(self, step: str, wave: int) -> None:
        self.lines.append(("wave", step, wave))

    def broke(self, step: str | None, reason: str) -> None:
        self.lines.append(("broke", step, reason))

    def rescued(self, block: str, host: str, steps: object) -> None:
        raise AssertionError("the executor records rescues, not the driver")


async def well(_: Assignment, turn: Turn) -> Status:
    await turn.record_start(1)
    return Status.OK


async def badly(_: Assignment, turn: Turn) -> Status:
    await turn.record_start(1)
    return Status.FAILED


async def for_ever(_: Assignment, turn: Turn) -> Status:
    await turn.record_start(1)
    await asyncio.Event().wait()
    return Status.OK


def driver_of(shape: RunShape, executor: Executor, **extra: object) -> tuple[Driver, Observed]:
    observed = Observed()
    driver = Driver(shape, executor, observer=observed, clock=StoppedClock(), label=label, **extra)  # type: ignore[arg-type]
    return driver, observed


def at(step: int, position: int = 0) -> Assignment:
    return Assignment(step, position)


async def test_a_start_is_recorded_before_and_an_end_after() -> None:
    """The record has the start, what the host did comes then, and the end is there before the next step starts."""
    journal = Journal()

    async def act(assignment: Assignment, turn: Turn) -> Status:
        await turn.record_start(1)
        journal.lines.append(("acted", *label(assignment)))
        return Status.OK

    driver, _ = driver_of(
        RunShape((StepShape([0]), StepShape([0], (Edge(0),)))), Executor(act), recorder=journal
    )
    assert await driver.run() == DriveOutcome()
    assert [line[0] for line in journal.lines] == ["started", "acted", "ended"] * 2


async def test_what_cannot_be_recorded_is_not_run() -> None:
    """A full disk: that assignment says that nothing was run, the run is stopped in order, the error is handed out."""
    journal = Journal({"start s0 h1"})
    driver, observed = driver_of(
        RunShape((StepShape(range(3), counters=[((0, 1),)] * 3),), (1,)), Executor(well), recorder=journal
    )
    outcome = await driver.run()
    assert outcome.journal_error is not None
    assert outcome.bug is None
    assert outcome.stopped_because == "the run's record cannot be written"
    results = observed.results()
    assert [results["s0", f"h{n}"].status for n in range(3)] == [
        Status.OK,
        Status.CANCELLED,
        Status.CANCELLED,
    ]
    assert results["s0", "h1"].failure == Failure(
        "journal-full", "nothing was run: no space is left on the disk", "plan", hints=("free some",)
    )


async def test_an_end_that_cannot_be_recorded_stops_the_run() -> None:
    """The result is told all the same, nothing further starts."""
    journal = Journal({"end s0 h0"})
    shape = RunShape((StepShape([0]), StepShape([0], (Edge(0),))))
    driver, observed = driver_of(shape, Executor(well), recorder=journal)
    outcome = await driver.run()
    assert outcome.journal_error is not None
    assert observed.results()["s0", "h0"].status is Status.OK
    assert observed.results()["s1", "h0"].status is Status.CANCELLED


async def test_whoever_is_away_lets_others_work() -> None:
    """While one waits the other has its slot; it comes back with a slot of its own and says that it started again."""
    shape = RunShape((StepShape(range(2), counters=[((0, 1),)] * 2),), (1,))
    holding: list[int] = []
    other_ran = asyncio.Event()

    async def act(assignment: Assignment, turn: Turn) -> Status:
        if assignment.position == 0:
            await turn.away(other_ran.wait())
        else:
            other_ran.set()
        holding.append(assignment.position)
        assert len(holding) == 1
        await asyncio.sleep(0)
        holding.remove(assignment.position)
        return Status.OK

    driver, observed = driver_of(shape, Executor(act))
    assert await driver.run() == DriveOutcome()
    starts = [e.host for e in observed.events if isinstance(e, AssignmentStarted)]
    assert starts == ["h0", "h1", "h0"]


async def test_a_loop_is_parked_when_all_of_its_items_wait() -> None:
    """Two items at once: one that waits keeps the slot for the other, two that wait give it back."""
    shape = RunShape((StepShape(range(2), counters=[((0, 1),)] * 2),), (1,))
    log: list[str] = []
    gates = [asyncio.Event(), asyncio.Event()]

    async def act(assignment: Assignment, turn: Turn) -> Status:
        if assignment.position == 1:
            log.append("other")
            for gate in gates:
                gate.set()
            return Status.OK
        turn.workers(2)
        first = asyncio.ensure_future(turn.away(gates[0].wait()))
        for _ in range(5):
            await asyncio.sleep(0)
        log.append("one waits")
        await asyncio.gather(first, turn.away(gates[1].wait()))
        log.append("both are back")
        return Status.OK

    driver, _ = driver_of(shape, Executor(act))
    assert await driver.run() == DriveOutcome()
    assert log == ["one waits", "other", "both are back"]


async def test_a_stop_ends_those_who_are_away() -> None:
    """A stop while one waits without slots and one waits for them: both end, nothing hangs."""
    shape = RunShape((StepShape(range(3), counters=[((0, 1),)] * 3),), (1,))
    third = asyncio.Event()

    async def act(assignment: Assignment, turn: Turn) -> Status:
        if assignment.position == 0:
            await turn.away(asyncio.Event().wait())
        if assignment.position == 1:
            await turn.away(third.wait())
        third.set()
        await asyncio.Event().wait()
        return Status.OK

    driver, observed = driver_of(shape, Executor(act))
    running = asyncio.create_task(driver.run())
    await third.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    driver.request_stop("Ctrl-C")
    assert await running == DriveOutcome("Ctrl-C")
    assert {r.status for r in observed.results().values()} == {Status.CANCELLED}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_restored_results_are_told_and_not_run_nor_recorded() -> None:
    """What an earlier part of the run did well is there at once; what needs it runs."""
    journal, done = Journal(), result(at(0), Status.CHANGED)
    shape = RunShape((StepShape(range(2), judged=True), StepShape(range(2), (Edge(0),))))
    executor = Executor(well)
    driver, observed = driver_of(
        shape, executor, recorder=journal, restored={at(0): done}.get, passed_waves=lambda _, __: False
    )
    assert (await driver.run()).restored == 1
    assert sorted(executor.ran, key=lambda a: (a.step, a.position)) == [at(0, 1), at(1), at(1, 1)]
    assert [e.restored for e in observed.events if isinstance(e, AssignmentEnded) and e.result is done] == [
        True
    ]
    assert ("ended", "s0", "h0", Status.CHANGED) not in journal.lines


async def test_a_stop_takes_back_nothing_that_is_restored() -> None:
    """A resumed run that is stopped before it comes there still has what was done, and records nothing else of it."""
    journal, done = Journal(), result(at(1), Status.OK)
    shape = RunShape((StepShape([0]), StepShape([0], (Edge(0),))))
    driver, observed = driver_of(shape, Executor(for_ever), recorder=journal, restored={at(1): done}.get)
    asyncio.get_running_loop().call_soon(driver.request_stop, "Ctrl-C")
    await driver.run()
    assert observed.results()["s1", "h0"] is done
    assert [line[1] for line in journal.lines if line[0] == "ended"] == ["s0"]


async def test_waves_are_asked_for_told_and_recorded() -> None:
    """A wave is told when it begins; its check is asked once and recorded; an earlier part's answer counts."""
    shape = RunShape(
        (StepShape(range(3)),),
        policies=(Policy(0, 0, waves=(WaveShape(1, check=True), WaveShape(1, check=True), WaveShape(1))),),
    )
    executor, journal = Executor(well), Journal()
    driver, observed = driver_of(
        shape,
        executor,
        recorder=journal,
        passed_waves=lambda _, wave: wave == 0,
        policy_name=lambda _: "patch",
    )
    assert await driver.run() == DriveOutcome()
    assert executor.checked == [(0, 1)]
    assert [line for line in journal.lines if line[0] == "wave"] == [("wave", "patch", 1)]
    told = [(e.step, e.number, e.of, e.hosts) for e in observed.events if isinstance(e, WaveStarted)]
    assert told == [("patch", 1, 3, 1), ("patch", 2, 3, 1), ("patch", 3, 3, 1)]


async def test_a_wave_that_does_not_pass_says_why() -> None:
    """The reason is in the outcome, in what is told and recorded; the hosts behind it say which wave it was."""
    shape = RunShape(
        (StepShape(range(2)), StepShape(range(2), (Edge(0),))),
        policies=(Policy(0, 0, waves=(WaveShape(1, check=True), WaveShape(1))),),
    )
    journal = Journal()
    driver, observed = driver_of(
        shape, Executor(well, {(0, 0): "`health` is false on `h0`"}), recorder=journal
    )
    outcome = await driver.run()
    reason = "wave 1 of `s0` did not pass: `health` is false on `h0`"
    assert outcome == DriveOutcome(policy=reason)
    assert PolicyStopped("s0", reason, 0, StoppedClock().utc()) in observed.events
    assert ("broke", "s0", reason) in journal.lines
    assert observed.results()["s0", "h1"].skip_reason == "wave 1 did not pass"


async def test_an_exceeded_limit_is_a_sentence() -> None:
    """The break, the skipped hosts and what is held back behind it say the limit with its numbers."""
    shape = RunShape((StepShape(range(3), counters=[((0, 1),)] * 3),), (1,), (Policy(0, 0, max_fail=1),))
    driver, observed = driver_of(shape, Executor(badly))
    reason = "`max_fail` of `s0` is exceeded: 2 of 3 hosts failed"
    assert await driver.run() == DriveOutcome(policy=reason)
    assert observed.results()["s0", "h2"].skip_reason == reason


async def test_a_block_that_is_skipped_says_why_on_its_steps() -> None:
    """`when` of a block: its steps are skipped with the block's own reason, what stands behind goes on."""
    shape = block()
    judged = shape.steps[ENTRY]
    steps = list(shape.steps)
    steps[ENTRY] = StepShape(judged.hosts, judged.edges, judged.run_if, True, junction=True)
    executor = Executor(well)
    no = Result(step="b", host="h0", status=Status.SKIPPED, skip_reason="`when` is false: `no`")
    executor.verdict = lambda _: Verdict(False, no)
    driver, observed = driver_of(RunShape(tuple(steps)), executor)
    await driver.run()
    for step in (BODY, RESCUE_STEP, ALWAYS_STEP):
        assert (
            observed.results()[f"s{step}", "h0"].skip_reason == "its block was skipped: `when` is false: `no`"
        )
    assert observed.results()[f"s{AFTER}", "h0"].status is Status.OK
    assert executor.passes[at(END)] == (False, False, False)


async def test_an_always_has_its_time_after_a_stop() -> None:
    """It runs after the stop, and is ended when its time is over."""

    async def act(assignment: Assignment, turn: Turn) -> Status:
        return await for_ever(assignment, turn)

    executor = Executor(act)
    driver, observed = driver_of(block(), executor, always_limit=0.3)  # enough for it to begin
    asyncio.get_running_loop().call_later(0, driver.request_stop, "Ctrl-C")
    assert (await driver.run()).stopped_because == "Ctrl-C"
    assert executor.ran == [at(BODY), at(ALWAYS_STEP)]
    assert observed.results()[f"s{ALWAYS_STEP}", "h0"].status is Status.CANCELLED


async def test_a_stop_that_overtakes_a_start_leaves_no_always_behind() -> None:
    """Hosts whose start was still in the queue are out of the block: their `always` is cancelled as all the rest is.

    There are more hosts than the driver works off at once, and the first one to run asks for the stop.
    """
    hosts = 1_000

    async def act(assignment: Assignment, turn: Turn) -> Status:
        if driver.stopped_because is None:
            driver.request_stop("Ctrl-C")
        await turn.record_start(1)
        return Status.OK

    executor = Executor(act)
    driver, observed = driver_of(block(hosts), executor)
    await driver.run()
    begun = {one.position for one in executor.ran if one.step == BODY}
    assert 0 < len(begun) < hosts
    assert {one.position for one in executor.ran if one.step == ALWAYS_STEP} == begun
    results = observed.results()
    for host in set(range(hosts)) - begun:
        assert results[f"s{ALWAYS_STEP}", f"h{host}"].status is Status.CANCELLED
        assert executor.passes[at(ENTRY, host)] == (False, False, False)


async def test_a_stop_before_the_first_step_of_a_task_leaves_no_always_behind() -> None:
    """The task was made and never got its turn: nothing ran, so nothing follows."""
    executor = Executor(well)
    driver, observed = driver_of(block(), executor)
    asyncio.get_running_loop().call_soon(driver.request_stop, "Ctrl-C")
    await driver.run()
    assert executor.ran == []
    assert {one.status for one in observed.results().values()} == {Status.CANCELLED}


async def test_a_limit_that_overtakes_a_start_leaves_no_always_behind() -> None:
    """`any_errors: stop` of a block: a host whose first step was just about to start is skipped with the others.

    Two hosts at once end in the same turn: the first makes room for the third, the second breaks the limit.
    """

    async def act(assignment: Assignment, turn: Turn) -> Status:
        bad = assignment == at(ALWAYS_STEP, 1)
        return await (badly if bad else well)(assignment, turn)

    shape = block(4, policies=(Policy(ENTRY, END, max_fail=0, max_unreachable=0, stop_running=True),))
    steps = [
        replace(step, counters=[((0, 1),)] * 4) if number in {BODY, ALWAYS_STEP} else step
        for number, step in enumerate(shape.steps)
    ]
    executor = Executor(act)
    driver, observed = driver_of(replace(shape, steps=tuple(steps), limits=(2,)), executor)
    assert (await driver.run()).policy == "`any_errors: stop` of `s4`: 1 of 4 hosts failed"
    assert {one.position for one in executor.ran} == {0, 1}
    results = observed.results()
    assert results[f"s{BODY}", "h2"].status is Status.CANCELLED
    assert results[f"s{ALWAYS_STEP}", "h2"].status is Status.SKIPPED


async def test_what_is_restored_has_begun_its_block() -> None:
    """A resumed run that is stopped at once: where an earlier part did something, `always` follows."""
    executor = Executor(well)
    driver, _ = driver_of(block(2), executor, restored={at(BODY): result(at(BODY), Status.OK)}.get)
    asyncio.get_running_loop().call_soon(driver.request_stop, "Ctrl-C")
    await driver.run()
    assert executor.ran == [at(ALWAYS_STEP)]


async def test_a_second_stop_ends_the_always_too() -> None:
    """Ctrl-C twice: what always follows is cancelled as well."""

    async def act(assignment: Assignment, turn: Turn) -> Status:
        if assignment.step == ALWAYS_STEP:
            asyncio.get_running_loop().call_soon(driver.request_stop, "Ctrl-C again")
        else:
            asyncio.get_running_loop().call_soon(driver.request_stop, "Ctrl-C")
        return await for_ever(assignment, turn)

    executor = Executor(act)
    driver, observed = driver_of(block(), executor)
    assert (await driver.run()).stopped_because == "Ctrl-C"
    assert observed.results()[f"s{ALWAYS_STEP}", "h0"].status is Status.CANCELLED


def outcome_of(assignment: Assignment, seed: int) -> Status:
    """What becomes of an assignment, the same each time it is run."""
    drawn = hash((assignment.step * 31 + assignment.position, seed)) % 7
    return {0: Status.FAILED, 1: Status.UNREACHABLE, 2: Status.CHANGED}.get(drawn, Status.OK)


async def drive(
    shape: RunShape,
    seed: int,
    *,
    stop_after: int | None = None,
    restored: dict[Assignment, Result] | None = None,
) -> Executor:
    async def act(assignment: Assignment, turn: Turn) -> Status:
        await turn.record_start(1)
        if stop_after is not None and len(executor.ran) > stop_after:
            driver.request_stop("cut")
            await asyncio.sleep(0)
        if outcome_of(assignment, seed) is Status.CHANGED:
            await turn.away(asyncio.sleep(0), late=True)
        return outcome_of(assignment, seed)

    executor = Executor(act)
    driver, _ = driver_of(shape, executor, restored=(restored or {}).get)
    assert (await driver.run()).bug is None
    return executor


@given(drafts(limited=False), st.integers(0, 1000), st.integers(0, 12))
def test_a_run_that_was_cut_and_resumed_ends_as_one_that_was_not(draft: Draft, seed: int, cut: int) -> None:
    """Cut anywhere and replayed with what ended well, a run comes to the same results on every host and block."""
    asyncio.run(cut_and_resume(draft.shape, seed, cut))


async def cut_and_resume(shape: RunShape, seed: int, cut: int) -> None:
    whole = await drive(shape, seed)
    first = await drive(shape, seed, stop_after=cut)
    kept = {a: r for a, r in first.over.items() if a in first.ran and r.status in {Status.OK, Status.CHANGED}}
    second = await drive(shape, seed, restored=kept)
    assert not set(second.ran) & set(kept)
    assert {a: r.status for a, r in second.over.items()} == {a: r.status for a, r in whole.over.items()}
    assert second.passes == whole.passes


async def test_any_errors_is_told_by_the_word_of_the_author() -> None:
    """It is a limit of 0 that nobody wrote, so no limit is named; one that somebody wrote is."""
    shape = RunShape(
        (StepShape(range(3), counters=[((0, 1),)] * 3),),
        (1,),
        (Policy(0, 0, max_fail=0, max_unreachable=0, stop_running=True),),
    )
    driver, _ = driver_of(shape, Executor(badly))
    assert (await driver.run()).policy == "`any_errors: stop` of `s0`: 1 of 3 hosts failed"
    shape = replace(shape, policies=(replace(shape.policies[0], stop_running=False),))
    driver, _ = driver_of(shape, Executor(badly))
    assert (await driver.run()).policy == "`max_fail` of `s0` is exceeded: 1 of 3 hosts failed"
