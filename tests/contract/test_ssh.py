"""The SSH transport keeps the contracts of every transport, against a real OpenSSH."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from runner.transport.port import Connection
from tests.contract.kept import KeptContract
from tests.contract.shells import ShellContract
from tests.contract.ssh_fixtures import connected, needs_sshd
from tests.contract.transports import LinkContract, TransportContract
from tests.support import openssh
from tests.support.openssh import OpenSsh

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    with openssh.running(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
async def connection(server: OpenSsh) -> AsyncIterator[Connection]:
    """A connection to the server."""
    async with connected(server) as opened:
        yield opened


@pytest.fixture
def cut_link(server: OpenSsh) -> Callable[[], Awaitable[None]]:
    """Kills sshd's processes for all connections."""

    async def cut() -> None:
        await asyncio.to_thread(server.signal_children, signal.SIGKILL)

    return cut


class TestSshTransport(TransportContract):
    """The port's contract."""


class TestSshLink(LinkContract):
    """A link that breaks."""


class TestSshShells(ShellContract):
    """Fresh interpreters of the host."""


class TestSshKept(KeptContract):
    """Kept interpreters of the host."""
