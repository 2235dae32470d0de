"""How many commands run over one connection at once: sshd refuses more than its MaxSessions (10 by default)."""

from __future__ import annotations

import asyncio
from collections import deque


class ChannelSlots:
    """A limit that shrinks when the host shows that it allows less.

    Two of sshd's ten sessions are left free: one to stop what runs, one in reserve.
    """

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit
        self.used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> Slot:
        """Take a slot, first come first served."""
        if self.used < self.limit and not self._waiting:
            self.used += 1
            return Slot(self)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:
                self.give_back()
            raise
        return Slot(self)

    def give_back(self) -> None:
        """One slot is free again; called by the slot itself."""
        self.used -= 1
        while self._waiting and self.used < self.limit:
            self.used += 1
            self._waiting.popleft().set_result(None)


class Slot:
    """The right to one channel; given back once, however often that is asked for."""

    def __init__(self, slots: ChannelSlots) -> None:
        self._slots: ChannelSlots | None = slots

    def release(self) -> None:
        """Give it back."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.give_back()

    def refused(self) -> None:
        """The host refused the channel: give the slot back, and use no more than what runs beside it, but one."""
        slots = self._slots
        if slots is not None:
            slots.limit = max(1, min(slots.limit, slots.used - 1))
            self.release()
