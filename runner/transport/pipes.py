"""The ends of a process's pipes that this side holds, watched by the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from io import RawIOBase
from typing import IO

from runner.transport.port import Receiver, Stream

_READ = 1 << 16
#: What is read at most after a process's end from a pipe that something else keeps writing to, in bytes.
_LAST = 1 << 20


class PipeWriter:
    """The writing end; one coroutine writes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pipe: IO[bytes] | RawIOBase) -> None:
        self._loop = loop
        self._pipe: IO[bytes] | RawIOBase | None = pipe
        self._room: asyncio.Future[None] | None = None
        os.set_blocking(pipe.fileno(), False)

    async def write(self, data: bytes) -> None:
        """Write all of it, waiting for room; dropped when nobody reads any more."""
        rest = memoryview(data)
        while rest and self._pipe is not None:
            try:
                rest = rest[os.write(self._pipe.fileno(), rest) :]
            except BlockingIOError:
                await self._wait_room(self._pipe.fileno())
            except OSError:
                self.close()

    def close(self) -> None:
        """End the stream; idempotent."""
        if self._pipe is None:
            return
        pipe, self._pipe = self._pipe, None
        self._loop.remove_writer(pipe.fileno())
        self._wake()
        with contextlib.suppress(OSError):
            pipe.close()

    async def _wait_room(self, descriptor: int) -> None:
        self._room = self._loop.create_future()
        self._loop.add_writer(descriptor, self._wake)
        try:
            await self._room
        finally:
            self._room = None
            if self._pipe is not None:
                self._loop.remove_writer(descriptor)

    def _wake(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)


class PipeReader:
    """The reading end: hands on what comes, and says when the stream has ended."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipe: IO[bytes] | RawIOBase,
        stream: Stream,
        receiver: Receiver,
        ended: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._pipe: IO[bytes] | RawIOBase | None = pipe
        self._stream = stream
        self._receiver = receiver
        self._ended = ended
        os.set_blocking(pipe.fileno(), False)
        loop.add_reader(pipe.fileno(), self._read)

    @property
    def open(self) -> bool:
        """Whether something still holds the other end."""
        return self._pipe is not None

    def close(self) -> None:
        """Hand on what is in the pipe and close it; idempotent."""
        taken = 0
        while taken < _LAST and (size := self._take()):
            taken += size
        self._shut()

    def _read(self) -> None:
        if self._take() == 0:
            self._shut()
            self._ended()

    def _take(self) -> int | None:
        """Hand on one piece; its size, 0 at the end of the stream, None when there is nothing now."""
        if self._pipe is None:
            return 0
        try:
            data = os.read(self._pipe.fileno(), _READ)
        except BlockingIOError:
            return None
        except OSError:
            return 0
        if data:
            self._receiver.data_received(self._stream, data)
        return len(data)

    def _shut(self) -> None:
        if self._pipe is None:
            return
        pipe, self._pipe = self._pipe, None
        self._loop.remove_reader(pipe.fileno())
        with contextlib.suppress(OSError):
            pipe.close()
