"""Processes of this machine, without a thread and without a connection: the ``local`` transport.

Standard input, output and error are pipes that the event loop watches. A process leads a session and a process group
of its own, so that stopping it stops what it started.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import IO

from runner.errors import ConnectionLost, ExecutionFailed
from runner.transport.endpoint import Endpoint
from runner.transport.pipes import PipeReader, PipeWriter
from runner.transport.port import Exit, Login, Receiver, Stream
from runner.transport.process_group import end_group, group_exists, signal_group

#: How long after a process's end output is awaited that something it left behind holds open, in seconds.
_LINGER = 0.5
#: How long processes get to end by themselves when a connection is closed under them, in seconds.
_CLOSE_GRACE = 1.0
#: How often a process is asked for its end where the system has no pidfd (not Linux), in seconds.
_POLL = 0.02


class LocalTransport:
    """Opens connections to this machine; they cost nothing and are never lost."""

    name = "local"

    async def connect(self, endpoint: Endpoint, login: Login | None) -> LocalConnection:
        """A connection; ``login`` has no meaning here."""
        del login
        return LocalConnection(endpoint)

    async def close(self) -> None:
        """Nothing is shared between connections."""


class LocalConnection:
    """Starts processes on this machine and ends those that still run when it is closed."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._running: set[LocalProcess] = set()
        self._closed = False

    @property
    def lost(self) -> bool:
        """Whether it was closed."""
        return self._closed

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> LocalProcess:
        """Start ``command`` with the environment and the directory of the runner.

        Raises:
            ConnectionLost: the connection was closed.
            ExecutionFailed: the program is missing or cannot be executed (``program-missing``), or the system has
                no room for a process (``process-refused``).

        """
        del kept  # no limit, so nothing waits
        if self._closed:
            raise ConnectionLost(
                "connection-closed", f"the connection to `{self.endpoint.host}` was closed before"
            )
        process = LocalProcess(_spawn(command), receiver, self._running)
        self._running.add(process)
        return process

    async def start_subsystem(self, name: str, receiver: Receiver, *, kept: bool = False) -> LocalProcess:
        """There are none.

        Raises:
            ExecutionFailed: always (``subsystem-missing``).

        """
        del receiver, kept
        raise ExecutionFailed(
            "subsystem-missing",
            f"`{self.endpoint.host}` is this machine, which has no subsystems: `{name}`; nothing was run",
            hints=("leave `subsystem:` out, or reach the machine over SSH",),
            phase="open",
        )

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - the port's signature
        """Whether it was not closed."""
        del timeout
        return not self._closed

    async def close(self) -> None:
        """End what still runs and wait for it, at most a few seconds."""
        self._closed = True
        await asyncio.gather(*(process.stop(_CLOSE_GRACE) for process in tuple(self._running)))


def _spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise ExecutionFailed(
            "program-missing",
            f"`{command[0]}` cannot be started: {(error.strerror or 'unknown error').lower()}",
            hints=("check the program's name and that it may be executed",),
            phase="open",
        ) from error
    except (OSError, ValueError) as error:
        raise ExecutionFailed(
            "process-refused", f"no process can be started: {error}", phase="open"
        ) from error


class LocalProcess:
    """A process with its three pipes."""

    def __init__(
        self, process: subprocess.Popen[bytes], receiver: Receiver, running: set[LocalProcess]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._running = running
        self._exit: asyncio.Future[Exit] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._linger: asyncio.TimerHandle | None = None
        self._group_gone = False
        self._input = PipeWriter(self._loop, _pipe(process.stdin))
        self._outputs = [
            PipeReader(self._loop, _pipe(pipe), stream, receiver, self._output_ended)
            for pipe, stream in ((process.stdout, Stream.STDOUT), (process.stderr, Stream.STDERR))
        ]
        self._watch()

    async def write(self, data: bytes) -> None:
        """Send to standard input; returns when the pipe has taken all of it."""
        await self._input.write(data)

    async def write_eof(self) -> None:
        """Close standard input."""
        self._input.close()

    async def wait(self) -> Exit:
        """Wait for the end; output that something left behind still holds open is awaited half a second."""
        await asyncio.shield(self._ended)
        return self._exit.result()

    async def stop(self, grace: float) -> bool:
        """End the process and its group: TERM, after ``grace`` seconds KILL."""
        if not self._group_gone:
            self._group_gone = await end_group(self._process.pid, grace)
        return self._group_gone

    async def interrupt(self) -> bool:
        """Send INT to the group."""
        return not self._group_gone and signal_group(self._process.pid, signal.SIGINT)

    def _watch(self) -> None:
        """Learn of the process's end without a thread and without a signal handler."""
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):
            self._poll()
            return

        def readable() -> None:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
            self._reap()

        self._loop.add_reader(descriptor, readable)

    def _poll(self) -> None:
        if not self._reap():
            self._loop.call_later(_POLL, self._poll)

    def _reap(self) -> bool:
        code = self._process.poll()
        if code is None:
            return False
        self._group_gone = not group_exists(self._process.pid)
        self._exit.set_result(Exit(code=code) if code >= 0 else Exit(signal=signal_name(-code)))
        self._input.close()
        self._linger = self._loop.call_later(_LINGER, self._finish)
        self._output_ended()
        return True

    def _output_ended(self) -> None:
        if self._exit.done() and not any(output.open for output in self._outputs):
            self._finish()

    def _finish(self) -> None:
        if self._ended.done():
            return
        if self._linger is not None:
            self._linger.cancel()
        for output in self._outputs:
            output.close()
        self._running.discard(self)
        self._ended.set_result(None)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe


def signal_name(number: int) -> str:
    """``KILL`` for 9; the number as text for one without a name.

    >>> signal_name(15)
    'TERM'
    """
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)
