"""A connection that remembers what was started over it, so that a start cut short is stopped too."""

from __future__ import annotations

from collections.abc import Sequence

from runner.transport.endpoint import Endpoint
from runner.transport.port import Connection, Process, Receiver


class Launch:
    """A :class:`runner.transport.port.Connection` over another one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._processes: list[Process] = []

    @property
    def endpoint(self) -> Endpoint:
        """The connection's."""
        return self._connection.endpoint

    @property
    def lost(self) -> bool:
        """The connection's."""
        return self._connection.lost

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> Process:
        """Start over the connection, and remember."""
        process = await self._connection.start(command, receiver, kept=kept)
        self._processes.append(process)
        return process

    async def start_subsystem(self, name: str, receiver: Receiver, *, kept: bool = False) -> Process:
        """Start a subsystem over the connection, and remember."""
        process = await self._connection.start_subsystem(name, receiver, kept=kept)
        self._processes.append(process)
        return process

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - the port's signature
        """The connection's."""
        return await self._connection.probe(timeout)

    async def close(self) -> None:
        """The connection's."""
        await self._connection.close()

    async def stop(self, grace: float) -> bool:
        """Stop everything that was started."""
        return all([await process.stop(grace) for process in self._processes])

    @property
    def started(self) -> bool:
        """Whether anything was started."""
        return bool(self._processes)
