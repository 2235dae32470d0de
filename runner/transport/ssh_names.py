"""Names looked up in threads of their own, so that dead name servers hold up neither other hosts nor the end of a run.

The event loop's own threads are few (six on two processors): names that no server answers for would keep them for
half a minute each, and hosts with good names would wait behind them until their time to connect is over. And the
interpreter waits for those threads at its end, which Ctrl-C must not.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from threading import Thread
from typing import Final, TypeAlias

Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Found: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Address]
Lookup: TypeAlias = Callable[[str, int, int], Sequence[Found]]

MOST_AT_ONCE: Final = 128
"""Lookups at once: each costs a thread and a socket, and no name server likes thousands."""


def look_up(name: str, port: int, family: int) -> Sequence[Found]:
    """Ask the system; blocks.

    Raises:
        OSError: the name stands for nothing, or nobody says what for.

    """
    return socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)


class Names:
    """Looks names up, at most ``most`` at once; a lookup that was given up keeps its place until the system is done."""

    def __init__(self, lookup: Lookup = look_up, most: int = MOST_AT_ONCE) -> None:
        self._lookup = lookup
        self._places = asyncio.Semaphore(most)

    async def addresses(
        self, name: str, port: int, family: int, spend: AbstractAsyncContextManager[None]
    ) -> Sequence[Found]:
        """What a name stands for; an address stands for itself.

        Waiting for a place is free; ``spend`` is entered for the time in which the system is asked.

        Raises:
            OSError: the name stands for nothing, or nobody says what for.

        """
        with suppress(socket.gaierror):
            return socket.getaddrinfo(name, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        await self._places.acquire()
        async with spend:
            return await self._answer(name, port, family)

    def _answer(self, name: str, port: int, family: int) -> asyncio.Future[Sequence[Found]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Found]] = loop.create_future()

        def tell(found: Sequence[Found] | Exception) -> None:
            self._places.release()
            if answer.done():  # nobody waits any more
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def ask() -> None:
            found: Sequence[Found] | Exception
            try:
                found = self._lookup(name, port, family)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                found = error
            with suppress(RuntimeError):  # the run is over, and the loop is closed
                loop.call_soon_threadsafe(tell, found)

        Thread(target=ask, name=f"looks up {name}", daemon=True).start()
        return answer
