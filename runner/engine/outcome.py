"""How a block ends for a host. Pure."""

from __future__ import annotations

from runner.engine import entries
from runner.engine.dependencies import CLEAN, taint_of
from runner.engine.state import Mark, State


def outcome(state: State, end: int, position: int) -> tuple[bool, int, bool]:
    """How a block ended for a host: whether it was entered, its own taint, whether it was rescued.

    It is bad by what is inside of it; what taints it from before it is no taint of its own.
    """
    block, dependencies = state.blocks.of_end[end], state.dependencies
    if not entries.was_entered(state, end, position):
        bad = state.mark[dependencies.first[block.entry] + position] & Mark.BAD
        return False, taint_of(block.entry) if bad else CLEAN, False
    rescued = False
    own = dependencies.seen(end, position, taints=False, only=block.body)
    if own != CLEAN and block.rescue is not None:
        rescued = not state.mark[dependencies.first[block.rescue] + position] & Mark.SHUT
    own = CLEAN if rescued else own
    if own == CLEAN:
        own = dependencies.seen(end, position, taints=True, only=block.inside - {block.entry})
    return True, own, rescued and own == CLEAN
