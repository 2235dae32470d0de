"""The runspace pool that a body runs in: its session's, which is kept, or one of its own, which is closed after it."""

from __future__ import annotations

from runner.engine.observe import Notice
from runner.execute.guard import uninterrupted
from runner.execute.patience import Stoppable
from runner.execute.powershell.session import ASK_CHILDREN, PowerShellSession
from runner.execute.sessions import PROBE_TIMEOUT, Kept
from runner.execute.site import Site

CLOSE_GRACE = 5.0
"""Seconds a pool of one step may take to close where no deadline says more.

After that it is dropped, and the engine ended where it is known.
"""

STOP_MARGIN = ASK_CHILDREN + PROBE_TIMEOUT + CLOSE_GRACE
"""Seconds beyond the time for a stop of the pipeline: to find out what is left, to ask the session, to end it."""


class PoolLease:
    """A pool for one body on one host."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._session: PowerShellSession | None = None
        self.kept: Kept | None = None

    @property
    def session(self) -> PowerShellSession:
        """The pool.

        Raises:
            RuntimeError: it was not opened.

        """
        if self._session is None:
            raise RuntimeError("run without open")
        return self._session

    @property
    def stoppable(self) -> Stoppable:
        """What ends the pipeline that runs: a kept session goes on where it still answers."""
        return self.kept or self.session

    async def open(self) -> None:
        """Connect, and open a pool or take the session's.

        Raises:
            Unreachable: the host or its engine cannot be reached.
            ConnectionLost: the link broke.
            ExecutionFailed: the session was lost.

        """
        site, services = self._site, self._site.services
        link = await site.link()
        if site.placement.session is None:
            self._session = PowerShellSession(link, site.placement, self._notice)
            await self._session.open()
            return
        self.kept = await services.sessions.lease(site.placement, link)
        if not isinstance(self.kept.interpreter, PowerShellSession):
            raise TypeError("the session is no PowerShell session")
        self._session = self.kept.interpreter

    def lose(self) -> None:
        """The pool broke under this step: a kept one is told as lost with it."""
        if self.kept is not None:
            self.kept.lost_in = self.kept.lost_in or f"`{self._site.planned.step.id}`"

    async def close(self) -> None:
        """Close the pool where it is the body's own."""
        if self.kept is None and self._session is not None:
            closing = _Closing(self._session)
            seconds = self._site.placement.close_timeout
            grace = CLOSE_GRACE if seconds is None else seconds
            await uninterrupted(self._site.services.patience.stop(closing, grace))

    def _notice(self, message: str) -> None:
        services = self._site.services
        notice = Notice(services.redactor.mask(message), services.clock.utc(), self._site.placement.host)
        services.observer.on_event(notice)


class _Closing:
    """A pool being closed, for who waits for ends."""

    def __init__(self, session: PowerShellSession) -> None:
        self._session = session

    async def stop(self, grace: float) -> bool:
        """Close it; see ``PowerShellSession.close``."""
        return await self._session.close(grace)
