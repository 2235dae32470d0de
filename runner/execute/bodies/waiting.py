"""How a body waits for something: without its slots, told once, by the run's clock."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from runner.engine.observe import AssignmentWaits, Waits
from runner.execute.site import Site

T = TypeVar("T")


class Waiting:
    """The waiting of one attempt. ``timeout`` in seconds from now, None is for ever; ``waited`` is what it has cost.

    An attempt that waits holds no throttle slot, and takes new ones when it works again, so a try may come later than
    its interval says. Who tries in a loop asks :attr:`over` before each try, for one comes when the time is over.
    """

    def __init__(self, site: Site, what: Waits, timeout: float | None) -> None:
        self._site = site
        self._what = what
        self._clock = site.services.clock
        self._end = None if timeout is None else self._clock.monotonic() + timeout
        self._told = ""
        self.until: datetime | None = (
            None if timeout is None else self._clock.utc() + timedelta(seconds=timeout)
        )
        self.waited = 0.0

    @property
    def left(self) -> float | None:
        """Seconds until the time is over, at least 0; None is for ever."""
        return None if self._end is None else max(0.0, self._end - self._clock.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.left == 0.0

    async def pause(self, seconds: float, reason: str) -> None:
        """Wait so long, but no longer than there is time. ``reason`` is a short sentence without a full stop."""
        left = self.left
        await self.away(self._clock.sleep(seconds if left is None else min(seconds, left)), reason)

    async def away(self, awaited: Awaitable[T], reason: str) -> T:
        """The result of ``awaited``, without slots meanwhile; the wave waits for this host all the same."""
        self._tell(reason)
        turn, begin = self._site.turn, self._clock.monotonic()
        try:
            return await (awaited if turn is None else turn.away(awaited))
        finally:
            self.waited += self._clock.monotonic() - begin

    def _tell(self, reason: str) -> None:
        if reason == self._told:
            return
        self._told = reason
        services, planned = self._site.services, self._site.planned
        shown = services.redactor.mask(reason)
        services.observer.on_event(
            AssignmentWaits(
                planned.step.id,
                self._site.placement.host,
                self._what,
                shown,
                self._clock.utc(),
                until=self.until,
            )
        )
