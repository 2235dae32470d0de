"""Looking names up beside the event loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import nullcontext

import pytest

from runner.transport.ssh_names import Found, Names

FOUND: Found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 22))


class NameServer:
    """Answers good names at once, and others when it is told to."""

    def __init__(self) -> None:
        self.speak = threading.Event()
        self.asked: list[str] = []

    def look_up(self, name: str, port: int, family: int) -> Sequence[Found]:
        """An address, or none."""
        del port, family
        self.asked.append(name)
        if name.startswith("good"):
            return [FOUND]
        self.speak.wait()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_names_without_an_answer_hold_nobody_up() -> None:
    """A good name is found while a hundred others are not answered, more than the loop has threads of its own."""
    server = NameServer()
    names = Names(server.look_up)
    waiting = [asyncio.create_task(names.addresses(f"bad{n}", 22, 0, nullcontext())) for n in range(100)]
    try:
        assert await names.addresses("good", 22, 0, nullcontext()) == [FOUND]
        assert not any(task.done() for task in waiting)
    finally:
        server.speak.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer, socket.gaierror) for answer in answers)


async def test_places() -> None:
    """No more lookups than there are places are under way, those that were given up included."""
    server = NameServer()
    names = Names(server.look_up, most=2)
    waiting = [asyncio.create_task(names.addresses(f"bad{n}", 22, 0, nullcontext())) for n in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    later = asyncio.create_task(names.addresses("good", 22, 0, nullcontext()))
    await asyncio.sleep(0)
    assert "good" not in server.asked
    server.speak.set()
    assert await later == [FOUND]
    with pytest.raises(socket.gaierror):
        await waiting[1]


async def test_an_address_asks_nobody() -> None:
    """An address stands for itself: no thread, no name server."""
    server = NameServer()
    found = await Names(server.look_up, most=0).addresses("127.0.0.1", 22, 0, nullcontext())
    assert [each[4] for each in found] == [("127.0.0.1", 22)]
    assert server.asked == []
