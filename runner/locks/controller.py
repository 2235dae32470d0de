"""The hosts of one run, held from before anything connects until the run is over (``lock: run``)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from runner.engine.port import Clock
from runner.errors import UsageError
from runner.locks.model import DatabaseBusy, Granted, Refused
from runner.locks.process import this_process
from runner.locks.told import NameHosts, held_error, taken_over, who_holds
from runner.units import format_duration

if TYPE_CHECKING:
    from runner.locks.store import LockStore

T = TypeVar("T")

TTL = 60.0
"""Seconds that hosts are held without being renewed: after that a controller that cannot be seen is believed dead."""

_RENEWALS = 3
"""How often within the TTL; two may fail before anything is lost."""

_FIRST_PAUSE, _NEXT_PAUSE, _LONGEST_PAUSE = 0.1, 0.25, 1.0
"""Seconds between two looks of a run that waits, growing; up to the second one for who is next, as hosts stay unused
until it looks."""


class ControllerLocks:
    """Holds hosts in a database; a :class:`runner.execute.ports.RunLocks`.

    Args:
        database: ``sqlite:///PATH`` or ``postgresql://...``; None is the file in the user's state directory.
        run: the run's id.
        playbook: its path, for others to see.
        wait: seconds to wait for hosts that others hold, 0 is not at all.
        clock: what is waited by.
        on_lost: gets a sentence when hosts are not held any more although the run goes on: it must be stopped.
        on_notice: gets a sentence when hosts are waited for, were taken over, or could not be given back.
        name_hosts: makes one text of host names.

    """

    def __init__(
        self,
        database: str | None,
        *,
        run: str,
        playbook: str,
        wait: float,
        clock: Clock,
        on_lost: Callable[[str], None],
        on_notice: Callable[[str], None] = lambda _: None,
        name_hosts: NameHosts = ",".join,
    ) -> None:
        self._url = database
        self._holder = this_process(run, playbook)
        self._wait = wait
        self._clock = clock
        self._on_lost = on_lost
        self._on_notice = on_notice
        self._name_hosts = name_hosts
        self._store: LockStore | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def acquire(self, hosts: Collection[str]) -> None:
        """Hold them until :meth:`release`, all at once or none; called once.

        Raises:
            LockHeld: others hold some, and did not give them back in the time that may be waited.
            UsageError: the database cannot be used.

        """
        if not hosts:
            return
        # Not the loop's own threads, which name look-ups of a whole fleet may keep busy.
        self._thread = ThreadPoolExecutor(1, "locks")
        try:
            store = self._store = await self._do(self._open)
            asked = await self._until_granted(store, frozenset(hosts))
        except BaseException:
            await self.release()
            raise
        self._keeping = asyncio.create_task(self._keep(store, frozenset(hosts), asked))

    async def release(self) -> None:
        """Give back what is still held. Idempotent, never raises; what cannot be given back expires."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        store, self._store = self._store, None
        if store is not None:
            try:
                await self._do(store.release, self._holder.holding)
            except UsageError as error:
                freed = format_duration(TTL)
                self._on_notice(
                    f"the hosts could not be given back, and are free in {freed}: {error.message}"
                )
            finally:
                await self._do(store.close)
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    def _open(self) -> LockStore:
        from runner.locks.database import Database  # noqa: PLC0415 - SQLAlchemy takes a third of a second
        from runner.locks.store import LockStore  # noqa: PLC0415 - as above

        return LockStore(Database(self._url))

    async def _until_granted(self, store: LockStore, hosts: frozenset[str]) -> float:
        """Ask until all are granted; gives when that was asked, by the clock's seconds."""
        begin, pause, told = self._clock.monotonic(), _FIRST_PAUSE, ""
        while True:
            asked = self._clock.monotonic()
            left = begin + self._wait - asked
            try:
                answer = await self._do(
                    partial(store.acquire, waits=self._wait > 0), hosts, self._holder, TTL
                )
            except UsageError as error:
                # One that answered before is away for a while, which may be waited for as hosts are.
                if left <= 0 or not (told or isinstance(error, DatabaseBusy)):
                    raise
                await self._clock.sleep(min(left, _LONGEST_PAUSE))
                continue
            if isinstance(answer, Granted):
                if answer.taken_over:
                    self._on_notice(taken_over(answer.taken_over, self._name_hosts))
                return asked
            told = self._tell(answer, told)
            left = begin + self._wait - self._clock.monotonic()
            if left <= 0:
                raise held_error(answer, self._name_hosts, waited=self._wait)
            # Chance keeps runs that wait for the same hosts from asking in step for ever.
            await self._clock.sleep(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311 - no secret
            runs_ahead = len({each.holder.holding for each in answer.ahead})
            pause = min(pause * 1.5, _NEXT_PAUSE * (1 + runs_ahead), _LONGEST_PAUSE)

    def _tell(self, answer: Refused, told: str) -> str:
        """Say who is waited for, again when it is somebody else."""
        who, how = who_holds(answer.held or answer.ahead, self._name_hosts), "are held"
        if not answer.held:
            how = "others came first for"
        if self._wait and who != told:
            self._on_notice(f"waits up to {format_duration(self._wait)} for hosts that {how}: {who}")
        return who

    async def _keep(self, store: LockStore, hosts: frozenset[str], renewed: float) -> None:
        """Renew until cancelled. ``renewed`` is when that was last asked with success."""
        pause = TTL / _RENEWALS
        while True:
            await self._clock.sleep(pause)
            asked = self._clock.monotonic()
            try:
                still = await self._do(store.renew, self._holder.holding, TTL)
            except UsageError as error:
                pause = TTL / (4 * _RENEWALS)
                if hosts and self._clock.monotonic() + pause - renewed >= TTL:
                    self._on_lost(f"the locks could not be renewed: {error.message}")
                    hosts = frozenset()
                continue
            if gone := hosts - still:
                self._on_lost(f"`{self._name_hosts(gone)}` was taken from this run by another, or by hand")
            hosts, renewed, pause = hosts & still, asked, TTL / _RENEWALS

    async def _do(self, work: Callable[..., T], *arguments: object) -> T:
        """Work of the database, in its thread; to its end also when cancelled, so that what it wrote is known."""
        doing = asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        cancelled: asyncio.CancelledError | None = None
        while not doing.done():
            try:
                await asyncio.wait({doing})
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            doing.exception()  # looked at, or asyncio complains that nobody did
            raise cancelled
        return doing.result()
