"""A plan to its end: everything is opened, driven, closed and summed up here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.credentials.logins import secrets_of
from runner.credentials.redact import Redactor
from runner.document.nodes import AnyNode, Scalar
from runner.engine.driver import Driver
from runner.engine.observe import Observer, RunEnded, RunStarted, StepOutline, Summary
from runner.engine.port import Clock
from runner.errors import ExitCode
from runner.execute.executor import PlanExecutor
from runner.execute.world import World
from runner.plan.model import Plan
from runner.playbook.model import Step
from runner.transport.port import Login, Transport
from runner.values import Secret


class RunControl:
    """Stops a run from outside: a signal handler, a test. May be asked before the run begins."""

    def __init__(self) -> None:
        self._driver: Driver | None = None
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

    def bind(self, driver: Driver) -> None:
        """Hand over to the run's driver."""
        self._driver = driver
        if self._reason is not None:
            driver.request_stop(self._reason)


async def run_plan(
    plan: Plan,
    *,
    transports: Mapping[str, Transport],
    logins: Mapping[str, Login],
    observer: Observer,
    clock: Clock,
    control: RunControl | None = None,
    redactor: Redactor | None = None,
    output_dir: Path | None = None,
) -> Summary:
    """Run a plan; the observer gets every event, ``RunStarted`` first and ``RunEnded`` last.

    ``transports`` are by name, at least those of the plan's endpoints; ``logins`` by credential. ``redactor`` may know
    further secrets. ``output_dir`` keeps output that is longer than memory should hold.

    Raises:
        Exception: a bug of ours, after everything was stopped and ``RunEnded`` was told with exit code 70.

    """
    begin = clock.monotonic()
    redactor = Redactor() if redactor is None else redactor
    for secret in _secrets(plan, logins):
        redactor.add(secret)
    observer.on_event(_started(plan, clock))
    world = World(
        transports=transports,
        logins=logins,
        observer=observer,
        clock=clock,
        redactor=redactor,
        output_dir=output_dir,
    )
    executor = PlanExecutor(plan, world)
    driver = Driver(plan.shape, executor, observer=observer, clock=clock, label=executor.label)
    if control is not None:
        control.bind(driver)
    try:
        outcome = await driver.run(time_limit=plan.timeout)
    finally:
        may_still_run = await executor.close()
    summary = executor.tally.summary(
        duration=clock.monotonic() - begin,
        stopped_because=outcome.stopped_because,
        may_still_run=may_still_run,
        bug=outcome.bug is not None,
        stop_code=control.exit_code if control is not None else None,
    )
    observer.on_event(RunEnded(plan.run, clock.utc(), summary))
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
