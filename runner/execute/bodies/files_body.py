"""The ``copy`` and ``fetch`` bodies as an attempt runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from runner.errors import ExecutionFailed
from runner.execute.bodies import copy, fetch
from runner.execute.bodies.copy import Content
from runner.execute.bodies.fetch import Wanted
from runner.execute.bodies.host_files import Destination, Files, HostFiles, Wish
from runner.execute.connections import process_link
from runner.execute.difference import difference_of
from runner.execute.done import Done
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
            from runner.execute.powershell.files import PowerShellFiles  # noqa: PLC0415 - psrpcore takes its time
            from runner.execute.powershell.lease import PoolLease  # noqa: PLC0415 - as above

            lease = PoolLease(site)
            self._close = lease.close
            await lease.open()
            self._files = PowerShellFiles(lease, site.guard)
            return
        link = await site.link()
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
        """Compare, and put in place what differs; under ``--check`` only say that it would."""
        content, destination, wish = self._prepared
        services = self._site.services
        if services.check:
            return await self._check()
        comparison = await copy.compare(self.files, content, destination, wish)
        difference = await difference_of(self.files, content, comparison) if services.diff else None
        backup_at = services.now if self._body.backup else None
        copied = await copy.copy(self.files, content, comparison, wish, backup_at=backup_at)
        return Done(
            output=[copied.entry], changed=copied.changed, difference=difference if copied.changed else None
        )

    async def _check(self) -> Done:
        content, destination, wish = self._prepared
        try:
            comparison = await copy.compare(self.files, content, destination, wish)
        except ExecutionFailed as error:
            if error.code != "destination-parent":
                raise
            # What makes the directory may be a step that does not run under --check; there is no file in it yet.
            comparison = copy.Comparison(Destination(destination), differs=True)
        would = copy.would_change(comparison)
        shows = would and self._site.services.diff
        return Done(
            output=[{**copy.entry_of(content, comparison.there.path), "changed": would}],
            changed=would,
            would_change=would,
            difference=await difference_of(self.files, content, comparison) if shows else None,
        )


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
