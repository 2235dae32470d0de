"""Steps of a playbook done one after another without an engine: what a body does on a host, by a clock that skips."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from runner.credentials.redact import Redactor
from runner.engine.observe import AssignmentWaits, GateOpened, Notice, OutputReceived, RunEvent
from runner.engine.result import Result
from runner.engine.shape import Assignment
from runner.execute.executor import PlanExecutor
from runner.execute.ports import Answer
from runner.execute.world import World
from runner.transport.local import LocalTransport
from runner.transport.port import Transport
from runner.values import Secret
from tests.unit.execute.running import plan_of

T = TypeVar("T")

START = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)


class SkippingClock:
    """Sleeping takes no time and moves the clock; ``on_sleep`` is what happens in the world meanwhile."""

    def __init__(self, on_sleep: Callable[[float], None] = lambda _: None) -> None:
        self._on_sleep = on_sleep
        self.now = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.now)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        self._on_sleep(self.now)
        await asyncio.sleep(0)


@dataclass
class Slots:
    """The right to work: ``held`` is False while it is away; ``log`` has starts and absences in order."""

    held: bool = True
    log: list[str] = field(default_factory=list)

    async def record_start(self, attempt: int, item: int | None = None) -> None:
        del item
        self.log.append(f"start {attempt}")

    async def away(self, waiting: Awaitable[T], *, late: bool = False) -> T:
        assert self.held
        self.held = False
        self.log.append("late" if late else "away")
        try:
            return await waiting
        finally:
            self.held = True

    def workers(self, count: int) -> None:
        del count


@dataclass
class Keeper:
    """Answers gates with ``answer`` (None: nobody does, and the time is over), and keeps what it was asked."""

    answer: Answer | None = None
    can_ask: bool = True
    asked: list[tuple[str, str, datetime | None]] = field(default_factory=list)

    async def ask(self, step: str, message: str, until: datetime | None) -> Answer | None:
        self.asked.append((step, message, until))
        await asyncio.sleep(0)
        return self.answer


@dataclass
class Done:
    """What came of the steps, by step and host."""

    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    events: list[RunEvent] = field(default_factory=list)
    slots: Slots = field(default_factory=Slots)

    def on_event(self, event: RunEvent) -> None:
        self.events.append(event)

    def result(self, step: str = "x", host: str = "a") -> Result:
        return self.results[step, host]

    def code(self, step: str = "x", host: str = "a") -> str | None:
        failure = self.result(step, host).failure
        return None if failure is None else failure.code

    def message(self, step: str = "x", host: str = "a") -> str:
        failure = self.result(step, host).failure
        assert failure is not None
        return failure.message

    def told(self) -> list[str]:
        """What was shown live of the hosts' output."""
        return [event.text for event in self.events if isinstance(event, OutputReceived)]

    def waits(self) -> list[AssignmentWaits]:
        return [event for event in self.events if isinstance(event, AssignmentWaits)]

    def gates(self) -> list[GateOpened]:
        return [event for event in self.events if isinstance(event, GateOpened)]

    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Notice)]


async def do(
    folder: Path,
    steps: str,
    *,
    head: str = "targets: {all: {hosts: [a]}}\n",
    clock: SkippingClock | None = None,
    keeper: Keeper | None = None,
    transports: Mapping[str, Transport] | None = None,
    diff: bool = False,
    secrets: tuple[str, ...] = (),
    together: bool = False,
    **given: Any,
) -> Done:
    """Do every step on each of its hosts, in file order; ``together`` does a step on all of its hosts at once."""
    plan, done = plan_of(folder, f"version: 1\nname: x\n{head}steps:\n{steps}", **given), Done()
    redactor = Redactor()
    for secret in secrets:
        redactor.add(Secret(secret))
    executor = PlanExecutor(
        plan,
        World(
            transports={"local": LocalTransport()} if transports is None else transports,
            logins={},
            observer=done,
            clock=clock or SkippingClock(),
            redactor=redactor,
            diff=diff,
            gatekeeper=keeper,
        ),
    )

    async def one(assignment: Assignment) -> None:
        verdict = executor.judge(assignment)
        result = (
            verdict.result
            if verdict.result is not None
            else await executor.run(assignment, Slots(log=done.slots.log))
        )
        executor.ended(assignment, result)
        done.results[executor.label(assignment)] = result

    for planned in plan.steps:
        assignments = [Assignment(planned.index, number) for number in range(len(planned.placements))]
        if together:
            await asyncio.gather(*map(one, assignments))
        else:
            for assignment in assignments:
                await one(assignment)
    await executor.close()
    return done
