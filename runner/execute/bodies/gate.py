"""The ``gate`` body: hold the run until somebody approves, or until a condition holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.engine.observe import GateOpened, Waits
from runner.engine.result import Failure
from runner.execute import rendered
from runner.execute.bodies.conditions import ConditionRun
from runner.execute.bodies.waiting import Waiting
from runner.execute.done import Done
from runner.execute.ports import Answer, Gatekeeper
from runner.execute.site import Site
from runner.playbook.bodies import GateBody
from runner.units import format_duration

INTERVAL = 5.0
"""Seconds between two looks at a gate's condition."""


class GateRun:
    """One gate on one host; a :class:`runner.execute.done.Body`.

    Somebody is asked once for all hosts of the step: what is answered holds for each of them, also where they come to
    the gate later. While it waits it holds no throttle slot.
    """

    def __init__(self, site: Site, body: GateBody) -> None:
        self._site = site
        self._body = body
        self._message = (
            rendered.text(site.scope, body.message, "`message`") or f"go on with {site.planned.step.id}?"
        )
        self._condition = None if body.that is None else ConditionRun(site, body.that, "gate.that")

    async def open(self) -> None:
        """Needs nothing before it looks."""

    async def run(self) -> Done:
        """Wait until the gate opens, or its time is over."""
        self._site.enter_phase("gate", self._body.timeout)
        return await (self._ask() if self._condition is None else self._until_it_holds(self._condition))

    async def close(self) -> None:
        """Close what the condition's script ran in."""
        if self._condition is not None:
            await self._condition.close()

    def partial(self) -> Done:
        """Nothing comes piece by piece."""
        return Done(judged=False)

    async def _until_it_holds(self, condition: ConditionRun) -> Done:
        waiting = Waiting(self._site, Waits.GATE, self._body.timeout)
        while True:
            last = waiting.over
            missing = await condition.missing()
            if missing is None:
                return _opened("condition", waiting)
            if last:
                return self._timed_out(waiting, f"the last look says: {missing}")
            await waiting.pause(INTERVAL, f"the gate waits: {missing}")

    async def _ask(self) -> Done:
        services = self._site.services
        waiting = Waiting(self._site, Waits.GATE, self._body.timeout)
        keeper = services.gatekeeper
        if keeper is None or not keeper.can_ask:
            return self._unattended(waiting)
        asking = services.questions.ask(self._site.planned.index, lambda: self._answer(keeper, waiting))
        answer = await waiting.away(asking, f"the gate waits for an answer: {self._message}")
        if answer is None and not self._body.timeout:
            return self._unattended(
                waiting
            )  # no answer is there, and nobody sits at a terminal, or none is waited for
        if answer is None:
            return self._timed_out(waiting, "nobody answered")
        if answer.go:
            return _opened(answer.who, waiting)
        return self._stopped(waiting, "gate-rejected", f"`{answer.who}` said no: {self._message}")

    async def _answer(self, keeper: Gatekeeper, waiting: Waiting) -> Answer | None:
        services, step = self._site.services, self._site.planned.step.id
        message = services.redactor.mask(self._message)
        default = self._body.default or "stop"
        services.observer.on_event(
            GateOpened(services.run, step, message, services.clock.utc(), waiting.until, default)
        )
        return await keeper.ask(step, message, waiting.until)

    def _unattended(self, waiting: Waiting) -> Done:
        if self._body.default == "go":
            return _opened("default", waiting)
        message = f"nobody can be asked: {self._message}"
        approve = f"runner runs approve {self._site.services.run or 'RUN'} {self._site.planned.step.id}"
        hints = (
            f"`{approve}` answers a gate of a run that is recorded; `runner resume` goes on at it",
            "`default: go` goes on where nobody answers",
        )
        return self._stopped(waiting, "gate-unattended", message, hints)

    def _timed_out(self, waiting: Waiting, why: str) -> Done:
        if self._body.default == "go":
            return _opened("timeout", waiting)
        limit = self._body.timeout
        shut = f"the gate stayed shut for {format_duration(limit)}" if limit else "the gate is shut"
        return self._stopped(waiting, "gate-timeout", f"{shut}: {why}")

    @staticmethod
    def _stopped(waiting: Waiting, code: str, message: str, hints: tuple[str, ...] = ()) -> Done:
        failure = Failure(code, f"{message}; nothing was run behind it", hints=hints)
        return Done(failure=failure, judged=False, waited=waiting.waited)


def _opened(who: str, waiting: Waiting) -> Done:
    output: dict[str, Any] = {"approved_by": who}
    return replace(Done(output=output), waited=waiting.waited)
