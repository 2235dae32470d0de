"""The ``copy`` and ``fetch`` bodies as an attempt runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from runner.execute import copy, fetch
from runner.execute.connections import process_link
from runner.execute.copy import Content
from runner.execute.done import Done
from runner.execute.fetch import Wanted
from runner.execute.host_files import Files, HostFiles, Wish
from runner.execute.site import Site
from runner.playbook.bodies import CopyBody
from runner.using.model import Shell


class _FilesRun:
    """Has the host's files after ``open``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files: Files | None = None
        self._close: Callable[[], Awaitable[None]] | None = None

    async def open(self) -> None:
        """Connect; on a host that speaks PowerShell open a pool too."""
        site = self._site
        if site.placement.shell is Shell.POWERSHELL:
            from runner.execute.powershell_files import PowerShellFiles  # noqa: PLC0415 - psrpcore takes its time
            from runner.execute.powershell_lease import PoolLease  # noqa: PLC0415 - as above

            lease = PoolLease(site)
            self._close = lease.close
            await lease.open()
            self._files = PowerShellFiles(lease, site.guard)
            return
        link = await site.services.connections.lease(site.placement.endpoint)
        self._files = HostFiles(process_link(link), site.guard)

    async def close(self) -> None:
        """Close the pool."""
        if self._close is not None:
            await self._close()

    @property
    def files(self) -> Files:
        """The host's files.

        Raises:
            RuntimeError: ``open`` was not called.

        """
        if self._files is None:
            raise RuntimeError("run without open")
        return self._files

    def partial(self) -> Done:
        """Nothing is in place before all of it is."""
        return Done(judged=False)


class CopyRun(_FilesRun):
    """A copy to one host; a :class:`runner.execute.done.Body`."""

    def __init__(self, site: Site, body: CopyBody, prepared: tuple[Content, str, Wish]) -> None:
        super().__init__(site)
        self._body = body
        self._prepared = prepared

    async def run(self) -> Done:
        """Compare, and put in place what differs."""
        content, destination, wish = self._prepared
        backup_at = self._site.services.now if self._body.backup else None
        copied = await copy.copy(self.files, content, destination, wish, backup_at=backup_at)
        return Done(output=[copied.entry], changed=copied.changed)


class FetchRun(_FilesRun):
    """A fetch from one host; a :class:`runner.execute.done.Body`."""

    def __init__(self, site: Site, wanted: Wanted) -> None:
        super().__init__(site)
        self._wanted = wanted

    async def run(self) -> Done:
        """Fetch what differs from what is here."""
        claims = self._site.services.claims[self._site.planned.index]
        entries = await fetch.fetch(self.files, self._wanted, self._site.placement.host, claims)
        return Done(output=entries, changed=fetch.changed(entries))
