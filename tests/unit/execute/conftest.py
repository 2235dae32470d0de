"""A kept connection to this machine, as the executor's parts use it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from runner.execute.bodies.host_files import HostFiles
from runner.execute.guard import Guard, Progress
from runner.execute.patience import Patience
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalConnection, LocalTransport


@pytest.fixture
async def connection() -> AsyncIterator[LocalConnection]:
    connection = await LocalTransport().connect(Endpoint(host="here", transport="local"), None)
    yield connection
    await connection.close()


@pytest.fixture
async def files(connection: LocalConnection) -> HostFiles:
    return HostFiles(connection, Guard(Patience(), 0.5, Progress()))
