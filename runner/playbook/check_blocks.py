"""Rules of blocks: who may need what, which keys a block cannot have, and what would never have an effect."""

from __future__ import annotations

from runner.playbook.blocks import path_of
from runner.playbook.control import BlockPlace, Need, Part
from runner.playbook.fitting import COUNTING_KEYS, is_local
from runner.playbook.model import Block, Playbook, Step
from runner.playbook.read import flag_of
from runner.problems import Problems

_STEP_ONLY = {
    "register": "a block has no result of its own; register the results of its steps",
    "loop": "a block is entered once by a host; put the `loop` on its steps",
    "until": "a block is entered once by a host; put `until` on the step that is repeated",
}


def check_blocks(playbook: Playbook, problems: Problems) -> None:
    """Note what is wrong with blocks and with needs that cross their borders."""
    units: dict[str, Step | Block] = {step.id: step for step in playbook.steps} | dict(playbook.blocks)
    for unit in units.values():
        for need in unit.needs or ():
            needed = units.get(need.step)
            if needed is not None:
                _check_need(playbook, unit, needed, need, problems)
    for block in playbook.blocks.values():
        _check_keys(block, problems)
        inside = [step for step in playbook.steps if block.id in _blocks_of(playbook, step.place)]
        _check_steps(playbook, block, inside, problems)


def _blocks_of(playbook: Playbook, place: BlockPlace | None) -> list[str]:
    return [each.block for each in path_of(playbook, place)]


def _check_need(
    playbook: Playbook, unit: Step | Block, needed: Step | Block, need: Need, problems: Problems
) -> None:
    """What is needed stands in the same part of the same block, or the block as a whole is needed."""
    own, other = path_of(playbook, unit.place), path_of(playbook, needed.place)
    if isinstance(needed, Block) and needed.id in (place.block for place in own):
        words = f"`{unit.id}` is inside of block `{needed.id}` and cannot wait for its end"
        hint = "leave the need out: what is in a block starts when the host has entered it"
        _refuse(words, need, problems, hint)
        return
    pairs = enumerate(zip(own, other, strict=False))
    shared = next((n for n, (a, b) in pairs if a != b), min(len(own), len(other)))
    outside, into = own[shared:], other[shared:]
    other_part = bool(outside and into) and outside[0].block == into[0].block
    entered = next((place for place in into if place.part is Part.RESCUE), into[0] if into else None)
    if entered is not None and (shared == 0 or other_part or entered.part is Part.RESCUE):
        _refuse_into(own, entered, (unit, needed), need, problems)
    elif own and shared == 0:
        words = (
            f"`{unit.id}` is inside of block `{own[0].block}` and cannot wait for `{needed.id}` outside of it"
        )
        _refuse(words, need, problems, f"write `needs: [{needed.id}]` on the block `{own[0].block}`")


def _refuse_into(
    own: tuple[BlockPlace, ...],
    entered: BlockPlace,
    units: tuple[Step | Block, Step | Block],
    need: Need,
    problems: Problems,
) -> None:
    """A need of the first unit that reaches into a block for the second, or from one part of a block into another."""
    where = f"block `{entered.block}`"
    if entered.part is not Part.BODY:
        where = f"`{entered.part}` of {where}"
    words = f"`{units[0].id}` cannot need `{units[1].id}`, which is inside of {where}"
    if entered.block in (place.block for place in own):
        hint = "leave the need out: `rescue` and `always` follow the steps of their block by themselves"
    else:
        hint = f"need the block: `needs: [{entered.block}]`"
    _refuse(words, need, problems, hint)


def _refuse(words: str, need: Need, problems: Problems, hint: str) -> None:
    problems.error("need-across-block", words, need.span, hint)


def _check_keys(block: Block, problems: Problems) -> None:
    for key, reason in _STEP_ONLY.items():
        if key in block.node:
            problems.error(
                "control-misplaced",
                f"block `{block.id}` cannot have `{key}`: {reason}",
                block.node.key(key).span,
                f"take `{key}` out",
            )


def _check_steps(playbook: Playbook, block: Block, inside: list[Step], problems: Problems) -> None:
    body = [step for step in inside if BlockPlace(block.id, Part.BODY) in path_of(playbook, step.place)]
    if not body:
        if not problems.has_errors:  # an include that cannot be read is told by itself
            words = f"block `{block.id}` has no steps: what it includes is empty"
            problems.error("empty-value", words, block.node.key("block").span, "take the block out")
        return
    if block.has_rescue and all(flag_of(step.ignore_errors) for step in body):
        problems.error(
            "rescue-without-effect",
            f"`rescue` of block `{block.id}` never runs: `ignore_errors` of its steps makes each failure a success",
            block.node.key("rescue").span,
            "take `ignore_errors` or `rescue` out",
        )
    if all(is_local(step, playbook.targets, playbook.sessions) for step in inside):
        for key in (key for key in COUNTING_KEYS if key in block.node):
            if key == "health" and not block.waves:
                continue  # it is told that there are none
            problems.error(
                "control-misplaced",
                f"block `{block.id}` cannot have `{key}`: its steps are local, and this controller is one host",
                block.node.key(key).span,
                f"give the block a `target` or `hosts`, or take `{key}` out",
            )
    if block.waves:
        _check_inner_waves(playbook, block, inside, problems)


def _check_inner_waves(playbook: Playbook, block: Block, inside: list[Step], problems: Problems) -> None:
    """Waves in waves could wait for each other: the inner one for hosts that the outer one does not let in yet."""
    units: list[Step | Block] = [*playbook.blocks.values(), *inside]
    for each in (unit for unit in units if block.id in _blocks_of(playbook, unit.place)):
        if each.waves and "waves" in each.node:
            problems.error(
                "waves-in-waves",
                f"`{each.id}` has waves inside of block `{block.id}`, which has waves itself",
                each.node.key("waves").span,
                "keep those of the block: a host goes through the whole block in its wave",
            )
