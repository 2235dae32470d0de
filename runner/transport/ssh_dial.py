"""TCP to a host, address by address, apart from ssh: so that each kind of failure keeps its own name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from runner.transport.ssh_config import ConfigError, first
from runner.transport.ssh_errors import Attempt, Phase
from runner.transport.ssh_names import Address, Found
from runner.transport.ssh_settings import Settings

_FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}


def address_family(settings: Settings) -> int:
    """The kind of addresses that ``AddressFamily`` asks for.

    Raises:
        ConfigError: it is none.

    """
    family = (first(settings.values, "AddressFamily") or "any").lower()
    if family not in _FAMILIES:
        raise ConfigError(f"`AddressFamily` must be `any`, `inet` or `inet6`: `{family}`")
    return _FAMILIES[family]


async def dial(found: Sequence[Found], settings: Settings, attempt: Attempt) -> socket.socket:
    """A socket connected to one of the addresses; the time is the caller's.

    With several addresses each but the last gets its share of the time, so that a dead IPv6 route does not use it up.

    Raises:
        OSError: no address could be connected to; the first address's error.

    """
    attempt.phase = Phase.TCP
    bind = first(settings.values, "BindAddress")
    failure: OSError | None = None
    for number, (kind, _, protocol, _, address) in enumerate(found):
        last = number == len(found) - 1
        try:
            async with asyncio.timeout(None if last else settings.timeout / len(found)):
                connection = await _connect(kind, protocol, address, bind)
        except OSError as error:
            failure = failure or error
        else:
            attempt.phase = Phase.BANNER
            return connection
    raise failure or OSError("the name has no address")


async def _connect(
    family: int,
    protocol: int,
    address: Address,
    bind: str | None,
) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        connection.setblocking(False)
        if bind:
            connection.bind((bind, 0))
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def greeted(connection: socket.socket, patience: float) -> bool:
    """Whether the server says something within ``patience`` seconds; nothing is read.

    A server speaks first, so one that hangs is found before it takes a place among the handshakes.
    """
    loop = asyncio.get_running_loop()
    spoken: asyncio.Future[None] = loop.create_future()

    def hear() -> None:
        loop.remove_reader(connection)
        if not spoken.done():
            spoken.set_result(None)

    loop.add_reader(connection, hear)
    try:
        async with asyncio.timeout(patience):
            await spoken
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(connection)
    return True
