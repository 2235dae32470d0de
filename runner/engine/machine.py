"""The run as a state machine: events in, commands out; no I/O, no clock, no names.

::

    WAITING ──needs over──> JUDGING ──> QUEUED ──all counters have room──> RUNNING <──room── RESUMING
       │  └──> HELD ──wave──> │            │                                │    └──> PARKED ───┘
       └── run_if says no     └── no       └── limit exceeded, stopped      └── ended ──┴──> OVER

It keeps two bytes of state for an assignment and what :mod:`runner.engine.dependencies` keeps, nothing else, so a run
of a million assignments fits a small machine. It never calls out, so it cannot be called back in the middle of a
change. What limits and waves do is in :mod:`runner.engine.limits`, who is inside of a block in
:mod:`runner.engine.entries`.
"""

from __future__ import annotations

from bisect import bisect_right

from runner.engine import entries
from runner.engine.commands import Abandon, Command, Finish, Judge, Passed, Skip, Start, Why
from runner.engine.dependencies import CLEAN, taint_of
from runner.engine.events import (
    Ended,
    Event,
    Judged,
    Parked,
    Resumed,
    RunBegan,
    StopRequested,
    WaveChecked,
)
from runner.engine.invariants import check
from runner.engine.limits import Limits
from runner.engine.outcome import outcome
from runner.engine.shape import Assignment, RunShape
from runner.engine.state import AT_WORK, IllegalTransition, Mark, Stage, State

__all__ = ["IllegalTransition", "RunMachine", "Stage"]


