"""The junctions of a plan's blocks by the numbers they have in the shape: which block, which host."""

from __future__ import annotations

from runner.engine.shape import Assignment
from runner.plan.model import Plan, PlannedBlock


class Junctions:
    """Looks blocks up; the numbers of steps are not in it."""

    def __init__(self, plan: Plan) -> None:
        self._first = len(plan.steps)
        self._blocks = {
            number: block
            for block in plan.blocks
            for number in (block.entry, block.rescue, block.always, block.end)
            if number is not None
        }

    def holds(self, assignment: Assignment) -> bool:
        """Whether it is a junction, and no step."""
        return assignment.step >= self._first

    def block(self, assignment: Assignment) -> PlannedBlock:
        """The block that the junction is of."""
        return self._blocks[assignment.step]

    def label(self, assignment: Assignment) -> tuple[str, str]:
        """The block's id and the host's name."""
        planned = self.block(assignment)
        return planned.block.id, planned.placements[assignment.position].host
