"""Who is inside of a block. Pure.

An entry takes no slots, so hosts pass it as soon as its needs are over, long before there is room for their first step.
A host that was let in is inside only once something there has begun on it; until then a limit that is exceeded, or a
stop, can still turn it out. That shuts the entry after the fact, with whatever junctions of the block the host passed
(of steps that did not apply to it), so that all that is left there is decided as if the host had never been let in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runner.engine.blocks import BlockShape
from runner.engine.commands import Passed, Skip, Why
from runner.engine.dependencies import CLEAN, taint_of
from runner.engine.shape import Assignment
from runner.engine.state import Mark, Stage, State

INSIDE = int(Mark.BEGUN | Mark.BAD)
"""What is marked at an entry that a limit leaves alone: where nothing started but something went bad, rescue and always
have to follow, and the end counts it."""


def begin(state: State, step: int, position: int) -> None:
    """Note that a step is started on its host in the blocks around it."""
    for block, place in _around(state, step, position):
        number = state.dependencies.first[block.entry] + place
        state.mark[number] |= Mark.BEGUN
        state.begun[number] = state.begun.get(number, 0) + 1


def take_back(state: State, step: int, position: int) -> list[tuple[BlockShape, int]]:
    """It was not started after all: gives the blocks, outer ones first, in which nothing has begun now on its host.

    Each comes with the host's position in its junctions.
    """
    left: list[tuple[BlockShape, int]] = []
    for block, place in _around(state, step, position):
        number = state.dependencies.first[block.entry] + place
        state.begun[number] -= 1
        if not state.begun[number]:
            state.mark[number] &= ~Mark.BEGUN
            left.insert(0, (block, place))
    return left


def spoil(state: State, step: int, position: int) -> None:
    """Note that a step went bad on its host before it could start, in the blocks around it."""
    for block, place in _around(state, step, position):
        state.mark[state.dependencies.first[block.entry] + place] |= Mark.BAD


def _around(state: State, step: int, position: int) -> Iterator[tuple[BlockShape, int]]:
    """The blocks that a host has entered to be at a step, the nearest first, with its position in their junctions."""
    steps, dependencies, blocks = state.shape.steps, state.dependencies, state.blocks
    while (junction := steps[step].enter) is not None:
        before = dependencies.entered_by(step, position)
        if before is None:
            return
        step, position = blocks.entry_of[junction], before - dependencies.first[junction]
        yield blocks.of_entry[step], position


def passed(state: State, block: BlockShape) -> Iterator[int]:
    """The positions of hosts that passed the entry and are not over at the end."""
    first, behind = state.span(block.entry)
    last = state.dependencies.first[block.end]
    for position in range(behind - first):
        if _let_in(state, first + position) and state.stage[last + position] != Stage.OVER:
            yield position


def inside(state: State, block: BlockShape) -> list[int]:
    """Of those the positions where something of the block has begun, or went bad before it could."""
    return [position for position in passed(state, block) if is_inside(state, block, position)]


def is_inside(state: State, block: BlockShape, position: int) -> bool:
    """Whether something of the block has begun on that host, or went bad before it could."""
    return bool(state.mark[state.dependencies.first[block.entry] + position] & INSIDE)


def outside(state: State, block: BlockShape, mark: int = INSIDE) -> list[int]:
    """Of those the positions where nothing is marked."""
    first = state.dependencies.first[block.entry]
    return [position for position in passed(state, block) if not state.mark[first + position] & mark]


def turn_out(
    state: State, block: BlockShape, refused: Mapping[int, tuple[Why, int | None] | None]
) -> Iterable[int]:
    """Shut the block to hosts that passed its entry.

    ``refused`` has the reason for each position of the entry, None where the run was stopped. Gives the numbers of
    what waits there for room or for a wave of its own.
    """
    if not refused:
        return []
    for position, refusal in refused.items():
        if refusal is not None:
            why, cause = refusal
            state.commands.append(Skip(Assignment(block.entry, position), True, cause, why))
    hosts = {state.shape.steps[block.entry].hosts[position]: None for position in refused}
    taint, dependencies = taint_of(block.entry), state.dependencies
    for junction in sorted(block.inside & state.blocks.entry_of.keys()):
        inner = state.blocks.of_entry[state.blocks.entry_of[junction]]
        first, end = dependencies.first[junction], dependencies.first[inner.end]
        for host in hosts:
            place = state.blocks.place(inner, host)
            if place is None or state.stage[end + place] == Stage.OVER:
                continue
            number = first + place
            if _let_in(state, number):
                state.mark[number] |= Mark.SHUT | Mark.HELD_BACK
                if dependencies.taint(number) == CLEAN:
                    dependencies.stain(junction, place, taint)
                state.commands.append(Passed(Assignment(junction, place), entered=False))
    return [
        number
        for step in block.inside
        for number in state.all_in((Stage.QUEUED, Stage.HELD), [step])
        if state.shape.steps[step].hosts[number - dependencies.first[step]] in hosts
    ]


def _let_in(state: State, junction: int) -> bool:
    return state.stage[junction] == Stage.OVER and not state.mark[junction] & Mark.SHUT


def was_entered(state: State, end: int, position: int) -> bool:
    """Whether the host passed the entry of the block that ends there."""
    return _let_in(state, state.dependencies.first[state.blocks.of_end[end].entry] + position)


def goes_on(state: State, step: int, position: int) -> bool:
    """Whether a stop leaves it alone: it is of an always whose block the host is in, or of that block's end."""
    if state.wholly:
        return False
    for entry in state.blocks.anchors[step]:
        place = state.blocks.place(state.blocks.of_entry[entry], state.shape.steps[step].hosts[position])
        if place is not None and _let_in(state, state.dependencies.first[entry] + place):
            return True
    return False
