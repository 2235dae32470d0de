"""Runs the assignments of a plan: the port that the driver drives (``runner.engine.port.Executor``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from runner.engine.observe import BlockRescued, Notice
from runner.engine.port import Turn, Verdict
from runner.engine.result import Result, Status
from runner.engine.shape import Assignment
from runner.engine.summary import Tally
from runner.errors import JournalError, RunnerError
from runner.execute.attempt import failure_of
from runner.execute.check_mode import NOT_KNOWN_YET, as_skip, nothing_known
from runner.execute.connections import Connections
from runner.execute.control.aside import with_quarantine
from runner.execute.control.blocks import BlockFailures
from runner.execute.control.junctions import Junctions
from runner.execute.control.looping import loop_items
from runner.execute.control.slowness import Slowness
from runner.execute.control.waves import WaveChecks
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
from runner.units import format_duration
from runner.variables.not_known import NOT_KNOWN
from runner.variables.scope import ValueNotKnown

GATE_SHUT = frozenset({"gate-rejected", "gate-timeout", "gate-unattended"})
"""Codes of failures with which a gate stops the whole run (cli.md, "Exit codes": 4)."""


class PlanExecutor:
    """Judges and runs the assignments of one plan, registers results, and keeps connections and sessions.

    ``on_shut`` is told, as a sentence, that a gate stops the run. ``stopped`` says whether the run was stopped.
    """

    def __init__(
        self,
        plan: Plan,
        world: World,
        on_shut: Callable[[str], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: True,
    ) -> None:
        self._plan = plan
        self._world = world
        self._on_shut = on_shut
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
            lock=plan.playbook.lock,
            target_locks=world.target_locks,
            stopped=stopped,
        )
        self._work = Work(self._scopes, self._services)
        self._junctions = Junctions(plan)
        self._waves = WaveChecks(plan, self._work, self._scopes, self._services, self._tell)
        self._slowness = Slowness(plan, world.clock, self._tell)
        self._judged: dict[Assignment, list[Item]] = {}
        self._unmasked: dict[Assignment, Result] = {}
        self.tally = Tally()

    def label(self, assignment: Assignment) -> tuple[str, str]:
        """The step's or block's id and the host's name."""
        if self._junctions.holds(assignment):
            return self._junctions.label(assignment)
        planned, placement = self._at(assignment)
        return planned.step.id, placement.host

    def judge(self, assignment: Assignment) -> Verdict:
        """Evaluate ``when`` and ``loop``; with a loop ``when`` is asked for each item, which it may name.

        Of a block's entry the result says why it is not entered; the driver gives it as the reason of what is skipped.
        """
        if self._junctions.holds(assignment):
            return self._judge_entry(assignment)
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
            result = self._shown(assignment, failed(planned, placement, error))
            return Verdict(False, as_skip(result) if self._services.check else result)
        self._judged[assignment] = items
        return Verdict(True)

    def _judge_entry(self, assignment: Assignment) -> Verdict:
        planned, (block, host) = self._junctions.block(assignment), self.label(assignment)
        scope = self._scopes.of_block(planned.block, host)
        try:
            false = next((part for part in planned.block.when if not scope.evaluate(part)), None)
        except ValueNotKnown:
            return Verdict(False, self._skip(assignment, NOT_KNOWN_YET))
        except RunnerError as error:
            result = Result(step=block, host=host, status=Status.FAILED, failure=failure_of(error, "plan"))
            self._tell(f"block `{block}` is not entered: {error.message}", host)
            self.tally.add(result)  # no result of a step says it: those are held back
            return Verdict(False, masked(result, self._services.redactor))
        if false is None:
            return Verdict(True)
        return Verdict(False, self._skip(assignment, f"`when` is false: `{' '.join(false.text.split())}`"))

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        """Do it; on cancellation stop what runs on the host, and give a cancelled result."""
        planned, placement = self._at(assignment)
        items = self._judged.pop(assignment, None)
        self._slowness.started(assignment, placement.host)
        if planned.step.quarantine is False:
            result = await self._work.run(planned, placement, items, turn)
        else:
            result = await with_quarantine(
                lambda aside: self._work.run(planned, placement, items, aside),
                turn,
                clock=self._services.clock,
                limit=lambda: self._quarantine(planned),
                told=lambda seconds: self._tell(
                    f"`{planned.step.id}` has taken {format_duration(seconds)} and is put aside: "
                    "it goes on without holding others up",
                    placement.host,
                ),
            )
        return self._shown(assignment, result)

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        """The result of an assignment the machine decided not to start."""
        return replace(self._skip(assignment, reason), held_back=held_back)

    def ended(self, assignment: Assignment, result: Result) -> None:
        """Register and count the result; close what nobody needs any more."""
        planned, placement = self._at(assignment)
        self._judged.pop(assignment, None)
        self._keep(planned, assignment, result)
        self._blocks.ended(planned.step, result)
        self._waves.ended(assignment, result)
        self._slowness.ended(assignment, placement.host)
        self.tally.add(result)
        closing = [self._services.sessions.ended(assignment)]
        if self._services.target_locks is not None:
            closing.append(self._services.target_locks.ended(assignment))
        self._services.connections.ended(assignment, after=[task for task in closing if task is not None])
        if result.bad and result.failure is not None and result.failure.code in GATE_SHUT:
            self._on_shut(f"`{planned.step.id}`: {result.failure.message}")

    def passed(self, assignment: Assignment, *, entered: bool, bad: bool, rescued: bool) -> None:
        """A host passed a junction; at a block's end what its rescue mended counts as mended."""
        planned, host = self._junctions.block(assignment), self.label(assignment)[1]
        if assignment.step != planned.end:
            return
        self._waves.passed(planned.end, host, entered=entered, bad=bad)
        if rescued:
            steps = frozenset(self._plan.steps[number].step.id for number in planned.steps)
            self._blocks.rescued(planned.block.id, host, steps)
            self.tally.rescue(host, steps)
            if self._world.recorder is not None:
                with suppress(
                    JournalError
                ):  # what is recorded next fails as well, and that stops the run in order
                    self._world.recorder.rescued(planned.block.id, host, steps)
            now, mended = self._services.clock.utc(), tuple(sorted(steps))
            self._services.observer.on_event(BlockRescued(planned.block.id, host, now, mended))

    async def check_wave(self, policy: int, wave: int) -> str | None:
        """Wait for the wave's pause and look at its health; None where the next may begin, else why not."""
        return await self._waves.check(policy, wave)

    def hurry(self) -> None:
        """Shorten every deadline of stops that are under way."""
        self._services.patience.hurry()

    async def close(self) -> tuple[str, ...]:
        """Close sessions and connections; gives what may still run on hosts, as ``step on host``."""
        self._slowness.close()
        if self._services.target_locks is not None:
            await self._services.target_locks.close()
        await self._services.sessions.close()
        await self._services.connections.close()
        return tuple(self._work.left)

    def _at(self, assignment: Assignment) -> tuple[PlannedStep, Placement]:
        planned = self._plan.steps[assignment.step]
        placement = planned.placements[assignment.position]
        return planned.on(placement.host), placement

    def _quarantine(self, planned: PlannedStep) -> float | None:
        said = planned.step.quarantine
        return self._slowness.limit(planned.index) if said is True else float(said)

    def _keep(self, planned: PlannedStep, assignment: Assignment, result: Result) -> None:
        """Keep what later steps may read, for all hosts that see it.

        A result with a secret that was not run here comes from a journal, masked: what it said is lost.
        """
        step, hosts = planned.step, planned.seen_by or (result.host,)
        lost = result.secret and assignment not in self._unmasked
        whole = self._unmasked.pop(assignment, result)
        if self._services.check and (nothing_known(whole) or whole.would_change):
            self._keep_checked(planned, whole, hosts)
            return
        if step.register is not None:
            self._registry.register(step.register, step.id, whole, hosts=hosts, lost=lost)
        if isinstance(step.body, SetVarsBody) and not whole.status.bad:
            for each in whole.items or (whole,):
                if isinstance(each.output, dict):
                    for host in hosts:
                        self._registry.set_variables(host, step.id, each.output, lost=lost)

    def _keep_checked(self, planned: PlannedStep, result: Result, hosts: Sequence[str]) -> None:
        """Keep what is known of a step that did not run, or not to its end (``--check``)."""
        step = planned.step
        if step.register is not None and result.would_change:
            self._registry.register_checked(step.register, step.id, result, hosts)
        elif step.register is not None:
            self._registry.register_unknown(step.register, step.id, hosts)
        if isinstance(step.body, SetVarsBody):
            for host in hosts:
                self._registry.set_variables(host, step.id, dict.fromkeys(step.body.variables, NOT_KNOWN))

    def _shown(self, assignment: Assignment, result: Result) -> Result:
        """The result with its secrets masked; what later steps read of it is kept as it is until it is over."""
        shown = masked(result, self._services.redactor)
        if shown is not result and _leaves_something(self._plan.steps[assignment.step].step):
            self._unmasked[assignment] = result
        return shown

    def _skip(self, assignment: Assignment, reason: str) -> Result:
        step, host = self.label(assignment)
        return Result(
            step=step, host=host, status=Status.SKIPPED, skip_reason=self._services.redactor.mask(reason)
        )

    def _tell_reopened(self, session: str, host: str) -> None:
        self._tell(f"session `{session}` was lost and is opened anew; what it held is gone", host)

    def _tell(self, message: str, host: str | None = None) -> None:
        services = self._services
        services.observer.on_event(Notice(services.redactor.mask(message), services.clock.utc(), host))


def _leaves_something(step: Step) -> bool:
    """Whether later steps may read what it gives, so that it must be known unmasked."""
    return step.register is not None or isinstance(step.body, SetVarsBody)
