"""One connection with its login: dialled, checked, logged in, and then one envelope at a time."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from spnego.exceptions import SpnegoError

from runner.errors import ConnectionLost
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from runner.wsman.authentication import LastLogin, LoggedIn, log_in
from runner.wsman.certificate import Certificate
from runner.wsman.certificate_login import ClientCertificate
from runner.wsman.encryption import NotSealed, is_sealed, seal, unseal
from runner.wsman.entry import Entry, entry_for
from runner.wsman.http_answer import Response
from runner.wsman.http_connection import HttpBroken, HttpConnection
from runner.wsman.http_errors import Attempt, Phase
from runner.wsman.kerberos_reach import KerberosReach
from runner.wsman.port import Answer
from runner.wsman.proxy import Proxy, connect_through, proxy_for
from runner.wsman.tls import TlsChecks, TlsContexts, blind_context
from runner.wsman.tls_errors import check_unverified, handshake_failed

_PORTS = {"http": 80, "https": 443}
#: How long the certificate that was refused is looked for, to put it into the message; seconds.
_A_LOOK = 3.0


@dataclass(slots=True, eq=False)
class Channel:
    """An open connection that is logged in; ``used_at`` is of :func:`time.monotonic`."""

    host: str
    url: str
    connection: HttpConnection
    target: str
    headers: list[tuple[str, str]]
    logged_in: LoggedIn
    used_at: float = field(default_factory=time.monotonic)

    async def exchange(self, envelope: bytes, content: str) -> tuple[Response, Answer]:
        """Send an envelope of media type ``content``; gives the response as it came, and opened.

        Raises:
            HttpBroken: the connection broke.
            ConnectionLost: the answer is not sealed, or its seal is broken.

        """
        kind, body = content, envelope
        context = self.logged_in.context
        if context is not None:
            kind, body = seal(context, self.logged_in.sealing, envelope, content)
        headers = [*self.headers, *self.logged_in.headers, ("Content-Type", kind)]
        response = await self.connection.request("POST", self.target, headers, body)
        self.used_at = time.monotonic()
        return response, self._open(response)

    def _open(self, response: Response) -> Answer:
        kind = response.first("content-type")
        context = self.logged_in.context
        if context is None:
            return Answer(response.status, _utf8(response.body, kind), _bare(kind))
        if is_sealed(kind):
            try:
                content, body = unseal(context, response.body)
            except (NotSealed, SpnegoError):
                raise self._forged("answer-seal-broken", "the seal of its answer is broken") from None
            return Answer(response.status, _utf8(body, content), _bare(content))
        if response.body and (response.status // 100 == 2 or "xml" in kind.lower()):
            raise self._forged("answer-not-sealed", "its answer is not sealed, though the request was")
        return Answer(response.status, response.body, _bare(kind))  # an error page: nobody believes its words

    def _forged(self, code: str, why: str) -> ConnectionLost:
        return ConnectionLost(
            code,
            f"the answer of `{self.host}` cannot be trusted: {why}; what was sent may have run",
            hints=("something between the controller and the host may have changed it",),
            phase="send",
            may_have_run=True,
        )


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _utf8(body: bytes, content_type: str) -> bytes:
    """A body in UTF-8: servers answer UTF-16 in kind."""
    if "utf-16" not in content_type.lower():
        return body
    text = body.decode("utf-16" if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-16-le", "replace")
    declaration, end, rest = text.partition("?>")
    return (rest if end and declaration.startswith("<?xml") else text).encode()


@dataclass(slots=True)
class Dialler:
    """Opens channels of one endpoint.

    Attributes:
        proxy_login: the credential of the proxy.
        kerberos: what is known of tickets.
        last: the login before.
        environment: names proxies.

    """

    endpoint: Endpoint
    login: Login | None
    contexts: TlsContexts
    proxy_login: Login | None = None
    kerberos: KerberosReach = field(default_factory=KerberosReach)
    last: LastLogin = field(default_factory=LastLogin)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def attempt(self, url: str) -> Attempt:
        """A fresh account of a try to connect to ``url``."""
        parts = urlsplit(url)
        target = f"{parts.scheme}://{_host_and_port(parts)}"
        return Attempt(self.endpoint.host, target, self.endpoint.connect_timeout)

    async def open(self, url: str, attempt: Attempt) -> Channel:
        """Connect to ``url`` and log in; the time for it is the caller's to keep.

        Raises:
            Unreachable: it could not be done.
            AnsweredInstead: the server answered with something else than a login.

        """
        parts = urlsplit(url)
        certificate, entry = self._entry(url, attempt)
        connection: HttpConnection | None = None
        try:
            connection = await self._ready(parts, certificate, attempt)
            target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
            headers = [("Host", _host_and_port(parts)), ("User-Agent", "runner")]
            logged_in = await log_in(entry, connection, target, headers, attempt, self.kerberos, self.last)
            if logged_in.headers and not connection.usable:
                # Who it was has been accepted, but a server may close after a request without a body.
                connection = await self._ready(parts, certificate, attempt)
        except BaseException as error:
            if connection is not None:
                connection.abort()
            if isinstance(error, HttpBroken):
                raise attempt.dropped(str(error)) from None
            if isinstance(error, OSError) and not isinstance(error, TimeoutError | ssl.SSLError):
                raise attempt.socket_error(error) from None
            raise
        return Channel(self.endpoint.host, url, connection, target, headers, logged_in)

    def _entry(self, url: str, attempt: Attempt) -> tuple[ClientCertificate | None, Entry]:
        assert self.endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
        certificate = ClientCertificate.of(self.login, self.endpoint.winrm)
        return certificate, entry_for(
            self.endpoint, self.login, url, attempt, certificate=certificate is not None
        )

    async def _ready(
        self, parts: SplitResult, certificate: ClientCertificate | None, attempt: Attempt
    ) -> HttpConnection:
        connection = await self._connect(parts, attempt)
        try:
            if parts.scheme == "https":
                await self._start_tls(connection, parts, certificate, attempt)
        except BaseException:
            connection.abort()
            raise
        attempt.phase = Phase.LOGIN
        return connection

    async def _connect(self, parts: SplitResult, attempt: Attempt) -> HttpConnection:
        proxy = proxy_for(
            parts.geturl(), self.endpoint.session_options.proxy, self.proxy_login, self.environment, attempt
        )
        if proxy is None:
            return await _reach(parts.hostname or "", _port(parts), attempt)
        attempt.via = str(proxy)
        connection = await _reach(proxy.host, proxy.port, attempt)
        await self._tunnel(connection, proxy, parts, attempt)
        return connection

    async def _tunnel(
        self, connection: HttpConnection, proxy: Proxy, parts: SplitResult, attempt: Attempt
    ) -> None:
        attempt.phase = Phase.PROXY
        try:
            await connect_through(connection, proxy, _host_and_port(parts, always=True), attempt)
        except BaseException:
            connection.abort()
            raise

    async def _start_tls(
        self,
        connection: HttpConnection,
        parts: SplitResult,
        certificate: ClientCertificate | None,
        attempt: Attempt,
    ) -> None:
        attempt.phase = Phase.TLS
        host = parts.hostname or ""
        checks = TlsChecks.of(self.endpoint.session_options)
        context = self.contexts.get(checks, certificate)
        try:
            await connection.start_tls(context, host)
        except ssl.SSLError as error:
            looked_at = await self._look(parts, error, attempt)
            raise handshake_failed(attempt, host, error, looked_at) from None
        check_unverified(attempt, checks, host, connection.peer_certificate)

    async def _look(self, parts: SplitResult, error: ssl.SSLError, attempt: Attempt) -> Certificate | None:
        """The certificate that was refused, from a connection made for that; OpenSSL does not hand out the first."""
        if not isinstance(error, ssl.SSLCertVerificationError):
            return None
        connection: HttpConnection | None = None
        try:
            async with asyncio.timeout(_A_LOOK):
                connection = await self._connect(parts, self.attempt(parts.geturl()))
                await connection.start_tls(blind_context(), parts.hostname or "")
                return Certificate.parse(connection.peer_certificate or b"")
        except (OSError, HttpBroken, ValueError):
            return None
        finally:
            if connection is not None:
                connection.abort()


async def _reach(host: str, port: int, attempt: Attempt) -> HttpConnection:
    attempt.phase = Phase.NAME
    addresses = [host] if _is_address(host) else await _look_up(host, port)
    attempt.phase = Phase.TCP
    failure: OSError | None = None
    for address in addresses:
        try:
            return await HttpConnection.open(address, port)
        except OSError as error:
            failure = failure or error
    raise failure or OSError("the name has no address")


async def _look_up(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _host_and_port(parts: SplitResult, *, always: bool = False) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{_port(parts)}" if always or parts.port is not None else host
