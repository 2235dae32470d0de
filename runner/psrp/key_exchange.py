"""The key that secure strings travel under, asked for once a pool (remoting.md 9.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runner.errors import HostError
from runner.psrp.engine_errors import again
from runner.psrp.outbox import Outbox, first
from runner.psrp.pool_errors import PoolErrors
from runner.psrp.pool_state import fail
from runner.psrp.protocol import KeyPair, Protocol
from runner.transport.carrier import Carrier


class KeyExchange:
    """The exchange of one pool; ``timeout`` in seconds.

    ``on_settled`` is told when it is over: of the error it failed of, or None. ``on_silent`` is told of
    a peer that did not even take the question: the pool is lost then, where a peer that only gives no key lives on.
    """

    def __init__(
        self,
        carrier: Carrier,
        protocol: Protocol,
        outbox: Outbox,
        errors: PoolErrors,
        *,
        timeout: float,
        on_silent: Callable[[], None],
    ) -> None:
        self._carrier = carrier
        self._protocol = protocol
        self._outbox = outbox
        self._errors = errors
        self.timeout = timeout
        self._on_silent = on_silent
        self.on_settled: Callable[[HostError | None], None] = _nothing_waits
        self._exchange: asyncio.Task[None] | None = None
        self._came: asyncio.Future[None] | None = None

    @property
    def settled(self) -> bool:
        """Whether it is over, well or not."""
        return self._exchange is not None and self._exchange.done()

    def want(self) -> None:
        """Begin it in the background, if it was not."""
        if self._exchange is None:
            self._begin()

    async def exchange(self) -> None:
        """Have the key, by the exchange that was made or is under way where there is one.

        Raises:
            ExecutionFailed: the peer gave none in time.
            ConnectionLost: the pool was lost.

        """
        exchange, came = self._begin()
        await first(exchange, came)
        if not came.done():
            await self._outbox.finished(exchange)
        elif isinstance(error := came.exception(), HostError):
            raise again(error)

    def received(self) -> None:
        """The key has come."""
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    def failed(self, error: HostError) -> None:
        """There will be none."""
        if self._came is not None:
            fail(self._came, error)

    def _begin(self) -> tuple[asyncio.Task[None], asyncio.Future[None]]:
        if self._exchange is None or self._came is None:
            self._came = asyncio.get_running_loop().create_future()
            self._exchange = self._outbox.start(self._ask(self._came))
            self._exchange.add_done_callback(self._settle)
        return self._exchange, self._came

    async def _ask(self, came: asyncio.Future[None]) -> None:
        taken = False
        try:
            async with asyncio.timeout(self.timeout), self._carrier.listening():
                pair = await asyncio.to_thread(KeyPair.make)  # other hosts would wait for it
                await self._outbox.send(self._protocol.public_key(pair))
                taken = True
                await asyncio.shield(came)  # a time that is over says nothing of the key
        except TimeoutError:
            if not taken:
                self._on_silent()
            raise self._errors.no_key(f"no answer within {self.timeout:g} s") from None

    def _settle(self, exchange: asyncio.Task[None]) -> None:
        error = None if exchange.cancelled() else exchange.exception()
        if exchange.cancelled() or not isinstance(error, HostError | None):
            error = self._errors.no_key("the exchange was given up")
        self.on_settled(error)


def _nothing_waits(error: HostError | None) -> None:
    """Nobody holds anything back for the key."""
