"""What is written in one turn of the event loop goes out as one piece.

asyncssh hands each packet to the socket by itself, each after an ``ignore`` packet: a command costs a dozen system
calls, and as many times the host is woken for half of what it needs. Gathered, a turn costs one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast


class GatheringSocket:
    """A connected socket in the place of asyncssh's ``tunnel``, which is asked for a connection to speak over."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    async def create_connection(
        self, session_factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.BaseTransport, asyncio.Protocol]:
        """Give the session the socket; ``host`` and ``port`` are for the log."""
        session = session_factory()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: _Handover(session), sock=self._connection)
        return transport, session


class _Handover(asyncio.Protocol):
    """Steps aside as soon as the transport is there: what is read goes to the session at once."""

    def __init__(self, session: asyncio.Protocol) -> None:
        self._session = session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        own = cast("asyncio.Transport", transport)
        own.set_protocol(self._session)
        self._session.connection_made(cast("asyncio.Transport", GatheredWrites(own)))


class GatheredWrites:
    """A transport that passes on what was written when the loop has come round; else it is the transport itself."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send ``data`` with all that is written in this turn."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Close when everything was sent."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Cut the line, after an attempt to send what was written before: the reason for it may be in there."""
        self._flush()
        self._transport.abort()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces:
            self._transport.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
