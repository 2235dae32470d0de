"""A transport that reaches no host and answers at once: what is left is our own time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from runner.transport.endpoint import Endpoint
from runner.transport.port import Exit, Login, Receiver, Stream

_ANSWER = b"hello\n"
#: The last words of a step that a kept sh is sent, which it answers with on both streams.
_TOLD = re.compile(rb"__runner_tell (\S+) (\S+)\n\Z")


class NullProcess:
    """A command that prints a line: a new interpreter when its input ends, a kept one whenever it is asked."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    async def write(self, data: bytes) -> None:
        """Answer a kept interpreter's step; everything else is read and forgotten."""
        told = _TOLD.search(data)
        if told is not None:
            nonce = told[1] + told[2]
            self._receiver.data_received(Stream.STDOUT, _ANSWER + nonce + b"000")
            self._receiver.data_received(Stream.STDERR, nonce)

    async def write_eof(self) -> None:
        """Answer a new interpreter's script, and end."""
        self._receiver.data_received(Stream.STDOUT, _ANSWER)
        await self.stop(0)

    async def wait(self) -> Exit:
        """Wait for the end of input."""
        return await self._ended

    async def stop(self, grace: float) -> bool:
        """End; nothing is left."""
        if not self._ended.done():
            self._ended.set_result(Exit(code=0))
        return True

    async def interrupt(self) -> bool:
        """There is nothing to interrupt."""
        return False


class NullConnection:
    """A link to nowhere."""

    lost = False

    def __init__(self, transport: NullTransport, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._transport = transport

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> NullProcess:
        """Start at once."""
        return NullProcess(receiver)

    async def start_subsystem(self, name: str, receiver: Receiver, *, kept: bool = False) -> NullProcess:
        """As a command."""
        return await self.start([name], receiver, kept=kept)

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - the port's signature
        """It is always there."""
        return True

    async def close(self) -> None:
        """Count it off."""
        self._transport.open -= 1


class NullTransport:
    """Opens links to nowhere; ``most_open`` is how many were open at once."""

    name = "ssh"

    def __init__(self) -> None:
        self.open = 0
        self.most_open = 0

    async def connect(self, endpoint: Endpoint, login: Login | None) -> NullConnection:
        """Connect at once."""
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        return NullConnection(self, endpoint)

    async def close(self) -> None:
        """Nothing is shared."""
