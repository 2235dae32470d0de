"""Which results of before a resumed run takes: what ended well, but for the `always` of a block that goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
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
    again: set[tuple[str, str]] = set()
    placed: dict[str, set[str]] = {}
    for planned in plan.steps:
        placed[planned.step.id] = {placement.host for placement in planned.placements}
    for block in reversed(
        plan.blocks
    ):  # inner ones first: what is done again in them is done again around them
        before, after = _parts(plan, block)
        for placement in block.placements if after else ():
            host = placement.host
            keys = [(step, host) for step in before if host in placed[step]]
            if any(key in again or key not in restored for key in keys):
                again.update((step, host) for step in after)
    return _Without(restored, again) if again else restored


class _Without(Mapping[tuple[str, str], Result]):
    """All but some; a copy would read a million results from the journal at once."""

    def __init__(self, restored: Restored, again: Collection[tuple[str, str]]) -> None:
        self._restored = restored
        self._again = again

    def __getitem__(self, key: tuple[str, str]) -> Result:
        if key in self._again:
            raise KeyError(key)
        return self._restored[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return (key for key in self._restored if key not in self._again)

    def __len__(self) -> int:
        return len(self._restored) - sum(key in self._restored for key in self._again)


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
