"""Adaptive pools: fewer connections are opened at once while they get slower or are refused; never more than the pool.

Additive increase and multiplicative decrease, as TCP does it (RFC 5681): one more after a window of good ones, half of
them after a bad one. It finds what the other side takes, and leaves room for others that do the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from statistics import median

SLOWER = 3.0
"""So many times the best median latency is a sign of trouble: queueing doubles it while all is still well."""

WINDOW = 8
"""Good connections before one more is tried, at least; with a higher limit as many as that."""


class Pace:
    """How many may be opened at once in one pool. Pure.

    ``size`` is the pool's own, at least 1: the limit starts there, and is never above it nor below 1.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a pool has at least one token: {size}")
        self._size = size
        self.limit = size
        self.in_flight = 0
        self._good: list[float] = []
        self._best: float | None = None
        self._stale = 0

    @property
    def free(self) -> bool:
        """Whether one more may be opened now."""
        return self.in_flight < self.limit

    def begin(self) -> None:
        """One is being opened."""
        self.in_flight += 1

    def give_up(self) -> None:
        """One that was begun is not opened after all; that tells nothing of the other side."""
        self.in_flight -= 1

    def end(self, *, ok: bool, seconds: float) -> None:
        """One was opened in so many seconds, or was refused, or took too long.

        After a decrease, what was under way then is not looked at: it tells of the time before, and a burst of
        refusals is one sign and not many.
        """
        self.in_flight -= 1
        if self._stale:
            self._stale -= 1
        elif not ok:
            self._decrease()
        else:
            self._good.append(seconds)
            if len(self._good) >= max(WINDOW, self.limit):
                self._judge_window()

    def _judge_window(self) -> None:
        typical = median(self._good)
        self._good.clear()
        if self._best is not None and typical > SLOWER * self._best:
            self._decrease()
            return
        self._best = typical if self._best is None else min(self._best, typical)
        self.limit = min(self.limit + 1, self._size)

    def _decrease(self) -> None:
        self.limit = max(self.limit // 2, 1)
        self._stale = self.in_flight
        self._good.clear()


class AdaptiveGate:
    """Lets connections be opened as the pace of their pools allows; a :class:`runner.execute.ports.ConnectGate`.

    ``sizes`` has the adaptive pools alone; others are the machine's business. ``on_change`` gets a pool's name, its
    limit and its size whenever the limit has changed. For one event loop.
    """

    def __init__(
        self, sizes: Mapping[str, int], on_change: Callable[[str, int, int], None] = lambda *_: None
    ) -> None:
        self._sizes = sizes
        self._paces = {name: Pace(size) for name, size in sizes.items()}
        self._on_change = on_change
        self._waiting: deque[tuple[frozenset[str], asyncio.Future[None]]] = deque()

    def limit(self, pool: str) -> int:
        """How many may be opened at once in a pool now."""
        return self._paces[pool].limit

    async def enter(self, pools: Collection[str]) -> None:
        """Wait until one more may be opened in all of these pools, after who asked before; begins it."""
        wanted = frozenset(pools) & self._paces.keys()
        if not wanted:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # let in and cancelled at the same moment
                for name in wanted:
                    self._paces[name].give_up()
            self._let_in()
            raise

    def leave(self, pools: Collection[str], *, ok: bool, seconds: float) -> None:
        """It was opened in so many seconds, or was refused or timed out."""
        for name in frozenset(pools) & self._paces.keys():
            pace = self._paces[name]
            before = pace.limit
            pace.end(ok=ok, seconds=seconds)
            if pace.limit != before:
                self._on_change(name, pace.limit, self._sizes[name])
        self._let_in()

    def _let_in(self) -> None:
        """Let in who may, in order: who waits for two pools is not overtaken in either, or it might wait for ever."""
        blocked: set[str] = set()
        still: deque[tuple[frozenset[str], asyncio.Future[None]]] = deque()
        for wanted, turn in self._waiting:
            if turn.done():
                continue
            if not wanted & blocked and all(self._paces[name].free for name in wanted):
                for name in wanted:
                    self._paces[name].begin()
                turn.set_result(None)
            else:
                blocked |= wanted
                still.append((wanted, turn))
        self._waiting = still
