"""A kept interpreter: one process on the host whose variables, functions and directory survive from step to step."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from runner.errors import ConnectionLost, ExecutionFailed
from runner.shell import kept_text, python_text
from runner.shell.fresh import Nowhere, directory_refused, interpreter_missing, new_nonce, program_exists
from runner.shell.marker import Marker
from runner.shell.posix_text import checked_program
from runner.shell.request import ShellRequest
from runner.transport.port import Connection, Exit, Process, Receiver, Stream
from runner.using.model import Shell


@dataclass(frozen=True, slots=True)
class KeptExit:
    """How a step in a kept interpreter ended.

    ``lost``: the interpreter ended with it (``exit``, ``exec``, a fired ``set -e``, a signal); its variables are gone.
    """

    exit: Exit
    lost: bool = False


class KeptInterpreter:
    """Runs one script at a time in a process that stays.

    What a step gets alone: values, arguments, environment, working directory, standard input; and what is put back
    after it: shell options, traps, umask, redirections. A ``cd`` of the script stays where the step has no
    ``working_directory``. What a background process writes between two steps is dropped; while a step runs, it is
    that step's output, for there is one pipe.
    """

    def __init__(
        self, connection: Connection, shell: Shell, program: str, process: Process, router: _Router
    ) -> None:
        self._connection = connection
        self._shell = shell
        self._program = program
        self._process = process
        self._router = router
        self._end = asyncio.ensure_future(process.wait())
        self._end.add_done_callback(_retrieve)
        self._proven = False
        self._traps = False

    @classmethod
    async def open(
        cls, connection: Connection, shell: Shell, interpreter: str | None = None
    ) -> KeptInterpreter:
        """Start the interpreter; whether the host has it shows with the first step, which saves a round trip.

        Raises:
            ConnectionLost: the link is gone.
            Unreachable: it needs a further link, which cannot be opened.
            ExecutionFailed: the interpreter is missing, where the transport can tell at once.

        """
        program = checked_program(ShellRequest(shell=shell, script="", interpreter=interpreter).program)
        router = _Router()
        python = shell is Shell.PYTHON
        command = (
            (program, "-c", python_text.BOOTSTRAP) if python else (program, "-c", kept_text.LOOP, "script")
        )
        try:
            process = await connection.start(command, router, kept=True)
        except ExecutionFailed as error:
            if error.code == "program-missing":
                raise interpreter_missing(shell, program) from error
            raise
        await process.write(python_text.kept_start() if python else kept_text.START)
        return cls(connection, shell, program, process, router)

    @property
    def lost(self) -> bool:
        """Whether the interpreter has ended."""
        return self._end.done()

    async def run(self, request: ShellRequest, receiver: Receiver, stdin: bytes | None = None) -> KeptExit:
        """Run one script; ``stdin`` None is an empty standard input.

        After a cancellation the script still runs: :meth:`interrupt` and :meth:`probe` it, or :meth:`close`.

        Raises:
            ConnectionLost: the link broke, before or while it ran (``may_have_run``).
            ExecutionFailed: something cannot be sent, the directory is refused, or the interpreter is missing.

        """
        if self._end.done():
            raise ConnectionLost(
                "session-lost", "the kept interpreter has ended before this step", phase="send"
            )
        nonce = new_nonce()
        data = self._encoded(request, nonce, stdin)
        frame = self._router.begin(nonce, receiver)
        try:
            await self._process.write(data)
            await asyncio.wait((frame.done, self._end), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            frame.abandon()
            raise
        if not frame.done.done():
            return await self._ended(frame)
        code = frame.done.result()
        self._proven = True
        if code == kept_text.DIRECTORY_REFUSED and request.working_directory is not None:
            raise directory_refused(request.working_directory)
        return KeptExit(Exit(code=code))

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long it may take is the question
        """Whether the interpreter is free, or becomes so, and answers within ``timeout`` seconds."""
        if self._end.done():
            return False
        with contextlib.suppress(TimeoutError, ConnectionLost, ExecutionFailed):
            async with asyncio.timeout(timeout):
                await asyncio.wait((self._router.free, self._end), return_when=asyncio.FIRST_COMPLETED)
                await self.run(ShellRequest(shell=self._shell, script=""), Nowhere())
                return not self._end.done()
        return False

    async def interrupt(self) -> bool:
        """Ask the script that runs to end, so that the interpreter lives on; :meth:`probe` says whether it did.

        Returns:
            False in sh and bash, which cannot unwind a script: nothing is sent, close it.

        """
        return self._shell is Shell.PYTHON and not self._end.done() and await self._process.interrupt()

    async def reset(self) -> bool:
        """A process cannot forget: always False, and who wants that opens a new one."""
        return False

    async def close(self, grace: float) -> bool:
        """End the interpreter: by itself where it is free, else TERM, after ``grace`` seconds KILL; idempotent.

        Returns:
            True when nothing of it is left, False when that could not be made sure.

        """
        free = self._router.free.done()
        if free and not self._end.done():
            await self._process.write_eof()
            await asyncio.wait((self._end,), timeout=grace)
        if self._end.done() and (free or self._end.exception() is None):
            return self._end.exception() is None
        return await self._process.stop(grace)

    def _encoded(self, request: ShellRequest, nonce: bytes, stdin: bytes | None) -> bytes:
        if self._shell is Shell.PYTHON:
            return python_text.frame(request, nonce, stdin)
        self._traps = self._traps or kept_text.may_trap(request.script)
        return kept_text.step_lines(request, nonce, stdin, traps=self._traps)

    async def _ended(self, frame: _Frame) -> KeptExit:
        """The interpreter ended before the step's end was told: its exit is the step's."""
        try:
            ended = self._end.result()
        except ConnectionLost as error:
            error.may_have_run = True
            raise
        frame.flush()
        if (
            ended.code in (126, 127)
            and not self._proven
            and not await program_exists(self._connection, self._program)
        ):
            raise interpreter_missing(self._shell, self._program)
        return KeptExit(ended, lost=True)


class _Router:
    """Gives the interpreter's output to the step that runs; between steps it is dropped."""

    def __init__(self) -> None:
        self._frame: _Frame | None = None

    @property
    def free(self) -> asyncio.Future[int]:
        """Done when no step runs."""
        if self._frame is not None:
            return self._frame.done
        none: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        none.set_result(0)
        return none

    def begin(self, nonce: bytes, receiver: Receiver) -> _Frame:
        """The frame of the next step; the one before must have ended."""
        if not self.free.done():
            raise RuntimeError("a kept interpreter runs one script at a time")
        self._frame = _Frame(nonce, receiver)
        return self._frame

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        if self._frame is not None:
            self._frame.data_received(stream, data)


class _Frame:
    """One step's part of the interpreter's output: up to its word on each stream."""

    def __init__(self, nonce: bytes, receiver: Receiver) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._receiver: Receiver = receiver
        self._markers = {Stream.STDOUT: Marker(nonce, tail_size=3), Stream.STDERR: Marker(nonce)}

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Pass on what is the script's; see the end."""
        if self.done.done():
            return
        data = self._markers[stream].feed(data)
        if data:
            self._receiver.data_received(stream, data)
        if all(marker.found for marker in self._markers.values()):
            self.done.set_result(int(self._markers[Stream.STDOUT].tail))

    def flush(self) -> None:
        """The interpreter ended: pass on what was held back."""
        for stream, marker in self._markers.items():
            rest = marker.rest()
            if rest:
                self._receiver.data_received(stream, rest)

    def abandon(self) -> None:
        """Nobody waits any more for a script that still runs: drop its output, go on looking for its end."""
        self._receiver = Nowhere()


def _retrieve(end: asyncio.Future[Exit]) -> None:
    """A broken link is told by the next step; nothing else need hear of it."""
    if not end.cancelled():
        end.exception()
