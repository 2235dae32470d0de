"""What goes to the carrier: one operation of a target at a time, each brought to its end once it was begun."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any
from uuid import UUID

from runner.errors import HostError
from runner.psrp.engine_errors import again
from runner.psrp.fragments import gather
from runner.psrp.pool_errors import PoolErrors
from runner.psrp.protocol import cut_all, read_head
from runner.transport.carrier import Carrier

_log = logging.getLogger(__name__)  # for --trace

Messages = Iterable[tuple[int, bytes]]


class Outbox:
    """Sends for the pool and its pipelines (remoting.md 4.3).

    Who waits for an operation may be cancelled; the operation is not, for half a message would spoil the stream.
    Each raises ``ConnectionLost`` when the carrier is lost, of which ``on_lost`` is told.
    """

    def __init__(self, carrier: Carrier, errors: PoolErrors, on_lost: Callable[[HostError], None]) -> None:
        self._carrier = carrier
        self._errors = errors
        self._on_lost = on_lost
        self._turns: dict[UUID | None, asyncio.Lock] = {None: asyncio.Lock()}
        self._tasks: set[asyncio.Task[Any]] = set()

    def cut(self, messages: Messages) -> Iterator[bytes]:
        """The fragments of messages, none larger than the carrier takes now."""
        return cut_all(map(self._noted, messages), self._carrier.fragment_size)

    def _noted(self, message: tuple[int, bytes]) -> tuple[int, bytes]:
        """The message itself, which a trace hears of."""
        if _log.isEnabledFor(logging.DEBUG):
            kind = read_head(message[1]).kind.name
            _log.debug("to %s: %s, %d octets", self._errors.peer, kind, len(message[1]))
        return message

    def begin(self, pipeline: UUID, creation: Messages) -> asyncio.Task[None]:
        """Begin a pipeline; done when the peer has taken all of it."""
        self._turns[pipeline] = asyncio.Lock()

        async def begin() -> None:
            first, *rest = self.cut(creation)
            await self._carrier.command(pipeline, first)
            for fragment in rest:
                await self._carrier.send(fragment, pipeline=pipeline)

        return self.start(self._in_turn(pipeline, begin))

    async def send(self, messages: Messages, pipeline: UUID | None = None, *, prompt: bool = False) -> None:
        """Send further messages, as many at once as the carrier takes; for a closed pipeline they are nobody's."""

        async def send() -> None:
            for fragments in gather(self.cut(messages), self._carrier.fragment_size):
                await self._carrier.send(fragments, pipeline=pipeline, prompt=prompt)

        await self.finished(self.start(self._in_turn(pipeline, send)))

    def signal(self, pipeline: UUID) -> asyncio.Task[None]:
        """Ask for a pipeline to be stopped; done when the peer has taken it."""
        return self.start(self._in_turn(pipeline, lambda: self._carrier.signal(pipeline)))

    def close_pipeline(self, pipeline: UUID, closed: Callable[[UUID], None]) -> None:
        """Have the peer forget a pipeline, in the background; then ``closed`` is told."""

        async def close() -> None:
            await self._in_turn(pipeline, lambda: self._carrier.close_pipeline(pipeline))
            self._turns.pop(pipeline, None)
            closed(pipeline)

        self.start(close())

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something in the background; that it fails is for who awaits it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def finished(self, task: asyncio.Task[None]) -> None:
        """Wait for an operation without ending it when the wait is cancelled.

        Raises:
            HostError: what it failed of, or that it was given up because the pool was.

        """
        try:
            await asyncio.shield(task)
        except HostError as error:
            raise again(error) from None
        except asyncio.CancelledError:
            waiter = asyncio.current_task()
            if task.cancelled() and not (waiter is not None and waiter.cancelling()):
                raise self._errors.closed(running=False) from None
            raise

    async def settled(self) -> None:
        """Wait for everything that was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def cancel(self) -> None:
        """Give up what was begun: the carrier is lost or closed."""
        for task in self._tasks:
            task.cancel()

    async def _in_turn(self, target: UUID | None, operation: Callable[[], Coroutine[Any, Any, None]]) -> None:
        turn = self._turns.get(target)
        if turn is None:
            return
        async with turn:
            try:
                await operation()
            except HostError as error:
                self._on_lost(error)
                raise

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody else needs it


async def first(*futures: asyncio.Future[Any]) -> None:
    """Wait for one of them, whatever became of it; none is cancelled."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
