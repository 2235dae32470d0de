"""All attempts of a step, or of one item of its loop, on one host: ``retry``, ``until`` and hosts that come back late.

Between attempts nothing runs on the host and no slot is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from runner.document.nodes import Scalar
from runner.engine.observe import AssignmentWaits, Waits
from runner.engine.port import Turn
from runner.engine.result import Failure, Result, Status
from runner.errors import RunnerError
from runner.execute.attempt import attempt, failure_of
from runner.execute.control.retrying import delay_after, next_delay, repeatable
from runner.execute.guard import forget_cancellation
from runner.execute.registry import view
from runner.execute.scopes import with_result
from runner.execute.site import Site
from runner.playbook.control import Late, Retry
from runner.units import format_duration


class Course:
    """The attempts, one after another; single use.

    ``site_of`` makes the site of an attempt by its number from 1, ``leave`` is told of each when it is over.
    ``random`` gives numbers from 0 to below 1, for jitter.
    """

    def __init__(
        self,
        site_of: Callable[[int], Site],
        turn: Turn,
        *,
        random: Callable[[], float],
        leave: Callable[[Site], None] = lambda _: None,
    ) -> None:
        self._site_of = site_of
        self._turn = turn
        self._random = random
        self._leave = leave
        self._number = 0
        self._counted = 0  # attempts that `retry` counts: those of a late host are not of them
        self._waited = 0.0
        self._gone_since: float | None = None

    async def run(self) -> Result:
        """The result of the last attempt; on cancellation what was running is ended, and the result says so."""
        while True:
            self._number += 1
            site = self._site_of(self._number)
            try:
                result = await attempt(site)
            finally:
                self._leave(site)
            if self._number > 1:
                result = replace(result, attempt=self._number)
            result, wait = self._decide(site, result)
            if wait is None:
                return settled(site, self._whole(result))
            try:
                await self._wait(site, *wait)
            except asyncio.CancelledError:
                forget_cancellation()
                return self._whole(self._stopped(site, result))

    def _decide(self, site: Site, result: Result) -> tuple[Result, tuple[Waits, float, str] | None]:
        """The result as it stands, and with what, how long and why the next attempt is waited for, if it is."""
        try:
            result, delay = self._judge(site, result)
        except RunnerError as error:
            return replace(result, status=Status.FAILED, failure=failure_of(error, "decode", ran=True)), None
        reason = self._reason(result)
        if delay is not None:
            return result, (Waits.RETRY, delay, reason)
        late = self._late(site, result)
        return late[0], None if late[1] is None else (Waits.UNREACHABLE, late[1], reason)

    def _judge(self, site: Site, result: Result) -> tuple[Result, float | None]:
        step = site.planned.step
        if self._gone_since is None:
            self._counted += 1
        if not repeatable(result) or (step.retry is None and not step.until):
            return result, None
        retry = step.retry or Retry()
        if not step.until:
            return result, next_delay(
                retry, self._counted, result, self._random, lambda part: _holds(site, result, part)
            )
        unmet = next((part for part in step.until if not _holds(site, result, part)), None)
        if unmet is None:
            return result, None
        if self._counted < retry.attempts:
            return result, delay_after(retry, self._counted, self._random)
        return (result if result.status.bad else _not_held(result, unmet, self._counted)), None

    def _late(self, site: Site, result: Result) -> tuple[Result, float | None]:
        """For a host that was not reached: seconds until it is asked again, within what ``unreachable`` allows."""
        late = site.planned.step.unreachable
        if result.status is not Status.UNREACHABLE or not isinstance(late, Late) or result.failure is None:
            self._gone_since = None
            return result, None
        now = site.services.clock.monotonic()
        if self._gone_since is None:
            self._gone_since = now
        gone = now - self._gone_since
        if gone < late.give_up_after:
            return result, min(late.retry_after, late.give_up_after - gone)
        told = f"{result.failure.message}; given up after {format_duration(late.give_up_after)}"
        return replace(result, failure=replace(result.failure, message=told)), None

    @staticmethod
    def _reason(result: Result) -> str:
        return (
            result.failure.message
            if result.status.bad and result.failure is not None
            else "`until` does not hold yet"
        )

    async def _wait(self, site: Site, what: Waits, seconds: float, reason: str) -> None:
        services = site.services
        now = services.clock.utc()
        waits = AssignmentWaits(
            step=site.planned.step.id,
            host=site.placement.host,
            what=what,
            reason=services.redactor.mask(reason),
            at=now,
            attempt=self._number,
            until=now + timedelta(seconds=seconds),
        )
        services.observer.on_event(waits)
        begin = services.clock.monotonic()
        try:
            await self._turn.away(services.clock.sleep(seconds), late=what is Waits.UNREACHABLE)
        finally:
            self._waited += services.clock.monotonic() - begin

    def _stopped(self, site: Site, last: Result) -> Result:
        """Cancelled between two attempts: the last one is over, so what it said is known and nothing runs."""
        said = f"; attempt {self._number} ended with: {last.failure.message}" if last.failure else ""
        code, words = site.services.stop()
        failure = Failure(
            code,
            f"{words} before attempt {self._number + 1}{said}",
            last.failure.phase if last.failure else "execute",
            may_have_run=last.failure.may_have_run if last.failure else True,
        )
        return replace(last, status=Status.CANCELLED, failure=failure)

    def _whole(self, result: Result) -> Result:
        return replace(result, waited=result.waited + self._waited) if self._waited else result


def settled(site: Site, result: Result) -> Result:
    """The last word on a result: whether ``ignore_errors`` or ``unreachable: ignore`` forgives it."""
    if not result.status.bad or result.status is Status.CANCELLED:
        return result
    try:
        if _ignores(site, result):
            return replace(result, ignored=True)
    except RunnerError as error:
        ran = result.failure is not None and result.failure.may_have_run
        return replace(result, status=Status.FAILED, failure=failure_of(error, "decode", ran=ran))
    return result


def _ignores(site: Site, result: Result) -> bool:
    step = site.planned.step
    if result.status is Status.UNREACHABLE and step.unreachable == "ignore":
        return True
    node = step.ignore_errors
    if node is None:
        return False
    scope = with_result(site.scope, view(result))
    return bool(scope.evaluate(node) if isinstance(node, Scalar) else scope.render(node))


def _holds(site: Site, result: Result, expression: Scalar) -> bool:
    """Whether an expression about the result is true; of a bad result one that cannot be evaluated is not.

    A failed attempt has no output that ``result.output[0]`` could name, and that is no mistake of the author.
    """
    try:
        return bool(with_result(site.scope, view(result)).evaluate(expression))
    except RunnerError:
        if result.status.bad:
            return False
        raise


def _not_held(result: Result, unmet: Scalar, attempts: int) -> Result:
    times = "once" if attempts == 1 else f"{attempts} times"
    failure = Failure(
        "until-not-held",
        f"it ran {times} and `until` does not hold: `{' '.join(unmet.text.split())}`",
        may_have_run=True,
        hints=("give it longer with `retry: {attempts: ..., delay: ...}`",),
    )
    return replace(result, status=Status.FAILED, failure=failure)
