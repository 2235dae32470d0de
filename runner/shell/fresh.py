"""A new interpreter for one script, started over a kept connection.

argv is constant text; script, values, environment, arguments and directory go through standard input, read exactly by
a bootstrap, and what the caller writes afterwards is the script's standard input.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from runner.errors import ExecutionFailed
from runner.shell import posix_text, python_text
from runner.shell.marker import Marker
from runner.shell.refuse import refusal
from runner.shell.request import PROGRAMS, ShellRequest
from runner.transport.port import Connection, Exit, Process, Receiver, Stream
from runner.using.model import Shell

#: Reads one line of code and runs it. At the end of input nothing is run, so half a line never is.
_POSIX_BOOTSTRAP = 'IFS= read -r __runner_r && eval "$__runner_r"'

#: What the bootstrap exits with where it cannot enter the working directory; only with its nonce does it mean that.
_NO_DIRECTORY = 125


#: How long an interpreter that was given up before its script began gets to end by itself, in seconds.
_GIVE_UP_GRACE = 1.0


async def start_fresh(connection: Connection, request: ShellRequest, receiver: Receiver) -> FreshProcess:
    """Start an interpreter and hand it the script; the caller then writes its standard input and waits.

    Raises:
        ConnectionLost: the link is gone.
        ExecutionFailed: a value cannot be sent, or the interpreter is missing.

    """
    nonce = new_nonce()
    payload = fresh_payload(request, nonce)
    command = fresh_command(request)
    guard = _Guard(receiver, nonce) if request.working_directory is not None else None
    try:
        process = await connection.start(command, guard or receiver)
    except ExecutionFailed as error:
        if error.code == "program-missing":
            raise interpreter_missing(request.shell, request.program) from error
        raise
    try:
        await process.write(payload)
    except asyncio.CancelledError:
        # Nobody else knows of the process yet, and it waits for the rest of what it is to run.
        await asyncio.shield(process.stop(_GIVE_UP_GRACE))
        raise
    return FreshProcess(connection, process, request, guard)


def fresh_command(request: ShellRequest) -> tuple[str, ...]:
    """Argv of the interpreter: nothing of the request but the program and the script's name.

    Raises:
        ExecutionFailed: ``interpreter`` cannot be a program.

    """
    program = posix_text.checked_program(request.program)
    if request.shell is Shell.PYTHON:
        return (program, "-c", python_text.BOOTSTRAP)
    return (program, "-c", _POSIX_BOOTSTRAP, request.script_name)


def fresh_payload(request: ShellRequest, nonce: bytes) -> bytes:
    """What standard input begins with: everything of the request.

    Raises:
        ExecutionFailed: something of the request cannot be sent.

    """
    if request.shell is Shell.POWERSHELL:
        raise refusal("value-type", "powershell is not spoken to through a bootstrap")
    if request.shell is Shell.PYTHON:
        return python_text.once(request, nonce)
    line = posix_text.PRELUDE
    if request.working_directory is not None:
        line += b"command cd -- %s >/dev/null 2>&1||{ command printf %%s %s >&2;exit %d;};" % (
            posix_text.directory_word(request.working_directory),
            nonce,
            _NO_DIRECTORY,
        )
    line += posix_text.assignments(request.values, request.shell)
    line += posix_text.argument_words(request.args, request.shell)
    if request.environment:
        line += b"export " + posix_text.environment_words(request.environment, request.shell) + b";"
    return posix_text.framed(line + b"eval " + posix_text.script_word(request.script))


def new_nonce() -> bytes:
    """A word of 96 random bits that no script can guess: tells a bootstrap's words from a script's output.

    It begins with a character that ends few pieces of output, which would be held back.
    """
    return b"@" + secrets.token_hex(12).encode()


def interpreter_missing(shell: Shell, program: str) -> ExecutionFailed:
    """The error of a host that has no such interpreter."""
    return ExecutionFailed(
        "interpreter-missing",
        f"the host has no `{program}` to run the script with, or it cannot be executed",
        hints=(
            f"name the program on the host: `interpreter: /path/to/{PROGRAMS.get(shell, program)}`",
            "or let the script be run by another shell: `shell: sh`",
        ),
        phase="open",
    )


def directory_refused(path: str) -> ExecutionFailed:
    """The error of a working directory that is not there."""
    return ExecutionFailed(
        "working-directory",
        f"the working directory `{path}` cannot be entered: it is missing, no directory, or not allowed",
        hints=("create it in a step before, or mend `working_directory`",),
        phase="open",
    )


class FreshProcess:
    """A script running in an interpreter of its own; a :class:`runner.transport.port.Process`."""

    def __init__(
        self, connection: Connection, process: Process, request: ShellRequest, guard: _Guard | None
    ) -> None:
        self._connection = connection
        self._process = process
        self._request = request
        self._guard = guard

    async def write(self, data: bytes) -> None:
        """Send to the script's standard input."""
        await self._process.write(data)

    async def write_eof(self) -> None:
        """End the script's standard input."""
        await self._process.write_eof()

    async def wait(self) -> Exit:
        """Wait for the script's end, all output having been received before.

        Raises:
            ConnectionLost: the link broke first.
            ExecutionFailed: the script did not begin: no interpreter, or no working directory.

        """
        ended = await self._process.wait()
        if self._guard is not None:
            self._guard.flush()
            if self._guard.refused and self._request.working_directory is not None:
                raise directory_refused(self._request.working_directory)
        # 126 and 127 are what a login shell says of a program that it cannot start, and codes a script may end with
        # itself: only asking again tells them apart, and only after such an end does it cost anything.
        if ended.code in (126, 127) and not await program_exists(self._connection, self._request.program):
            raise interpreter_missing(self._request.shell, self._request.program)
        return ended

    async def stop(self, grace: float) -> bool:
        """End the script and what it started."""
        return await self._process.stop(grace)

    async def interrupt(self) -> bool:
        """Send SIGINT to the script and what it started."""
        return await self._process.interrupt()


async def program_exists(connection: Connection, program: str) -> bool:
    """Whether the host finds an executable of this name or path.

    Raises:
        ConnectionLost: the link is gone.

    """
    command: Sequence[str] = ("sh", "-c", 'command -v "$1" >/dev/null 2>&1', "sh", program)
    process = await connection.start(command, Nowhere())
    await process.write_eof()
    return (await process.wait()).code == 0


class Nowhere:
    """Drops output."""

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Drop it."""


class _Guard:
    """Passes output on and keeps back the word that says the working directory was refused."""

    def __init__(self, receiver: Receiver, nonce: bytes) -> None:
        self._receiver = receiver
        self._marker = Marker(nonce)

    @property
    def refused(self) -> bool:
        """Whether the word has come."""
        return self._marker.found

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        if stream is Stream.STDERR:
            data = self._marker.feed(data)
        if data:
            self._receiver.data_received(stream, data)

    def flush(self) -> None:
        """Pass on what looked like the beginning of the word and was not."""
        rest = self._marker.rest()
        if rest:
            self._receiver.data_received(Stream.STDERR, rest)
