"""A command run for a login of a lab host: bytes both ways, exit status and signals told as OpenSSH tells them.

One difference is on purpose: where the channel closes before the command has ended, OpenSSH leaves the command to
its fate, and a lab ends it with all that is in its process group. What a command that ended left behind is left alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

import asyncssh

_GRACE = 2.0  # seconds between asking and ending what a closed channel left behind
_STDOUT, _STDERR = 1, 2


class HostProcess(asyncio.SubprocessProtocol):
    """One command; told to the client over ``channel``, and ended with all it started when the channel closes."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = channel
        self._transport: asyncio.SubprocessTransport | None = None
        self._closed = False
        self._ended = False
        self._paused = False

    async def start(self, command: str, home: Path, environment: Mapping[str, str]) -> None:
        """Run ``/bin/sh -c command`` as the leader of a new session, in ``home``."""
        loop = asyncio.get_running_loop()
        await loop.subprocess_exec(
            lambda: self,
            *("/bin/sh", "-c", command),
            cwd=home,
            env=dict(environment),
            umask=0o022,
            start_new_session=True,
        )
        if self._closed:
            self.end()
        if self._paused:
            self.pause(paused=True)

    def write(self, data: bytes) -> None:
        """Give to standard input; without effect where the command reads no more."""
        if (stdin := self._stdin()) is not None and not stdin.is_closing():
            stdin.write(data)

    def write_eof(self) -> None:
        """End standard input."""
        if (stdin := self._stdin()) is not None:
            stdin.close()

    def send_signal(self, name: str) -> None:
        """Send a signal, named without SIG, to the process group."""
        self._kill(getattr(signal, f"SIG{name}", signal.SIGTERM))

    def pause(self, *, paused: bool) -> None:
        """Stop or go on reading output, as the client takes it."""
        self._paused = paused
        for number in (_STDOUT, _STDERR):
            pipe = self._transport.get_pipe_transport(number) if self._transport else None
            if pipe is not None and not pipe.is_closing():
                reader = cast("asyncio.ReadTransport", pipe)
                with suppress(RuntimeError):  # paused twice, or at its end
                    reader.pause_reading() if paused else reader.resume_reading()

    def end(self) -> None:
        """Hang up on the process group of a command that still runs, and end what is left of it a little later."""
        self._closed = True
        if self._transport is not None and not self._ended:
            self._kill(signal.SIGHUP)
            asyncio.get_running_loop().call_later(_GRACE, self._kill, signal.SIGKILL)
            for number in (0, _STDOUT, _STDERR):
                if (pipe := self._transport.get_pipe_transport(number)) is not None:
                    pipe.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the process (asyncio's call)."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Pass output on (asyncio's call)."""
        if not self._closed:
            self._channel.write(data, asyncssh.EXTENDED_DATA_STDERR if fd == _STDERR else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell how the command ended, once its output is at its end, as OpenSSH does (asyncio's call)."""
        self._ended = True
        if self._closed or self._transport is None:
            return
        code = self._transport.get_returncode() or 0
        if code < 0:
            self._channel.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
        else:
            self._channel.exit(code)

    def _stdin(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        return cast("asyncio.WriteTransport | None", pipe)

    def _kill(self, number: signal.Signals) -> None:
        if self._transport is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)


class HostSession(asyncssh.SSHServerSession[bytes]):
    """A channel of a login: runs one command or subsystem; there is no terminal and no file transfer.

    Args:
        home: working directory.
        environment: all of it.
        subsystems: command of sh for each subsystem, as sshd's configuration has them.

    """

    def __init__(self, home: Path, environment: Mapping[str, str], subsystems: Mapping[str, str]) -> None:
        self._home = home
        self._environment = environment
        self._subsystems = subsystems
        self._command = ""
        self._channel: asyncssh.SSHServerChannel[bytes]
        self._process: HostProcess
        self._starting: asyncio.Task[None] | None = None
        self._waiting: list[bytes] = []
        self._eof = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Keep the channel (asyncssh's call)."""
        self._channel = chan
        self._process = HostProcess(chan)

    def exec_requested(self, command: str) -> bool:
        """Take a command (asyncssh's call)."""
        self._command = command
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Start a subsystem that the host has, and no other (asyncssh's call)."""
        self._command = self._subsystems.get(subsystem, "")
        return bool(self._command)

    def shell_requested(self) -> bool:
        """Take standard input as a script of sh, which is what a login without a command is here (asyncssh's call)."""
        self._command = "exec /bin/sh"
        return True

    def session_started(self) -> None:
        """Start it (asyncssh's call)."""
        self._starting = asyncio.create_task(self._start())

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Pass input on (asyncssh's call)."""
        if self._starting is not None:
            self._waiting.append(data)
        else:
            self._process.write(data)

    def eof_received(self) -> bool:
        """End the input and keep the channel for the output (asyncssh's call)."""
        self._eof = True
        if self._starting is None:
            self._process.write_eof()
        return True

    def signal_received(self, signal: str) -> None:
        """Pass a signal on (asyncssh's call)."""
        if self._starting is None:
            self._process.send_signal(signal)

    def pause_writing(self) -> None:
        """The client is slow (asyncssh's call)."""
        self._process.pause(paused=True)

    def resume_writing(self) -> None:
        """The client has caught up (asyncssh's call)."""
        self._process.pause(paused=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what still runs (asyncssh's call)."""
        self._process.end()

    async def _start(self) -> None:
        try:
            await self._process.start(self._command, self._home, self._environment)
        except OSError as error:
            self._channel.write(f"cannot start: {error}\n".encode(), asyncssh.EXTENDED_DATA_STDERR)
            self._channel.exit(126)
            return
        finally:
            self._starting = None
        for data in self._waiting:
            self._process.write(data)
        self._waiting.clear()
        if self._eof:
            self._process.write_eof()
