"""What the tests of the whole line share: one OpenSSH server with many addresses, and a site for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.support.openssh import OpenSsh, running

ADDRESSES = 16
"""How many addresses one sshd can listen on (its MAX_LISTEN_SOCKS)."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """An sshd that listens on 127.0.0.1 to 127.0.0.16, so that each host of a test has a connection of its own."""
    more = "".join(f"ListenAddress 127.0.0.{number}\n" for number in range(2, ADDRESSES + 1))
    with running(tmp_path_factory.mktemp("sshd"), extra=more) as running_server:
        yield running_server


@pytest.fixture
async def site(tmp_path: Path, server: OpenSsh) -> AsyncIterator[Site]:
    """An empty site whose hosts are on the server."""
    empty = Site(tmp_path / "site", server)
    yield empty
    await empty.close()
