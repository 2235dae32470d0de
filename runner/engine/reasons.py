"""Why things were not begun: what the driver remembers of skips and limits, so that every result can say it."""

from __future__ import annotations

from collections.abc import Callable

from runner.engine.commands import PolicyBroke, Skip, Why
from runner.engine.result import Result
from runner.engine.sentences import policy_sentence, skip_sentence
from runner.engine.shape import Assignment, RunShape

Name = Callable[[int], str]
"""Gives the name of a step or block by a number: of the step, of the policy."""


class Reasons:
    """The sentences of a run. ``first`` is that of the first limit that was exceeded, None while none is."""

    def __init__(self, shape: RunShape, name: Name, policy_name: Name) -> None:
        self._shape = shape
        self._name = name
        self._policy_name = policy_name
        self._doors: dict[tuple[int, int], str] = {}  # why a host did not pass a junction
        self._policies: dict[int | None, str] = {}  # sentences of broken ones, by their start and their end
        self._waves: dict[int, int] = {}  # the wave that did not pass, by the policy's start
        self._checks: dict[int, str] = {}  # why a wave's check did not pass, by its policy
        self.first: str | None = None

    def of_skip(self, skip: Skip) -> str:
        """Why an assignment is skipped; of a junction it is remembered for what stands behind it."""
        door: str | None = None
        if skip.why is Why.NOT_ENTERED and skip.cause is not None:
            door = self._doors.get(self._door(skip.cause, skip.assignment))
        wave = None if skip.cause is None else self._waves.get(skip.cause)
        by_run = skip.why is Why.POLICY and skip.cause is None
        policy = self._policies.get(skip.cause) if by_run or skip.cause is not None else None
        reason = skip_sentence(skip, name=self._name, policy=policy, wave=wave, door=door)
        if self._shape.steps[skip.assignment.step].junction:
            self._doors[self._door(skip.assignment.step, skip.assignment)] = reason
        return reason

    def of_break(self, broke: PolicyBroke) -> str:
        """Which limit is exceeded, with its numbers; remembered for what is skipped by it."""
        if broke.policy is None:
            reason = self._policies[None] = policy_sentence(self._shape, broke, None, None)
        else:
            policy = self._shape.policies[broke.policy]
            reason = policy_sentence(
                self._shape, broke, self._policy_name(broke.policy), self._checks.get(broke.policy)
            )
            self._policies[policy.start] = self._policies[policy.end] = reason
            if broke.wave is not None:
                self._waves[policy.start] = broke.wave
        self.first = self.first or reason
        return reason

    def junction_refused(self, assignment: Assignment, result: Result) -> None:
        """A host does not pass a junction: the block does not apply to it, or cannot be judged."""
        said = result.failure.message if result.failure is not None else result.skip_reason
        self._doors[self._door(assignment.step, assignment)] = said or "it does not apply"

    def check_refused(self, policy: int, why: str) -> None:
        """A wave's check did not pass."""
        self._checks[policy] = why

    def _door(self, junction: int, assignment: Assignment) -> tuple[int, int]:
        return junction, self._shape.steps[assignment.step].hosts[assignment.position]
