"""The scripted engine (runner/lab/scripted_engine.py) behind a carrier in memory: no process, no packets, no clock.

What is sent is answered after as many turns of the event loop as ``turns`` says, so that a test can have any order of
acknowledgements and data that a carrier allows. ``violations`` has what a carrier must never be asked for.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from itertools import repeat
from typing import Any, cast
from uuid import UUID

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.lab.engine_channel import EngineChannel
from runner.lab.scripted_commands import Died
from runner.lab.scripted_engine import PHASES, ScriptedSession
from runner.psrp.packets import Kind, Packet
from runner.transport.carrier import CarrierReceiver


def _options(words: Iterable[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--silent", action="append", default=[], choices=PHASES)
    parser.add_argument("--refuse-open", action="store_true")
    parser.add_argument("--refuse-key", action="store_true")
    parser.add_argument("--version", default="7.6.5")
    return parser.parse_args(list(words))


class _Channel:
    """The engine's way to its client, here the carrier."""

    def __init__(self, carrier: MemoryCarrier) -> None:
        self._carrier = carrier

    def send_data(self, fragments: Iterable[bytes], target: UUID | None) -> None:
        for fragment in fragments:
            self._carrier.deliver(fragment, target)

    def acknowledge(self, packet: Packet) -> None:
        self._carrier.acknowledged(packet.target)

    def send_raw(self, data: bytes) -> None:
        self._carrier.break_off(f"{data[:20]!r} is no packet")


class MemoryCarrier:
    """A :class:`runner.transport.carrier.Carrier`; ``options`` are those of the scripted engine's command line."""

    def __init__(
        self, *options: str, fragment_size: int = 32768, turns: Iterable[int] = repeat(0), lose_after: int = 0
    ) -> None:
        self.fragment_size = fragment_size
        self.violations: list[str] = []
        self.signals = 0
        self.sent: list[tuple[UUID | None, bytes]] = []
        self._turns: Iterator[int] = iter(turns)
        self._lose_after = lose_after
        self._operations = 0
        self._session = ScriptedSession(cast("EngineChannel", _Channel(self)), _options(options))
        self._receiver: CarrierReceiver | None = None
        self._busy: dict[UUID | None, asyncio.Future[None]] = {}
        self._pipelines: set[UUID] = set()
        self._deliveries: asyncio.Queue[tuple[bytes, UUID | None]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._error: HostError | None = None
        self.heard = ""

    @property
    def lost(self) -> bool:
        return self._error is not None

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        del pool
        self._receiver = receiver
        self._start(self._deliver())
        try:
            await self._exchange(Packet(Kind.DATA, None, opening))
        except ConnectionLost as error:
            raise Unreachable(error.code, error.message) from None

    def listening(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        self._pipelines.add(pipeline)
        await self._exchange(Packet(Kind.COMMAND, pipeline))
        await self._exchange(Packet(Kind.DATA, pipeline, creation))

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        await self._exchange(Packet(Kind.DATA, pipeline, data, prompt))

    async def signal(self, pipeline: UUID) -> None:
        self.signals += 1
        await self._exchange(Packet(Kind.SIGNAL, pipeline))

    async def close_pipeline(self, pipeline: UUID) -> None:
        await self._exchange(Packet(Kind.CLOSE, pipeline))
        self._pipelines.discard(pipeline)

    async def close(self) -> None:
        self.abort()
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks)

    def abort(self) -> None:
        self._error = self._error or ConnectionLost("memory-closed", "closed")
        for operation in self._busy.values():
            if not operation.done():
                operation.set_exception(self._error)
        for task in self._tasks:
            task.cancel()

    # For the engine and for tests.

    def deliver(self, data: bytes, target: UUID | None) -> None:
        """Bring whole fragments to the pool, after those before."""
        self._deliveries.put_nowait((data, target))

    def acknowledged(self, target: UUID | None) -> None:
        """Let the operation of a target end."""
        self._start(self._end_of(self._busy[target]))

    def break_off(self, why: str, *, may_have_run: bool = True) -> None:
        """The connection breaks."""
        if self._error is not None:
            return
        self._error = ConnectionLost("memory-lost", why, may_have_run=may_have_run and bool(self._pipelines))
        for operation in self._busy.values():
            if not operation.done():
                operation.set_exception(ConnectionLost("memory-lost", why, may_have_run=may_have_run))
        if self._receiver is not None:
            self._receiver.carrier_lost(self._error)

    def give_up_pipeline(self) -> None:
        """The peer forgets the pipelines that run, and says so."""
        assert self._receiver is not None
        for pipeline in self._pipelines:
            self._receiver.pipeline_lost(pipeline, ConnectionLost("memory-pipeline", "gone"))

    async def _exchange(self, packet: Packet) -> None:
        if self._error is not None:
            raise self._error
        if packet.target in self._busy:
            self.violations.append(f"{packet.kind} overlaps another operation of its target")
        if len(packet.data) > self.fragment_size and self._operations:
            self.violations.append(f"{len(packet.data)} bytes in one {packet.kind}")
        self._operations += 1
        operation: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._busy[packet.target] = operation
        try:
            await self._wait()
            self.sent.append((packet.target, packet.data))
            if self._operations == self._lose_after:
                self.break_off("cut by the test")
            else:
                self._handle(packet)
            await operation
        finally:
            del self._busy[packet.target]

    def _handle(self, packet: Packet) -> None:
        try:
            self._session._handle(packet)
        except Died:
            self.break_off("the engine died")

    async def _deliver(self) -> None:
        while True:
            data, target = await self._deliveries.get()
            await self._wait()
            if self._error is None and self._receiver is not None:
                self._receiver.fragments_received(data, target)

    async def _end_of(self, operation: asyncio.Future[None]) -> None:
        await self._wait()
        with suppress(asyncio.InvalidStateError):
            operation.set_result(None)

    async def _wait(self) -> None:
        for _ in range(next(self._turns, 0)):
            await asyncio.sleep(0)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
