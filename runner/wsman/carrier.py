"""A runspace pool over WSMan: one shell at the server, one Receive at a time for each target (remoting.md 5).

Nothing is held for a pool that is idle: its own Receive runs only while somebody listens, those of pipelines from the
command to their end (docs/decisions/0015). What comes for the pool meanwhile stays with the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from uuid import UUID
from xml.etree import ElementTree as ET

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.transport.carrier import CarrierReceiver
from runner.wsman import faults, names, operations, peek
from runner.wsman.client import Client
from runner.wsman.creating import Creation
from runner.wsman.envelope import OLD_ENVELOPE_SIZE, Request
from runner.wsman.fault_errors import Asked, in_the_midst, pipeline_gone
from runner.wsman.faults import WsmanFault
from runner.wsman.operations import Received, ShellSettings
from runner.wsman.pipeline import Pipeline
from runner.wsman.receive import Receiving
from runner.wsman.recut import Recut

#: The protocol whose servers take envelopes of 500 KiB (remoting.md 3.1).
_LARGE_ENVELOPES = (2, 2)
#: How long the server may take to close a shell, and how long where the connection was lost before, in seconds.
_CLOSE_TIMEOUT = 20.0
_LOST_CLOSE_TIMEOUT = 5.0
#: How long a Receive may take to end after its target was closed; the server ends it at once.
_END_OF_RECEIVE = 2.0
#: Turns of the event loop after a message for the pool, in which whoever waited for it may stop listening.
_TURNS = 4


class WsmanCarrier:
    """Carries one pool. Several share a client's wire; each has a shell of its own."""

    __slots__ = (
        "_client",
        "_closing",
        "_error",
        "_gone",
        "_least_payload",
        "_listeners",
        "_opened",
        "_payload",
        "_pipelines",
        "_pool_task",
        "_receiver",
        "_recuts",
        "_retries",
        "_selectors",
        "_shell",
    )

    def __init__(self, client: Client, shell: ShellSettings, *, retries: int = 0) -> None:
        """Make a carrier; nothing is sent.

        Args:
            client: asks the server.
            shell: how the shell is asked for.
            retries: how often the shell is asked for again where the server cannot be reached
                (``max_connection_retry_count``).

        """
        self._client = client
        self._shell = shell
        self._retries = retries
        self._receiver: CarrierReceiver | None = None
        self._selectors: tuple[tuple[str, str], ...] = ()
        self._pipelines: dict[UUID, Pipeline] = {}
        self._listeners = 0
        self._pool_task: asyncio.Task[None] | None = None
        self._error: HostError | None = None
        self._opened = False
        self._gone = False
        self._closing: asyncio.Task[None] | None = None
        #: Bytes of one send: the least that every server takes, and what this one is expected to take.
        self._least_payload = client.payload_size(min(OLD_ENVELOPE_SIZE, client.settings.envelope_size))
        self._payload = self._least_payload
        #: Targets whose fragments were too large for the server once.
        self._recuts: dict[UUID | None, Recut] = {}

    @property
    def fragment_size(self) -> int:
        """Bytes of one send: what fits an old server's envelope until the server has said that it is not old."""
        return self._payload

    @property
    def lost(self) -> bool:
        """Whether it is known to be broken, or closed."""
        return self._error is not None or self._closing is not None

    @property
    def heard(self) -> str:
        """Nothing: a WinRM server answers or does not."""
        return ""

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        """Make the shell, following redirections and trying again as the author said.

        Raises:
            Unreachable: it was not made; nothing ran.

        """
        self._receiver = receiver
        # Should we be given up before the server answers, this is the shell to delete.
        self._selectors = (("ShellId", operations.identifier(pool)),)
        creation = Creation(self._client, self._retries, receiver.notice)
        try:
            created = await creation.create(operations.create(pool, opening, self._shell))
        except HostError as error:
            # Where the connection was lost in the midst, there may be a shell: closing deletes it.
            self._gone = isinstance(error, Unreachable)
            self._error = creation.not_made(error)
            raise self._error from error
        self._selectors = created.selectors
        self._opened = True

    @asynccontextmanager
    async def _listen(self) -> AsyncIterator[None]:
        self._listeners += 1
        if self._opened and not self.lost and self._pool_task is None:
            self._pool_task = asyncio.create_task(self._receive_for_pool())
        try:
            yield
        finally:
            self._listeners -= 1

    def listening(self) -> AbstractAsyncContextManager[None]:
        """While inside, the pool's fragments are asked for.

        A Receive that is under way at the end is left to end by itself, and taken up if there is a next time.
        """
        return self._listen()

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        """Begin a pipeline, and receive for it from now on.

        Raises:
            ConnectionLost: the server refused, or the connection was lost; the script may have run.

        """
        entry = Pipeline(operations.identifier(pipeline))
        self._pipelines[pipeline] = entry
        first, *rest = self._sized(creation, pipeline)
        try:
            body = await self._ask(operations.command(pipeline, first), "run a command", carries=len(first))
        except _TooLarge:
            first, *rest = self._smaller(first, pipeline)
            body = await self._ask(operations.command(pipeline, first), "run a command")
        entry.command_id = operations.command_id(body, pipeline)
        if not self.lost:
            entry.task = asyncio.create_task(self._receive_for_pipeline(pipeline, entry))
        with suppress(_TargetGone):
            for piece in rest:
                await self._send(piece, pipeline, entry.command_id)

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        """Send further fragments; for a pipeline that is closed already they are nobody's.

        Raises:
            ConnectionLost: the server refused, or the connection was lost.

        """
        command_id = None
        if pipeline is not None:
            entry = self._pipelines.get(pipeline)
            if entry is None:
                return
            command_id = entry.command_id
        with suppress(_TargetGone):
            for piece in self._sized(data, pipeline):
                await self._send(piece, pipeline, command_id, prompt=prompt)

    async def _send(
        self, data: bytes, pipeline: UUID | None, command_id: str | None, *, prompt: bool = False
    ) -> None:
        try:
            request = operations.send(data, command_id, prompt=prompt)
            await self._ask(request, "take input", may_be_gone=pipeline is not None, carries=len(data))
        except _TooLarge:
            for piece in self._smaller(data, pipeline):
                await self._send(piece, pipeline, command_id, prompt=prompt)

    async def signal(self, pipeline: UUID) -> None:
        """Ask for the pipeline to be stopped; one that has just ended needs no asking.

        Raises:
            ConnectionLost: the server refused, or the connection was lost.

        """
        if (entry := self._pipelines.get(pipeline)) is not None:
            await self._signal(entry, names.STOP_PIPELINE, "stop a command")

    async def close_pipeline(self, pipeline: UUID) -> None:
        """Have the server forget the pipeline, and end its Receive.

        Raises:
            ConnectionLost: the server refused, or the connection was lost.

        """
        entry = self._pipelines.pop(pipeline, None)
        self._recuts.pop(pipeline, None)
        if entry is None:
            return
        entry.closing = True
        try:
            await self._signal(entry, names.TERMINATE, "close a command")
        finally:
            await entry.end(_END_OF_RECEIVE)

    async def close(self) -> None:
        """Delete the shell with all that runs in it, and end every Receive."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def abort(self) -> None:
        """End every Receive; the shell stays until the server finds it idle."""
        if self._error is None:
            self._error = ConnectionLost("connection-closed", f"the session on `{self._host}` was given up")
        self._cancel_receives()

    # Asking.

    @property
    def _host(self) -> str:
        return self._client.settings.host

    @property
    def _may_have_run(self) -> bool:
        return any(entry.task is not None and not entry.ended for entry in self._pipelines.values())

    def _sized(self, data: bytes, pipeline: UUID | None) -> list[bytes]:
        """What is to be sent to a target: as it is, unless its fragments have been cut smaller once."""
        recut = self._recuts.get(pipeline)
        return [data] if recut is None else list(recut.feed(data))

    def _smaller(self, data: bytes, pipeline: UUID | None) -> list[bytes]:
        """The same in smaller pieces, as everything will be from now on."""
        self._payload = min(self._payload, self._least_payload)
        self._recuts[pipeline] = Recut(self._payload)
        return self._sized(data, pipeline)

    async def _ask(
        self, request: Request, what: str, *, may_be_gone: bool = False, carries: int = 0
    ) -> ET.Element:
        """Ask; ``carries`` is how many bytes of fragments the request has, where they could be fewer."""
        if self._error is not None:
            raise self._error
        asked = self._client.asked(what, may_have_run=self._may_have_run)
        try:
            return await self._client.ask(request, asked, self._selectors)
        except WsmanFault as refusal:
            if may_be_gone and refusal.fault.code in faults.GONE:
                raise _TargetGone from None
            if faults.is_too_large(refusal.fault) and carries > self._least_payload:
                raise _TooLarge from None
            raise self._lose_shell(refusal, asked) from None
        except HostError as refusal:
            error = in_the_midst(refusal, may_have_run=self._may_have_run)
            self._lose(error)
            raise error from None

    async def _signal(self, entry: Pipeline, code: str, what: str) -> None:
        with suppress(_TargetGone):
            await self._ask(operations.signal(entry.command_id, code), what, may_be_gone=True)

    # Receiving.

    async def _receive_for_pool(self) -> None:
        asked = self._client.asked("take its output", may_have_run=self._may_have_run)
        receiving = Receiving(self._client, self._selectors, None, self._notice, _never_mind)
        try:
            while self._listeners and not self.lost:
                received = await receiving.next()
                self._deliver(received, None)
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
        except WsmanFault as refusal:
            self._lose_shell(refusal, asked)
        except HostError as error:
            self._lose(in_the_midst(error, may_have_run=self._may_have_run))
        finally:
            self._pool_task = None

    async def _receive_for_pipeline(self, pipeline: UUID, entry: Pipeline) -> None:
        receiving = Receiving(
            self._client, self._selectors, entry.command_id, self._notice, lambda: self._missed(pipeline)
        )
        asked = self._client.asked("take its output", may_have_run=True)
        try:
            while not entry.ended and not self.lost:
                received = await receiving.next()
                entry.ended = any(peek.ends_pipeline(piece) for piece in received.pieces)
                self._deliver(received, pipeline)
                if received.done and not entry.ended:
                    self._give_up_pipeline(pipeline, entry, asked)
                    return
        except WsmanFault as refusal:
            if entry.closing or self._closing is not None:
                return
            if refusal.fault.code in faults.GONE:
                self._give_up_pipeline(pipeline, entry, asked)
            else:
                self._lose_shell(refusal, asked)
        except HostError as error:
            if not entry.closing:
                self._lose(in_the_midst(error, may_have_run=True))

    def _deliver(self, received: Received, pipeline: UUID | None) -> None:
        if not received.pieces or self.lost or self._receiver is None:
            return
        data = b"".join(received.pieces)
        if pipeline is None and (version := peek.protocol_version(data)) is not None:
            size = self._client.settings.envelope_size
            self._payload = self._client.payload_size(
                size if version >= _LARGE_ENVELOPES else min(size, OLD_ENVELOPE_SIZE)
            )
        self._receiver.fragments_received(data, pipeline)

    def _missed(self, pipeline: UUID) -> None:
        if not self.lost and self._receiver is not None:
            self._receiver.answer_missed(pipeline)

    def _notice(self, message: str) -> None:
        if self._receiver is not None:
            self._receiver.notice(message)

    # Ending.

    def _give_up_pipeline(self, pipeline: UUID, entry: Pipeline, asked: Asked) -> None:
        if not entry.closing and not self.lost and self._receiver is not None:
            entry.ended = True
            self._receiver.pipeline_lost(pipeline, pipeline_gone(asked))

    def _lose_shell(self, refusal: WsmanFault, asked: Asked) -> HostError:
        """The error of a fault after which the shell is of no use."""
        error = self._client.error(refusal, asked)
        self._gone = self._gone or refusal.fault.code in faults.GONE | faults.DISCONNECTED
        self._lose(error)
        return error

    def _lose(self, error: HostError) -> None:
        if self.lost:
            return
        self._error = error
        self._cancel_receives()
        if self._opened and self._receiver is not None:
            self._receiver.carrier_lost(error)

    def _receives(self) -> list[asyncio.Task[None]]:
        """The Receives under way, but not the one that asks."""
        current = asyncio.current_task()
        tasks = [entry.task for entry in self._pipelines.values()] + [self._pool_task]
        return [task for task in tasks if task is not None and task is not current and not task.done()]

    def _cancel_receives(self) -> None:
        for task in self._receives():
            task.cancel()

    async def _close(self) -> None:
        if self._selectors and not self._gone:
            healthy = self._opened and self._error is None
            timeout = min(_CLOSE_TIMEOUT if healthy else _LOST_CLOSE_TIMEOUT, self._client.timeout)
            await _bounded(self._delete(timeout), timeout)
        tasks = self._receives()
        if tasks:
            # The server ends them when it deletes the shell.
            await asyncio.wait(tasks, timeout=_END_OF_RECEIVE if self._error is None else 0)
        self._cancel_receives()
        if tasks:
            await asyncio.wait(tasks, timeout=_END_OF_RECEIVE)
        if self._error is None:
            self._error = ConnectionLost("connection-closed", f"the session on `{self._host}` is closed")
        self._pipelines.clear()

    async def _delete(self, timeout: float) -> None:  # noqa: ASYNC109 - how long the server may take
        asked = self._client.asked("close the session")
        with suppress(WsmanFault, HostError):
            await self._client.ask(operations.delete(), asked, self._selectors, timeout)


class _TooLarge(Exception):
    """The server takes shorter messages than this one, of which it has taken nothing."""


class _TargetGone(Exception):
    """A command that was asked about has ended already."""


def _never_mind() -> None:
    """Who waits for a message of the pool has a limit for it."""


async def _bounded(work: Coroutine[None, None, None], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds + 2):
            await work
