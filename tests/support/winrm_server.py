"""A WinRM listener for tests: real HTTP, TLS and logins, and whatever answers a test gives."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from runner.lab.http_server import HttpRequest, HttpResponse, HttpServer, Peer
from runner.lab.winrm_acceptor import Envelope, Logins, WinrmAcceptor
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.wsman.port import Answer

Respond = Callable[[Envelope], "Answer | HttpResponse"]


def echo(envelope: Envelope) -> Answer:
    """Answer with what came, so that a test sees it went both ways."""
    return Answer(200, envelope.body, "application/soap+xml;charset=UTF-8")


@dataclass(slots=True)
class WinrmListener:
    """What a test may look at: envelopes and raw requests in order, and one acceptor for each connection."""

    url: str = ""
    envelopes: list[Envelope] = field(default_factory=list)
    requests: list[HttpRequest] = field(default_factory=list)
    acceptors: list[WinrmAcceptor] = field(default_factory=list)
    server: HttpServer | None = None
    #: Answer 401 to every request with a body, as a server that has forgotten its logins.
    refuse_envelopes: bool = False

    @property
    def connections(self) -> int:
        """How many clients have come."""
        assert self.server is not None
        return self.server.connections

    def endpoint(
        self,
        authentication: Authentication = Authentication.BASIC,
        *,
        options: SessionOptions | None = None,
        trusted: tuple[str, ...] = ("*",),
        timeout: float = 60.0,
        url: str = "",
    ) -> Endpoint:
        """An endpoint that leads here."""
        return Endpoint(
            host="web01",
            transport="winrm",
            session_options=options or SessionOptions(),
            connect_timeout=timeout,
            winrm=WinrmSettings(
                url=url or self.url,
                resource_uri="http://schemas.microsoft.com/powershell/Microsoft.PowerShell",
                authentication=authentication,
                trusted_hosts=trusted,
            ),
        )


class _Recording:
    """The handler of one connection, which notes what comes."""

    def __init__(self, listener: WinrmListener, acceptor: WinrmAcceptor) -> None:
        self._listener, self._acceptor = listener, acceptor

    async def answer(self, request: HttpRequest) -> HttpResponse:
        self._listener.requests.append(request)
        if request.body and self._listener.refuse_envelopes:
            return HttpResponse(401, headers=(("WWW-Authenticate", "Negotiate"),))
        return await self._acceptor.answer(request)


@asynccontextmanager
async def listening(
    logins: Logins, respond: Respond = echo, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[WinrmListener]:
    """A listener, https where ``context`` is given; it closes with the block."""
    listener = WinrmListener()

    async def take(envelope: Envelope) -> Answer | HttpResponse:
        listener.envelopes.append(envelope)
        return respond(envelope)

    def handler(peer: Peer) -> _Recording:
        acceptor = WinrmAcceptor(logins, take, peer.certificate)
        listener.acceptors.append(acceptor)
        return _Recording(listener, acceptor)

    listener.server = HttpServer(handler, context)
    port = await listener.server.start()
    listener.url = f"{'https' if context else 'http'}://{host}:{port}/wsman?PSVersion=7.4"
    try:
        yield listener
    finally:
        await listener.server.close()


@dataclass(slots=True)
class Authority:
    """A certificate authority of one test, with its file for ``SSL_CERT_FILE``."""

    directory: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a client trust it."""
        path = self.directory / "authority.pem"
        self.ca.cert_pem.write_to_path(path)
        return {"SSL_CERT_FILE": str(path)}

    def server(
        self, *names: str, expired: bool = False, client_ca: trustme.CA | None = None
    ) -> tuple[ssl.SSLContext, bytes]:
        """A server's context and its certificate in DER."""
        past = dt.datetime(2020, 1, 2, tzinfo=dt.UTC) if expired else None
        certificate = self.ca.issue_cert(*(names or ("127.0.0.1",)), not_after=past)
        return served(certificate, client_ca), der(certificate)


def served(certificate: trustme.LeafCert, client_ca: trustme.CA | None = None) -> ssl.SSLContext:
    """A server's context for a certificate, asking clients for theirs where ``client_ca`` is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if client_ca is not None:
        client_ca.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def der(certificate: trustme.LeafCert) -> bytes:
    """A certificate in DER."""
    return ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())


async def free_port() -> int:
    """A port of 127.0.0.1 where nothing listens."""
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port
