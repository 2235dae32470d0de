"""A runspace pool over the standard streams of a process: ``pwsh -s``, or an SSH subsystem (remoting.md 4).

The engine hands each line to a thread of a pool, so that two lines sent together may be handled in either order. That
is why each packet waits for the acknowledgement of the one before it for the same target, and for nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from uuid import UUID

from runner.errors import HostError
from runner.psrp.engine_errors import (
    Heard,
    again,
    closed,
    engine_error,
    engine_lost,
    link_broken,
    not_opened,
    not_speaking,
    not_started,
    protocol_broken,
    write_cut_short,
)
from runner.psrp.in_flight import InFlight
from runner.psrp.packet_reader import BadStream, NotSpeaking, PacketReader, ServerError
from runner.psrp.packets import ACKS, Kind, Packet, format_packet
from runner.transport.carrier import CarrierReceiver
from runner.transport.port import Process, Receiver, Stream

#: Bytes of a fragment with its head: what PowerShell sends at most (remoting.md 4.2).
FRAGMENT_SIZE = 32768
#: Bytes of a fragment's head; its last four say how many follow (MS-PSRP 2.2.4).
_FRAGMENT_HEAD = 21
#: Seconds that the engine has to close its session, then to end; and to end after it was told to by a signal.
_CLOSE_TIMEOUT, _END_TIMEOUT, _STOP_GRACE = 10.0, 5.0, 2.0

Start = Callable[[Receiver], Awaitable[Process]]


class OutOfProcessCarrier:
    """Carries one pool over a process that ``start`` starts. ``description`` names it in messages: "`pwsh` on `web1`".

    Closing ends the process, and what it started too unless it ended by itself with nothing running in it.
    """

    fragment_size = FRAGMENT_SIZE

    def __init__(self, start: Start, *, description: str) -> None:
        self._start = start
        self._description = description
        self._heard = Heard()
        self._reader = PacketReader(self._heard)
        self._opened = False
        self._process: Process | None = None
        self._receiver: CarrierReceiver | None = None
        self._targets: dict[UUID | None, InFlight] = {}
        #: Pipelines whose creation was sent, so that the script may be running.
        self._running: set[UUID] = set()
        self._writing = asyncio.Lock()
        self._error: HostError | None = None
        #: Whether the engine has closed its session, and whether its process has ended.
        self._parted = self._ended = False
        self._watching: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def lost(self) -> bool:
        """Whether it is known to be broken, or closed."""
        return self._error is not None or self._closing is not None

    @property
    def heard(self) -> str:
        """The end of the error output, or else the beginning of what came before the first packet."""
        return self._heard.words()

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        """Start the engine and hand over the pool's first fragments; returns when it has taken them.

        Raises:
            Unreachable: the engine cannot be started, ends at once, or is no PowerShell; nothing ran.

        """
        del pool  # stands in the fragments
        if self._error is not None:
            raise again(self._error)
        self._receiver = receiver
        self._targets[None] = InFlight()
        try:
            self._process = await self._start(_Ears(self._hear, self._heard.add_stderr))
        except HostError as error:
            self._error = not_started(error, self._description)
            raise again(self._error) from error
        self._watching = asyncio.create_task(self._watch(self._process))
        if (failure := self._failure()) is not None:  # given up while it was being started
            self._end()
            raise again(failure)
        for piece in _packed(opening):
            await self._exchange(Packet(Kind.DATA, None, piece))
        self._opened = True

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Without effect: what the engine sends is read at all times."""
        return nullcontext()

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        """Begin a pipeline; returns when the engine has taken its first fragments.

        Raises:
            ConnectionLost: the engine is lost.

        """
        self._targets[pipeline] = InFlight()
        await self._exchange(Packet(Kind.COMMAND, pipeline))
        self._running.add(pipeline)
        await self._exchange(Packet(Kind.DATA, pipeline, creation))

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        """Send further fragments.

        Raises:
            ConnectionLost: the engine is lost.

        """
        await self._exchange(Packet(Kind.DATA, pipeline, data, prompt))

    async def signal(self, pipeline: UUID) -> None:
        """Ask the engine to stop the pipeline.

        Raises:
            ConnectionLost: the engine is lost.

        """
        await self._exchange(Packet(Kind.SIGNAL, pipeline))

    async def close_pipeline(self, pipeline: UUID) -> None:
        """Have the engine forget the pipeline.

        Raises:
            ConnectionLost: the engine is lost.

        """
        await self._exchange(Packet(Kind.CLOSE, pipeline))

    async def close(self) -> None:
        """Close pipelines and session, end the input, and see to it that the process is gone; at most 20 seconds."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def abort(self) -> None:
        """End the process at once; :meth:`close` waits until it is gone."""
        if self._error is None:
            self._give_up(closed(self._description))

    # Sending.

    async def _exchange(self, packet: Packet) -> None:
        """Send a packet when its target is free, and wait for the acknowledgement."""
        target = self._targets.get(packet.target)
        if target is not None and target.awaited is not None:
            await target.landed()
        async with self._writing:
            if self._error is not None:
                raise again(self._error)
            if target is None or self._process is None or packet.target not in self._targets:
                return  # a pipeline that is closed needs nothing any more
            target.awaited = ACKS[packet.kind]
            try:
                await self._process.write(format_packet(packet))
            except asyncio.CancelledError:
                self._break(write_cut_short(self._description, self._may_have_run, opened=self._opened))
                raise
        await target.landed()

    # Receiving.

    def _hear(self, data: bytes) -> None:
        """Take output of the engine."""
        if self._error is not None:
            return
        try:
            for packet in self._reader.feed(data):
                self._take(packet)
        except ServerError as error:
            self._break(engine_error(error.text, self._description, self._may_have_run, opened=self._opened))
        except NotSpeaking:
            self._break(not_speaking(self._heard, self._description))
        except BadStream as error:
            self._broken_protocol(str(error))

    def _take(self, packet: Packet) -> None:
        if self._error is not None:
            return
        target = self._targets.get(packet.target)
        if packet.kind is Kind.DATA:
            # What comes for a pipeline after its end is nobody's; the protocol has no word for refusing it.
            if target is not None and self._receiver is not None:
                self._receiver.fragments_received(packet.data, packet.target)
        elif target is None or target.awaited is not packet.kind:
            self._broken_protocol(f"{packet.kind} came, and nothing was sent that it could answer")
        else:
            if packet.kind is Kind.CLOSE_ACK and packet.target is not None:
                del self._targets[packet.target]
                self._running.discard(packet.target)
            target.acknowledged()

    # Ending.

    def _failure(self) -> HostError | None:
        return self._error

    @property
    def _may_have_run(self) -> bool:
        return bool(self._running)

    async def _watch(self, process: Process) -> None:
        """Learn of the engine's end."""
        try:
            ended = await process.wait()
        except HostError as error:
            self._break(link_broken(error, self._may_have_run, opened=self._opened))
            return
        self._ended = True
        self._reader.end()
        if self._opened:
            self._break(engine_lost(ended, self._heard, self._description, self._may_have_run))
        else:
            self._break(not_opened(ended, self._heard, self._description))

    def _broken_protocol(self, reason: str) -> None:
        self._break(protocol_broken(reason, self._description, self._may_have_run, opened=self._opened))

    def _break(self, error: HostError) -> None:
        """The engine is lost: tell everybody who waits, and the pool."""
        if self._error is not None:
            return
        self._give_up(error if self._closing is None else closed(self._description))
        if self._opened and self._closing is None and self._receiver is not None:
            self._receiver.carrier_lost(again(error))

    def _give_up(self, error: HostError) -> None:
        self._error = error
        for target in self._targets.values():
            target.failed(error)
        self._end()

    def _end(self) -> None:
        """Begin to end the process and what it started; what an engine left behind that parted in peace may stay."""
        if self._ending is None and self._process is not None and not (self._parted and self._ended):
            self._ending = asyncio.create_task(_stop(self._process))

    async def _close(self) -> None:
        if self._error is None and self._opened and self._process is not None:
            with suppress(HostError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await self._part(self._process)
        if self._error is None:
            self._give_up(closed(self._description))
        if self._ending is not None:
            await self._ending
        if self._watching is not None:
            await asyncio.wait([self._watching], timeout=_END_TIMEOUT)
            self._watching.cancel()

    async def _part(self, process: Process) -> None:
        """Close the pipelines, for the engine waits for them (remoting.md 4.4), then the session, and let it end."""
        pipelines = [pipeline for pipeline in self._targets if pipeline is not None]
        await asyncio.gather(*(self.close_pipeline(pipeline) for pipeline in pipelines))
        await self._exchange(Packet(Kind.CLOSE))
        self._parted = not pipelines
        await process.write_eof()
        if self._watching is not None:
            await asyncio.wait([self._watching], timeout=_END_TIMEOUT)


class _Ears:
    """Takes the output of the process."""

    def __init__(self, stdout: Callable[[bytes], None], stderr: Callable[[bytes], None]) -> None:
        self._stdout = stdout
        self._stderr = stderr

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        (self._stdout if stream is Stream.STDOUT else self._stderr)(data)


async def _stop(process: Process) -> None:
    await process.stop(_STOP_GRACE)


def _packed(opening: bytes) -> list[bytes]:
    """Whole fragments, as many in one packet as it may hold."""
    packets = [bytearray()]
    at = 0
    while at < len(opening):
        size = _FRAGMENT_HEAD + int.from_bytes(opening[at + 17 : at + _FRAGMENT_HEAD], "big")
        if packets[-1] and len(packets[-1]) + size > FRAGMENT_SIZE:
            packets.append(bytearray())
        packets[-1] += opening[at : at + size]
        at += size
    return [bytes(packet) for packet in packets]
