"""What limits and waves do to a run: who is held, who is refused, and what follows when one is exceeded. Pure.

A policy that breaks closes its ``start`` and dooms whatever stands behind its ``end``: every step that a taint would
reach from there, on every host. A block in which a host has begun is not interrupted; its end carries the doom on. A
host that was let in and has not begun is turned out (:mod:`runner.engine.entries`). The rescue of a block is never
doomed by what broke inside: it looks at what became of its own host.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.engine import entries
from runner.engine.blocks import BlockShape
from runner.engine.commands import CheckWave, PolicyBroke, WaveBegan, Why
from runner.engine.dependencies import CLEAN, taint_of
from runner.engine.events import WaveChecked
from runner.engine.policies import Book, RunBook, books_of
from runner.engine.state import AT_WORK, IllegalTransition, Stage, State

_START, _END, _COUNTED = 1, 2, 4


class Limits:
    """The policies of a run at work.

    ``watched`` is not 0 for a step whose starts or ends matter; ``doomed`` has the taint of each step behind a policy
    that broke; ``any_broken`` says that somebody may have to be refused.
    """

    __slots__ = (
        "_at_end",
        "_at_start",
        "_books",
        "_inside",
        "_run",
        "_spared",
        "_state",
        "any_broken",
        "doomed",
        "watched",
    )

    def __init__(self, state: State) -> None:
        self._state = state
        self._books = books_of(state.shape, state.blocks)
        self._run = RunBook(state.shape)
        self._at_start = {book.policy.start: book for book in self._books}
        self._at_end = {book.policy.end: book for book in self._books}
        self._inside: dict[int, list[Book]] = {}
        for book in self._books:
            if book.has_waves:
                for step in book.inside:
                    self._inside.setdefault(step, []).append(book)
        self._spared: frozenset[int] = frozenset()
        self.any_broken = False
        self.doomed: dict[int, int] = {}
        self.watched = bytearray(len(state.shape.steps))
        for step in range(len(state.shape.steps)):
            self.watched[step] = (
                _START * (step in self._at_start)
                | _END * (step in self._at_end)
                | _COUNTED * self._run.counts(step)
            )

    def refuses(self, step: int, position: int) -> tuple[Why, int | None] | None:
        """Why nothing more of a step is begun on the host at this position; None where it may be."""
        book = self._at_start.get(step)
        if book is not None and book.broken:
            later = book.stopped_by is not None and book.wave_of(position) > book.stopped_by
            return (Why.WAVE if later else Why.POLICY), step
        if (
            self._run.broken
            and self._state.shape.steps[step].run_if == "success"
            and step not in self._spared
        ):
            return Why.POLICY, None
        return None

    def holds(self, step: int, position: int) -> bool:
        """Whether the position waits for its wave; the first one that asks begins the first wave."""
        book = self._at_start.get(step)
        if book is None or not book.has_waves or book.broken:
            return False
        if book.open < 0:
            self._begin_next(book)
            self._go_on(book)
        return book.wave_of(position) > book.open

    def started(self, step: int, position: int) -> None:
        """A host began at ``start``: its wave did something."""
        book = self._at_start.get(step)
        if book is not None:
            book.touch(position)

    def late(self, step: int, position: int) -> None:
        """The waves around this step go on without its host."""
        host = self._state.shape.steps[step].hosts[position]
        for book in self._inside.get(step, ()):
            if book.be_late(host):
                self._go_on(book)

    def over(self, step: int, position: int, own: int) -> None:
        """An assignment is over with this taint of its own, or none."""
        bad, unreachable = own != CLEAN, bool(own & 1) and own != CLEAN
        book = self._at_end.get(step)
        if book is not None:
            book.count(position, bad=bad, unreachable=unreachable)
            if bad and not book.broken:
                if book.exceeded():
                    self._break(book, None)
                elif book.exceeded_wave():
                    self._break(book, book.open)
            self._go_on(book)
        if bad and self.watched[step] & _COUNTED:
            self._run.count(self._state.shape.steps[step].hosts[position], unreachable=unreachable)
            if not self._run.broken and self._run.exceeded():
                self._break_run()

    def checked(self, event: WaveChecked) -> None:
        """Somebody answered whether the next wave may begin.

        Raises:
            IllegalTransition: nobody was asked.

        """
        book = self._books[event.policy]
        if not book.checking or book.open != event.wave:
            raise IllegalTransition(
                f"{event} while the wave {book.open} is {'' if book.checking else 'not '}asked"
            )
        book.checking = False
        if self._state.stopping or book.broken or self._state.over == len(self._state.stage):
            return
        if event.passed:
            self._begin_next(book)
            self._go_on(book)
        else:
            self._break(book, book.open, by_limit=False)

    def _go_on(self, book: Book) -> None:
        """Begin waves as long as the one before has nobody to wait for, and nobody has to be asked."""
        if not book.has_waves or book.open < 0 or self._state.stopping:
            return
        while not book.broken and not book.checking and book.wave_is_over():
            if book.must_ask():
                book.checking = True
                self._state.active += 1
                self._state.commands.append(CheckWave(book.number, book.open))
            else:
                self._begin_next(book)

    def _begin_next(self, book: Book) -> None:
        state = self._state
        if not book.begin_next():
            return
        state.commands.append(WaveBegan(book.number, book.open))
        first = state.dependencies.first[book.policy.start]
        for position in book.positions(book.open):
            if state.stage[first + position] == Stage.HELD:
                state.stage[first + position] = Stage.WAITING
                state.ready.append(first + position)

    def _break(self, book: Book, wave: int | None, *, by_limit: bool = True) -> None:
        state = self._state
        self.any_broken = book.broken = True
        book.stopped_by = wave
        bad = book.bad_in[wave] if wave is not None and by_limit else 0
        running = len(self._inside_of(book.policy.end))
        state.commands.append(
            PolicyBroke(book.number, book.failed, book.unreachable, running, wave=wave, wave_bad=bad)
        )
        self._doom(book.policy.end)
        steps = state.shape.steps
        state.decide_again(
            {book.policy.start, *(step for step in self.doomed if steps[step].run_if == "success")}
        )
        if (block := state.blocks.of_end.get(book.policy.end)) is not None:
            self._turn_out([block])
        if book.policy.stop_running:
            ending = [step for step in book.inside if not self._in_always(step, book)]
            for number in sorted(state.all_in(AT_WORK, ending)):
                state.cancel(number)

    def _break_run(self) -> None:
        state, run = self._state, self._run
        self.any_broken = run.broken = True
        self._spared = state.blocks.spared()
        hosts: set[int] = set()
        for step in state.shape.counted:
            hosts |= self._inside_of(step)
        state.commands.append(PolicyBroke(None, run.failed, run.unreachable, len(hosts)))
        steps = state.shape.steps
        state.decide_again(
            number
            for number, step in enumerate(steps)
            if step.run_if == "success" and number not in self._spared
        )
        self._turn_out(state.blocks.outer_first)

    def _turn_out(self, blocks: Iterable[BlockShape]) -> None:
        """Skip these blocks, outer ones first, where they are refused and nothing has begun."""
        state = self._state
        waiting: set[int] = set()
        for block in blocks:
            found = {place: self.refuses(block.entry, place) for place in entries.outside(state, block)}
            refused = {place: why for place, why in found.items() if why is not None}
            waiting.update(entries.turn_out(state, block, refused))
        state.recall(waiting)

    def _doom(self, end: int) -> None:
        """Taint everything behind ``end``, wherever a taint would go."""
        blocks, pending = self._state.blocks, [end]
        while pending:
            step = pending.pop()
            for link in self._state.dependencies.outgoing(step):
                if link.step in self.doomed or link.step in blocks.rescues:
                    continue
                block = blocks.of_end.get(link.step)
                if link.taints or (block is not None and step in block.inside):
                    self.doomed[link.step] = taint_of(end)
                    pending.append(link.step)

    def _inside_of(self, end: int) -> set[int]:
        """The hosts that have begun what ends there, and are not over."""
        state = self._state
        block = state.blocks.of_end.get(end)
        if block is not None:
            return {state.shape.steps[end].hosts[place] for place in entries.inside(state, block)}
        first, hosts = state.dependencies.first[end], state.shape.steps[end].hosts
        return {hosts[number - first] for number in state.all_in(AT_WORK, [end])}

    def _in_always(self, step: int, book: Book) -> bool:
        anchors: Iterable[int] = self._state.blocks.anchors[step]
        return any(entry in book.inside for entry in anchors)
