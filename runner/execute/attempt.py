"""One attempt: a step, or one item of its loop, on one host, from its templates to its result.

Whether it is repeated or forgiven is decided elsewhere (``runner.execute.control.course``). Whatever goes wrong becomes
a result, with what is known of the host: an exception that leaves here is a bug of ours.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from runner.engine.result import Failure, Result, Status
from runner.errors import ConnectionLost, HostError, JournalError, RunnerError, Unreachable
from runner.execute.bodies.prepare import prepare, stays_here
from runner.execute.check_mode import as_skip
from runner.execute.done import Body, Done
from runner.execute.guard import forget_cancellation, uninterrupted
from runner.execute.registry import view
from runner.execute.scopes import with_result
from runner.execute.site import Site
from runner.playbook.bodies import HttpBody
from runner.units import format_duration


async def attempt(site: Site) -> Result:
    """Run the step once on the host; on cancellation end what runs there and give a cancelled result."""
    result = await _Attempt(site).run()
    return as_skip(result) if site.services.check else result


@dataclass(slots=True)
class _Ended:
    """How an attempt ended before its conditions judge it; ``status`` None where the body came to its end."""

    done: Done
    status: Status | None = None


class _Attempt:
    """The course of one attempt; single use."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._step = site.planned.step
        self._clock = site.services.clock
        self._started_at: datetime = self._clock.utc()
        self._sent_at: float | None = None
        self._body: Body | None = None
        self._recorded = False
        self._not_recorded: JournalError | None = None

    async def run(self) -> Result:
        try:
            ended = await self._until_end()
        except asyncio.CancelledError:
            forget_cancellation()
            ended = self._cancelled() if self._not_recorded is None else _unrecorded(self._not_recorded)
        except HostError as error:
            ended = self._host_error(error)
        except JournalError as error:
            ended = _unrecorded(error)
        except RunnerError as error:
            ended = _Ended(Done(failure=failure_of(error, "plan"), judged=False), Status.FAILED)
        duration = self._clock.monotonic() - self._sent_at if self._sent_at is not None else 0.0
        return self._judge(ended, duration)

    async def _until_end(self) -> _Ended:
        body = self._body = await prepare(self._site)
        try:
            return await self._open_and_run(body)
        except ConnectionLost as error:
            # A kept link that broke while nobody used it is found out by its next user; nothing was lost but it (and
            # a session over it, of which the second try tells).
            if error.may_have_run:
                raise
        body = self._body = await prepare(self._site)
        return await self._open_and_run(body)

    async def _open_and_run(self, body: Body) -> _Ended:
        site, services = self._site, self._site.services
        try:
            told = await self._hold_target()  # whoever watches is told that the wait for the lock is over
            told |= not stays_here(site.planned) and not services.connections.is_open(site.placement.endpoint)
            await body.open()
            await self._record_start()
            if told or self._step.timeout is not None:
                site.enter_phase("step", self._step.timeout)
            return await self._run(body)
        finally:
            if site.placement.close_timeout is not None and site.own_pool and not stays_here(site.planned):
                site.enter_phase("close", site.placement.close_timeout)
            await uninterrupted(body.close())

    async def _hold_target(self) -> bool:
        """Take the lock on the host itself where the step or the playbook asks for it; whether it does."""
        services = self._site.services
        wanted = (self._step.lock or services.lock) == "target" and not stays_here(self._site.planned)
        if not wanted or services.target_locks is None:
            return False
        await services.target_locks.hold(self._site)
        return True

    async def _record_start(self) -> None:
        """Have it on disk that the host is about to be acted on.

        Here and not before ``open``: a body that is opened has connected, logged in and started an interpreter, and
        nothing of the author's has run (:class:`runner.execute.done.Body`). So a host that was not reached leaves no
        start behind, and a crash while thousands of logins are under way leaves none of them unknown.
        """
        site = self._site
        acts = not stays_here(site.planned) or isinstance(self._step.body, HttpBody)
        if self._recorded or not acts or site.turn is None:
            return
        try:
            await site.turn.record_start(site.number, site.item.index if site.item is not None else None)
        except JournalError as error:
            self._not_recorded = error  # the run is stopped for it, which may come before this is told
            raise
        self._recorded = True

    async def _run(self, body: Body) -> _Ended:
        self._sent_at = self._clock.monotonic()
        deadline = asyncio.timeout(self._step.timeout)
        try:
            async with deadline:
                return _Ended(await body.run())
        except TimeoutError:
            if not deadline.expired():
                raise
            answers = True
            if self._site.guard.progress.left:
                answers = await self._site.services.connections.doubt(self._site.placement.endpoint)
            return self._timed_out(body, answers=answers)

    def _timed_out(self, body: Body, *, answers: bool) -> _Ended:
        """What took longer than the timeout; where its stop did so too, the time that took is explained."""
        limit, progress = format_duration(self._step.timeout or 0), self._site.guard.progress
        hints: tuple[str, ...] = ()
        told = f"it ran longer than {limit} and {self._what_is_left('was', 'may')}"
        if progress.asked and not progress.children:
            told += f": it did not stop in the {format_duration(progress.asked)} that it had for that"
            told += "" if answers else ", and the host does not answer"
            hints = ("`session_option: {cancel_timeout: 3s}` gives a stop less time",)
        failure = Failure("step-timeout", told, may_have_run=True, hints=hints)
        return _Ended(replace(body.partial(), failure=failure, judged=False), Status.TIMED_OUT)

    def _what_is_left(self, was: str, may: str) -> str:
        """Whether what ran was ended on the host; with the verbs' subjects where the sentence wants them."""
        progress = self._site.guard.progress
        if progress.children:
            return f"{was} ended on the host{progress.children}"
        return f"{may} still run on the host" if progress.left else f"{was} ended on the host"

    def _cancelled(self) -> _Ended:
        progress = self._site.guard.progress
        if not progress.sent:
            told, phase = "nothing was run", "connect"
        else:
            told, phase = self._what_is_left("it was", "it may"), "execute"
        code, words = self._site.services.stop()
        failure = Failure(code, f"{words}; {told}", phase, may_have_run=progress.sent)
        done = self._body.partial() if self._body is not None and progress.sent else Done()
        return _Ended(replace(done, failure=failure, judged=False), Status.CANCELLED)

    def _host_error(self, error: HostError) -> _Ended:
        """A cut link is unreachable where surely nothing ran, else failed: its failure says that it may have run."""
        error = self._site.services.connections.named(error, self._site.placement.endpoint)
        status = Status.FAILED
        if isinstance(error, Unreachable) or (isinstance(error, ConnectionLost) and not error.may_have_run):
            status = Status.UNREACHABLE
        failure = failure_of(error, error.phase)
        done = Done()
        if isinstance(error, ConnectionLost) and error.may_have_run and self._body is not None:
            self._site.guard.progress.left = True
            done = self._body.partial()
        return _Ended(replace(done, failure=failure, judged=False), status)

    def _judge(self, ended: _Ended, duration: float) -> Result:
        """Apply ``failed_when`` and ``changed_when``."""
        result = self._result(ended, duration)
        if not ended.done.judged or ended.done.skipped is not None:
            return result
        try:
            return self._judged(result)
        except RunnerError as error:
            return replace(result, status=Status.FAILED, failure=failure_of(error, "decode", ran=True))

    def _judged(self, result: Result) -> Result:
        step, failure, changed = self._step, result.failure, result.changed
        if not step.failed_when and not step.changed_when:
            return result
        scope = with_result(self._site.scope, view(result))
        if step.failed_when:
            failure = None
            if scope.holds(step.failed_when):
                listed = " and ".join(f"`{' '.join(part.text.split())}`" for part in step.failed_when)
                failure = Failure("failed-when", f"`failed_when` holds: {listed}", may_have_run=True)
        if step.changed_when:
            changed = scope.holds(step.changed_when) and not step.read_only
        status = Status.FAILED if failure else Status.CHANGED if changed else Status.OK
        return replace(result, status=status, failure=failure, changed=changed)

    def _result(self, ended: _Ended, duration: float) -> Result:
        done, placement, item = ended.done, self._site.placement, self._site.item
        changed = done.changed and not self._step.read_only
        status = Status.FAILED if done.failure else Status.CHANGED if changed else Status.OK
        if done.skipped is not None:
            status = Status.SKIPPED
        local = stays_here(self._site.planned)
        return Result(
            step=self._step.id,
            host=placement.host,
            status=ended.status or status,
            changed=changed,
            item=item.value if item is not None else None,
            started_at=self._started_at,
            duration=duration,
            exit_code=done.exit_code,
            signal=done.signal,
            output=done.output,
            stderr=done.stderr,
            errors=done.errors,
            streams=done.streams,
            failure=done.failure,
            transport=None if local else placement.endpoint.transport,
            session=None if local else placement.session,
            session_lost=done.session_lost,
            truncated=done.truncated,
            output_file=done.output_file,
            would_change=done.would_change,
            difference=done.difference,
            waited=done.waited,
            skip_reason=done.skipped,
        )


def _unrecorded(error: JournalError) -> _Ended:
    failure = Failure(error.code, f"{error.message}; nothing was run", "plan", hints=error.hints)
    return _Ended(Done(failure=failure, judged=False), Status.CANCELLED)


def failure_of(error: RunnerError, phase: str, *, ran: bool = False) -> Failure:
    """An error as a result tells it, with its place; ``ran`` says that the author's script may have run before it."""
    where = f" ({error.span})" if error.span is not None else ""
    may_have_run = ran or (isinstance(error, HostError) and error.may_have_run)
    return Failure(error.code, error.message + where, phase, may_have_run=may_have_run, hints=error.hints)
