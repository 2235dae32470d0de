"""A script run to its end in a fresh or kept interpreter; cut short, it is ended first."""

from __future__ import annotations

from runner.errors import ConnectionLost
from runner.execute.guard import Guard
from runner.execute.launch import Launch
from runner.execute.patience import MARGIN
from runner.execute.sessions import PROBE_TIMEOUT, Kept
from runner.shell.fresh import start_fresh
from runner.shell.kept import KeptExit, KeptInterpreter
from runner.shell.request import ShellRequest
from runner.transport.port import Connection, Receiver


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
    interpreter = kept.interpreter
    if not isinstance(interpreter, KeptInterpreter):
        raise TypeError("the session is no kept interpreter")

    async def work() -> KeptExit:
        guard.progress.sent = True
        return await interpreter.run(request, receiver, stdin)

    try:
        return await guard.watch(kept, work(), PROBE_TIMEOUT + MARGIN)
    except ConnectionLost as error:
        error.may_have_run = error.may_have_run or error.phase == "execute"
        raise
