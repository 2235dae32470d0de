"""A plan to its end: everything is opened, driven, closed and summed up here."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.credentials.logins import secrets_of
from runner.credentials.redact import Redactor
from runner.document.nodes import AnyNode, Scalar
from runner.engine.driver import Driver
from runner.engine.observe import Observer, RunEnded, RunStarted, StepOutline, Summary
from runner.engine.port import Clock, Recorder
from runner.engine.result import Result
from runner.engine.shape import Assignment
from runner.errors import ExitCode
from runner.execute.executor import PlanExecutor
from runner.execute.ports import ConnectGate, Gatekeeper, RunLocks, TargetLocks
from runner.execute.resumed import still_done
from runner.execute.world import World
from runner.plan.model import Plan
from runner.playbook.model import Step
from runner.transport.port import Login, Transport
from runner.values import Secret


class RunControl:
    """Stops a run from outside: a signal handler, a test. May be asked before the run begins."""

    def __init__(self) -> None:
        self._driver: Driver | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._reason: str | None = None
        self.exit_code: ExitCode | None = None

    def request_stop(self, reason: str, exit_code: ExitCode | None = None) -> None:
        """Start nothing more and end what runs; a second time hurries that. ``reason`` is shown: ``Ctrl-C``.

        The first ``exit_code`` is the run's.
        """
        self.exit_code = self.exit_code or exit_code
        if self._driver is not None:
            self._driver.request_stop(reason)
        elif self._reason is None:
            self._reason = reason
            if self._waiting is not None:
                self._waiting.cancel()

    async def unless_stopped(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for something before the run begins, no longer than until it is stopped."""
        self._waiting = asyncio.ensure_future(waiting)
        if self._reason is not None:
            self._waiting.cancel()
        try:
            await asyncio.wait({self._waiting})
            if not self._waiting.cancelled():
                self._waiting.result()
        finally:
            self._waiting.cancel()
            self._waiting = None

    def bind(self, driver: Driver) -> None:
        """Hand over to the run's driver."""
        self._driver = driver
        if self._reason is not None:
            driver.request_stop(self._reason)


