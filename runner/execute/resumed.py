"""Which results of before a resumed run takes: what ended well, but for the `always` of a block that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from runner.engine.result import Result
from runner.plan.model import Plan, PlannedBlock
from runner.playbook.control import Part

Restored: TypeAlias = Mapping[tuple[str, str], Result]
"""Results by step and host."""


def still_done(plan: Plan, restored: Restored) -> Restored:
    """The results that stay as they were.

    After a stop ``always`` runs on every host that has entered its block, so it is done where the body is not. When
    the body goes on there, what ``always`` has put back is in the way again (the host back at its load balancer, the
    lock gone), and it has to follow once more. So its steps are not restored on a host on which anything of the body
    or the rescue runs.
    """
    if not plan.blocks:
        return restored
    kept = dict(restored)
    placed: dict[str, set[str]] = {}
    for planned in plan.steps:
        placed[planned.step.id] = {placement.host for placement in planned.placements}
    for block in reversed(
        plan.blocks
    ):  # inner ones first: what is done again in them is done again around them
        before, after = _parts(plan, block)
        for placement in block.placements if after else ():
            host = placement.host
            if any(host in placed[step] and (step, host) not in kept for step in before):
                for step in after:
                    kept.pop((step, host), None)
    return kept


def _parts(plan: Plan, block: PlannedBlock) -> tuple[list[str], list[str]]:
    """The steps of body and rescue, and those of ``always``; steps of inner blocks are of the part these stand in."""
    before: list[str] = []
    after: list[str] = []
    for number in sorted(block.steps):
        step = plan.steps[number].step
        place = step.place
        while place is not None and place.block != block.block.id:
            place = plan.playbook.blocks[place.block].place
        (after if place is not None and place.part is Part.ALWAYS else before).append(step.id)
    return before, after
