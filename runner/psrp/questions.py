"""Questions to the peer about the pool itself: each has a number, by which its answer is known."""

from __future__ import annotations

import asyncio

from runner.errors import HostError
from runner.psrp.outbox import Messages, Outbox
from runner.psrp.pool_state import fail
from runner.transport.carrier import Carrier


class Questions:
    """Those of one pool that wait for their answers."""

    def __init__(self, carrier: Carrier, outbox: Outbox) -> None:
        self._carrier = carrier
        self._outbox = outbox
        self._answers: dict[int, asyncio.Future[int]] = {}

    async def ask(self, call: int, messages: Messages, seconds: float) -> int:
        """Send the question ``call`` and wait for its answer.

        Raises:
            TimeoutError: none came within ``seconds``.
            HostError: the pool was lost.

        """
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[call] = answer
        try:
            async with asyncio.timeout(seconds), self._carrier.listening():
                await self._outbox.send(messages)
                return await answer
        finally:
            del self._answers[call]

    def answered(self, call: int, value: int) -> None:
        """Take an answer; one that nobody waits for any more is nobody's."""
        answer = self._answers.get(call)
        if answer is not None and not answer.done():
            answer.set_result(value)

    def failed(self, error: HostError) -> None:
        """There will be no answers."""
        for answer in self._answers.values():
            fail(answer, error)
