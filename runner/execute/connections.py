"""One kept connection for each endpoint of a run: opened when first asked for, closed when nobody will ask again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.engine.shape import Assignment
from runner.errors import ExecutionFailed, Unreachable
from runner.execute.patience import Patience
from runner.plan.model import Plan
from runner.transport.endpoint import Endpoint
from runner.transport.port import Connection, Link, Login, Transport

CLOSE_TIMEOUT = 5.0
"""Seconds a connection may take to close; after that its transport drops it."""

PROBE_TIMEOUT = 5.0
"""Seconds within which the other side must answer for its connection to be kept (language.md, "Time")."""


@dataclass(slots=True)
class _Opening:
    """A connection being opened: one attempt for all that wait for it; the last one to give up ends it."""

    task: asyncio.Task[Link]
    waiting: int = 0


class Connections:
    """The connections of a run.

    ``transports`` and ``logins`` are by name. Endpoints that differ only in the name of the host share a connection.
    """

    def __init__(
        self, plan: Plan, transports: Mapping[str, Transport], logins: Mapping[str, Login], patience: Patience
    ) -> None:
        self._plan = plan
        self._transports = transports
        self._logins = logins
        self._patience = patience
        self._open: dict[Endpoint, Link] = {}
        self._opening: dict[Endpoint, _Opening] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._shared: dict[Endpoint, Endpoint] = {}
        self._left = Counter(self._keys())

    async def lease(self, endpoint: Endpoint) -> Link:
        """The endpoint's connection, opened now where there is none or where it is known to be lost.

        Raises:
            Unreachable: it could not be opened; the next who asks tries again.

        """
        key = self._key(endpoint)
        connection = self._open.get(key)
        if connection is not None and not connection.lost:
            return connection
        if connection is not None:
            self._dismiss(self._open.pop(key))
        opening = self._opening.get(key)
        if opening is None:
            opening = self._opening[key] = _Opening(asyncio.ensure_future(self._connect(endpoint)))
            opening.task.add_done_callback(lambda task: self._opened(key, task))
        opening.waiting += 1
        try:
            return await asyncio.shield(opening.task)
        finally:
            opening.waiting -= 1
            if not opening.waiting and not opening.task.done():
                opening.task.cancel()

    def ended(self, assignment: Assignment, after: asyncio.Task[None] | None = None) -> None:
        """An assignment is over: the last one that could need a connection closes it, once ``after`` is done."""
        endpoint = self._plan.steps[assignment.step].placements[assignment.position].endpoint
        key = self._key(endpoint)
        self._left[key] -= 1
        if not self._left[key]:
            del self._left[key]
            connection = self._open.pop(key, None)
            if connection is not None:
                self._dismiss(connection, after)

    async def doubt(self, endpoint: Endpoint) -> None:
        """Something could not be ended over the endpoint's connection: drop it unless it still answers."""
        key = self._key(endpoint)
        connection = self._open.get(key)
        if (
            connection is not None
            and not await connection.probe(PROBE_TIMEOUT)
            and self._open.get(key) is connection
        ):
            self._dismiss(self._open.pop(key))

    async def close(self) -> None:
        """Close everything, each within its time."""
        for key in list(self._open):
            self._dismiss(self._open.pop(key))
        tasks = [opening.task for opening in self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._closing, return_exceptions=True)
        for transport in self._transports.values():
            await self._patience.close(transport.close(), CLOSE_TIMEOUT)

    def _keys(self) -> Iterable[Endpoint]:
        for planned in self._plan.steps:
            for placement in planned.placements:
                yield self._key(placement.endpoint)

    def _key(self, endpoint: Endpoint) -> Endpoint:
        key = self._shared.get(endpoint)
        if key is None:
            key = self._shared[endpoint] = shared_key(endpoint)
        return key

    async def _connect(self, endpoint: Endpoint) -> Link:
        transport = self._transports.get(endpoint.transport)
        if transport is None:
            known = ", ".join(f"`{name}`" for name in sorted(self._transports))
            raise Unreachable(
                "transport-unknown", f"transport `{endpoint.transport}` is not available; known: {known}"
            )
        login = self._logins.get(endpoint.credential) if endpoint.credential else None
        return await transport.connect(endpoint, login)

    def _opened(self, key: Endpoint, task: asyncio.Task[Link]) -> None:
        del self._opening[key]
        if task.cancelled() or task.exception() is not None:
            return
        if key in self._left:
            self._open[key] = task.result()
        else:
            self._dismiss(task.result())

    def _dismiss(self, connection: Link, after: asyncio.Task[None] | None = None) -> None:
        closing = asyncio.ensure_future(self._close(connection, after))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _close(self, connection: Link, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait([after])
        await self._patience.close(connection.close(), CLOSE_TIMEOUT)


def process_link(link: Link) -> Connection:
    """The link as one over which processes run.

    Raises:
        ExecutionFailed: it carries PowerShell and nothing else.

    """
    if isinstance(link, Connection):
        return link
    raise ExecutionFailed(
        "no-processes",
        f"no process can be started over `{link.endpoint.transport}`, which carries powershell alone",
        hints=("say `shell: powershell`, or reach the host over ssh",),
        phase="open",
    )


def shared_key(endpoint: Endpoint) -> Endpoint:
    """The endpoint without the names that its hosts have in the run, also on the way there."""
    jump = None if endpoint.jump is None else tuple(shared_key(host) for host in endpoint.jump)
    return replace(endpoint, host="", jump=jump)
