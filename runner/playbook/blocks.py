"""Where steps and blocks of a playbook stand in each other."""

from __future__ import annotations

from runner.playbook.control import BlockPlace
from runner.playbook.model import Block, Playbook, Step


def path_of(playbook: Playbook, place: BlockPlace | None) -> tuple[BlockPlace, ...]:
    """The places around a thing, the outermost first; empty for what stands in no block."""
    path: list[BlockPlace] = []
    while place is not None and place not in path:
        path.append(place)
        block = playbook.blocks.get(place.block)
        place = block.place if block is not None else None
    return tuple(reversed(path))


def blocks_around(playbook: Playbook, step: Step | Block) -> tuple[Block, ...]:
    """The blocks that a step or an inner block stands in, the outermost first."""
    path = path_of(playbook, step.place)
    return tuple(playbook.blocks[place.block] for place in path if place.block in playbook.blocks)
