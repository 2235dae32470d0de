"""A clock that a test moves: whoever sleeps wakes when its time has come, in the order of times."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class MovedClock:
    """Time stands still until :meth:`move`."""

    now: float = 0.0
    sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.now)

    async def sleep(self, seconds: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, waking))
        await waking

    async def move(self, seconds: float) -> None:
        """Let so much time pass, and let everybody act whose time comes meanwhile."""
        end = self.now + seconds
        await settle()
        while due := [each for each in self.sleepers if each[0] <= end and not each[1].done()]:
            at, waking = min(due, key=lambda each: each[0])
            self.now = max(self.now, at)
            waking.set_result(None)
            await settle()
        self.now = end
        await settle()


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)
