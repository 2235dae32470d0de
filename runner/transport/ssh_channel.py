"""A channel with something at its other end that reads and writes bytes: an SSH subsystem (RFC 4254 6.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncssh

from runner.transport.port import Exit, Receiver, Stream
from runner.transport.ssh_errors import link_lost, no_exit_status

#: asyncssh copies what it has not sent yet for each packet; small pieces keep that cheap.
_PIECE = 256 * 1024
#: Seconds that the host has to close the channel of what was stopped.
_GOODBYE = 1.0
#: Seconds without output after the end, after which what still holds the output open is no part of it.
_QUIET = 2.0
#: Seconds between two looks at how long a stop may still take.
_LOOK = 0.1


class SshChannel(asyncssh.SSHClientSession[bytes]):
    """A process of which only the channel is known; asyncssh calls the session methods, the runner the rest.

    ``on_end`` is called once, when the channel is closed.
    """

    def __init__(self, host: str, receiver: Receiver, on_end: Callable[[], None]) -> None:
        self._host = host
        self._receiver = receiver
        self._on_end = [on_end]
        self._exit: Exit | None = None
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._ended.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._writable = asyncio.Event()
        self._writable.set()
        self._stopping: asyncio.Task[bool] | None = None
        self._stop_at = 0.0
        self._heard_at = 0.0

    # What asyncssh calls.

    @property
    def opened(self) -> bool:
        """Whether the host has opened the channel, so that something may have been started."""
        return self._channel is not None

    def on_end(self, call: Callable[[], None]) -> None:
        """Call this too when the channel is closed; at once where it is."""
        if self._ended.done():
            call()
        else:
            self._on_end.append(call)

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Output has come."""
        if self._exit is not None:
            self._heard_at = asyncio.get_running_loop().time()
        if datatype is not None:
            self._receiver.data_received(Stream.STDERR, data)
        else:
            self._stdout_received(data)

    def _stdout_received(self, data: bytes) -> None:
        """Output has come that is no error output."""
        self._receiver.data_received(Stream.STDOUT, data)

    def exit_status_received(self, status: int) -> None:
        """What ran has ended with a code."""
        self._ended_with(Exit(code=status))

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """What ran was ended by a signal; signals that RFC 4254 does not name end in ``@openssh.com``."""
        self._ended_with(Exit(signal=signal.partition("@")[0].removeprefix("SIG")))

    def _ended_with(self, ended: Exit) -> None:
        self._exit = ended
        self._heard_at = asyncio.get_running_loop().time()
        self._close_when_quiet()

    def _close_when_quiet(self) -> None:
        """The end is known: the channel closes by itself, unless a child that is left behind holds the output open."""
        loop = asyncio.get_running_loop()
        if self._channel is None or self._ended.done():
            return
        if loop.time() >= self._heard_at + _QUIET:
            self._channel.abort()
        else:
            loop.call_at(self._heard_at + _QUIET, self._close_when_quiet)

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, and all output has come."""
        self._writable.set()
        if not self._ended.done():
            if self._exit is not None:
                self._ended.set_result(self._exit)
            elif exc is None:
                self._ended.set_exception(no_exit_status(self._host))
            else:
                self._ended.set_exception(link_lost(self._host, exc, may_have_run=True, phase="execute"))
        for call in self._on_end:
            call()

    def pause_writing(self) -> None:
        """The host takes no more for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The host takes more again."""
        self._writable.set()

    # What the runner calls.

    async def write(self, data: bytes) -> None:
        """Send to standard input, waiting while the peer is slow; silently dropped when the process has ended."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            await self._writable.wait()
            if self._channel is None or self._channel.is_closing():
                return
            self._channel.write(bytes(view[start : start + _PIECE]))

    async def write_eof(self) -> None:
        """End standard input; harmless when it has ended already."""
        if self._channel is not None:
            self._channel.write_eof()

    async def wait(self) -> Exit:
        """Wait for the end, all output having been received before.

        Raises:
            ConnectionLost: the link broke first, or the host closed the channel without saying how it ended.

        """
        return await asyncio.shield(self._ended)

    async def interrupt(self) -> bool:
        """Nothing is known that a signal could be sent to."""
        return False

    async def stop(self, grace: float) -> bool:
        """End the input, and after ``grace`` seconds close the channel. Idempotent.

        Called again with a shorter ``grace`` while it is under way, it hurries.

        Returns:
            False: what the process started may live on, and the host cannot be asked for it.

        """
        until = asyncio.get_running_loop().time() + grace
        if self._stopping is None:
            self._stop_at = until
            self._stopping = asyncio.create_task(self._stop())
        self._stop_at = min(self._stop_at, until)
        return await asyncio.shield(self._stopping)

    async def _stop(self) -> bool:
        await self.write_eof()
        while not self._ended.done() and (left := self._stop_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait([self._ended], timeout=min(left, _LOOK))
        await self._close_channel()
        return False

    async def _close_channel(self) -> None:
        """Close it from this side."""
        if self._channel is not None:
            self._channel.abort()
        # A host that does not even close the channel shall not keep anybody waiting for the end.
        await asyncio.wait([self._ended], timeout=_GOODBYE)
        if not self._ended.done():
            self._ended.set_exception(no_exit_status(self._host))
