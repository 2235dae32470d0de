"""A look at a WinRM listener from outside: who answers, with which certificate and clock, and how it lets people in.

One request without a login, a body or anything else of the user's. It finds out what a login that fails does not tell:
a clock that is wrong, a certificate that ends next week, ways of logging in that would have worked.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from runner.transport.winrm_uris import HTTP_PORT, HTTPS_PORT
from runner.wsman.authentication_steps import offers
from runner.wsman.certificate import Certificate
from runner.wsman.http_answer import Response
from runner.wsman.http_connection import HttpBroken, HttpConnection
from runner.wsman.http_errors import Attempt, Phase
from runner.wsman.proxy import connect_through, proxy_for
from runner.wsman.tls import blind_context
from runner.wsman.tls_errors import handshake_failed

OTHER_PORT = {HTTP_PORT: HTTPS_PORT, HTTPS_PORT: HTTP_PORT}
"""Where WinRM may listen when it does not listen on the one port."""

_KNOCK = 3.0  # seconds for a look at the other port


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What was seen.

    Attributes:
        via: address of the proxy that connected us, None for none.
        certificate: what it presents, checked by nobody; None over http.
        offered: ways of logging in, as it spells them.
        skew: seconds its clock is ahead of the controller's; None where it tells no time.

    """

    via: str | None = None
    certificate: Certificate | None = None
    offered: tuple[str, ...] = ()
    skew: float | None = None


async def look(endpoint: Endpoint, proxy_login: Login | None = None) -> Listener:
    """Look at the listener of an endpoint, within its ``connect_timeout``.

    Raises:
        Unreachable: nothing answers there, or not what speaks HTTP or TLS.

    """
    assert endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
    parts = urlsplit(endpoint.winrm.url)
    host, port = parts.hostname or "", parts.port or endpoint.port or HTTP_PORT
    attempt = Attempt(endpoint.host, f"{parts.scheme}://{host}:{port}", endpoint.connect_timeout)
    proxy = proxy_for(parts.geturl(), endpoint.session_options.proxy, proxy_login, os.environ, attempt)
    attempt.via = str(proxy) if proxy is not None else None
    attempt.phase = Phase.TCP
    connection: HttpConnection | None = None
    try:
        async with asyncio.timeout(attempt.timeout):
            connection = await HttpConnection.open(*((proxy.host, proxy.port) if proxy else (host, port)))
            if proxy is not None:
                attempt.phase = Phase.PROXY
                await connect_through(connection, proxy, f"{host}:{port}", attempt)
            if parts.scheme == "https":
                attempt.phase = Phase.TLS
                await connection.start_tls(blind_context(), host)
            attempt.phase = Phase.LOGIN
            return await _ask(connection, parts, attempt.via)
    except TimeoutError:
        raise attempt.timed_out() from None
    except ssl.SSLError as error:
        raise handshake_failed(attempt, host, error, None) from None
    except OSError as error:
        raise attempt.socket_error(error) from None
    except HttpBroken as error:
        raise attempt.dropped(str(error)) from None
    finally:
        if connection is not None:
            connection.abort()


async def _ask(connection: HttpConnection, parts: SplitResult, via: str | None) -> Listener:
    der = connection.peer_certificate
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    response = await connection.request("POST", target, [("Host", parts.netloc), ("User-Agent", "runner")])
    return Listener(
        via=via,
        certificate=_parsed(der) if der is not None else None,
        offered=tuple(offers(response)),
        skew=skew_of(response, datetime.now(UTC)),
    )


def _parsed(der: bytes) -> Certificate | None:
    try:
        return Certificate.parse(der)
    except ValueError:
        return None


def skew_of(response: Response, now: datetime) -> float | None:
    """How many seconds the ``Date`` of an answer is ahead of ``now``; HTTP.SYS always tells it (RFC 9110 6.6.1)."""
    try:
        date = parsedate_to_datetime(response.first("date"))
    except ValueError:
        return None
    return (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()


async def answers_elsewhere(endpoint: Endpoint, others: Mapping[int, int] = OTHER_PORT) -> int | None:
    """The other port of WinRM, where something listens on it though not on the endpoint's own."""
    other = others.get(endpoint.port or 0)
    if other is None:
        return None
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_KNOCK):
            _, writer = await asyncio.open_connection(endpoint.address, other)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return other
    return None
