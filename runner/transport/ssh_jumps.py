"""Jump hosts: one connection to each, for all the hosts behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import asyncssh

from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint
from runner.transport.ssh_errors import jump_unreachable
from runner.transport.ssh_link import close_link

#: Logins at once behind one jump host, whose network and channels they share.
_LOGINS_BEHIND = 8

#: A chain of endpoints, outermost first, that are being opened for one another.
Chain = tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """An open jump host: its name for messages, its link, and the gate for logins behind it."""

    name: str
    link: asyncssh.SSHClientConnection
    gate: asyncio.Semaphore


@dataclass(frozen=True, slots=True)
class _Entry:
    opening: asyncio.Task[asyncssh.SSHClientConnection]
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LOGINS_BEHIND))

    @property
    def usable(self) -> bool:
        """Whether it is being opened, or open."""
        if not self.opening.done():
            return True
        well = not self.opening.cancelled() and self.opening.exception() is None
        return well and not self.opening.result().is_closed()


class JumpHosts:
    """Opens each jump host once, however many ask at the same time, and again for the next one after it was lost.

    ``open_link`` connects to an endpoint; the chain it gets are the endpoints that wait for it.
    """

    def __init__(
        self, open_link: Callable[[Endpoint, Chain], Awaitable[asyncssh.SSHClientConnection]]
    ) -> None:
        self._open_link = open_link
        self._entries: dict[Endpoint, _Entry] = {}

    async def reach(self, host: str, hops: Chain, waiting: Chain) -> Jump:
        """The innermost of the hops, opened through the others; ``host`` is who asks.

        Raises:
            Unreachable: a hop cannot be used, or hops go in a circle.

        """
        hop = hops[-1]
        if len(hops) > 1:
            hop = replace(hop, jump=hops[:-1])
        # Under another name it is the same jump host.
        key = replace(hop, host=hop.address)
        if key in waiting:
            raise Unreachable(
                "jump-loop",
                f"`{host}` is to be reached through `{hop.host}`, which is itself reached through it; nothing was run",
                hints=("exclude the jump host itself: `Host * !gateway`, or give it `jump: []`",),
            )
        entry = self._entries.get(key)
        if entry is None or not entry.usable:
            entry = self._entries[key] = _Entry(asyncio.create_task(self._start(hop, (*waiting, key))))
            # Whoever asked may be cancelled first; the error then is nobody's surprise.
            entry.opening.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            link = await asyncio.shield(entry.opening)
        except Unreachable as error:
            raise jump_unreachable(host, hop.host, error) from error
        return Jump(hop.host, link, entry.gate)

    async def _start(self, hop: Endpoint, waiting: Chain) -> asyncssh.SSHClientConnection:
        return await self._open_link(hop, waiting)

    async def close(self) -> None:
        """Close all of them, the inner ones with the outer; never raises."""
        entries, self._entries = list(self._entries.values()), {}
        for entry in entries:
            entry.opening.cancel()
        await asyncio.gather(*(entry.opening for entry in entries), return_exceptions=True)
        await asyncio.gather(*(close_link(entry.opening.result()) for entry in entries if entry.usable))
