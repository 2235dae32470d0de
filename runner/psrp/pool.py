"""A runspace pool: opened once, runs one pipeline at a time, over whatever carries it (remoting.md 9).

What is not known for sure counts as lost: a pool that has broken its protocol, has not stopped in time or has lost a
pipeline is never used again, and what carries it is dropped at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from psrpcore import InvalidProtocolVersion

from runner.errors import ConnectionLost, HostError
from runner.psrp.engine_errors import again
from runner.psrp.feeding import feed
from runner.psrp.fragments import Assembler
from runner.psrp.inbox import Inbox
from runner.psrp.key_exchange import KeyExchange
from runner.psrp.missed import end_missed
from runner.psrp.outbox import Outbox, first
from runner.psrp.pipeline import Pipeline
from runner.psrp.pool_errors import PoolErrors, while_opening
from runner.psrp.pool_state import PoolState
from runner.psrp.protocol import Message, Protocol
from runner.psrp.questions import Questions
from runner.psrp.reading import Reader
from runner.psrp.request import PipelineEnd, PipelineReceiver, PipelineRequest, PoolSettings
from runner.transport.carrier import Carrier

#: PowerShell 3; the one before, 2.1, is PowerShell 2: other streams, other commands, no information records.
_OLDEST_PROTOCOL = (2, 2)


class Pool:
    """One runspace pool, owned by one session. ``on_notice`` is told what a person should know while it runs."""

    def __init__(self, carrier: Carrier, settings: PoolSettings) -> None:
        self._carrier = carrier
        self._settings = settings
        self._errors = errors = PoolErrors(settings.peer)
        self._state = state = PoolState()
        self._protocol = protocol = Protocol(settings)
        self._outbox = outbox = Outbox(carrier, errors, self.pool_lost)
        self._questions = Questions(carrier, outbox)
        self._key = KeyExchange(
            carrier, protocol, outbox, errors, timeout=settings.open_timeout, on_silent=self._key_not_taken
        )
        self._reader = Reader(
            protocol,
            state,
            outbox,
            self._questions,
            self._key,
            errors,
            on_lost=self.pool_lost,
            on_notice=self.noticed,
        )
        self._inbox = Inbox(self, errors, Assembler(settings.maximum_object_size), state.assembler_of)
        self._turn = asyncio.Lock()
        self._doubt: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.on_notice: Callable[[str], None] = _unheard

    @property
    def engine_version(self) -> tuple[int, ...] | None:
        """The peer's PowerShell, ``(7, 6, 5)``; None before it is opened or where it did not tell."""
        return self._protocol.engine_version

    @property
    def lost(self) -> bool:
        """Whether it is known to be broken, or closed."""
        return self._state.error is not None or self._closing is not None or self._carrier.lost

    @property
    def busy(self) -> bool:
        """Whether a pipeline runs, or ran when nobody waited for it any more."""
        return self._state.running or self._turn.locked()

    async def open(self) -> None:
        """Start the peer and open the pool, within ``open_timeout``.

        Raises:
            Unreachable: with the carrier's reason or the peer's own; nothing ran.

        """
        seconds = self._settings.open_timeout
        opened = self._state.opened = asyncio.get_running_loop().create_future()
        opening = b"".join(self._outbox.cut(self._protocol.opening()))
        try:
            async with asyncio.timeout(seconds):
                await self._carrier.open(self._protocol.pool_id, opening, self._inbox)
                async with self._carrier.listening():
                    await opened
            self._check_age()
        except TimeoutError:
            late = self._errors.not_opened_in_time(seconds, self._carrier.heard)
            self.pool_lost(late)
            raise again(late) from None
        except HostError as error:
            self.pool_lost(error)  # unless the pool was lost before, and the carrier therefore
            raise while_opening(again(self._state.error or error)) from error
        except asyncio.CancelledError:
            self.abort()
            raise
        self._state.opened = None

    async def run(self, request: PipelineRequest, receiver: PipelineReceiver) -> PipelineEnd:
        """Run a pipeline when those before it have ended; ``receiver`` gets what it gives back.

        Cancelled in the midst, the pipeline runs on: :meth:`stop` ends it, and so does the next :meth:`run`.

        Raises:
            ConnectionLost: the pool is lost; ``may_have_run`` says what is known.
            ExecutionFailed: a part of the output cannot be read, or no key for secure strings can be had.
            Exception: what iterating ``request.input`` raised; the pipeline has been stopped then.

        """
        async with self._turn:
            if self._state.running:
                await self.stop()
            self._check()
            if request.needs_key:
                await self.exchange_key()
                self._check()
            identifier = request.pipeline or uuid4()
            creation = self._protocol.create(request, identifier)
            limits = self._settings.maximum_object_size, self._settings.maximum_data_size
            pipeline = self._state.current = Pipeline(identifier, receiver, Assembler(*limits))
            # Should it fail, the pool is lost, and the pipeline's end has the error.
            await first(self._outbox.begin(identifier, creation), pipeline.end)
            if request.input is not None:
                await self._send_input(pipeline, request.input)
            return await asyncio.shield(pipeline.end)

    async def stop(self) -> bool:
        """Stop the pipeline that runs, within ``cancel_timeout``; what it has sent before still arrives.

        Returns:
            True when nothing runs and the pool is usable; False when it is lost, which is also so where the pipeline
            did not stop in time.

        """
        pipeline = self._state.current
        if pipeline is None:
            return not self.lost
        try:
            async with asyncio.timeout(self._settings.cancel_timeout):
                await first(self._outbox.signal(pipeline.identifier), pipeline.end)
                await asyncio.wait({pipeline.end})
        except TimeoutError:
            self.pool_lost(self._errors.not_stopped(self._settings.cancel_timeout))
        return not self.lost

    async def exchange_key(self) -> None:
        """Have the peer give the key for secure strings, once.

        Raises:
            ExecutionFailed: it did not, within ``open_timeout``.
            ConnectionLost: the pool was lost; so it is where the peer did not even take the question.

        """
        self._check()
        await self._key.exchange()
        self._check()

    def decrypt(self, value: Any) -> str:
        """The text of a secure string that came over this pool; those that came have the key already."""
        text: str = value.decrypt()
        return text

    async def reset(self) -> bool:
        """Forget variables and preferences (remoting.md 12); False where the peer cannot, or the pool is lost."""
        async with self._turn:
            if self._state.running:
                await self.stop()
            if self.lost:
                return False
            try:
                call, messages = self._protocol.ask_reset()
            except InvalidProtocolVersion:
                return False
            try:
                return bool(await self._questions.ask(call, messages, self._settings.cancel_timeout))
            except TimeoutError:
                self.pool_lost(self._errors.no_answer("answer a reset", running=False))
            except HostError:
                pass
            return False

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long the peer may take is the question
        """Whether the peer answers within ``timeout`` seconds, also while a pipeline runs."""
        if self.lost:
            return False
        try:
            await self._questions.ask(*self._protocol.ask_available(), timeout)
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
        self.pool_lost(self._errors.closed(running=self._state.running))
        self._carrier.abort()
        self._outbox.cancel()

    # What the inbox tells.

    def message_received(self, message: Message) -> None:
        """Take a whole message."""
        self._reader.take(message)

    def pool_lost(self, error: HostError) -> None:
        """The pool is of no use any more: tell everybody who waits, and drop what carries it."""
        if self._lose(error):
            self._carrier.abort()

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """The peer gave up a pipeline without telling how it ended: what it did to the session nobody knows."""
        if self._state.assembler_of(pipeline) is not None:
            self.pool_lost(
                ConnectionLost(
                    error.code, error.message, hints=error.hints, phase=error.phase, may_have_run=True
                )
            )

    def answer_missed(self, pipeline: UUID) -> None:
        """A part of what a pipeline sent may have been lost: find out whether its end was in it."""
        current, doubt = self._state.current, self._doubt
        if current is not None and current.identifier == pipeline and (doubt is None or doubt.done()):
            self._doubt = self._outbox.start(self._look_for_end(current))

    def noticed(self, message: str) -> None:
        """Pass on what a person should know."""
        self.on_notice(message)

    async def _look_for_end(self, pipeline: Pipeline) -> None:
        def free() -> Coroutine[Any, Any, int]:
            return self._questions.ask(*self._protocol.ask_available(), self._settings.late_timeout)

        try:
            if await end_missed(pipeline, free, self._settings.late_timeout):
                self.pool_lost(self._errors.end_missed())
        except TimeoutError:
            self.pool_lost(self._errors.no_answer("say whether the script has ended", running=True))

    # Inside.

    def _check(self) -> None:
        if self._state.error is not None:
            raise again(self._state.error)
        if self.lost:
            raise self._errors.closed(running=False)

    def _check_age(self) -> None:
        """Refuse a peer that would understand half of what is sent."""
        protocol = self._protocol.peer_protocol
        if protocol < _OLDEST_PROTOCOL:
            raise self._errors.too_old(".".join(map(str, protocol)))

    def _key_not_taken(self) -> None:
        self.pool_lost(self._errors.no_answer("take the key for secure strings", running=self._state.running))

    def _lose(self, error: HostError) -> bool:
        if not self._state.lose(error):
            return False
        self._questions.failed(error)
        self._key.failed(error)
        return True

    async def _send_input(self, pipeline: Pipeline, items: Iterable[Any] | AsyncIterable[Any]) -> None:
        """Send the input while somebody wants it; raises what getting at it raised, the pipeline being stopped."""
        feeding: asyncio.Future[Any] = asyncio.ensure_future(
            feed(pipeline, items, self._protocol, self._outbox)
        )
        try:
            await first(feeding, pipeline.end)
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})
        if not feeding.cancelled() and (error := feeding.exception()) is not None and not pipeline.end.done():
            await self.stop()
            raise error

    async def _close(self) -> None:
        running = self._state.running
        if not running and self._state.error is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.cancel_timeout):
                    await self._outbox.settled()
        self._lose(self._errors.closed(running=running))
        await self._carrier.close()
        self._outbox.cancel()
        await self._outbox.settled()


def _unheard(message: str) -> None:
    """Nobody listens."""
