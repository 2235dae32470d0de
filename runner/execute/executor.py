"""Runs the assignments of a plan: the port that the driver drives (``runner.engine.port.Executor``)."""

from __future__ import annotations

from dataclasses import replace

from runner.engine.observe import Notice
from runner.engine.port import Turn, Verdict
from runner.engine.result import Result, Status
from runner.engine.shape import Assignment
from runner.engine.summary import Tally
from runner.errors import RunnerError
from runner.execute.blocks import BlockFailures
from runner.execute.connections import Connections
from runner.execute.looping import loop_items
from runner.execute.masking import masked
from runner.execute.patience import Patience
from runner.execute.registry import Registry
from runner.execute.scopes import Item, StepScopes
from runner.execute.sessions import Sessions
from runner.execute.site import Services
from runner.execute.work import Work, failed
from runner.execute.world import World
from runner.plan.model import Placement, Plan, PlannedStep
from runner.playbook.bodies import SetVarsBody
from runner.playbook.model import Step


class PlanExecutor:
    """Judges and runs the assignments of one plan, registers results, and keeps connections and sessions."""

    def __init__(self, plan: Plan, world: World) -> None:
        self._plan = plan
        self._registry = Registry(plan.hosts)
        self._blocks = BlockFailures(plan.playbook.blocks, plan.hosts)
        self._scopes = StepScopes(plan, self._registry, self._blocks)
        patience = Patience()
        self._services = Services(
            now=plan.now,
            compiler=plan.scopes.compiler,
            connections=Connections(plan, world, patience),
            sessions=Sessions(plan, patience, self._tell_reopened, self._tell),
            logins=world.logins,
            patience=patience,
            redactor=world.redactor,
            observer=world.observer,
            clock=world.clock,
            output_dir=world.output_dir,
            run=plan.run,
            check=plan.check,
            diff=world.diff,
            gatekeeper=world.gatekeeper,
        )
        self._work = Work(self._scopes, self._services)
        self._judged: dict[Assignment, list[Item]] = {}
        self._unmasked: dict[Assignment, Result] = {}
        self.tally = Tally()

    def label(self, assignment: Assignment) -> tuple[str, str]:
        """The step's id and the host's name."""
        planned, placement = self._at(assignment)
        return planned.step.id, placement.host

    def judge(self, assignment: Assignment) -> Verdict:
        """Evaluate ``when`` and ``loop``; with a loop ``when`` is asked for each item, which it may name."""
        planned, placement = self._at(assignment)
        step = planned.step
        try:
            scope = self._scopes.scope(planned, placement.host)
            if step.loop is None:
                false = next((part for part in step.when if not scope.evaluate(part)), None)
                if false is None:
                    return Verdict(True)
                return Verdict(
                    False, self._skip(assignment, f"`when` is false: `{' '.join(false.text.split())}`")
                )
            items = loop_items(step.loop, scope)
            if not items:
                return Verdict(False, self._skip(assignment, "`loop` has no items"))
            if not any(self._work.wanted(planned, placement, item) for item in items):
                return Verdict(False, self._skip(assignment, "`when` is false for every item"))
        except RunnerError as error:
            return Verdict(False, self._not_judged(assignment, error))
        self._judged[assignment] = items
        return Verdict(True)

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        """Do it; on cancellation stop what runs on the host, and give a cancelled result."""
        planned, placement = self._at(assignment)
        items = self._judged.pop(assignment, None)
        result = await self._work.run(planned, placement, items, turn)
        shown = masked(result, self._services.redactor)
        if shown is not result and _leaves_something(planned.step):
            self._unmasked[assignment] = result
        return shown

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        """The result of an assignment the machine decided not to start."""
        return replace(self._skip(assignment, reason), held_back=held_back)

    def ended(self, assignment: Assignment, result: Result) -> None:
        """Register and count the result; close what nobody needs any more."""
        planned, _ = self._at(assignment)
        self._judged.pop(assignment, None)
        unmasked = self._unmasked.pop(assignment, result)
        self._keep(planned, unmasked)
        self._blocks.ended(planned.step, result)
        self.tally.add(result)
        closing = self._services.sessions.ended(assignment)
        self._services.connections.ended(assignment, after=closing)

    def passed(self, assignment: Assignment, *, entered: bool, bad: bool, rescued: bool) -> None:
        """No plan has junctions yet."""

    async def check_wave(self, policy: int, wave: int) -> str | None:
        """No plan has waves yet."""
        del policy, wave
        return None

    def hurry(self) -> None:
        """Shorten every deadline of stops that are under way."""
        self._services.patience.hurry()

    async def close(self) -> tuple[str, ...]:
        """Close sessions and connections; gives what may still run on hosts, as ``step on host``."""
        await self._services.sessions.close()
        await self._services.connections.close()
        return tuple(self._work.left)

    def _at(self, assignment: Assignment) -> tuple[PlannedStep, Placement]:
        planned = self._plan.steps[assignment.step]
        return planned, planned.placements[assignment.position]

    def _keep(self, planned: PlannedStep, result: Result) -> None:
        """Keep what later steps may read, for all hosts that see it."""
        step, hosts = planned.step, planned.seen_by or (result.host,)
        if step.register is not None:
            self._registry.register(step.register, step.id, result, hosts=hosts)
        if isinstance(step.body, SetVarsBody) and not result.status.bad:
            for each in result.items or (result,):
                if isinstance(each.output, dict):
                    for host in hosts:
                        self._registry.set_variables(host, step.id, each.output)

    def _skip(self, assignment: Assignment, reason: str) -> Result:
        step, host = self.label(assignment)
        return Result(step=step, host=host, status=Status.SKIPPED, skip_reason=self._mask(reason))

    def _not_judged(self, assignment: Assignment, error: RunnerError) -> Result:
        planned, placement = self._at(assignment)
        return masked(failed(planned, placement, error), self._services.redactor)

    def _mask(self, text: str) -> str:
        return self._services.redactor.mask(text)

    def _tell_reopened(self, session: str, host: str) -> None:
        self._tell(f"session `{session}` was lost and is opened anew; what it held is gone", host)

    def _tell(self, message: str, host: str) -> None:
        self._services.observer.on_event(Notice(self._mask(message), self._services.clock.utc(), host))


def _leaves_something(step: Step) -> bool:
    """Whether later steps may read what it gives, so that it must be known unmasked."""
    return step.register is not None or isinstance(step.body, SetVarsBody)
