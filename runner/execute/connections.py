"""One kept connection for each endpoint of a run: opened when first asked for, closed when nobody will ask again."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from runner.engine.shape import Assignment
from runner.errors import ExecutionFailed, HostError, Unreachable
from runner.execute.control.delegation import places_of
from runner.execute.patience import Patience
from runner.execute.world import World
from runner.plan.model import Placement, Plan
from runner.transport.endpoint import Endpoint
from runner.transport.port import Connection, Knocks, Link

_log = logging.getLogger(__name__)  # for --trace

CLOSE_TIMEOUT = 5.0
"""Seconds a connection may take to close where no deadline says more; after that its transport drops it."""

PROBE_TIMEOUT = 5.0
"""Seconds within which the other side must answer for its connection to be kept (language.md, "Time")."""


@dataclass(slots=True)
class _Opening:
    """A connection being opened: one attempt for all that wait for it; the last one to give up ends it."""

    task: asyncio.Task[Link]
    waiting: int = 0


class Connections:
    """The connections of a run.

    ``world`` has the transports and logins by name, and the gate that connections to adaptive pools pass. Endpoints
    that differ only in the name of the host share a connection.
    """

    def __init__(self, plan: Plan, world: World, patience: Patience) -> None:
        self._plan = plan
        self._world = world
        self._patience = patience
        self._open: dict[int, Link] = {}
        self._opening: dict[int, _Opening] = {}
        self._opened_as: dict[int, str] = {}  # the host that the last attempt to connect was made for
        self._closing: set[asyncio.Task[None]] = set()
        self._shared: dict[Endpoint, int] = {}  # a number for all endpoints that share a connection
        self._numbers: dict[
            int, tuple[int, Endpoint]
        ] = {}  # by id, with the endpoint so that it stays its own
        self._close_within: dict[int, float] = {}
        self._pools = _adaptive_pools(plan) if world.connect_gate is not None else {}
        self._left: Counter[int] = Counter()
        for planned in plan.steps:
            for placement in planned.placements:
                for place in places_of(placement):
                    self._count(place)

    def is_open(self, endpoint: Endpoint) -> bool:
        """Whether a lease would be given at once."""
        connection = self._open.get(self._key(endpoint))
        return connection is not None and not connection.lost

    def hold(self, placement: Placement) -> None:
        """One more user than the plan's assignments: its connection is kept until :meth:`release`."""
        self._count(placement)

    def release(self, placement: Placement) -> None:
        """The further user is done."""
        self._leave(self._key(placement.endpoint), ())

    async def lease(self, endpoint: Endpoint) -> Link:
        """The endpoint's connection, opened now where there is none or where it is known to be lost.

        Raises:
            Unreachable: it could not be opened; the next who asks tries again.

        """
        key = self._key(endpoint)
        connection = self._open.get(key)
        if connection is not None and not connection.lost:
            _log.debug("%s: its open connection is used", endpoint.host)
            return connection
        if connection is not None:
            _log.debug("%s: its connection is lost", endpoint.host)
            self._dismiss(self._open.pop(key), (), key)
        opening = self._opening.get(key)
        if opening is None:
            _log.debug("%s: opens %s to %s, port %s", *_reached(endpoint))
            self._opened_as[key] = endpoint.host
            opening = self._opening[key] = _Opening(asyncio.ensure_future(self._connect(endpoint)))
            opening.task.add_done_callback(lambda task: self._opened(key, task))
        opening.waiting += 1
        try:
            return await asyncio.shield(opening.task)
        finally:
            opening.waiting -= 1
            if not opening.waiting and not opening.task.done():
                opening.task.cancel()

    async def knock(self, endpoint: Endpoint, address: str, port: int) -> bool:
        """Try a port by the way to a host: through its jump host. False where nothing stands between.

        Raises:
            Unreachable: the port does not answer there, or the way cannot be used.

        """
        transport: object = self._world.transports.get(endpoint.transport)
        login = self._world.logins.get(endpoint.credential) if endpoint.credential else None
        return isinstance(transport, Knocks) and await transport.knock(endpoint, login, address, port)

    def named(self, error: HostError, endpoint: Endpoint) -> HostError:
        """The error as the endpoint's own host tells it, where its connection was opened for another name of it."""
        opened_as = self._opened_as.get(self._key(endpoint), endpoint.host)
        if opened_as == endpoint.host:
            return error
        message, *hints = (
            text.replace(f"`{opened_as}`", f"`{endpoint.host}`") for text in (error.message, *error.hints)
        )
        return type(error)(
            error.code, message, hints=hints, phase=error.phase, may_have_run=error.may_have_run
        )

    def ended(self, assignment: Assignment, after: Sequence[asyncio.Task[None]] = ()) -> None:
        """An assignment is over: the last one that could need a connection closes it, once ``after`` is done."""
        placement = self._plan.steps[assignment.step].placements[assignment.position]
        for place in places_of(placement):
            self._leave(self._key(place.endpoint), after)

    def drop(self, endpoint: Endpoint) -> None:
        """The other side is gone (it was rebooted): who asks next gets a new connection."""
        connection = self._open.pop(key := self._key(endpoint), None)
        if connection is not None:
            self._dismiss(connection, (), key)

    async def doubt(self, endpoint: Endpoint) -> bool:
        """Something could not be ended over the endpoint's connection: drop it unless it still answers.

        Gives whether it does.
        """
        key = self._key(endpoint)
        connection = self._open.get(key)
        if (
            connection is not None
            and not await connection.probe(PROBE_TIMEOUT)
            and self._open.get(key) is connection
        ):
            self._dismiss(self._open.pop(key), (), key)
        return self.is_open(endpoint)

    async def close(self) -> None:
        """Close everything, each within its time."""
        for key in list(self._open):
            self._dismiss(self._open.pop(key), (), key)
        tasks = [opening.task for opening in self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._closing, return_exceptions=True)
        for transport in self._world.transports.values():
            await self._patience.close(transport.close(), CLOSE_TIMEOUT)

    def _count(self, placement: Placement) -> None:
        key = self._key(placement.endpoint)
        self._left[key] += 1
        if placement.close_timeout is not None:
            self._close_within[key] = placement.close_timeout

    def _leave(self, key: int, after: Sequence[asyncio.Task[None]]) -> None:
        self._left[key] -= 1
        if not self._left[key]:
            del self._left[key]
            connection = self._open.pop(key, None)
            if connection is not None:
                self._dismiss(connection, after, key)

    def _key(self, endpoint: Endpoint) -> int:
        """The number of the connection that the endpoint shares; hashing an endpoint each time would cost more."""
        known = self._numbers.get(id(endpoint))
        if known is None:
            number = self._shared.setdefault(shared_key(endpoint), len(self._shared))
            known = self._numbers[id(endpoint)] = number, endpoint
        return known[0]

    async def _connect(self, endpoint: Endpoint) -> Link:
        transports = self._world.transports
        transport = transports.get(endpoint.transport)
        if transport is None:
            known = ", ".join(f"`{name}`" for name in sorted(transports))
            raise Unreachable(
                "transport-unknown", f"transport `{endpoint.transport}` is not available; known: {known}"
            )
        login = self._world.logins.get(endpoint.credential) if endpoint.credential else None
        gate, pools = self._world.connect_gate, self._pools.get(shared_key(endpoint))
        if gate is None or not pools:
            return await transport.connect(endpoint, login)
        await gate.enter(pools)
        begin, opened = self._world.clock.monotonic(), False
        try:
            link = await transport.connect(endpoint, login)
            opened = True
        finally:
            gate.leave(pools, ok=opened, seconds=self._world.clock.monotonic() - begin)
        return link

    def _opened(self, key: int, task: asyncio.Task[Link]) -> None:
        del self._opening[key]
        if task.cancelled() or task.exception() is not None:
            _log.debug("a connection did not open: %s", "cancelled" if task.cancelled() else task.exception())
            return
        _log.debug("%s: opened", task.result().endpoint.host)
        if key in self._left:
            self._open[key] = task.result()
        else:
            self._dismiss(task.result(), (), key)

    def _dismiss(self, connection: Link, after: Sequence[asyncio.Task[None]], key: int) -> None:
        seconds = self._close_within.get(key, CLOSE_TIMEOUT)
        closing = asyncio.ensure_future(self._close(connection, after, seconds))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _close(self, connection: Link, after: Sequence[asyncio.Task[None]], seconds: float) -> None:
        if after:
            await asyncio.wait(after)
        _log.debug("%s: its connection is closed, within %s s", connection.endpoint.host, seconds)
        await self._patience.close(connection.close(), seconds)


def _reached(endpoint: Endpoint) -> tuple[str, str, str, object]:
    """Host, transport, address and port, as a trace names them."""
    return endpoint.host, endpoint.transport, endpoint.address or "this machine", endpoint.port or "default"


def _adaptive_pools(plan: Plan) -> dict[Endpoint, frozenset[str]]:
    """For each endpoint (as it is shared) the adaptive pools that its assignments take tokens of."""
    names = {pool.counter: pool.name for pool in plan.pools if pool.adaptive}
    found: dict[Endpoint, frozenset[str]] = {}
    for planned, shape in zip(plan.steps, plan.shape.steps, strict=False) if names else ():
        for placement, counters in zip(planned.placements, shape.counters, strict=False):
            pools = frozenset(names[number] for number, _ in counters if number in names)
            for place in places_of(placement):
                key = shared_key(place.endpoint)
                found[key] = found.get(key, frozenset()) | pools
    return found


def process_link(link: Link) -> Connection:
    """The link as one over which processes run.

    Raises:
        ExecutionFailed: it carries PowerShell and nothing else.

    """
    if hasattr(link, "start"):  # isinstance would look at every member of the protocol, at each step
        return cast("Connection", link)
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
