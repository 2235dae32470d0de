"""The local transport keeps the contracts."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator

import pytest

from runner.errors import ExecutionFailed
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Connection, Exit
from tests.contract.kept import KeptContract
from tests.contract.recorder import Recorder, run_command
from tests.contract.shells import ShellContract
from tests.contract.transports import TransportContract


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    """A connection to this machine."""
    transport = LocalTransport()
    opened = await transport.connect(Endpoint(host="localhost", transport="local"), None)
    yield opened
    await opened.close()
    await transport.close()


class TestLocalTransport(TransportContract):
    """The port's contract, and what only this transport can know."""

    async def test_a_missing_program_is_told_at_once(self, connection: Connection) -> None:
        """A program that is not there, or is no program, never becomes a process."""
        for program in ("/nowhere/program", "/etc/passwd", "/etc/passwd/program"):
            with pytest.raises(ExecutionFailed) as caught:
                await connection.start([program], Recorder())
            assert (caught.value.code, caught.value.may_have_run) == ("program-missing", False)

    async def test_many_at_once_need_no_threads(self, connection: Connection) -> None:
        """A hundred processes run at once in the loop's own thread."""
        started = [await connection.start(["cat"], Recorder()) for _ in range(100)]
        assert threading.active_count() == 1
        for process in started:
            await process.write_eof()
        assert {await process.wait() for process in started} == {Exit(code=0)}

    async def test_the_end_is_seen_without_a_pidfd(
        self, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the system has no descriptor for a process, its end is asked for."""
        monkeypatch.delattr(os, "pidfd_open", raising=False)
        ran = await run_command(connection, ["sh", "-c", "cat; exit 3"], b"in")
        assert (ran.exit, ran.stdout) == (Exit(code=3), b"in")

    async def test_a_process_leads_its_own_session(self, connection: Connection) -> None:
        """A process has no terminal of ours and is not hit by our own Ctrl-C."""
        ran = await run_command(connection, ["sh", "-c", "echo $$; cut -d' ' -f5,6 /proc/$$/stat"])
        assert len(set(ran.stdout.split())) == 1


class TestLocalShells(ShellContract):
    """Fresh interpreters of this machine."""


class TestLocalKept(KeptContract):
    """Kept interpreters of this machine."""
