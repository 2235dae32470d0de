"""Where steps and blocks of a playbook stand in each other."""

from __future__ import annotations

from collections.abc import Mapping

from runner.playbook.control import BlockPlace
from runner.playbook.model import Block, Playbook, Step


def around(place: BlockPlace | None, blocks: Mapping[str, Block]) -> list[BlockPlace]:
    """The places that a step or block stands in, the innermost first; none outside of blocks."""
    found: list[BlockPlace] = []
    while place is not None and place.block in blocks and len(found) <= len(blocks):
        found.append(place)
        place = blocks[place.block].place
    return found


def path_of(playbook: Playbook, place: BlockPlace | None) -> tuple[BlockPlace, ...]:
    """The places around a thing, the outermost first; empty for what stands in no block."""
    return tuple(reversed(around(place, playbook.blocks)))


def blocks_around(playbook: Playbook, step: Step | Block) -> tuple[Block, ...]:
    """The blocks that a step or an inner block stands in, the outermost first."""
    return tuple(playbook.blocks[place.block] for place in path_of(playbook, step.place))
