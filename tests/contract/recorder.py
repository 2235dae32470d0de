"""A receiver that keeps everything, for tests, and the short ways to run something with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.shell.fresh import start_fresh
from runner.shell.request import ShellRequest
from runner.transport.port import Connection, Exit, Stream


@dataclass
class Recorder:
    """Keeps both streams; :meth:`until` waits for something to come."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        (self.stdout if stream is Stream.STDOUT else self.stderr).extend(data)
        self.came.set()

    async def until(self, part: bytes) -> None:
        """Wait until ``part`` stands in standard output."""
        while part not in self.stdout:
            self.came.clear()
            await self.came.wait()


@dataclass(frozen=True)
class Ran:
    """What came of a process."""

    exit: Exit
    stdout: bytes
    stderr: bytes


async def run_command(connection: Connection, command: Sequence[str], stdin: bytes = b"") -> Ran:
    """Run argv to its end."""
    recorder = Recorder()
    process = await connection.start(command, recorder)
    await process.write(stdin)
    await process.write_eof()
    return Ran(await process.wait(), bytes(recorder.stdout), bytes(recorder.stderr))


async def run_script(connection: Connection, request: ShellRequest, stdin: bytes = b"") -> Ran:
    """Run a script in a fresh interpreter to its end."""
    recorder = Recorder()
    process = await start_fresh(connection, request, recorder)
    await process.write(stdin)
    await process.write_eof()
    return Ran(await process.wait(), bytes(recorder.stdout), bytes(recorder.stderr))
