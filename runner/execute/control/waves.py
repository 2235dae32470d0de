"""Between two waves: the pause, and whether what was done so far is healthy (``pause``, ``health``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from runner.engine.result import Result, Status
from runner.engine.shape import Assignment
from runner.errors import RunnerError
from runner.execute.control.aside import FreeTurn
from runner.execute.masking import masked
from runner.execute.scopes import StepScopes
from runner.execute.site import Services
from runner.execute.work import Work
from runner.plan.model import Placement, Plan, PlannedBlock, PlannedPolicy, PlannedStep
from runner.playbook.bodies import Condition, ScriptBody
from runner.units import format_duration
from runner.variables.scope import Scope

AT_ONCE = 32
"""On how many hosts a health script runs at once: the default throttle of a step (language.md, "Throttle")."""


class WaveChecks:
    """Checks the waves of a plan; ``tell`` gets what a person should know meanwhile."""

    def __init__(
        self, plan: Plan, work: Work, scopes: StepScopes, services: Services, tell: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._work = work
        self._scopes = scopes
        self._services = services
        self._tell = tell
        self._asked = {
            shape.end: set[str]()
            for shape, planned in zip(plan.shape.policies, plan.policies, strict=True)
            if planned.health is not None
        }

    def ended(self, assignment: Assignment, result: Result) -> None:
        """Remember hosts on which a step with a health check did something and ended well."""
        well = self._asked.get(assignment.step)
        if well is not None and not result.bad and result.status is not Status.SKIPPED:
            well.add(result.host)

    def passed(self, end: int, host: str, *, entered: bool, bad: bool) -> None:
        """The same of a block, by the number of its end."""
        well = self._asked.get(end)
        if well is not None and entered and not bad:
            well.add(host)

    async def check(self, policy: int, wave: int) -> str | None:
        """Pause, then look; None where the next wave may begin, else why not, as a sentence."""
        if self._plan.check:  # nothing was done that could need time or be unhealthy
            return None
        planned = self._plan.policies[policy]
        pause = planned.waves[wave].pause
        if pause:
            done = f"wave {wave + 1} of {len(planned.waves)} of `{planned.name}` is done"
            self._tell(f"{done}; the next one is {format_duration(pause)} away")
            await self._services.clock.sleep(pause)
        if planned.health is None:
            return None
        well = self._asked[self._plan.shape.policies[policy].end]
        hosts = [host for host in planned.waves[wave].hosts if host in well]
        why = await _Health(self, policy, planned, planned.health).look(hosts)
        return None if why is None else self._services.redactor.mask(why)

    def of_policy(self, policy: int) -> tuple[PlannedStep, Sequence[Placement], PlannedBlock | None]:
        """The step that a policy is about with its placements; of a block its first step, its placements and itself."""
        start = self._plan.shape.policies[policy].start
        if start < len(self._plan.steps):
            planned = self._plan.steps[start]
            return planned, planned.placements, None
        block = next(block for block in self._plan.blocks if block.entry == start)
        return self._plan.steps[min(block.steps)], block.placements, block

    @property
    def parts(self) -> tuple[Work, StepScopes, Services]:
        """What a check works with."""
        return self._work, self._scopes, self._services


class _Health:
    """One look at a wave's health."""

    def __init__(self, checks: WaveChecks, policy: int, planned: PlannedPolicy, condition: Condition) -> None:
        self._work, self._scopes, self._services = checks.parts
        self._step, placements, self._block = checks.of_policy(policy)
        self._placements = {placement.host: placement for placement in placements}
        self._planned = planned
        self._condition = condition

    async def look(self, hosts: Sequence[str]) -> str | None:
        if self._condition.expressions:
            return next((why for host in hosts if (why := self._expressions(host)) is not None), None)
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(host: str) -> Result:
            async with slots:
                return await self._script(host)

        tasks = [asyncio.ensure_future(one(host)) for host in hosts]
        try:
            results = await asyncio.gather(*tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        return _told([result for result in results if result.status.bad])

    def _expressions(self, host: str) -> str | None:
        scope = self._scope(host)
        try:
            broken = next((part for part in self._condition.expressions if not scope.evaluate(part)), None)
        except RunnerError as error:
            return f"`health` cannot be told on `{host}`: {error.message}"
        return None if broken is None else f"`health` does not hold on `{host}`: `{_line(broken.text)}`"

    def _scope(self, host: str) -> Scope:
        if self._block is None:
            return self._scopes.scope(self._step, host)
        return self._scopes.of_block(self._block.block, host)

    async def _script(self, host: str) -> Result:
        placement = self._placements[host]
        shell = self._condition.shell or placement.shell
        interpreter = placement.interpreter if shell is placement.shell else None
        place = replace(placement, shell=shell, interpreter=interpreter, session=None, delegates=())
        planned = self._as_step()
        connections = self._services.connections
        connections.hold(place)
        try:
            course = self._work.course(
                planned, place, None, FreeTurn(), aside="health", scope=lambda: self._scope(host)
            )
            return masked(await course.run(), self._services.redactor)
        finally:
            connections.release(place)

    def _as_step(self) -> PlannedStep:
        """The check as a step of its own, with the time limit and the environment of the one that it belongs to."""
        step = replace(
            self._step.step,
            body=ScriptBody(self._condition.scripts),
            args=None,
            parameters=None,
            input_object=None,
            using={} if self._block is not None else self._step.step.using,
            loop=None,
            retry=None,
            until=(),
            failed_when=(),
            changed_when=(),
            ignore_errors=None,
            unreachable="fail",
            register=None,
            output=None,
        )
        return replace(self._step, step=step, scripts=self._planned.health_scripts, scripts_of={})


def _told(bad: Sequence[Result]) -> str | None:
    if not bad:
        return None
    first = bad[0]
    message = first.failure.message if first.failure is not None else str(first.status)
    lines = [*first.stderr, *(first.output if isinstance(first.output, list) else [first.output])]
    said = next((_line(str(line)) for line in reversed(lines) if str(line).strip()), None)
    more = f", and on {len(bad) - 1} more" if len(bad) > 1 else ""
    return f"`health` failed on `{first.host}`{more}: {message}" + (f": {said}" if said else "")


def _line(text: str) -> str:
    return " ".join(text.split())
