"""A script run to its end in a fresh or kept interpreter, with what it started known at every moment."""

from __future__ import annotations

from collections.abc import Sequence

from runner.errors import ConnectionLost
from runner.execute.guard import Guard
from runner.execute.patience import MARGIN
from runner.execute.sessions import PROBE_TIMEOUT, Kept
from runner.shell.fresh import start_fresh
from runner.shell.kept import KeptExit
from runner.shell.request import ShellRequest
from runner.transport.endpoint import Endpoint
from runner.transport.port import Connection, Process, Receiver


class Launch:
    """A connection that remembers what was started over it, so that a start cut short is stopped too."""

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

    async def start(self, command: Sequence[str], receiver: Receiver) -> Process:
        """Start over the connection, and remember."""
        process = await self._connection.start(command, receiver)
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


async def run_fresh(
    connection: Connection, request: ShellRequest, receiver: Receiver, stdin: bytes | None, guard: Guard
) -> KeptExit:
    """Run a script in an interpreter of its own; cut short, it is stopped first.

    Raises:
        ConnectionLost: the link broke; ``may_have_run`` is exact.
        ExecutionFailed: it could not be sent or started.

    """
    launch = Launch(connection)

    async def work() -> KeptExit:
        process = await start_fresh(launch, request, receiver)
        guard.progress.sent = True
        if stdin:
            await process.write(stdin)
        await process.write_eof()
        return KeptExit(await process.wait())

    try:
        return await guard.watch(launch, work())
    except ConnectionLost as error:
        error.may_have_run = error.may_have_run or launch.started
        raise


async def run_kept(
    kept: Kept, request: ShellRequest, receiver: Receiver, stdin: bytes | None, guard: Guard
) -> KeptExit:
    """Run a script in a kept interpreter; cut short, the interpreter is interrupted and kept where it answers.

    Raises:
        ConnectionLost: the link broke.
        ExecutionFailed: it could not be sent.

    """

    async def work() -> KeptExit:
        guard.progress.sent = True
        return await kept.interpreter.run(request, receiver, stdin)

    try:
        return await guard.watch(kept, work(), PROBE_TIMEOUT + MARGIN)
    except ConnectionLost as error:
        error.may_have_run = error.may_have_run or error.phase == "execute"
        raise
