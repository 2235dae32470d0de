"""Acts for the machine: the only owner of the run's asyncio tasks, and the only place that tells it what happened.

The end of an assignment is taken from its task's done callback, not from code inside the task: a task cancelled before
its first step never runs any. Commands are worked off in slices, so that ten thousand skips do not keep the loop from
reading what the hosts send.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from runner.engine.commands import (
    Abandon,
    Cancel,
    CheckWave,
    Command,
    Finish,
    Judge,
    Passed,
    PolicyBroke,
    Skip,
    Start,
    WaveBegan,
)
from runner.engine.events import Ended, Event, Judged, RunBegan, StopRequested, WaveChecked
from runner.engine.machine import RunMachine
from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    Notice,
    Observer,
    PolicyStopped,
    RunEvent,
    WaveStarted,
)
from runner.engine.port import Clock, Executor, Recorder
from runner.engine.reasons import Reasons
from runner.engine.recording import Recording
from runner.engine.result import Result, Status
from runner.engine.shape import Assignment, RunShape
from runner.engine.turns import WorkingTurn
from runner.engine.unrun import cancelled, internal, unrecorded
from runner.errors import JournalError
from runner.units import format_duration

_SLICE = 256  # commands between two turns of the event loop: about a millisecond of skips

Label = Callable[[Assignment], tuple[str, str]]
"""Gives the step's id and the host's name of an assignment; of a junction the block's id."""


@dataclass(frozen=True, slots=True)
class DriveOutcome:
    """How the drive ended.

    Why it was stopped early, if it was; the first exception that was our own bug; the first limit that was exceeded, as
    a sentence; the error of the run's record, which stopped it in order; how many results were restored.
    """

    stopped_because: str | None = None
    bug: BaseException | None = None
    policy: str | None = None
    journal_error: JournalError | None = None
    restored: int = 0


