"""What the tests against a real OpenSSH share: short ways to connect and run."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint
from runner.transport.port import Exit, Login
from runner.transport.ssh import SshTransport
from runner.transport.ssh_connection import SshConnection
from tests.contract.recorder import run_command
from tests.support.openssh import WHY_NOT, OpenSsh

needs_sshd = [pytest.mark.sshd, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]


def endpoint(server: OpenSsh, host: str = "web1", **keys: Any) -> Endpoint:
    """The server as an endpoint."""
    words: dict[str, Any] = {"address": "127.0.0.1", "port": server.port} | keys
    return Endpoint(host=host, transport="ssh", **words)


def transport(server: OpenSsh, **arguments: Any) -> SshTransport:
    """A transport that sees only the server's own folder: no file and no agent of whoever runs the tests."""
    words: dict[str, Any] = {"home": server.home, "system": server.folder, "environment": {}} | arguments
    return SshTransport(**words)


@asynccontextmanager
async def connected(
    server: OpenSsh, login: Login | None = None, *, through: SshTransport | None = None, **keys: Any
) -> AsyncIterator[SshConnection]:
    """A connection for the length of a block."""
    way = through or transport(server)
    try:
        connection = await way.connect(endpoint(server, **keys), login)
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        if through is None:
            await way.close()


async def run(
    connection: SshConnection, command: Sequence[str], stdin: bytes = b""
) -> tuple[Exit, bytes, bytes]:
    """Run a command to its end: how it ended, standard output, standard error."""
    ran = await run_command(connection, command, stdin)
    return ran.exit, ran.stdout, ran.stderr


async def refused(
    server: OpenSsh, login: Login | None = None, *, through: SshTransport | None = None, **keys: Any
) -> Unreachable:
    """The error that connecting ends in."""
    with pytest.raises(Unreachable) as caught:
        async with connected(server, login, through=through, **keys):
            pass
    return caught.value


def processes_with(text: str) -> list[int]:
    """Living processes whose command line holds the text."""
    output = subprocess.run(
        ["ps", "-A", "-o", "pid=,stat=,args="], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.split(None, 2) for line in output.splitlines()]
    return [int(row[0]) for row in rows if len(row) == 3 and text in row[2] and not row[1].startswith("Z")]
