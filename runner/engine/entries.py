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


def begin(state: State, step: int, position: int, mark: Mark = Mark.BEGUN) -> None:
    """Mark the entries around a step for its host; outer ones are marked whenever an inner one is."""
    steps, dependencies, blocks = state.shape.steps, state.dependencies, state.blocks
    while (junction := steps[step].enter) is not None:
        before = dependencies.entered_by(step, position)
        if before is None:
            return
        step, position = blocks.entry_of[junction], before - dependencies.first[junction]
        number = dependencies.first[step] + position
        if state.mark[number] & mark:
            return
        state.mark[number] |= mark


def passed(state: State, block: BlockShape) -> Iterator[int]:
    """The positions of hosts that passed the entry and are not over at the end."""
    first, behind = state.span(block.entry)
    last = state.dependencies.first[block.end]
    for position in range(behind - first):
        if (
            state.stage[first + position] == Stage.OVER
            and not state.mark[first + position] & Mark.SHUT
            and state.stage[last + position] != Stage.OVER
        ):
            yield position


def inside(state: State, block: BlockShape) -> list[int]:
    """Of those the positions where something of the block has begun, or went bad before it could."""
    first = state.dependencies.first[block.entry]
    return [position for position in passed(state, block) if state.mark[first + position] & INSIDE]


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
    hosts = {state.shape.steps[block.entry].hosts[position] for position in refused}
    taint, dependencies = taint_of(block.entry), state.dependencies
    for junction in sorted(block.inside & state.blocks.entry_of.keys()):
        first = dependencies.first[junction]
        end = dependencies.first[state.blocks.of_entry[state.blocks.entry_of[junction]].end]
        for position, host in enumerate(state.shape.steps[junction].hosts):
            number = first + position
            was_passed = state.stage[number] == Stage.OVER and not state.mark[number] & Mark.SHUT
            if host in hosts and was_passed and state.stage[end + position] != Stage.OVER:
                state.mark[number] |= Mark.SHUT | Mark.HELD_BACK
                if dependencies.taint(number) == CLEAN:
                    dependencies.stain(junction, position, taint)
                state.commands.append(Passed(Assignment(junction, position), entered=False))
    return [
        number
        for step in block.inside
        for number in state.all_in((Stage.QUEUED, Stage.HELD), [step])
        if state.shape.steps[step].hosts[number - dependencies.first[step]] in hosts
    ]