class Driver:
    """Drives one run to its end; single use.

    Args:
        shape: the plan in numbers.
        executor: runs assignments.
        observer: is told what happens.
        clock: for the times of what is told.
        label: the names of an assignment.
        recorder: keeps starts and ends where they outlive this process; None keeps nothing.
        restored: the result that an earlier part of the run recorded of an assignment that ended well, None where it
            has to run. It is taken as it is, nothing is recorded again, and no later decision takes it back.
        passed_waves: whether the earlier part recorded that a wave (of a policy, from 0) may be followed by the next.
        policy_name: the step or block of a policy; by default the label of its ``start``.
        always_limit: seconds that ``always`` steps have after a stop.

    Raises:
        ValueError: the shape contradicts itself.

    """

    def __init__(  # noqa: PLR0913 - the ports of a run, each by its name
        self,
        shape: RunShape,
        executor: Executor,
        *,
        observer: Observer,
        clock: Clock,
        label: Label,
        recorder: Recorder | None = None,
        restored: Callable[[Assignment], Result | None] | None = None,
        passed_waves: Callable[[int, int], bool] | None = None,
        policy_name: Callable[[int], str] | None = None,
        always_limit: float = 300.0,
    ) -> None:
        self._machine = RunMachine(shape)
        self._shape = shape
        self._executor = executor
        self._observer = observer
        self._clock = clock
        self._label = label
        self._record = Recording(recorder, label, self._stop_unrecorded, self._note_bug)
        self._restored = restored
        self._passed_waves = passed_waves or (lambda _, __: False)
        self._policy_name = policy_name or (lambda policy: self._name(shape.policies[policy].start))
        self._always_limit = always_limit
        self._commands: deque[Command] = deque()
        self._turns: dict[Assignment, WorkingTurn] = {}
        self._checks: set[asyncio.Task[str | None]] = set()
        self._reasons = Reasons(shape, self._name, self._policy_name)
        self._finished = asyncio.Event()
        self._pumping = False
        self._began = False
        self._stopped_because: str | None = None
        self._always_timer: asyncio.TimerHandle | None = None
        self._bug: BaseException | None = None
        self._restored_count = 0

    async def run(self, *, time_limit: float | None = None) -> DriveOutcome:
        """Run everything, within ``time_limit`` seconds where there is one.

        A cancellation of this coroutine is taken as a stop: what runs on hosts is ended first, then it is raised.
        """
        timer: asyncio.TimerHandle | None = None
        if time_limit is not None:
            reason = f"the run's timeout of {format_duration(time_limit)}"
            timer = asyncio.get_running_loop().call_later(time_limit, self._stop_once, reason)
        self._began = True
        self._tell(RunBegan())
        if self._stopped_because is not None:
            self._tell(StopRequested())
        ended_by: asyncio.CancelledError | None = None
        while not self._finished.is_set() or self._turns or self._checks:
            try:
                await self._finished.wait()
                for check in self._checks:
                    check.cancel()
                tasks = {turn.task for turn in self._turns.values() if turn.task is not None}
                if left := {*tasks, *self._checks}:
                    await asyncio.wait(left)
            except asyncio.CancelledError as error:
                ended_by = error
                self.request_stop("cancelled")
        for handle in (timer, self._always_timer):
            if handle is not None:
                handle.cancel()
        if ended_by is not None:
            raise ended_by
        return DriveOutcome(
            self._stopped_because, self._bug, self._reasons.first, self._record.error, self._restored_count
        )

    @property
    def stopped_because(self) -> str | None:
        """Why the run was stopped, None while it is not."""
        return self._stopped_because

    def request_stop(self, reason: str) -> None:
        """Start nothing more and end what runs; ``always`` of blocks that were begun still has its time.

        Asked again it hurries those stops and ends ``always`` too. ``reason`` is shown: ``Ctrl-C``.
        """
        if self._stopped_because is not None:
            self._executor.hurry()
            self._stop_wholly()
            return
        self._stopped_because = reason
        if self._began and not self._finished.is_set():
            self._announce(Notice(f"stopping: {reason}", self._clock.utc()))
            for check in self._checks:
                check.cancel()
            self._tell(StopRequested())
            loop = asyncio.get_running_loop()
            self._always_timer = loop.call_later(self._always_limit, self._end_always)

    def _end_always(self) -> None:
        if not self._finished.is_set():
            time = format_duration(self._always_limit)
            self._announce(
                Notice(f"what runs after the stop took longer than {time} and is ended", self._clock.utc())
            )
            self._stop_wholly()

    def _stop_wholly(self) -> None:
        if self._began and not self._finished.is_set():
            self._tell(StopRequested(wholly=True))

    def _tell(self, event: Event) -> None:
        if self._finished.is_set():
            return
        try:
            self._commands.extend(self._machine.handle(event))
        except Exception as error:  # noqa: BLE001 - a broken machine is our bug and must not leave the run hanging
            self._give_up(error)
        if not self._pumping:
            self._pump()

    def _give_up(self, error: Exception) -> None:
        """Nothing can be decided any more: end what runs, so that the bug can be handed out."""
        self._bug = self._bug or error
        self._stopped_because = self._stopped_because or "an internal error"
        self._commands.clear()
        self._finished.set()
        for assignment in list(self._turns):
            self._cancel(assignment)

    def _pump(self) -> None:
        """Do what was commanded, a slice at a time; what it leads to joins the end of the same queue."""
        self._pumping = True
        for _ in range(_SLICE):
            if not self._commands:
                self._pumping = False
                return
            self._act(self._commands.popleft())
        asyncio.get_running_loop().call_soon(self._pump)

    def _act(self, command: Command) -> None:
        match command:
            case Start(assignment):
                self._start(assignment)
            case Judge(assignment):
                self._judge(assignment)
            case Skip(assignment):
                self._skip(assignment, command)
            case Abandon(assignment):
                self._close_unstarted(assignment, self._cancelled(assignment))
            case Cancel(assignment):
                self._cancel(assignment)
            case Passed():
                self._passed(command)
            case WaveBegan(policy, wave):
                waves = self._shape.policies[policy].waves
                name, hosts = self._policy_name(policy), waves[wave].size
                self._announce(WaveStarted(name, wave + 1, len(waves), hosts, self._clock.utc()))
            case CheckWave(policy, wave):
                self._check_wave(policy, wave)
            case PolicyBroke():
                self._broke(command)
            case Finish():
                self._finished.set()

    def _start(self, assignment: Assignment) -> None:
        if (turn := self._turns.get(assignment)) is not None:
            turn.granted()
            self._announce_start(assignment)
            return
        if self._restored is not None and (result := self._restored(assignment)) is not None:
            self._close(assignment, result, restored=True)
            self._tell(_ended(assignment, result))
            return
        if self._machine.is_cancelled(assignment):  # that overtook it in the queue
            self._close(assignment, self._cancelled(assignment))
            self._tell(Ended(assignment, bad=True, began=False))
            return
        self._announce_start(assignment)
        turn = self._turns[assignment] = WorkingTurn(assignment, self._tell, self._record.started)
        turn.task = asyncio.get_running_loop().create_task(self._work(assignment, turn))
        turn.task.add_done_callback(partial(self._task_done, assignment))

    async def _work(self, assignment: Assignment, turn: WorkingTurn) -> Result:
        turn.began = True
        return await self._executor.run(assignment, turn)

    def _announce_start(self, assignment: Assignment) -> None:
        step, host = self._label(assignment)
        self._announce(AssignmentStarted(step, host, self._clock.utc()))

    def _cancel(self, assignment: Assignment) -> None:
        turn = self._turns.get(assignment)
        if turn is not None and turn.task is not None:
            turn.end()
            turn.task.cancel()

    def _task_done(self, assignment: Assignment, task: asyncio.Task[Result]) -> None:
        turn = self._turns.pop(assignment)
        if turn.parked and (start := Start(assignment)) in self._commands:
            self._commands.remove(start)  # it ended before it heard that its slots are there
        if task.cancelled():
            result = self._cancelled(assignment)
        elif isinstance(error := task.exception(), JournalError):
            result = unrecorded(*self._label(assignment), error, acted=turn.acted)
        elif error is not None:
            result = self._internal(assignment, error)
        else:
            result = task.result()
        self._close(assignment, result)
        self._tell(_ended(assignment, result, began=turn.began))

    def _judge(self, assignment: Assignment) -> None:
        junction = self._shape.steps[assignment.step].junction
        result = None if self._restored is None or junction else self._restored(assignment)
        if result is not None:
            proceed = result.status is not Status.SKIPPED
            if not proceed:
                self._close(assignment, result, restored=True)
            self._tell(Judged(assignment, proceed, not proceed and result.bad))
            return
        try:
            verdict = self._executor.judge(assignment)
        except Exception as error:  # noqa: BLE001 - an exception here is our bug and must not leave the run hanging
            result = self._internal(assignment, error)
        else:
            result = None if verdict.proceed else verdict.result
        if result is not None and junction:
            self._reasons.junction_refused(assignment, result)
        elif result is not None:
            self._close(assignment, result)
        self._tell(Judged(assignment, result is None, result is not None and result.bad))

    def _skip(self, assignment: Assignment, skip: Skip) -> None:
        reason = self._reasons.of_skip(skip)
        if not self._shape.steps[assignment.step].junction:
            try:
                result = self._executor.skipped(assignment, reason, held_back=skip.held_back)
            except Exception as error:  # noqa: BLE001 - as in _judge
                result = self._internal(assignment, error)
            self._close_unstarted(assignment, result)

    def _passed(self, passed: Passed) -> None:
        try:
            self._executor.passed(
                passed.assignment, entered=passed.entered, bad=passed.bad, rescued=passed.rescued
            )
        except Exception as error:  # noqa: BLE001 - as in _judge
            self._note_bug(error)

    def _check_wave(self, policy: int, wave: int) -> None:
        if self._passed_waves(policy, wave):
            self._tell(WaveChecked(policy, wave, passed=True))
            return
        task = asyncio.get_running_loop().create_task(_checked(self._executor, policy, wave))
        self._checks.add(task)
        task.add_done_callback(partial(self._wave_checked, policy, wave))

    def _wave_checked(self, policy: int, wave: int, task: asyncio.Task[str | None]) -> None:
        self._checks.discard(task)
        passed = False
        if task.cancelled():
            self._reasons.check_refused(policy, "the run was stopped")
        elif (error := task.exception()) is not None:
            self._note_bug(error)
            self._reasons.check_refused(policy, "the runner itself failed")
        elif (said := task.result()) is not None:
            self._reasons.check_refused(policy, said)
        else:
            passed = True
            self._record.wave_passed(self._policy_name(policy), wave)
        self._tell(WaveChecked(policy, wave, passed))

    def _broke(self, broke: PolicyBroke) -> None:
        name = None if broke.policy is None else self._policy_name(broke.policy)
        reason = self._reasons.of_break(broke)
        self._announce(PolicyStopped(name, reason, broke.running, self._clock.utc()))
        self._record.broke(name, reason)

    def _close_unstarted(self, assignment: Assignment, result: Result) -> None:
        """It did not run now. What an earlier part of the run recorded of it stays true, whatever was decided now."""
        earlier = None if self._restored is None else self._restored(assignment)
        self._close(assignment, earlier or result, restored=earlier is not None)

    def _close(self, assignment: Assignment, result: Result, *, restored: bool = False) -> None:
        """Hand the result on; it is registered and recorded before anybody hears of it."""
        try:
            self._executor.ended(assignment, result)
        except Exception as error:  # noqa: BLE001 - as in _judge
            self._note_bug(error)
        if not restored:
            self._record.ended(result)
        self._restored_count += restored
        self._announce(AssignmentEnded(result, self._clock.utc(), restored=restored))

    def _announce(self, event: RunEvent) -> None:
        try:
            self._observer.on_event(event)
        except Exception as error:  # noqa: BLE001 - as in _judge
            self._note_bug(error)

    def _name(self, step: int) -> str:
        return self._label(Assignment(step, 0))[0]

    def _cancelled(self, assignment: Assignment) -> Result:
        label = self._label(assignment)
        if self._stopped_because is None:
            return cancelled(*label, self._reasons.first or "its step was stopped", run=False)
        return cancelled(*label, f"the run was stopped ({self._stopped_because})")

    def _internal(self, assignment: Assignment, error: BaseException) -> Result:
        """Our bug as a result; the exception itself is handed out at the end."""
        self._note_bug(error)
        return internal(*self._label(assignment), error)

    def _note_bug(self, error: BaseException) -> None:
        if self._bug is None:
            self._bug = error
            asyncio.get_running_loop().call_soon(self._stop_once, "an internal error")

    def _stop_unrecorded(self) -> None:
        asyncio.get_running_loop().call_soon(self._stop_once, "the run's record cannot be written")

    def _stop_once(self, reason: str) -> None:
        if self._stopped_because is None:
            self.request_stop(reason)


def _ended(assignment: Assignment, result: Result, *, began: bool = True) -> Ended:
    return Ended(assignment, result.bad, result.bad and result.status is Status.UNREACHABLE, began)


async def _checked(executor: Executor, policy: int, wave: int) -> str | None:
    return await executor.check_wave(policy, wave)
