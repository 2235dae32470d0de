"""A command on a host: bytes in both directions, its end, and stopping it with all it started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncssh

from runner.transport.port import Exit, Receiver, Stream
from runner.transport.ssh_command import Preamble, group_command, group_left
from runner.transport.ssh_errors import link_lost, no_exit_status

#: asyncssh copies what it has not sent yet for each packet; small pieces keep that cheap.
_PIECE = 256 * 1024
#: Seconds that a killed process has to go, and the command to say its pid.
_KILL_WAIT = 5.0
#: Seconds that the host has to close the channel of a command that was stopped.
_GOODBYE = 1.0
#: Seconds between two looks at a group that was told to end: at first often, then seldom.
_FIRST_LOOK, _LAST_LOOK = 0.02, 0.5
#: Seconds without output after a command's end, after which what still holds its output open is no part of it.
_QUIET = 2.0

Ask = Callable[[str], Awaitable[bytes | None]]


class SshProcess(asyncssh.SSHClientSession[bytes]):
    """One channel with one command; asyncssh calls the session methods, the runner those of ``Process``.

    ``ask`` runs a short command over the same connection and gives its output, or None where that cannot be done.
    ``on_end`` is called once, when the channel is closed.
    """

    def __init__(self, host: str, receiver: Receiver, ask: Ask, on_end: Callable[[], None]) -> None:
        self._host = host
        self._receiver = receiver
        self._ask = ask
        self._on_end = [on_end]
        self._preamble = Preamble()
        self._exit: Exit | None = None
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Exit] = loop.create_future()
        self._ended.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pid_known = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._stopping: asyncio.Task[bool] | None = None
        self._stop_at = 0.0
        self._heard_at = 0.0

    # What asyncssh calls.

    @property
    def opened(self) -> bool:
        """Whether the host has opened the channel, so that the command may have been started."""
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
            return
        if not self._pid_known.is_set():
            data = self._preamble.feed(data)
            if not self._preamble.held:
                self._pid_known.set()
        if data:
            self._receiver.data_received(Stream.STDOUT, data)

    def exit_status_received(self, status: int) -> None:
        """The command has ended with a code."""
        self._ended_with(Exit(code=status))

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """The command was ended by a signal; signals that RFC 4254 does not name end in ``@openssh.com``."""
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
        if rest := self._preamble.end():
            self._receiver.data_received(Stream.STDOUT, rest)
        self._pid_known.set()
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
        """Send INT to the process group, as Ctrl-C would; does not wait for what comes of it.

        Returns:
            True when the signal was sent, False where it could not be or the process has ended.

        """
        group = await self._group()
        if self._ended.done() or group is None:
            return False
        return await self._look("INT", group) is not None

    async def stop(self, grace: float) -> bool:
        """End the process and its process group: TERM, after ``grace`` seconds KILL. Idempotent.

        Called again with a shorter ``grace`` while it is under way, it hurries.
        """
        until = asyncio.get_running_loop().time() + grace
        if self._stopping is None:
            self._stop_at = until
            self._stopping = asyncio.create_task(self._stop())
        self._stop_at = min(self._stop_at, until)
        return await asyncio.shield(self._stopping)

    async def _stop(self) -> bool:
        pid = await self._group()
        left = await self._end_group(pid) if pid is not None else None
        if left is None:
            await self._end_blindly()
        elif not left:
            # What the command wrote before it died is still on its way.
            await asyncio.wait([self._ended], timeout=_KILL_WAIT)
        if self._channel is not None:
            self._channel.abort()
        # A host that does not even close the channel shall not keep anybody waiting for the end.
        await asyncio.wait([self._ended], timeout=_GOODBYE)
        if not self._ended.done():
            self._ended.set_exception(no_exit_status(self._host))
        return left is False

    async def _group(self) -> int | None:
        """The process group, once the command has said it; None where it does not say it soon."""
        try:
            async with asyncio.timeout(_KILL_WAIT):
                await self._pid_known.wait()
        except TimeoutError:
            return None
        return self._preamble.pid

    async def _end_group(self, group: int) -> bool | None:
        """TERM, wait, KILL, wait; whether something is left, or None where the host cannot be asked."""
        left = await self._look("TERM", group)
        left = await self._watch(group, left, lambda: self._stop_at)
        if left:
            end = asyncio.get_running_loop().time() + _KILL_WAIT
            left = await self._look("KILL", group)
            left = await self._watch(group, left, lambda: end)
        return left

    async def _watch(self, group: int, left: bool | None, until: Callable[[], float]) -> bool | None:
        """Look again and again, until nothing is left or the time is over."""
        pause = _FIRST_LOOK
        clock = asyncio.get_running_loop().time
        while left and clock() < until():
            await asyncio.sleep(min(pause, max(until() - clock(), 0)))
            pause = min(pause * 2, _LAST_LOOK)
            left = await self._look("look", group)
        return left

    async def _look(self, signal: str, group: int) -> bool | None:
        output = await self._ask(group_command(signal, group))
        return None if output is None else group_left(output)

    async def _end_blindly(self) -> None:
        """The way of the protocol itself, for hosts that cannot be asked; nobody confirms it."""
        loop = asyncio.get_running_loop()
        for signal, seconds in (("TERM", self._stop_at - loop.time()), ("KILL", _KILL_WAIT)):
            if not self._ended.done():
                self._signal(signal)
                await asyncio.wait([self._ended], timeout=max(seconds, 0))

    def _signal(self, name: str) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.send_signal(name)
