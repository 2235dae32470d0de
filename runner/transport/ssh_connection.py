"""A host over SSH: one link for everything, and further ones where what is kept leaves it no channel.

sshd allows so many sessions a link (MaxSessions). Short commands wait for each other, but a kept interpreter holds its
channel until its last step, for which others may have to run first; so nobody waits for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from runner.transport.endpoint import Endpoint
from runner.transport.port import Receiver
from runner.transport.ssh_channel import SshChannel
from runner.transport.ssh_channels import NoChannel
from runner.transport.ssh_errors import link_closed
from runner.transport.ssh_link import SshLink
from runner.transport.ssh_process import SshProcess

_Channel = TypeVar("_Channel", bound=SshChannel)


class SshConnection:
    """The links to one host; a :class:`runner.transport.port.Connection`.

    ``open_link`` opens a further one, with the first one's login and way. Throttles of credentials and jump hosts count
    assignments; who needs a further link opens it within his own, so no more logins are under way than they allow.
    """

    def __init__(self, first: SshLink, open_link: Callable[[], Awaitable[SshLink]]) -> None:
        self._links = [first]
        self._open_link = open_link
        self._opening = asyncio.Lock()
        self._giving_up: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def endpoint(self) -> Endpoint:
        """What it was opened for."""
        return self._links[0].endpoint

    @property
    def lost(self) -> bool:
        """Whether all links are known to be broken, or closed: while one lives, so does what is kept over it."""
        return all(link.lost for link in self._links)

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> SshProcess:
        """Start ``command`` (argv) as the leader of a new process group, standard input open.

        Waits while as many commands run as the host allows, but never for a ``kept`` one.

        Raises:
            ConnectionLost: the link is gone, or the host does not start the command in time.
            Unreachable: a further link is needed and cannot be opened.
            ExecutionFailed: the host refuses to run a command.

        """
        return await self._somewhere(lambda link: link.start(command, receiver, kept=kept))

    async def start_subsystem(self, name: str, receiver: Receiver, *, kept: bool = False) -> SshChannel:
        """Start a subsystem of the SSH server; what it is made of is not known, so a stop closes it.

        Raises:
            ConnectionLost: the link is gone, or the host does not start it in time.
            Unreachable: a further link is needed and cannot be opened.
            ExecutionFailed: the host has no such subsystem (``subsystem-missing``).

        """
        return await self._somewhere(lambda link: link.start_subsystem(name, receiver, kept=kept))

    async def _somewhere(self, start: Callable[[SshLink], Awaitable[_Channel]]) -> _Channel:
        """Start over the first link that has a channel, or will have one; over a new one where none has."""
        if self.lost:
            return await start(self._links[0])  # which says how it was lost
        while True:
            links = list(self._links)
            for link in links:
                if link.lost:
                    continue
                try:
                    return await start(link)
                except NoChannel:
                    continue
            async with self._opening:
                if len(self._links) == len(links):  # else another who waited here has opened one
                    await self._add_link()

    async def _add_link(self) -> None:
        link = None if self._closed else await self._open_link()
        if link is not None:
            self._links.append(link)
        if self._closed:
            if link is not None:
                await link.close()
            raise link_closed(self.endpoint.host)

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - the port's signature
        """Whether the peer still answers within ``timeout`` seconds; a further link that does not is given up."""
        links = [link for link in self._links if not link.lost]
        answers = await asyncio.gather(*(link.probe(timeout) for link in links))
        if any(answers):
            for link, answered in zip(links, answers, strict=True):
                if not answered:
                    self._give_up(link)
        return any(answers)

    def _give_up(self, link: SshLink) -> None:
        closing = asyncio.ensure_future(link.close())
        self._giving_up.add(closing)
        closing.add_done_callback(self._giving_up.discard)

    async def close(self) -> None:
        """Close all links; idempotent, never raises, bounded in time even when the peer is dead."""
        self._closed = True
        await asyncio.gather(*(link.close() for link in self._links))
