"""How many commands run over one link at once: sshd refuses more than its MaxSessions (10 by default).

Nothing waits for what is kept: kept interpreters may hold their channels until somebody who waits has run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class NoChannel(Exception):
    """No channel will be free before something that is kept ends; another link has to be used."""


class ChannelSlots:
    """A limit that shrinks when the host shows that it allows less.

    Two of sshd's ten sessions are left free: one to stop what runs, one in reserve.
    """

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit
        self.used = 0
        self._kept = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, kept: bool = False) -> Slot:
        """Take a slot, first come first served; ``kept`` ones do not wait.

        Raises:
            NoChannel: all slots are taken, for one that is kept or by those that are.

        """
        if self.used < self.limit and not self._waiting:
            self.used += 1
            self._kept += kept
            return Slot(self, kept=kept)
        if kept or self._none_ends:
            raise NoChannel
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):  # an end may have passed it over already
                    self._waiting.remove(turn)
            elif turn.exception() is None:
                self.give_back()
            raise
        return Slot(self)

    @property
    def _none_ends(self) -> bool:
        """Whether all that is used is kept."""
        return self.used == self._kept

    def give_back(self, *, kept: bool = False) -> None:
        """One slot is free again; called by the slot itself."""
        self.used -= 1
        self._kept -= kept
        # A limit that has shrunk may leave nothing in use but what is kept.
        while self._waiting and (self.used < self.limit or self._none_ends):
            turn = self._waiting.popleft()
            if turn.done():  # cancelled a moment ago
                continue
            if self.used < self.limit:
                self.used += 1
                turn.set_result(None)
            else:
                turn.set_exception(NoChannel())


class Slot:
    """The right to one channel; given back once, however often that is asked for."""

    def __init__(self, slots: ChannelSlots, *, kept: bool = False) -> None:
        self._slots: ChannelSlots | None = slots
        self._kept = kept

    def release(self) -> None:
        """Give it back."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.give_back(kept=self._kept)

    def refused(self) -> None:
        """The host refused the channel: give the slot back, and use no more than what runs beside it, but one."""
        slots = self._slots
        if slots is not None:
            slots.limit = max(1, min(slots.limit, slots.used - 1))
            self.release()
