"""A runspace pool: opened once, runs one pipeline at a time, over whatever carries it (remoting.md 9).

What is not known for sure counts as lost: a pool that has broken its protocol, has not stopped in time or has lost a
pipeline is never used again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Iterable
from contextlib import aclosing, suppress
from typing import Any
from uuid import UUID, uuid4

from psrpcore import (
    GetRunspaceAvailabilityEvent,
    InvalidProtocolVersion,
    PipelineHostCallEvent,
    PipelineStateEvent,
    PSRPEvent,
    RunspacePoolHostCallEvent,
    RunspacePoolStateEvent,
    SetRunspaceAvailabilityEvent,
)
from psrpcore.types import HostMethodIdentifier, PSInvocationState, PSRPMessageType, RunspacePoolState

from runner.errors import ConnectionLost, HostError
from runner.psrp import pool_errors
from runner.psrp.engine_errors import again
from runner.psrp.fragments import Assembler
from runner.psrp.inbox import Inbox
from runner.psrp.missed import end_missed
from runner.psrp.outbox import Messages, Outbox, finished
from runner.psrp.pipeline import Pipeline, bare_state
from runner.psrp.protocol import Message, Protocol, Unreadable
from runner.psrp.records import error_record
from runner.psrp.request import PipelineEnd, PipelineReceiver, PipelineRequest, PoolSettings
from runner.transport.carrier import Carrier

#: The call id of what wants no answer (remoting.md 2.6).
_NO_ANSWER_WANTED = -100
_VOID_CALL = b'<I64 N="ci">-100</I64>'
_GONE = frozenset({RunspacePoolState.Broken, RunspacePoolState.Closed, RunspacePoolState.Closing})
#: Without these a pool is not open, or not known to be.
_VITAL = frozenset(
    {
        PSRPMessageType.SessionCapability,
        PSRPMessageType.ApplicationPrivateData,
        PSRPMessageType.RunspacePoolState,
    }
)


class Pool:
    """One runspace pool, owned by one session. ``on_notice`` is told what a person should know while it runs."""

    def __init__(self, carrier: Carrier, settings: PoolSettings) -> None:
        self._carrier = carrier
        self._settings = settings
        self._protocol = Protocol(settings)
        self._outbox = Outbox(carrier, self.pool_lost)
        self._inbox = Inbox(self, Assembler(settings.maximum_object_size), self._assembler_of)
        self._turn = asyncio.Lock()
        #: The pipeline that runs, or ran when the one who waited for it went away: the pool is in doubt until its end.
        self._current: Pipeline | None = None
        self._opened: asyncio.Future[None] | None = None
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._exchange: asyncio.Task[None] | None = None
        self._doubt: asyncio.Task[None] | None = None
        self._key: asyncio.Future[None] | None = None
        self._error: HostError | None = None
        self._closing: asyncio.Task[None] | None = None
        self.on_notice: Callable[[str], None] = _unheard

    @property
    def engine_version(self) -> tuple[int, ...] | None:
        """The peer's PowerShell, ``(7, 6, 5)``; None before it is opened or where it did not tell."""
        return self._protocol.engine_version

    @property
    def lost(self) -> bool:
        """Whether it is known to be broken, or closed."""
        return self._error is not None or self._closing is not None or self._carrier.lost

    @property
    def busy(self) -> bool:
        """Whether a pipeline runs, or ran when nobody waited for it any more."""
        return self._current is not None or self._turn.locked()

    async def open(self) -> None:
        """Start the peer and open the pool, within ``open_timeout``.

        Raises:
            Unreachable: with the carrier's reason or the peer's own; nothing ran.

        """
        self._opened = asyncio.get_running_loop().create_future()
        opening = b"".join(self._outbox.cut(self._protocol.opening()))
        try:
            async with asyncio.timeout(self._settings.open_timeout):
                await self._carrier.open(self._protocol.pool_id, opening, self._inbox)
                async with self._carrier.listening():
                    await self._opened
        except TimeoutError:
            self.pool_lost(pool_errors.not_opened_in_time(self._settings.open_timeout))
            self._carrier.abort()
            raise pool_errors.not_opened_in_time(self._settings.open_timeout) from None
        except HostError as error:
            self.pool_lost(error)
            self._carrier.abort()
            raise pool_errors.while_opening(error) from error
        except asyncio.CancelledError:
            self.abort()
            raise
        self._opened = None

    async def run(self, request: PipelineRequest, receiver: PipelineReceiver) -> PipelineEnd:
        """Run a pipeline when those before it have ended; ``receiver`` gets what it gives back.

        Cancelled in the midst, the pipeline runs on: :meth:`stop` ends it, and so does the next :meth:`run`.

        Raises:
            ConnectionLost: the pool is lost; ``may_have_run`` says what is known.
            ExecutionFailed: a part of the output cannot be read, or no key for secure strings can be had.
            Exception: what iterating ``request.input`` raised; the pipeline has been stopped then.

        """
        async with self._turn:
            if self._current is not None:
                await self.stop()
            self._check()
            if request.needs_key:
                await self.exchange_key()
                self._check()
            identifier = request.pipeline or uuid4()
            creation = self._protocol.create(request, identifier)
            limits = self._settings.maximum_object_size, self._settings.maximum_data_size
            pipeline = self._current = Pipeline(identifier, receiver, Assembler(*limits))
            # Should it fail, the pool is lost, and the pipeline's end has the error.
            await _first(self._outbox.begin(identifier, creation), pipeline.end)
            if request.input is not None:
                await self._send_input(pipeline, request.input)
            return await asyncio.shield(pipeline.end)

    async def stop(self) -> bool:
        """Stop the pipeline that runs, within ``cancel_timeout``; what it has sent before still arrives.

        Returns:
            True when nothing runs and the pool is usable; False when it is lost, which is also so where the pipeline
            did not stop in time.

        """
        pipeline = self._current
        if pipeline is None:
            return not self.lost
        try:
            async with asyncio.timeout(self._settings.cancel_timeout):
                await _first(self._outbox.signal(pipeline.identifier), pipeline.end)
                await asyncio.wait({pipeline.end})
        except TimeoutError:
            self.pool_lost(pool_errors.not_stopped(self._settings.cancel_timeout))
        return not self.lost

    async def exchange_key(self) -> None:
        """Have the peer give the key for secure strings, once.

        Raises:
            ExecutionFailed: it did not, within ``open_timeout``.
            ConnectionLost: the pool was lost.

        """
        self._check()
        if self._exchange is None or self._key is None:
            self._key = asyncio.get_running_loop().create_future()
            self._exchange = self._outbox.start(self._exchange_key(self._key))
            self._exchange.add_done_callback(self._key_settled)
        await _first(self._exchange, self._key)
        self._check()
        if not self._key.done():
            await finished(self._exchange)
        elif isinstance(error := self._key.exception(), HostError):
            raise again(error)

    def decrypt(self, value: Any) -> str:
        """The text of a secure string that came over this pool; those that came have the key already."""
        text: str = value.decrypt()
        return text

    async def reset(self) -> bool:
        """Forget variables and preferences (remoting.md 12); False where the peer cannot, or the pool is lost."""
        async with self._turn:
            if self._current is not None:
                await self.stop()
            if self.lost:
                return False
            try:
                call, messages = self._protocol.ask_reset()
            except InvalidProtocolVersion:
                return False
            try:
                return bool(await self._ask(call, messages, self._settings.cancel_timeout))
            except TimeoutError:
                self.pool_lost(pool_errors.no_answer("answer a reset", running=False))
            except HostError:
                pass
            return False

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long the peer may take is the question
        """Whether the peer answers within ``timeout`` seconds, also while a pipeline runs."""
        if self.lost:
            return False
        call, messages = self._protocol.ask_available()
        try:
            await self._ask(call, messages, timeout)
        except (TimeoutError, HostError):
            return False
        return not self.lost

    async def close(self) -> None:
        """Close the pool and what carries it; a pipeline that runs ends with it. Idempotent, never raises."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    def abort(self) -> None:
        """Drop everything now, without a word to the peer; idempotent. :meth:`close` waits until it is gone."""
        self.pool_lost(pool_errors.closed(running=self._current is not None))
        self._carrier.abort()
        self._outbox.cancel()

    # What the inbox tells.

    def message_received(self, message: Message) -> None:
        """Take a whole message; one for a pipeline that does not run is nobody's."""
        if message.pipeline is None:
            self._take_for_pool(message)
            return
        pipeline = self._current
        if pipeline is None or pipeline.identifier != message.pipeline:
            return
        no_key = self._exchange is None or not self._exchange.done()
        if pipeline.held or (no_key and message.has_secret):
            pipeline.held.append(message)
            self._want_key()
        else:
            self._take_for_pipeline(pipeline, message)

    def pool_lost(self, error: HostError) -> None:
        """The pool is of no use any more: tell everybody who waits."""
        if self._error is not None:
            return
        self._error = error
        waiting: list[asyncio.Future[Any] | None] = [self._opened, self._key, *self._answers.values()]
        for waiter in waiting:
            if waiter is not None and not waiter.done():
                waiter.set_exception(again(error))
                waiter.exception()  # seen: who waited may be gone
        if self._current is not None:
            self._current.lost(again(error))
            self._current = None

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """The peer gave up a pipeline without telling how it ended: what it did to the session nobody knows."""
        if self._current is not None and self._current.identifier == pipeline:
            self.pool_lost(
                ConnectionLost(
                    error.code, error.message, hints=error.hints, phase=error.phase, may_have_run=True
                )
            )

    def answer_missed(self, pipeline: UUID) -> None:
        """A part of what a pipeline sent may have been lost: find out whether its end was in it."""
        current, doubt = self._current, self._doubt
        if current is not None and current.identifier == pipeline and (doubt is None or doubt.done()):
            self._doubt = self._outbox.start(self._look_for_end(current))

    def noticed(self, message: str) -> None:
        """Pass on what a person should know."""
        self.on_notice(message)

    async def _look_for_end(self, pipeline: Pipeline) -> None:
        def free() -> Coroutine[Any, Any, int]:
            return self._ask(*self._protocol.ask_available(), self._settings.cancel_timeout)

        try:
            if await end_missed(pipeline, free, self._settings.late_timeout):
                self.pool_lost(pool_errors.end_missed())
        except TimeoutError:
            self.pool_lost(pool_errors.no_answer("say whether the script has ended", running=True))

    # Messages.

    def _assembler_of(self, pipeline: UUID) -> Assembler | None:
        current = self._current
        return current.assembler if current is not None and current.identifier == pipeline else None

    def _take_for_pool(self, message: Message) -> None:
        if message.kind is PSRPMessageType.PublicKeyRequest:
            self._want_key()
            return
        try:
            event = self._protocol.read(message)
        except Unreadable as error:
            self._missed_for_pool(error)
            return
        if isinstance(event, RunspacePoolStateEvent):
            self._take_state(event)
        elif isinstance(event, RunspacePoolHostCallEvent):
            self._answer_call(event.ci, None)
        elif isinstance(event, SetRunspaceAvailabilityEvent):
            self._take_answer(event.ci, int(event.success))
        elif isinstance(event, GetRunspaceAvailabilityEvent):
            self._take_answer(event.ci, event.count)
        elif message.kind is PSRPMessageType.EncryptedSessionKey and self._key and not self._key.done():
            self._key.set_result(None)

    def _missed_for_pool(self, unreadable: Unreadable) -> None:
        if unreadable.kind is PSRPMessageType.EncryptedSessionKey and self._key and not self._key.done():
            self._key.set_exception(pool_errors.no_key("what it sent cannot be read"))
        elif unreadable.kind in _VITAL and self._opened is not None:
            self.pool_lost(pool_errors.not_opened(f"its answer cannot be read ({unreadable.reason})"))
        else:
            self._left_out(unreadable)

    def _take_state(self, event: RunspacePoolStateEvent) -> None:
        if event.state is RunspacePoolState.Opened:
            if self._opened is not None and not self._opened.done():
                self._opened.set_result(None)
        elif event.state in _GONE:
            reason = error_record(event.reason).message if event.reason is not None else event.state.name
            if self._opened is not None:
                self.pool_lost(pool_errors.not_opened(reason))
            else:
                self.pool_lost(pool_errors.broken(reason, running=self._current is not None))
        elif self._opened is None:
            self._protocol.opened()

    def _take_answer(self, call: int, value: int) -> None:
        answer = self._answers.get(call)
        if answer is not None and not answer.done():
            answer.set_result(value)

    def _take_for_pipeline(self, pipeline: Pipeline, message: Message) -> None:
        try:
            event: PSRPEvent[Any, Any] = self._protocol.read(message)
        except Unreadable as error:
            self._missed_for_pipeline(pipeline, message, error)
            return
        if isinstance(event, PipelineStateEvent):
            self._take_pipeline_state(pipeline, event.state, event.reason)
        elif isinstance(event, PipelineHostCallEvent):
            if event.method_identifier is HostMethodIdentifier.SetShouldExit:
                pipeline.exit_code = _exit_code(event.method_parameters)
            self._answer_call(event.ci, pipeline.identifier)
        else:
            pipeline.take(event)

    def _missed_for_pipeline(self, pipeline: Pipeline, message: Message, unreadable: Unreadable) -> None:
        """Go on without a message where that is possible (remoting.md 9.5, bug 11)."""
        if message.kind is PSRPMessageType.PipelineState:
            state = bare_state(message)
            if state is None:
                self.pool_lost(pool_errors.end_unreadable("the end of the script in a form"))
                return
            if isinstance(state, PSInvocationState):
                self._take_pipeline_state(pipeline, state, None)
        elif message.kind is PSRPMessageType.PipelineHostCall and _VOID_CALL not in message.data:
            self.pool_lost(pool_errors.end_unreadable("a question in a form"))
            return
        elif pipeline.missed(unreadable):
            return
        self._left_out(unreadable)

    def _left_out(self, unreadable: Unreadable) -> None:
        self.noticed(
            f"a message of the host's PowerShell cannot be read and was left out ({unreadable.reason})"
        )

    def _take_pipeline_state(self, pipeline: Pipeline, state: PSInvocationState, reason: Any) -> None:
        if pipeline.ended(state, reason):
            self._current = None
            self._outbox.close_pipeline(pipeline.identifier, self._protocol.forget)

    def _answer_call(self, call: int, pipeline: UUID | None) -> None:
        if call != _NO_ANSWER_WANTED:
            messages = self._protocol.no_answer(call)
            self._outbox.start(self._outbox.send(messages, pipeline, prompt=True))

    # The key.

    def _want_key(self) -> None:
        if self._exchange is None:
            self._outbox.start(self.exchange_key())

    async def _exchange_key(self, came: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._settings.open_timeout), self._carrier.listening():
                await self._outbox.send(self._protocol.public_key())
                await came
        except TimeoutError:
            seconds = self._settings.open_timeout
            raise pool_errors.no_key(f"no answer within {seconds:g} s") from None

    def _key_settled(self, exchange: asyncio.Task[None]) -> None:
        """Hand on what waited for the key."""
        pipeline = self._current
        if pipeline is None or not pipeline.held:
            return
        if exchange.cancelled() or (error := exchange.exception()) is not None:
            failed = error if not exchange.cancelled() and isinstance(error, HostError) else None
            reason = failed.message if failed is not None else "the exchange was given up"
            self.pool_lost(pool_errors.broken(reason, running=True))
            return
        held = list(pipeline.held)
        pipeline.held.clear()
        for message in held:
            if self._current is pipeline:
                self._take_for_pipeline(pipeline, message)

    # Asking.

    def _check(self) -> None:
        if self._error is not None:
            raise again(self._error)
        if self.lost:
            raise pool_errors.closed(running=False)

    async def _ask(self, call: int, messages: Messages, seconds: float) -> int:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[call] = answer
        try:
            async with asyncio.timeout(seconds), self._carrier.listening():
                await self._outbox.send(messages)
                return await answer
        finally:
            del self._answers[call]

    async def _send_input(self, pipeline: Pipeline, items: Iterable[Any] | AsyncIterable[Any]) -> None:
        """Send the input while somebody wants it; raises what getting at it raised, the pipeline being stopped."""
        feeding: asyncio.Future[Any] = asyncio.ensure_future(self._feed(pipeline, items))
        try:
            await _first(feeding, pipeline.end)
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})
        if not feeding.cancelled() and (error := feeding.exception()) is not None and not pipeline.end.done():
            await self.stop()
            raise error

    async def _feed(self, pipeline: Pipeline, items: Iterable[Any] | AsyncIterable[Any]) -> None:
        async with aclosing(_each(items)) as each:
            async for item in each:
                if pipeline.end.done():
                    return
                await self._outbox.send(self._protocol.item(pipeline.identifier, item), pipeline.identifier)
        if not pipeline.end.done():
            await self._outbox.send(self._protocol.end_of_input(pipeline.identifier), pipeline.identifier)

    async def _close(self) -> None:
        running = self._current is not None
        if not running and self._error is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.cancel_timeout):
                    await self._outbox.settled()
        self.pool_lost(pool_errors.closed(running=running))
        await self._carrier.close()
        self._outbox.cancel()
        await self._outbox.settled()


async def _first(*futures: asyncio.Future[Any]) -> None:
    """Wait for one of them, whatever became of it; none is cancelled."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    """The items, one after the other, from either kind of source."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def _exit_code(parameters: list[Any]) -> int:
    """The number of SetShouldExit; 1 where it is none, as PowerShell has it (remoting.md 2.7)."""
    try:
        return int(parameters[0])
    except (IndexError, TypeError, ValueError):
        return 1


def _unheard(message: str) -> None:
    """Nobody listens."""
