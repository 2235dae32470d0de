"""Acts for the machine: the only owner of the run's asyncio tasks, and the only place that tells it what happened.

The end of an assignment is taken from its task's done callback, not from code inside the task: a task cancelled before
its first step never runs any. Commands are worked off in slices, so that ten thousand skips do not keep the loop from
reading what the hosts send.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from runner.engine.commands import Abandon, Cancel, Command, Finish, Judge, Skip, Start
from runner.engine.events import Ended, Event, Judged, RunBegan, StopRequested
from runner.engine.machine import RunMachine
from runner.engine.observe import AssignmentEnded, AssignmentStarted, Notice, Observer
from runner.engine.port import Clock, Executor, Waited
from runner.engine.result import Failure, Result, Status
from runner.engine.shape import Assignment, RunShape
from runner.units import format_duration

_SLICE = 256  # commands between two turns of the event loop: about a millisecond of skips

Label = Callable[[Assignment], tuple[str, str]]
"""Gives the step's id and the host's name of an assignment."""


@dataclass(frozen=True, slots=True)
class DriveOutcome:
    """How the drive ended: why it was stopped early, if it was, and the first exception that was our own bug."""

    stopped_because: str | None = None
    bug: BaseException | None = None


class _Turn:
    """A turn that keeps its slots."""

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        """Nothing is recorded."""

    async def away(self, waiting: Awaitable[Waited], *, late: bool = False) -> Waited:
        """Wait."""
        del late
        return await waiting

    def workers(self, count: int) -> None:
        """Nothing is parked."""


class Driver:
    """Drives one run to its end; single use."""

    def __init__(
        self, shape: RunShape, executor: Executor, *, observer: Observer, clock: Clock, label: Label
    ) -> None:
        self._machine = RunMachine(shape)
        self._executor = executor
        self._observer = observer
        self._clock = clock
        self._label = label
        self._commands: deque[Command] = deque()
        self._tasks: dict[Assignment, asyncio.Task[Result]] = {}
        self._finished = asyncio.Event()
        self._pumping = False
        self._began = False
        self._stopped_because: str | None = None
        self._bug: BaseException | None = None

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
        cancelled: asyncio.CancelledError | None = None
        while not self._finished.is_set():
            try:
                await self._finished.wait()
            except asyncio.CancelledError as error:
                cancelled = error
                self.request_stop("cancelled")
        if timer is not None:
            timer.cancel()
        if cancelled is not None:
            raise cancelled
        return DriveOutcome(self._stopped_because, self._bug)

    def request_stop(self, reason: str) -> None:
        """Start nothing more and end what runs; asked again it hurries those stops. ``reason`` is shown: ``Ctrl-C``."""
        if self._stopped_because is not None:
            self._executor.hurry()
            return
        self._stopped_because = reason
        if self._began and not self._finished.is_set():
            self._announce(Notice(f"stopping: {reason}", self._clock.utc()))
            self._tell(StopRequested())

    def _tell(self, event: Event) -> None:
        self._commands.extend(self._machine.handle(event))
        if not self._pumping:
            self._pump()

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
                self._close(assignment, self._cancelled(assignment))
            case Cancel(assignment):
                if (task := self._tasks.get(assignment)) is not None:
                    task.cancel()
            case Finish():
                self._finished.set()

    def _start(self, assignment: Assignment) -> None:
        if self._stopped_because is not None:  # the stop overtook it in the queue
            self._close(assignment, self._cancelled(assignment))
            self._tell(Ended(assignment, bad=True))
            return
        step, host = self._label(assignment)
        self._announce(AssignmentStarted(step, host, self._clock.utc()))
        task = asyncio.get_running_loop().create_task(self._executor.run(assignment, _Turn()))
        self._tasks[assignment] = task
        task.add_done_callback(partial(self._task_done, assignment))

    def _task_done(self, assignment: Assignment, task: asyncio.Task[Result]) -> None:
        del self._tasks[assignment]
        if task.cancelled():
            result = self._cancelled(assignment)
        elif (error := task.exception()) is not None:
            result = self._internal(assignment, error)
        else:
            result = task.result()
        self._close(assignment, result)
        self._tell(Ended(assignment, result.bad))

    def _judge(self, assignment: Assignment) -> None:
        try:
            verdict = self._executor.judge(assignment)
        except Exception as error:  # noqa: BLE001 - an exception here is our bug and must not leave the run hanging
            result: Result | None = self._internal(assignment, error)
        else:
            result = None if verdict.proceed else verdict.result
        if result is not None:
            self._close(assignment, result)
        self._tell(Judged(assignment, result is None, result is not None and result.bad))

    def _skip(self, assignment: Assignment, command: Skip) -> None:
        if command.cause is None:
            reason = "nothing before it went wrong"
        else:
            reason = f"`{self._label(Assignment(command.cause, 0))[0]}` did not succeed"
        try:
            result = self._executor.skipped(assignment, reason, held_back=command.held_back)
        except Exception as error:  # noqa: BLE001 - as in _judge
            result = self._internal(assignment, error)
        self._close(assignment, result)

    def _close(self, assignment: Assignment, result: Result) -> None:
        """Hand the result on; it is registered before anybody hears of it."""
        try:
            self._executor.ended(assignment, result)
        except Exception as error:  # noqa: BLE001 - as in _judge
            self._note_bug(error)
        self._announce(AssignmentEnded(result, self._clock.utc()))

    def _announce(self, event: AssignmentStarted | AssignmentEnded | Notice) -> None:
        try:
            self._observer.on_event(event)
        except Exception as error:  # noqa: BLE001 - as in _judge
            self._note_bug(error)

    def _cancelled(self, assignment: Assignment) -> Result:
        step, host = self._label(assignment)
        message = f"not started: the run was stopped ({self._stopped_because})"
        failure = Failure("run-stopped", message, phase="plan")
        return Result(step=step, host=host, status=Status.CANCELLED, failure=failure)

    def _internal(self, assignment: Assignment, error: BaseException) -> Result:
        """Our bug as a result, so that the run still ends in order; the exception itself is handed out at the end."""
        self._note_bug(error)
        step, host = self._label(assignment)
        message = f"the runner itself failed: {type(error).__name__}: {error}"
        failure = Failure("internal", message, may_have_run=True)
        return Result(step=step, host=host, status=Status.FAILED, failure=failure)

    def _note_bug(self, error: BaseException) -> None:
        if self._bug is None:
            self._bug = error
            asyncio.get_running_loop().call_soon(self._stop_once, "an internal error")

    def _stop_once(self, reason: str) -> None:
        if self._stopped_because is None:
            self.request_stop(reason)
