"""A Windows-like host: WSMan over HTTP or HTTPS on a port of 127.0.0.1, in front of an engine (remoting.md 8).

It never listens beyond loopback: whoever can log in runs what they like.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus

from runner.lab.http_server import ConnectionCut, HttpRequest, HttpResponse, HttpServer, Peer
from runner.lab.troubles import ANY, Kind, Trouble, Troubles, foreign, truncated
from runner.lab.wsman_login import Challenged, ConnectionLogin, LoggedIn, LoginRefused, LoginSettings
from runner.lab.wsman_service import Caller, Mangle, Service
from runner.lab.wsman_settings import Counters, Manners, ServiceSettings
from runner.lab.wsman_soap import Fault, Faulted, NotAnEnvelope, Request, identity, read_request

_SOAP = "application/soap+xml;charset=UTF-8"
_HTML = b"<html><body><h1>500 - Internal server error.</h1></body></html>"
_ANONYMOUS_IDENTIFY = "/wsman-anon/identify"
_EVER = 86_400.0
_MANGLES: dict[Kind, Mangle] = {Kind.TRUNCATED_FRAGMENT: truncated, Kind.FOREIGN_FRAGMENT: foreign}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndSettings:
    """What a Windows-like host is like.

    Args:
        service: its shells and limits.
        login: who may log in, and how.
        context: TLS with the host's certificate; None is plain http.
        application_names: first parts of URLs that are answered.

    """

    service: ServiceSettings
    login: LoginSettings
    context: ssl.SSLContext | None = None
    application_names: tuple[str, ...] = ("wsman",)


class FrontEnd:
    """One host; :meth:`start` it, and :meth:`close` it so that no engine is left behind."""

    def __init__(self, settings: FrontEndSettings) -> None:
        self.settings = settings
        self.counters = Counters()
        self.troubles = Troubles()
        self.service = Service(settings.service, self.counters)
        self.port = 0
        self._server = HttpServer(self._connection, settings.context)
        self._paths = {f"/{name.strip('/')}".lower() for name in settings.application_names}
        self._hops = 0
        self._outage: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        """Where it listens, by the number of the address."""
        scheme = "https" if self.settings.context is not None else "http"
        return f"{scheme}://127.0.0.1:{self.port}{min(self._paths)}"

    @property
    def connections(self) -> int:
        """How many TCP connections were made since the start."""
        return self._server.connections

    async def start(self, port: int = 0) -> None:
        """Listen on ``port``, a free one where it is 0."""
        self.port = await self._server.start(port)
        self.service.start()

    async def close(self) -> None:
        """Drop every connection and end every engine; idempotent."""
        if self._outage is not None:
            self._outage.cancel()
        await self._server.close()
        await self.service.close()

    def network(self, *, up: bool) -> None:
        """Take the host off the network, or bring it back; what runs on it goes on."""
        self._server.refusing = not up

    def drop_connections(self) -> None:
        """Break every open connection once; new ones are taken."""
        self._server.drop_connections()

    def kill_engines(self) -> None:
        """Let the engine of every shell die."""
        for shell in self.service.shells.values():
            shell.abort()

    def _connection(self, peer: Peer) -> Connection:
        return Connection(self, peer)

    def is_path(self, path: str) -> bool:
        """Whether a path is one of the application names."""
        return path.rstrip("/").lower() in self._paths

    def redirection(self, trouble: Trouble) -> HttpResponse:
        """The answer to a request that is to go elsewhere."""
        self._hops += 1
        location = trouble.location.replace("{n}", str(self._hops))
        return HttpResponse(HTTPStatus.FOUND, headers=(("Location", location),))

    def outage(self, seconds: float) -> None:
        """Take the host off the network for so long."""
        self.network(up=False)
        self._outage = asyncio.get_running_loop().call_later(seconds, lambda: self.network(up=True))


class Connection:
    """The requests of one TCP connection: login, decryption, operation, encryption."""

    def __init__(self, front: FrontEnd, peer: Peer) -> None:
        settings = front.settings
        self._front = front
        self._peer = peer
        self._tls = settings.context is not None
        self._login = ConnectionLogin(settings.login, peer, tls=self._tls)
        self._known = False

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one HTTP request."""
        trouble = self._front.troubles.take(ANY)
        if trouble is not None and (early := await self._befall(trouble)) is not None:
            return early
        if request.path == _ANONYMOUS_IDENTIFY:
            return _soap(HTTPStatus.OK, identity("Microsoft Corporation", "OS: 0.0.0 SP: 0.0 Stack: 3.0"))
        if not self._front.is_path(request.path):
            return HttpResponse(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return HttpResponse(HTTPStatus.METHOD_NOT_ALLOWED)
        login = self._login.check(request)
        if isinstance(login, Challenged):
            return self._challenge(request, login)
        if not self._known:
            self._known = True
            self._front.counters.logins[login.scheme] += 1
        response = await self._logged_in(request, login)
        if trouble is not None and trouble.kind is Kind.CUT:
            return _cut(response)
        return response

    def _challenge(self, request: HttpRequest, login: Challenged) -> HttpResponse:
        settings = self._front.settings.login
        if login.token is not None:
            return HttpResponse(HTTPStatus.UNAUTHORIZED, headers=(_authenticate(*login.token),))
        if "authorization" in request.headers:
            self._front.counters.refused_logins += 1
        elif not settings.greets:
            return HttpResponse(HTTPStatus.UNAUTHORIZED)
        return HttpResponse(HTTPStatus.UNAUTHORIZED, headers=settings.challenges(encrypted=self._tls))

    async def _logged_in(self, request: HttpRequest, login: LoggedIn) -> HttpResponse:
        headers = (_authenticate(*login.token),) if login.token is not None else ()
        if not request.body:  # the first request of a login that will encrypt
            return HttpResponse(HTTPStatus.OK, headers=headers)
        content_type = request.headers.get("content-type", "")
        encrypted = content_type.lower().startswith("multipart/")
        if not encrypted:
            if not self._tls and not self._front.settings.login.allow_unencrypted:
                return HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, headers=headers)
            return _with(await self._operation(request.body, login.user), headers)
        if login.exchange is None:
            return HttpResponse(HTTPStatus.BAD_REQUEST, headers=headers)
        try:
            envelope = login.exchange.unwrap(content_type, request.body)
        except LoginRefused:
            return HttpResponse(HTTPStatus.BAD_REQUEST, headers=headers)
        response = await self._operation(envelope, login.user)
        if not response.body:
            return _with(response, headers)
        wrapped_type, body = login.exchange.wrap(response.body)
        return HttpResponse(
            response.status, body, (("Content-Type", wrapped_type), *headers), cut_after=response.cut_after
        )

    async def _operation(self, envelope: bytes, user: str) -> HttpResponse:
        try:
            request = read_request(envelope)
        except NotAnEnvelope:
            return HttpResponse(HTTPStatus.BAD_REQUEST)
        trouble = self._front.troubles.take(request.operation)
        caller = Caller(user, self._peer.address)
        try:
            if trouble is not None and (early := await self._befall(trouble, request, caller)) is not None:
                return early
            mangle = _MANGLES.get(trouble.kind) if trouble is not None else None
            body = await self._front.service.answer(request, caller, len(envelope), mangle)
        except Faulted as problem:
            response = _soap(
                HTTPStatus.INTERNAL_SERVER_ERROR, self._mannered(problem.fault).envelope(request)
            )
        else:
            response = _soap(HTTPStatus.OK, body)
        return _cut(response) if trouble is not None and trouble.kind is Kind.CUT else response

    def _mannered(self, fault: Fault) -> Fault:
        if self._front.settings.service.manners is Manners.OMI:
            return Fault(None, fault.reason, fault.subcode, fault.sender)
        return fault

    async def _befall(
        self, trouble: Trouble, request: Request | None = None, caller: Caller | None = None
    ) -> HttpResponse | None:
        """Do what goes wrong before the operation; None where it is done all the same."""
        match trouble.kind:
            case Kind.DELAY:
                await asyncio.sleep(trouble.seconds)
            case Kind.DROP:
                await asyncio.sleep(_EVER)
            case Kind.DISCONNECT:
                raise ConnectionCut
            case Kind.OUTAGE:
                self._front.outage(trouble.seconds)
                raise ConnectionCut
            case Kind.FAULT:
                raise Faulted(Fault(trouble.code, "The lab was told to answer with this fault."))
            case Kind.REDIRECT:
                return self._front.redirection(trouble)
            case Kind.UNAUTHORIZED:
                challenges = self._front.settings.login.challenges(encrypted=self._tls)
                return HttpResponse(HTTPStatus.UNAUTHORIZED, headers=challenges)
            case Kind.SERVER_ERROR:
                return HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, _HTML, (("Content-Type", "text/html"),))
            case Kind.KILL if request is not None and caller is not None:
                self._front.service.kill(request, caller)
        return None


def _soap(status: HTTPStatus, envelope: bytes) -> HttpResponse:
    return HttpResponse(status, envelope, (("Content-Type", _SOAP), ("Server", "Microsoft-HTTPAPI/2.0")))


def _with(response: HttpResponse, headers: tuple[tuple[str, str], ...]) -> HttpResponse:
    if not headers:
        return response
    return HttpResponse(
        response.status, response.body, (*response.headers, *headers), response.keep, response.cut_after
    )


def _cut(response: HttpResponse) -> HttpResponse:
    return HttpResponse(response.status, response.body, response.headers, cut_after=len(response.body) // 2)


def _authenticate(scheme: str, token: bytes) -> tuple[str, str]:
    return ("WWW-Authenticate", f"{scheme} {b64encode(token).decode()}")
