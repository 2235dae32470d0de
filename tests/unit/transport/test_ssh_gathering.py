"""Writes gathered for a turn of the event loop."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from runner.transport.ssh_gathering import GatheringSocket


class Session(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.received = b""
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


async def session_over(ours: socket.socket) -> tuple[Session, asyncio.Transport]:
    """A session that speaks over one end of a pair of sockets."""
    ours.setblocking(False)
    _, session = await GatheringSocket(ours).create_connection(Session, "host", 22)
    assert isinstance(session, Session)
    assert session.transport is not None
    return session, session.transport


async def test_one_turn_is_one_piece() -> None:
    """What is written in one turn arrives in order as one piece, and nothing of it before the turn is over."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        _, transport = await session_over(ours)
        for piece in (b"ignore ", b"open ", b"exec"):
            transport.write(piece)
        assert not _readable(theirs)
        await asyncio.sleep(0)
        assert theirs.recv(100) == b"ignore open exec"
        transport.abort()


async def test_what_was_written_before_the_end_is_sent() -> None:
    """Closing and aborting in the turn of a write still send it: a goodbye tells the peer why."""
    for end in ("close", "abort"):
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setblocking(False)
            session, transport = await session_over(ours)
            transport.write(b"goodbye")
            getattr(transport, end)()
            assert await session.lost is None
            assert theirs.recv(100) == b"goodbye"
            assert theirs.recv(100) == b""


async def test_the_session_hears_what_was_there_before_it() -> None:
    """A greeting that the peer sent before the session took over reaches it."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"SSH-2.0-greeting")
        session, transport = await session_over(ours)
        await asyncio.sleep(0)
        assert session.received == b"SSH-2.0-greeting"
        transport.abort()


def _readable(end: socket.socket) -> bool:
    try:
        return bool(end.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
