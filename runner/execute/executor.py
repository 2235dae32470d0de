"""Runs the assignments of a plan: the port that the driver drives (``runner.engine.port.Executor``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runner.credentials.redact import Redactor
from runner.engine.observe import Notice, Observer
from runner.engine.port import Clock, Turn, Verdict
from runner.engine.result import Failure, Result, Status
from runner.engine.shape import Assignment
from runner.engine.summary import Tally
from runner.errors import RunnerError
from runner.execute.attempt import attempt
from runner.execute.connections import Connections
from runner.execute.guard import Guard, Progress, forget_cancellation
from runner.execute.looping import combined, loop_items, run_items
from runner.execute.masking import masked
from runner.execute.patience import Patience
from runner.execute.registry import Registry
from runner.execute.scopes import Item, StepScopes
from runner.execute.sessions import Sessions
from runner.execute.site import Services, Site
from runner.plan.model import Placement, Plan, PlannedStep
from runner.playbook.read import UNLIMITED
from runner.transport.port import Login, Transport


class PlanExecutor:
    """Judges and runs the assignments of one plan, registers results, and keeps connections and sessions."""

    def __init__(
        self,
        plan: Plan,
        *,
        transports: Mapping[str, Transport],
        logins: Mapping[str, Login],
        observer: Observer,
        clock: Clock,
        redactor: Redactor,
        output_dir: Path | None = None,
    ) -> None:
        self._plan = plan
        self._registry = Registry(plan.hosts)
        self._scopes = StepScopes(plan, self._registry)
        patience = Patience()
        self._services = Services(
            now=plan.now,
            compiler=plan.scopes.compiler,
            connections=Connections(plan, transports, logins, patience),
            sessions=Sessions(plan, patience, self._tell_reopened, self._tell),
            logins=logins,
            patience=patience,
            redactor=redactor,
            observer=observer,
            clock=clock,
            output_dir=output_dir,
        )
        self._judged: dict[Assignment, list[Item]] = {}
        self._unmasked: dict[Assignment, Result] = {}
        self._left: dict[str, None] = {}
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
            if not any(self._wanted(planned, placement, item) for item in items):
                return Verdict(False, self._skip(assignment, "`when` is false for every item"))
        except RunnerError as error:
            return Verdict(False, self._not_judged(assignment, error))
        self._judged[assignment] = items
        return Verdict(True)

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        """Do it; on cancellation stop what runs on the host, and give a cancelled result."""
        del turn
        planned, placement = self._at(assignment)
        items = self._judged.pop(assignment, None)
        if items is None:
            result = await self._attempt(planned, placement, None)
        else:
            result = await self._loop(planned, placement, items)
        shown = masked(result, self._services.redactor)
        if shown is not result and planned.step.register is not None:
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
        if planned.step.register is not None:
            self._registry.register(planned.step.register, planned.step.id, unmasked)
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
        return tuple(self._left)

    def _at(self, assignment: Assignment) -> tuple[PlannedStep, Placement]:
        planned = self._plan.steps[assignment.step]
        return planned, planned.placements[assignment.position]

    def _wanted(self, planned: PlannedStep, placement: Placement, item: Item) -> bool:
        return self._scopes.scope(planned, placement.host, item).holds(planned.step.when)

    async def _attempt(self, planned: PlannedStep, placement: Placement, item: Item | None) -> Result:
        progress = Progress()
        site = Site(
            planned=planned,
            placement=placement,
            scope=self._scopes.scope(planned, placement.host, item),
            guard=Guard(self._services.patience, placement.cancel_timeout, progress),
            services=self._services,
            item=item,
        )
        result = await attempt(site)
        if progress.left:
            self._left[f"`{planned.step.id}` on `{placement.host}`"] = None
        return result

    async def _loop(self, planned: PlannedStep, placement: Placement, items: list[Item]) -> Result:
        async def run(item: Item) -> Result:
            try:
                if not self._wanted(planned, placement, item):
                    skipped = Result(step=planned.step.id, host=placement.host, status=Status.SKIPPED)
                    return replace(skipped, item=item.value, skip_reason="`when` is false for this item")
            except RunnerError as error:
                return replace(_failed(planned, placement, error), item=item.value)
            return await self._attempt(planned, placement, item)

        begin = self._services.clock.monotonic()
        results = await run_items(items, self._width(planned, placement, len(items)), run)
        if not results:  # stopped before the first item began
            forget_cancellation()
            failure = Failure("run-stopped", "the run was stopped; nothing was run", "plan")
            return Result(step=planned.step.id, host=placement.host, status=Status.CANCELLED, failure=failure)
        return combined(results, len(items), self._services.clock.monotonic() - begin)

    @staticmethod
    def _width(planned: PlannedStep, placement: Placement, count: int) -> int:
        """How many items run at once: one unless the loop says otherwise; a session runs one script at a time."""
        throttle = planned.step.loop.throttle if planned.step.loop is not None else None
        if throttle is None or placement.session is not None:
            return 1
        return count if throttle == UNLIMITED else throttle

    def _skip(self, assignment: Assignment, reason: str) -> Result:
        step, host = self.label(assignment)
        return Result(step=step, host=host, status=Status.SKIPPED, skip_reason=self._mask(reason))

    def _not_judged(self, assignment: Assignment, error: RunnerError) -> Result:
        planned, placement = self._at(assignment)
        return masked(_failed(planned, placement, error), self._services.redactor)

    def _mask(self, text: str) -> str:
        return self._services.redactor.mask(text)

    def _tell_reopened(self, session: str, host: str) -> None:
        self._tell(f"session `{session}` was lost and is opened anew; what it held is gone", host)

    def _tell(self, message: str, host: str) -> None:
        self._services.observer.on_event(Notice(self._mask(message), self._services.clock.utc(), host))


def _failed(planned: PlannedStep, placement: Placement, error: RunnerError) -> Result:
    where = f" ({error.span})" if error.span is not None else ""
    failure = Failure(error.code, error.message + where, "plan", hints=error.hints)
    return Result(step=planned.step.id, host=placement.host, status=Status.FAILED, failure=failure)
