"""The ``copy`` and ``fetch`` bodies as an attempt runs them."""

from __future__ import annotations

from runner.execute import copy, fetch
from runner.execute.copy import Content
from runner.execute.done import Done
from runner.execute.fetch import Wanted
from runner.execute.host_files import HostFiles, Wish
from runner.execute.site import Site
from runner.playbook.model import CopyBody


class _FilesRun:
    """Has a connection after ``open``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files: HostFiles | None = None

    async def open(self) -> None:
        """Connect."""
        connection = await self._site.services.connections.lease(self._site.placement.endpoint)
        self._files = HostFiles(connection, self._site.guard)

    @property
    def files(self) -> HostFiles:
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
