"""How many commands run over one connection at once: sshd refuses more than its MaxSessions (10 by default)."""

from __future__ import annotations

import asyncio
from collections import deque


class ChannelSlots:
    """A limit that shrinks when the host shows that it allows less.

    Two of sshd's ten sessions are left free: one to stop what runs, one for a person's own use of the connection.
    """

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit
        self.used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Take a slot, first come first served."""
        if self.used < self.limit and not self._waiting:
            self.used += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.used -= 1
        self._wake()

    def refused(self) -> bool:
        """The host refused a channel: give the slot back, and use no more than what runs now.

        Returns:
            Whether something else runs, so that trying again after its end makes sense.

        """
        self.used -= 1
        self.limit = max(1, min(self.limit, self.used))
        others = self.used > 0
        self._wake()
        return others

    def _wake(self) -> None:
        while self._waiting and self.used < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.used += 1
                turn.set_result(None)
