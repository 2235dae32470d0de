"""One packet in flight for each target: what the engine has not acknowledged yet (remoting.md 4.3)."""

from __future__ import annotations

import asyncio

from runner.errors import HostError
from runner.psrp.engine_errors import again
from runner.psrp.packets import Kind


class InFlight:
    """The acknowledgement that is awaited for a target, and who waits for it.

    A waiter that goes away leaves the packet in flight; the next packet waits for its acknowledgement all the same.
    """

    __slots__ = ("_loop", "_waiters", "awaited")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiters: list[asyncio.Future[None]] = []
        self.awaited: Kind | None = None

    async def landed(self) -> None:
        """Wait until nothing is in flight.

        Raises:
            HostError: what :meth:`failed` was told.

        """
        while self.awaited is not None:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def acknowledged(self) -> None:
        """What was awaited has come."""
        self.awaited = None
        for waiter in self._take():
            waiter.set_result(None)

    def failed(self, error: HostError) -> None:
        """Nothing will come any more."""
        for waiter in self._take():
            waiter.set_exception(again(error))

    def _take(self) -> list[asyncio.Future[None]]:
        waiting = [waiter for waiter in self._waiters if not waiter.done()]
        self._waiters.clear()
        return waiting