class RunMachine:
    """Decides for every assignment when it starts or that it does not; each is over once, then comes ``Finish``.

    Raises:
        ValueError: the shape would hang a run, or contradicts itself.

    """

    __slots__ = ("_first", "_limits", "_stage", "_steps", "state")

    def __init__(self, shape: RunShape) -> None:
        self.state = State(shape)
        self._limits = Limits(self.state)
        self._steps = shape.steps
        self._first = self.state.dependencies.first
        self._stage = self.state.stage

    @property
    def total(self) -> int:
        """How many assignments and passed junctions the run has; ``over`` says how many of them are over."""
        return self.state.dependencies.total

    @property
    def over(self) -> int:
        """How many are over."""
        return self.state.over

    def is_cancelled(self, assignment: Assignment) -> bool:
        """Whether ``Cancel`` was commanded for it."""
        state = self.state
        return state.cancelled and bool(state.mark[state.dependencies.number(assignment)] & Mark.CANCELLED)

    def handle(self, event: Event) -> list[Command]:
        """Take one event; gives what is to be done now, in order.

        Raises:
            IllegalTransition: the event cannot follow what was, or nothing is left that could go on.

        """
        state = self.state
        if state.began == isinstance(event, RunBegan):
            raise IllegalTransition(f"{event} while the run has {'' if state.began else 'not '}begun")
        match event:
            case Ended():
                self._end(event)
            case Judged():
                self._judged(event)
            case Parked():
                self._park(event)
            case Resumed():
                self._resume(event)
            case WaveChecked():
                self._limits.checked(event)
                state.active -= 1
            case RunBegan():
                state.began = True
                state.ready.extend(state.dependencies.ready_at_once())
                self._finish_if_over()
            case StopRequested():
                self._stop(wholly=event.wholly)
        self._advance()
        if not state.active and state.over < self.total:
            raise IllegalTransition(
                f"after {event} nothing goes on, with {self.total - state.over} of {self.total} left"
            )
        commands, state.commands = state.commands, []
        return commands

    def _judged(self, event: Judged) -> None:
        number = self._expect(event.assignment, event, Stage.JUDGING)
        step, position = event.assignment.step, event.assignment.position
        self.state.active -= 1
        if not event.proceed:
            own = taint_of(step) if event.bad else CLEAN
            if self._steps[step].junction:
                self.state.mark[number] |= Mark.BAD if event.bad else 0
                self._shut(number, event.assignment, held_back=event.bad)
            if event.bad and self._steps[step].enter is not None:
                entries.spoil(self.state, step, position)
            self._ended(number, step, position, own)
        elif self.state.stopping and not entries.goes_on(self.state, step, position):
            self._abandon(number, event.assignment)
        elif self._limits.any_broken and (
            self._not_entered(number, step, position) or self._refused(number, step, position)
        ):
            return  # a limit was exceeded meanwhile
        else:
            self._go(number, step, position)

    def _end(self, event: Ended) -> None:
        step, position = event.assignment.step, event.assignment.position
        number = self._first[step] + position
        if self._stage[number] != Stage.RUNNING:
            self._expect(event.assignment, event, *AT_WORK)
        stage = self._stage[number]
        if stage == Stage.RUNNING:
            self.state.admission.release(number)
        elif stage == Stage.RESUMING:
            self.state.admission.withdraw(number)
        self.state.active -= 1
        if not event.began:
            self._never_began(step, position)
        own = taint_of(step, unreachable=event.unreachable) if event.bad else CLEAN
        self._ended(number, step, position, own)

    def _never_began(self, step: int, position: int) -> None:
        """Its start was overtaken: turn the host out of blocks it may not begin any more, as if it had waited."""
        state = self.state
        for block, place in entries.take_back(state, step, position):
            if state.stopping:
                if not entries.goes_on(state, block.entry, place):
                    entries.turn_out(state, block, {place: None})
            elif (
                not entries.is_inside(state, block, place)
                and (refusal := self._limits.refuses(block.entry, place)) is not None
            ):
                state.recall(entries.turn_out(state, block, {place: refusal}))

    def _ended(self, number: int, step: int, position: int, own: int) -> None:
        """It is over with this taint of its own; what taints it from upstream goes on from it too."""
        dependencies = self.state.dependencies
        cause = dependencies.cause(step, position) if dependencies.stained else CLEAN
        self._over(number, step, position, own if cause == CLEAN else cause, own)

    def _park(self, event: Parked) -> None:
        number = self._expect(event.assignment, event, Stage.RUNNING)
        self._stage[number] = Stage.PARKED
        self.state.admission.release(number)
        if event.late and not self.state.stopping:
            self._limits.late(event.assignment.step, event.assignment.position)

    def _resume(self, event: Resumed) -> None:
        """Whoever was cancelled meanwhile gets no slots any more: its end is awaited."""
        number = self._expect(event.assignment, event, Stage.PARKED)
        if not self.state.mark[number] & Mark.CANCELLED:
            self._stage[number] = Stage.RESUMING
            self.state.admission.offer(number)

    def _stop(self, *, wholly: bool) -> None:
        state = self.state
        if state.over == self.total or (state.stopping and (state.wholly or not wholly)):
            return
        state.stopping, state.wholly = True, wholly
        for block in state.blocks.outer_first:
            outside = entries.outside(state, block, Mark.BEGUN)
            places = [place for place in outside if not entries.goes_on(state, block.entry, place)]
            entries.turn_out(state, block, dict.fromkeys(places))
        anchors = [() if wholly else found for found in state.blocks.anchors]
        for step, shape in enumerate(self._steps):
            first = self._first[step]
            for position in range(len(shape.hosts)):
                number = first + position
                stage = self._stage[number]
                if stage in {Stage.OVER, Stage.JUDGING} or (
                    anchors[step] and entries.goes_on(state, step, position)
                ):
                    continue
                if stage in AT_WORK:
                    state.cancel(number)
                else:
                    self._abandon(number, Assignment(step, position))
        for number in list(state.all_in((Stage.HELD,))):  # of an always: waves do not count any more
            self._stage[number] = Stage.WAITING
            state.ready.append(number)
        state.offer_again()

    def _abandon(self, number: int, assignment: Assignment) -> None:
        step, position = assignment.step, assignment.position
        if not self._steps[step].junction:
            self.state.commands.append(Abandon(assignment))
        elif step in self.state.blocks.of_end and entries.was_entered(self.state, step, position):
            self.state.commands.append(Passed(assignment, entered=True, bad=True))
        else:
            self._shut(number, assignment, held_back=True)
        taint = taint_of(step)
        self._over(number, step, position, taint, taint)

    def _advance(self) -> None:
        """Decide about all whose needs are over, then start whatever has room; a list, not a recursion."""
        state, take = self.state, self.state.admission.take
        while state.ready:
            self._decide(state.ready.popleft())
        while (number := take()) is not None:
            step = bisect_right(self._first, number) - 1
            position = number - self._first[step]
            if self._stage[number] == Stage.QUEUED:
                state.active += 1
                if self._limits.watched[step]:
                    self._limits.started(step, position)
                if self._steps[step].enter is not None:
                    entries.begin(state, step, position)
            self._stage[number] = Stage.RUNNING
            state.commands.append(Start(Assignment(step, position)))

    def _decide(self, number: int) -> None:
        """The block's entry, ``run_if``, limits and waves, then the question for ``when``, then the queue."""
        if self._stage[number] != Stage.WAITING:
            return  # abandoned since
        step = bisect_right(self._first, number) - 1
        position = number - self._first[step]
        if self.state.stopping and not entries.goes_on(self.state, step, position):
            self._abandon(number, Assignment(step, position))
            return
        shape = self._steps[step]
        if shape.junction and step in self.state.blocks.of_end:
            self._end_block(number, step, position)
            return
        if shape.enter is not None and self._not_entered(number, step, position):
            return
        limits = self._limits
        if (
            self.state.dependencies.stained or shape.run_if != "success" or limits.any_broken
        ) and self._refused(number, step, position):
            return
        if limits.watched[step] and not self.state.stopping and limits.holds(step, position):
            self._stage[number] = Stage.HELD
        elif shape.judged:
            self._stage[number] = Stage.JUDGING
            self.state.active += 1
            self.state.commands.append(Judge(Assignment(step, position)))
        else:
            self._go(number, step, position)

    def _refused(self, number: int, step: int, position: int) -> bool:
        """Skip what ``run_if`` or a limit does not let begin; says whether it did.

        What stands behind a limit that was exceeded is as if something bad were upstream. That is known of steps, so it
        is no taint of the host: the rescue of a block is for hosts on which something went bad.
        """
        cause, limits = self.state.dependencies.cause(step, position), self._limits
        if cause == CLEAN and limits.doomed:
            cause = limits.doomed.get(step, CLEAN)
        run_if = self._steps[step].run_if
        if run_if == "success" and cause != CLEAN:
            self._skip(number, step, position, cause, Why.UPSTREAM, cause >> 1)
        elif run_if == "failure" and cause == CLEAN:
            self._skip(number, step, position, CLEAN, Why.NOTHING_BAD, None)
        elif limits.any_broken and (refusal := limits.refuses(step, position)) is not None:
            taint = taint_of(step) if cause == CLEAN else cause
            self._skip(number, step, position, taint, *refusal)
        else:
            return False
        return True

    def _not_entered(self, number: int, step: int, position: int) -> bool:
        """Skip it as the junction before it was skipped; says whether that was so."""
        dependencies, mark = self.state.dependencies, self.state.mark
        before = dependencies.entered_by(step, position)
        if before is None or not mark[before] & Mark.SHUT:
            return False
        taint = dependencies.taint(before) if mark[before] & Mark.HELD_BACK else CLEAN
        outer: int | None = before
        cause = step
        while outer is not None and mark[outer] & Mark.SHUT:
            at = dependencies.locate(outer)
            cause = at.step
            outer = dependencies.entered_by(at.step, at.position)
        if cause in self.state.blocks.rescues:
            self._skip(number, step, position, taint, Why.NOTHING_BAD, None)
        else:
            self._skip(number, step, position, taint, Why.NOT_ENTERED, cause)
        return True

    def _skip(self, number: int, step: int, position: int, taint: int, why: Why, cause: int | None) -> None:
        assignment = Assignment(step, position)
        held_back = taint != CLEAN
        self.state.commands.append(Skip(assignment, held_back, cause, why))
        if self._steps[step].junction:
            self._shut(number, assignment, held_back=held_back)
        self._over(number, step, position, taint, CLEAN)

    def _shut(self, number: int, assignment: Assignment, *, held_back: bool) -> None:
        self.state.mark[number] |= Mark.SHUT | (Mark.HELD_BACK if held_back else 0)
        self.state.commands.append(Passed(assignment, entered=False))

    def _go(self, number: int, step: int, position: int) -> None:
        """It may begin: a junction is passed at once, a step waits for room."""
        if not self._steps[step].junction:
            self._stage[number] = Stage.QUEUED
            self.state.admission.offer(number)
            return
        self._limits.started(step, position)
        self.state.commands.append(Passed(Assignment(step, position), entered=True))
        self._ended(number, step, position, CLEAN)

    def _end_block(self, number: int, step: int, position: int) -> None:
        state = self.state
        entered, own, rescued = outcome(state, step, position)
        state.commands.append(Passed(Assignment(step, position), entered, own != CLEAN, rescued))
        taint = state.dependencies.cause(step, position) if own == CLEAN else own
        self._over(number, step, position, taint, own)

    def _over(self, number: int, step: int, position: int, taint: int, own: int) -> None:
        """It is over; ``own`` is the taint it caused itself, ``taint`` what goes on from it."""
        state = self.state
        self._stage[number] = Stage.OVER
        state.over += 1
        if not state.stopping:
            if self._limits.watched[step]:
                self._limits.over(step, position, own)
            state.ready.extend(state.dependencies.settle(step, position, taint))
        elif state.blocks.of_end and not state.wholly:  # an always may still wait for it
            state.ready.extend(state.dependencies.settle(step, position, taint))
        if state.over == len(self._stage):
            state.commands.append(Finish())

    def _finish_if_over(self) -> None:
        if self.state.over == self.total:
            self.state.commands.append(Finish())

    def _expect(self, assignment: Assignment, event: Event, *stages: Stage) -> int:
        number = self.state.dependencies.number(assignment)
        if self._stage[number] not in stages:
            was = Stage(self._stage[number]).name.lower()
            needs = self.state.dependencies.open_needs(number)
            raise IllegalTransition(
                f"{event} while it is {was} with {needs} needs open, not {stages[0].name.lower()}"
            )
        return number

    def check(self) -> None:
        """Hold what must be true between two events; for tests, it looks at every assignment.

        Raises:
            AssertionError: the machine is broken, with what contradicts what.

        """
        check(self.state, self._limits.refuses)
