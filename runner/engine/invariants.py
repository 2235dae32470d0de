"""What must be true of the machine between two events; for tests."""

from __future__ import annotations

from collections.abc import Callable

from runner.engine import entries
from runner.engine.state import AT_WORK, Mark, Stage, State

Refuses = Callable[[int, int], object]


def check(state: State, refuses: Refuses) -> None:
    """Look at every assignment; ``refuses`` gives why a limit lets a position of a step not begin, None where it does.

    Raises:
        AssertionError: the machine is broken, with what contradicts what.

    """
    stages = [Stage(stage) for stage in state.stage]
    used = [0] * len(state.shape.limits)
    for number, stage in enumerate(stages):
        assignment = state.dependencies.locate(number)
        if stage is Stage.RUNNING:
            for counter, slots in state.counters(number):
                used[counter] += slots
        waits = stage in {Stage.QUEUED, Stage.RESUMING}
        _hold(not waits or not state.admission.has_room(number), f"{assignment} could start")
        _hold(
            not waits or not state.mark[number] & Mark.CANCELLED, f"{assignment} is cancelled and wants slots"
        )
        _hold(
            not state.shape.steps[assignment.step].junction or stage not in {*AT_WORK, Stage.QUEUED},
            f"{assignment} is a junction and {stage.name}",
        )
        needs = state.dependencies.open_needs(number)
        _hold(needs >= 0, f"{assignment} has {needs} needs")
        if state.began and not state.stopping:
            _hold((stage is Stage.WAITING) == (needs > 0), f"{assignment}, {stage.name}, has {needs} needs")
    _check_blocks(state, refuses)
    _hold(used == state.admission.used, f"slots {state.admission.used} are taken, {used} are in use")
    for count, limit in zip(used, state.shape.limits, strict=True):
        _hold(limit is None or count <= limit, f"{count} slots of {limit} in use")
    queued = stages.count(Stage.QUEUED) + stages.count(Stage.RESUMING)
    _hold(queued == state.admission.waiting, "the queue does not hold who is queued")
    _hold(stages.count(Stage.OVER) == state.over, f"{state.over} counted as over")


def _check_blocks(state: State, refuses: Refuses) -> None:
    """Who works in a block has begun there; nobody is left in one that has not begun and may not."""
    first = state.dependencies.first
    for step, shape in enumerate(state.shape.steps):
        for junction in state.blocks.around(step) if not shape.junction else ():
            entry = state.blocks.entry_of[junction]
            for number in state.all_in(AT_WORK, [step]):
                place = state.blocks.place(state.blocks.of_entry[entry], shape.hosts[number - first[step]])
                begun = place is not None and state.mark[first[entry] + place] & Mark.BEGUN
                _hold(bool(begun), f"{number} works in the block {entry}, which has not begun")
        for number in state.all_in((Stage.QUEUED, Stage.HELD), [step]):
            before = state.dependencies.entered_by(step, number - first[step])
            shut = before is not None and state.mark[before] & Mark.SHUT
            _hold(not shut, f"{number} waits behind {before}, which is shut")
    for entry, block in state.blocks.of_entry.items():
        for number in range(*state.span(entry)):
            mark = state.mark[number]
            _hold(not mark & Mark.BEGUN or not mark & Mark.SHUT, f"{number} has begun and is shut")
        for place in () if state.stopping else entries.outside(state, block):
            _hold(refuses(entry, place) is None, f"{place} of {entry} was let in, has not begun and may not")


def _hold(condition: bool, story: str) -> None:
    if not condition:
        raise AssertionError(story)
