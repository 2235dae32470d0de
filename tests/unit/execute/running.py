"""Runs of playbooks written in a test, on hosts that are this machine, with every event kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runner.engine.observe import AssignmentEnded, OutputReceived, RunEvent, Summary
from runner.engine.port import Clock
from runner.engine.result import Result
from runner.execute.run import RunControl, run_plan
from runner.plan.model import Plan
from runner.transport.local import LocalTransport
from runner.transport.port import Login, Transport
from tests.support.planning import prepared

HOSTS = """\
version: 1
connection: {transport: local}
hosts: {a: {vars: {number: 1}}, b: {vars: {number: 2}}, c: {vars: {number: 3}}}
"""


class WallClock:
    """Real time."""

    def monotonic(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class SkippingClock:
    """Real time in which nobody waits: a sleep only moves the time on, and is remembered."""

    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    def utc(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self.slept))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Seen:
    """What a run told; ``on_output`` may act on a piece of output as it comes."""

    on_output: Callable[[OutputReceived], None] = lambda _: None
    events: list[RunEvent] = field(default_factory=list)
    summary: Summary | None = None

    def on_event(self, event: RunEvent) -> None:
        self.events.append(event)
        if isinstance(event, OutputReceived):
            self.on_output(event)

    @property
    def results(self) -> dict[tuple[str, str], Result]:
        return {
            (e.result.step, e.result.host): e.result for e in self.events if isinstance(e, AssignmentEnded)
        }

    def result(self, step: str, host: str = "a") -> Result:
        return self.results[step, host]

    @property
    def exit_code(self) -> int:
        assert self.summary is not None
        return self.summary.exit_code


def plan_of(folder: Path, playbook: str, *, inventory: str = HOSTS, **given: Any) -> Plan:
    result = prepared(folder, playbook, inventory=inventory, **given)
    assert result.plan is not None, [(p.code, p.message) for p in result.problems.sorted()]
    return result.plan


async def run(
    folder: Path,
    playbook: str,
    *,
    seen: Seen | None = None,
    control: RunControl | None = None,
    transports: Mapping[str, Transport] | None = None,
    logins: Mapping[str, Login] | None = None,
    output_dir: Path | None = None,
    clock: Clock | None = None,
    ports: Mapping[str, Any] | None = None,
    **given: Any,
) -> Seen:
    """Plan and run a playbook; its hosts ``a``, ``b`` and ``c`` are this machine. ``ports`` are for `run_plan`."""
    seen = seen or Seen()
    seen.summary = await run_plan(
        plan_of(folder, playbook, **given),
        transports={"local": LocalTransport()} if transports is None else transports,
        logins=logins or {},
        observer=seen,
        clock=clock or WallClock(),
        control=control,
        output_dir=output_dir,
        **(ports or {}),
    )
    return seen
