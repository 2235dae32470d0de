"""PowerShell that is nowhere: a link whose carriers answer each pipeline at once, so that our own time is left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from uuid import UUID

from benchmarks.powershell_hosts import MESSAGES
from runner.lab.psrp_messages import Message, fragments
from runner.transport.carrier import CarrierReceiver
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login

Said = Sequence[tuple[int, str]]


class NullCarrier:
    """A :class:`runner.transport.carrier.Carrier` to nowhere; ``opening`` is what it says to open a pool."""

    fragment_size = 32768
    lost = False

    def __init__(self, opening: Said) -> None:
        self._opening = opening
        self._pool = bytes(16)
        self._number = 0
        self._receiver: CarrierReceiver

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        """Open it."""
        del opening
        self._pool, self._receiver = pool.bytes_le, receiver
        self._say(self._opening, None)

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Nothing more comes."""
        return nullcontext()

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        """Answer with the next turn of the loop."""
        del creation
        asyncio.get_running_loop().call_soon(self._say, MESSAGES, pipeline)

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        """Forget it."""

    async def signal(self, pipeline: UUID) -> None:
        """There is nothing to stop."""

    async def close_pipeline(self, pipeline: UUID) -> None:
        """There is nothing to close."""

    async def close(self) -> None:
        """There is nothing to close."""

    def abort(self) -> None:
        """There is nothing to drop."""

    def _say(self, messages: Said, pipeline: UUID | None) -> None:
        for kind, body in messages:
            self._number += 1
            message = Message(kind, self._pool, body)
            self._receiver.fragments_received(b"".join(fragments(self._number, message, pipeline)), pipeline)


class NullLink:
    """A link to nowhere; a :class:`runner.transport.port.PowerShellLink`."""

    lost = False

    def __init__(self, endpoint: Endpoint, opening: Said) -> None:
        self.endpoint = endpoint
        self._opening = opening

    def carrier(self, *, name: str | None = None) -> NullCarrier:
        """A carrier for a new pool."""
        del name
        return NullCarrier(self._opening)

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - the port's signature
        """It is always there."""
        return True

    async def close(self) -> None:
        """There is nothing to close."""


class NullPowerShell:
    """Opens links to nowhere in place of WinRM."""

    name = "winrm"

    def __init__(self, opening: Said) -> None:
        self._opening = opening

    async def connect(self, endpoint: Endpoint, login: Login | None) -> NullLink:
        """Connect at once."""
        del login
        return NullLink(endpoint, self._opening)

    async def close(self) -> None:
        """Nothing is shared."""
