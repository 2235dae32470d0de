"""What the machine remembers, shared by its parts: two bytes an assignment, who is ready, what was commanded. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from enum import IntEnum, IntFlag

from runner.engine.admission import Admission, Path
from runner.engine.blocks import Blocks
from runner.engine.commands import Cancel, Command
from runner.engine.dependencies import Dependencies
from runner.engine.order import DepthFirst, steps_in_order
from runner.engine.shape import RunShape


class Stage(IntEnum):
    """Where an assignment is on its way."""

    WAITING = 0
    JUDGING = 1
    QUEUED = 2
    RUNNING = 3
    OVER = 4
    HELD = 5
    """Its needs are over, its wave has not begun."""
    PARKED = 6
    """Started, waits for something that is no work, holds no slots."""
    RESUMING = 7
    """Started, wants its slots again."""


AT_WORK = (Stage.RUNNING, Stage.PARKED, Stage.RESUMING)
"""Started and not over."""


class Mark(IntFlag):
    """What else is known of an assignment."""

    SHUT = 1
    """A junction that the host did not pass."""
    HELD_BACK = 2
    """It was shut because something is bad."""
    CANCELLED = 4
    """``Cancel`` was commanded."""
    BAD = 8
    """A junction that could not be judged, or an entry behind which something could not be."""
    BEGUN = 16
    """An entry behind which something was started, at any depth."""


class IllegalTransition(Exception):
    """An event came that cannot follow what was; the message tells the assignment's story."""


class State:
    """The memory of a run.

    ``active`` is how many answers from outside are awaited, ``over`` how many assignments are over, ``cancelled``
    whether any was. ``begun`` counts the starts behind each entry that is marked so.
    """

    __slots__ = (
        "active",
        "admission",
        "began",
        "begun",
        "blocks",
        "cancelled",
        "commands",
        "dependencies",
        "mark",
        "over",
        "ready",
        "shape",
        "stage",
        "stopping",
        "wholly",
    )

    def __init__(self, shape: RunShape) -> None:
        self.shape = shape
        self.blocks = Blocks(shape)
        self.dependencies = Dependencies(shape, self.blocks)
        self.admission = self._admission()
        self.stage = bytearray(self.dependencies.total)
        self.mark = bytearray(self.dependencies.total)
        self.ready: deque[int] = deque()
        self.commands: list[Command] = []
        self.began = self.stopping = self.wholly = False
        self.cancelled = False
        self.begun: dict[int, int] = {}
        self.over = self.active = 0

    def _admission(self) -> Admission | DepthFirst:
        shared = _shared(self.shape)
        if not self.blocks.of_entry:
            return Admission(self.shape.limits, shared, self.counters)
        return DepthFirst(
            self.shape.limits,
            shared,
            self.counters,
            first=self.dependencies.first,
            sizes=[len(step.hosts) for step in self.shape.steps],
            order=steps_in_order(self.shape, self.blocks),
        )

    def counters(self, number: int) -> Path:
        """The counters of an assignment, with how many slots it takes of each."""
        first = self.dependencies.first
        step = bisect_right(first, number) - 1
        counters = self.shape.steps[step].counters
        return counters[number - first[step]] if counters else ()

    def span(self, step: int) -> tuple[int, int]:
        """The first number of a step, and the one behind its last."""
        first = self.dependencies.first[step]
        return first, first + len(self.shape.steps[step].hosts)

    def all_in(self, stages: Iterable[Stage], steps: Iterable[int] | None = None) -> Iterator[int]:
        """The numbers of these steps (of all) that are in one of the stages, stage by stage."""
        spans = [(0, len(self.stage))] if steps is None else [self.span(step) for step in steps]
        for stage in stages:
            for begin, end in spans:
                number = self.stage.find(stage, begin, end)
                while number != -1:
                    yield number
                    number = self.stage.find(stage, number + 1, end)

    def decide_again(self, steps: Iterable[int]) -> None:
        """Those of the steps that wait for room or for their wave are ready for another decision."""
        self.recall(self.all_in((Stage.QUEUED, Stage.HELD), steps))

    def recall(self, numbers: Iterable[int]) -> None:
        """These, which wait for room or for their wave, are ready for another decision."""
        found = sorted(numbers)
        queued = any(self.stage[number] == Stage.QUEUED for number in found)
        for number in found:
            self.stage[number] = Stage.WAITING
        self.ready.extend(found)
        if queued:
            self.offer_again()

    def offer_again(self) -> None:
        """Fill the queue anew: who waited there may have left."""
        self.admission.withdraw_all()
        for number in self.all_in((Stage.QUEUED, Stage.RESUMING)):
            self.admission.offer(number)

    def cancel(self, number: int) -> None:
        """Have what it runs stopped, once."""
        if self.mark[number] & Mark.CANCELLED:
            return
        self.mark[number] |= Mark.CANCELLED
        self.cancelled = True
        if self.stage[number] == Stage.RESUMING:
            self.admission.withdraw(number)
            self.stage[number] = Stage.PARKED
        self.commands.append(Cancel(self.dependencies.locate(number)))


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