async def run_plan(  # noqa: PLR0913 - the ports of a run, each by its name
    plan: Plan,
    *,
    transports: Mapping[str, Transport],
    logins: Mapping[str, Login],
    observer: Observer,
    clock: Clock,
    control: RunControl | None = None,
    redactor: Redactor | None = None,
    output_dir: Path | None = None,
    recorder: Recorder | None = None,
    restored: Mapping[tuple[str, str], Result] | None = None,
    passed_waves: Collection[tuple[str, int]] = (),
    gatekeeper: Gatekeeper | None = None,
    run_locks: RunLocks | None = None,
    target_locks: TargetLocks | None = None,
    connect_gate: ConnectGate | None = None,
    always_limit: float = 300.0,
    diff: bool = False,
) -> Summary:
    """Run a plan; the observer gets every event, ``RunStarted`` first and ``RunEnded`` last.

    Where the record cannot be written any more the run is stopped in order, and the summary says so (exit code 4).

    Args:
        plan: what to run.
        transports: by name, at least those of the plan's endpoints.
        logins: by credential.
        observer: is told everything.
        clock: time.
        control: stops the run from outside.
        redactor: may know further secrets.
        output_dir: keeps output that is longer than memory should hold; None keeps none.
        recorder: the run's journal; None keeps none.
        restored: results by step and host that an earlier part of the run recorded; they are not run again, but for
            ``always`` of blocks that go on (:func:`runner.execute.resumed.still_done`).
        passed_waves: waves by step or block, from 0, whose pause and health an earlier part has waited for.
        gatekeeper: answers gates; None is nobody.
        run_locks: holds ``plan.locked`` from before the first connection to the end.
        target_locks: locks on hosts themselves.
        connect_gate: how many connections adaptive pools open at once.
        always_limit: seconds that ``always`` steps have after a stop.
        diff: tell what changes with what was there before.

    Raises:
        LockHeld: another run holds a host; nothing was told to the observer and nothing was run.
        Exception: a bug of ours, after everything was stopped and ``RunEnded`` was told with exit code 70.

    """
    control = RunControl() if control is None else control
    redactor = Redactor() if redactor is None else redactor
    for secret in _secrets(plan, logins):
        redactor.add(secret)
    world = World(
        transports=transports,
        logins=logins,
        observer=observer,
        clock=clock,
        redactor=redactor,
        output_dir=output_dir,
        diff=diff,
        recorder=recorder,
        gatekeeper=gatekeeper,
        connect_gate=connect_gate,
        target_locks=target_locks,
    )
    try:
        if run_locks is not None and plan.locked:
            await control.unless_stopped(run_locks.acquire(plan.locked))
        earlier = _Earlier(plan, still_done(plan, restored or {}), passed_waves, always_limit)
        return await _run(plan, world, control, earlier)
    finally:
        if run_locks is not None:
            await run_locks.release()


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What an earlier part of the run has done, as the driver asks for it; ``always_limit`` in seconds."""

    plan: Plan
    restored: Mapping[tuple[str, str], Result]
    passed_waves: Collection[tuple[str, int]]
    always_limit: float

    def result(self, assignment: Assignment) -> Result | None:
        """The recorded result of an assignment that is not run again; a junction has none, it follows from steps."""
        if assignment.step >= len(self.plan.steps):
            return None
        planned = self.plan.steps[assignment.step]
        return self.restored.get((planned.step.id, planned.placements[assignment.position].host))

    def passed(self, policy: int, wave: int) -> bool:
        """Whether a wave was passed."""
        return (self.policy_name(policy), wave) in self.passed_waves

    def policy_name(self, policy: int) -> str:
        """The step or block that a policy is about."""
        return self.plan.policies[policy].name


async def _run(plan: Plan, world: World, control: RunControl, earlier: _Earlier) -> Summary:
    begin = world.clock.monotonic()
    world.observer.on_event(_started(plan, world.clock))
    shut: list[str] = []

    def on_shut(reason: str) -> None:
        if not shut:
            shut.append(reason)
            driver.request_stop(reason)

    executor = PlanExecutor(plan, world, on_shut, lambda: driver.stopped_because is not None)
    driver = Driver(
        plan.shape,
        executor,
        observer=world.observer,
        clock=world.clock,
        label=executor.label,
        recorder=world.recorder,
        restored=earlier.result if earlier.restored else None,
        passed_waves=earlier.passed if earlier.passed_waves else None,
        policy_name=earlier.policy_name,
        always_limit=earlier.always_limit,
    )
    control.bind(driver)
    try:
        outcome = await driver.run(time_limit=plan.timeout)
    finally:
        may_still_run = await executor.close()
    summary = executor.tally.summary(
        duration=world.clock.monotonic() - begin,
        stopped_because=outcome.stopped_because,
        may_still_run=may_still_run,
        bug=outcome.bug is not None,
        stop_code=control.exit_code or (ExitCode.STOPPED if outcome.journal_error is not None else None),
        policy=outcome.policy or (shut[0] if shut else None),
        restored=outcome.restored,
        check=plan.check,
    )
    world.observer.on_event(RunEnded(plan.run, world.clock.utc(), summary))
    if outcome.bug is not None:
        raise outcome.bug
    return summary


def _started(plan: Plan, clock: Clock) -> RunStarted:
    outlines = tuple(
        StepOutline(
            id=planned.step.id,
            name=_shown_name(planned.step.name),
            hosts=len(planned.placements),
            hide_computer_name=planned.step.hide_computer_name,
            show_information=_shows_information(planned.step),
        )
        for planned in plan.steps
    )
    return RunStarted(
        run=plan.run,
        playbook=plan.playbook.name,
        path=plan.playbook.path,
        at=clock.utc(),
        steps=outlines,
        hosts=len(plan.hosts),
    )


def _shows_information(step: Step) -> bool:
    """``information_action: continue`` asks for what PowerShell shows then (MshCommandRuntime.WriteInformation)."""
    said = step.information_action
    return isinstance(said, Scalar) and said.text.lower() == "continue"


def _shown_name(node: AnyNode | None) -> str | None:
    """A step's name as written: it is one line for all hosts, so templates in it stay as they are."""
    return node.text if isinstance(node, Scalar) and node.text else None


def _secrets(plan: Plan, logins: Mapping[str, Login]) -> Iterator[Secret | str]:
    """What must never be shown: what logins hold, and the values of secret inputs."""
    for login in logins.values():
        yield from secrets_of(login)
    for name, declared in plan.playbook.inputs.items():
        if (declared.secret or declared.type == "secure_string") and plan.hosts:
            scope = plan.scopes.of(plan.hosts[0])
            if scope.knows(name):
                yield from _texts_in(scope.lookup(name))


def _texts_in(value: Any) -> Iterator[Secret | str]:
    if isinstance(value, Secret | str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_in(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
