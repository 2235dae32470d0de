"""One connection that has more kept commands than its host gives channels: further links, opened and closed with it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runner.errors import ConnectionLost, Unreachable
from runner.transport.port import Exit
from runner.transport.ssh_connection import SshConnection
from runner.transport.ssh_process import SshProcess
from tests.contract.recorder import Recorder
from tests.contract.ssh_fixtures import connected, needs_sshd, processes_with, run
from tests.support import openssh
from tests.support.openssh import OpenSsh

pytestmark = needs_sshd

LIMIT = 8
"""Channels that the runner uses of one link (sshd allows ten)."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[OpenSsh]:
    with openssh.running(tmp_path / "sshd") as running:
        yield running
    for pid in processes_with("sleep 98710"):
        os.kill(pid, signal.SIGKILL)  # a server that was killed or silent leaves its commands


async def _keep(connection: SshConnection, count: int, argument: str = "987101") -> list[SshProcess]:
    """So many kept commands, asked for at once."""
    starting = (connection.start(["sleep", argument], Recorder(), kept=True) for _ in range(count))
    return list(await asyncio.gather(*starting))


async def test_links_are_opened_as_needed(server: OpenSsh) -> None:
    """Kept commands and short ones beside them need no more links than their channels fill, and reuse what is free."""
    async with connected(server) as connection:
        kept = await _keep(connection, LIMIT)
        assert server.logins() == 1
        kept += await _keep(connection, LIMIT + 4)
        assert server.logins() == 3
        results = await asyncio.gather(*(run(connection, ["sh", "-c", "sleep 0.05"]) for _ in range(30)))
        assert {ended for ended, _, _ in results} == {Exit(code=0)}
        assert await kept[0].stop(0) is True
        await _keep(connection, 1)
        assert server.logins() == 3
    assert processes_with("sleep 987101") == []


async def test_short_commands_wait_and_need_no_link(server: OpenSsh) -> None:
    """Without anything kept there is one link, however many commands run."""
    async with connected(server) as connection:
        await asyncio.gather(*(run(connection, ["sh", "-c", "sleep 0.02"]) for _ in range(40)))
        assert server.logins() == 1


async def test_a_link_that_cannot_be_opened(server: OpenSsh) -> None:
    """Where no further login succeeds it is told as unreachable, and what is kept goes on."""
    async with connected(server) as connection:
        kept = await _keep(connection, LIMIT)
        server.process.terminate()
        server.process.wait(10)
        with pytest.raises(Unreachable) as caught:
            await connection.start(["true"], Recorder())
        assert caught.value.code == "connection-refused"
        assert not connection.lost
        assert await kept[0].stop(0) is True
        assert (await run(connection, ["echo", "on"]))[1] == b"on\n"


async def test_a_cut_link_leaves_the_others(server: OpenSsh) -> None:
    """A link that dies takes with it what it carried and no more; the connection is lost with the last."""
    async with connected(server) as connection:
        kept = await _keep(connection, LIMIT)
        (first,) = server.children()
        beyond = await _keep(connection, 1)
        server.signal_child(first, signal.SIGKILL)
        for process in kept:
            with pytest.raises(ConnectionLost):
                await process.wait()
        assert await connection.probe(10) is True
        assert (await run(connection, ["echo", "on"]))[1] == b"on\n"
        assert server.logins() == 2
        server.signal_children(signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            await beyond[0].wait()
        assert connection.lost
        with pytest.raises(ConnectionLost):
            await connection.start(["true"], Recorder())


async def test_a_silent_link_is_given_up(server: OpenSsh) -> None:
    """Of two links the one that does not answer is given up, and what is kept over the other stays."""
    async with connected(server) as connection:
        kept = await _keep(connection, LIMIT)
        (first,) = server.children()
        await _keep(connection, 1)
        (second,) = set(server.children()) - {first}
        server.signal_child(second, signal.SIGSTOP)
        try:
            assert await connection.probe(1) is True
            await _keep(connection, 1)
            assert server.logins() == 3
            assert await kept[0].stop(0) is True
        finally:
            server.signal_child(second, signal.SIGCONT)


async def test_closing_while_a_link_is_opened(server: OpenSsh) -> None:
    """A start that was opening a link when the connection was closed starts nothing and leaves no link."""
    async with connected(server) as connection:
        await _keep(connection, LIMIT)
        starting = asyncio.create_task(connection.start(["sleep", "987102"], Recorder(), kept=True))
        await asyncio.sleep(0)
        await connection.close()
        with pytest.raises(ConnectionLost) as caught:
            await starting
        assert caught.value.code == "connection-closed"
    assert processes_with("sleep 98710") == []
