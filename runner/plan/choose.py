"""Which steps of a playbook are meant: tags, ``--only`` and ``--start-at``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.playbook.blocks import around
from runner.playbook.control import Part
from runner.playbook.model import Block, Step
from runner.problems import Problems, suggestion

ALWAYS, NEVER = "always", "never"
_NO_BLOCKS: Mapping[str, Block] = {}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line selects; empty means everything."""

    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    start_at: str | None = None


def chosen_steps(
    steps: Sequence[Step], choice: Choice, problems: Problems, blocks: Mapping[str, Block] = _NO_BLOCKS
) -> frozenset[str]:
    """The ids of the steps and blocks that run.

    As in Ansible a step tagged ``always`` runs unless that tag itself is skipped, and one tagged ``never`` runs only
    where one of its tags is asked for. A block that is named stands for all of its steps. What rescues and what always
    follows comes with any step of its block, and never without one.
    """
    ids = [*(step.id for step in steps), *blocks]
    for name in (*choice.only, *((choice.start_at,) if choice.start_at else ())):
        if name not in ids:
            problems.error("unknown-step", f"no step is named `{name}`", None, *suggestion(name, ids))
    known_tags = {tag for step in steps for tag in step.tags} | {"all", "tagged", "untagged", ALWAYS, NEVER}
    for tag in (*choice.tags, *choice.skip_tags):
        if tag not in known_tags:
            problems.error(
                "unknown-step-tag", f"no step has the tag `{tag}`", None, *suggestion(tag, known_tags)
            )
    named = {step.id: {step.id, *(place.block for place in around(step.place, blocks))} for step in steps}
    start = next((n for n, step in enumerate(steps) if choice.start_at in named[step.id]), 0)
    chosen = {
        step.id
        for position, step in enumerate(steps)
        if position >= start
        and (not choice.only or named[step.id] & set(choice.only))
        and _by_tags(step.tags, choice)
    }
    whole = _whole_blocks(steps, set(chosen), choice, blocks)
    for step in steps:
        if step.id in chosen - whole and step.id in choice.only:
            around_it = around(step.place, blocks)[0]
            problems.error(
                "rescue-alone",
                f"`{step.id}` is the {around_it.part} of block `{around_it.block}`, none of whose steps is selected",
                step.span,
                f"select a step of the block, or all of it with `--only {around_it.block}`",
            )
    return whole


def _whole_blocks(
    steps: Sequence[Step], chosen: set[str], choice: Choice, blocks: Mapping[str, Block]
) -> frozenset[str]:
    """With each block's rescue and always where a step of its body is chosen, without them where none is."""
    inside: dict[str, dict[Part, list[Step]]] = {name: {part: [] for part in Part} for name in blocks}
    depth = {name: len(around(block.place, blocks)) for name, block in blocks.items()}
    for step in steps:
        for place in around(step.place, blocks):
            inside[place.block][place.part].append(step)
    for name in sorted(blocks, key=lambda name: -depth[name]):
        parts = inside[name]
        rest = [*parts[Part.RESCUE], *parts[Part.ALWAYS]]
        if any(step.id in chosen for step in parts[Part.BODY]):
            chosen |= {step.id for step in rest if not _left_out(step.tags, choice)}
        else:
            chosen -= {step.id for step in rest}
    by_id = {step.id: step for step in steps}
    held = {place.block for name in chosen for place in around(by_id[name].place, blocks)}
    return frozenset(chosen | held)


def _left_out(tags: frozenset[str], choice: Choice) -> bool:
    """Whether it is left out even where the rest of its block runs: by a tag that is skipped, or as ``never``."""
    special = tags | {"all"} | ({"tagged"} if tags else {"untagged"})
    return bool(special & set(choice.skip_tags)) or (NEVER in tags and not tags & set(choice.tags))


def _by_tags(tags: frozenset[str], choice: Choice) -> bool:
    special = tags | {"all"} | ({"tagged"} if tags else {"untagged"})
    if _left_out(tags, choice):
        return False
    return not choice.tags or bool(special & set(choice.tags)) or ALWAYS in tags
