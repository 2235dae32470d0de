"""The run as a state machine: events in, commands out; no I/O, no clock, no names.

::

    waiting ──needs over──> judging ──goes on──> queued ──all counters have room──> running ──> over
       │                       │                    │
       └── run_if says no      └── does not go on   └── stopped                              ──> over

It keeps a byte of state for an assignment and what :mod:`runner.engine.dependencies` keeps, nothing else, so a run of a
million assignments fits a small machine. It never calls out, so it cannot be called back in the middle of a change.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from runner.engine.admission import Admission
from runner.engine.commands import Abandon, Cancel, Command, Finish, Judge, Skip, Start
from runner.engine.dependencies import Dependencies
from runner.engine.events import Ended, Event, Judged, RunBegan, StopRequested
from runner.engine.shape import Assignment, RunShape


class Stage(IntEnum):
    """Where an assignment is on its way."""

    WAITING = 0
    JUDGING = 1
    QUEUED = 2
    RUNNING = 3
    OVER = 4


class IllegalTransition(Exception):
    """An event came that cannot follow what was; the message tells the assignment's story."""


class RunMachine:
    """Decides for every assignment when it starts or that it does not; each is over once, then comes ``Finish``."""

    __slots__ = (
        "_admission",
        "_began",
        "_commands",
        "_dependencies",
        "_ready",
        "_shape",
        "_stage",
        "_stopping",
        "over",
    )

    def __init__(self, shape: RunShape) -> None:
        self._shape = shape
        self._dependencies = Dependencies(shape)
        self._admission = Admission(shape.limits, _shared(shape), self._counters)
        self._stage = bytearray(self._dependencies.total)
        self._ready: deque[int] = deque()
        self._commands: list[Command] = []
        self._began = False
        self._stopping = False
        self.over = 0

    @property
    def total(self) -> int:
        """How many assignments the run has; ``over`` says how many of them are over."""
        return self._dependencies.total

    def handle(self, event: Event) -> list[Command]:
        """Take one event; gives what is to be done now, in order.

        Raises:
            IllegalTransition: the event cannot follow what was.

        """
        if self._began == isinstance(event, RunBegan):
            raise IllegalTransition(f"{event} while the run has {'' if self._began else 'not '}begun")
        match event:
            case Ended(assignment, bad):
                self._end(assignment, event, bad=bad)
            case Judged(assignment, proceed, bad):
                self._judged(assignment, event, proceed=proceed, bad=bad)
            case RunBegan():
                self._began = True
                self._ready.extend(self._dependencies.ready_at_once())
                self._finish_if_over()
            case StopRequested():
                self._stop()
        self._advance()
        commands, self._commands = self._commands, []
        return commands

    def _judged(self, assignment: Assignment, event: Judged, *, proceed: bool, bad: bool) -> None:
        number = self._expect(assignment, Stage.JUDGING, event)
        if not proceed:
            self._over(number, bad=bad)
        elif self._stopping:
            self._commands.append(Abandon(assignment))
            self._over(number, bad=True)
        else:
            self._queue(number)

    def _end(self, assignment: Assignment, event: Ended, *, bad: bool) -> None:
        number = self._expect(assignment, Stage.RUNNING, event)
        self._admission.release(number)
        self._over(number, bad=bad)

    def _stop(self) -> None:
        if self._stopping or self.over == self.total:
            return
        self._stopping = True
        self._admission.withdraw_all()
        for number, stage in enumerate(self._stage):
            if stage == Stage.RUNNING:
                self._commands.append(Cancel(self._dependencies.locate(number)))
            elif stage in {Stage.WAITING, Stage.QUEUED}:
                self._commands.append(Abandon(self._dependencies.locate(number)))
                self._over(number, bad=True)

    def _advance(self) -> None:
        """Decide about all whose needs are over, then start whatever has room; a list, not a recursion."""
        while self._ready:
            self._decide(self._ready.popleft())
        while (number := self._admission.take()) is not None:
            self._stage[number] = Stage.RUNNING
            self._commands.append(Start(self._dependencies.locate(number)))

    def _decide(self, number: int) -> None:
        """``run_if``, then the question for ``when``, then the queue."""
        assignment = self._dependencies.locate(number)
        step = self._shape.steps[assignment.step]
        cause = self._dependencies.cause(number)
        if step.run_if == "success" and cause is not None:
            self._commands.append(Skip(assignment, held_back=True, cause=cause))
            self._over(number, bad=True)
        elif step.run_if == "failure" and cause is None:
            self._commands.append(Skip(assignment, held_back=False))
            self._over(number, bad=False)
        elif step.judged:
            self._stage[number] = Stage.JUDGING
            self._commands.append(Judge(assignment))
        else:
            self._queue(number)

    def _queue(self, number: int) -> None:
        self._stage[number] = Stage.QUEUED
        self._admission.offer(number)

    def _over(self, number: int, *, bad: bool) -> None:
        self._stage[number] = Stage.OVER
        self.over += 1
        if not self._stopping:
            cause = self._dependencies.cause(number)
            self._ready.extend(self._dependencies.settle(number, bad=bad, cause=cause))
        self._finish_if_over()

    def _finish_if_over(self) -> None:
        if self.over == self.total:
            self._commands.append(Finish())

    def _counters(self, number: int) -> tuple[tuple[int, int], ...]:
        assignment = self._dependencies.locate(number)
        counters = self._shape.steps[assignment.step].counters
        return counters[assignment.position] if counters else ()

    def _expect(self, assignment: Assignment, stage: Stage, event: Event) -> int:
        number = self._dependencies.number(assignment)
        if self._stage[number] != stage:
            was = Stage(self._stage[number]).name.lower()
            needs = self._dependencies.open_needs(number)
            raise IllegalTransition(
                f"{event} while it is {was} with {needs} needs open, not {stage.name.lower()}"
            )
        return number

    def check(self) -> None:
        """Hold what must be true between two events; for tests, it looks at every assignment.

        Raises:
            AssertionError: the machine is broken, with what contradicts what.

        """
        stages = [Stage(stage) for stage in self._stage]
        used = [0] * len(self._shape.limits)
        for number, stage in enumerate(stages):
            if stage is Stage.RUNNING:
                for counter, slots in self._counters(number):
                    used[counter] += slots
            _hold(stage is not Stage.QUEUED or not self._admission.has_room(number), f"{number} could start")
            open_needs = self._dependencies.open_needs(number)
            _hold(open_needs >= 0, f"{number} has {open_needs} needs")
            if self._began and not self._stopping:
                _hold(
                    (stage is Stage.WAITING) == (open_needs > 0),
                    f"{number}, {stage.name}, has {open_needs} needs",
                )
        _hold(used == self._admission.used, f"slots {self._admission.used} are taken, {used} are in use")
        for count, limit in zip(used, self._shape.limits, strict=True):
            _hold(limit is None or count <= limit, f"{count} slots of {limit} in use")
        _hold(stages.count(Stage.QUEUED) == self._admission.waiting, "the queue does not hold who is queued")
        _hold(stages.count(Stage.OVER) == self.over, f"{self.over} counted as over")


def _hold(condition: bool, story: str) -> None:
    if not condition:
        raise AssertionError(story)


def _shared(shape: RunShape) -> list[int]:
    """How many assignments use each counter.

    Raises:
        ValueError: an assignment takes more of a counter than there is, or nothing of it: it would wait for ever.

    """
    shared = [0] * len(shape.limits)
    for number, step in enumerate(shape.steps):
        for counters in step.counters:
            for counter, slots in counters:
                shared[counter] += 1
                limit = shape.limits[counter]
                if slots < 1 or (limit is not None and slots > limit):
                    raise ValueError(
                        f"step {number} takes {slots} slots of counter {counter}, which has {limit}"
                    )
    return shared
