"""A Windows-like host: WSMan over HTTP or HTTPS on a port of 127.0.0.1, in front of an engine (remoting.md 8).

It never listens beyond loopback: whoever can log in runs what they like.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from runner.lab.certificates import Flaw
from runner.lab.http_server import ConnectionCut, HttpRequest, HttpResponse, HttpServer, Peer
from runner.lab.trouble_calls import CONTROL_PATH, answer_call
from runner.lab.troubles import ANY, Kind, Trouble, Troubles, foreign, truncated
from runner.lab.winrm_acceptor import Envelope, Logins, WinrmAcceptor
from runner.lab.wsman_service import IDENTITY, Caller, Mangle, Service
from runner.lab.wsman_settings import Counters, Manners, ServiceSettings
from runner.lab.wsman_soap import Fault, Faulted, NotAnEnvelope, Request, read_request
from runner.wsman.port import Answer

_SOAP = "application/soap+xml;charset=UTF-8"
_HTML = b"<html><body><h1>Internal server error</h1><br>The resource cannot be displayed.</body></html>"
_ANONYMOUS_IDENTIFY = "/wsman-anon/identify"
_CHALLENGES = (("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", 'Basic realm="WSMAN"'))
_EVER = 86_400.0
_MANGLES: dict[Kind, Mangle] = {Kind.TRUNCATED_FRAGMENT: truncated, Kind.FOREIGN_FRAGMENT: foreign}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndSettings:
    """What a Windows-like host is like.

    Args:
        service: its shells and limits.
        logins: who may come in, and how.
        context: TLS with the host's certificate; None is plain http.
        certify: has ``context`` present a certificate with a flaw from now on, and gives it in DER.
        application_names: first parts of URLs that are answered.
        control_token: who sends it may add troubles over HTTP (:mod:`runner.lab.trouble_calls`); None takes no calls.

    """

    service: ServiceSettings
    logins: Logins
    context: ssl.SSLContext | None = None
    certify: Callable[[Flaw], bytes] | None = None
    application_names: tuple[str, ...] = ("wsman",)
    control_token: str | None = None


class FrontEnd:
    """One host; :meth:`start` it, and :meth:`close` it so that no engine is left behind."""

    def __init__(self, settings: FrontEndSettings) -> None:
        self.settings = settings
        self.logins = settings.logins
        self.counters = Counters()
        self.troubles = Troubles()
        self.service = Service(settings.service, self.counters)
        self.delegated: list[object] = []
        """Credentials that clients have delegated by CredSSP: each has ``username`` and ``password``."""
        self.port = 0
        self._server = HttpServer(self._connection, settings.context)
        self._paths = {f"/{name.strip('/')}".lower() for name in settings.application_names}
        self._hops = 0
        self._outage: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        """Where it listens, by the number of the address."""
        scheme = "https" if self.settings.context is not None else "http"
        return f"{scheme}://127.0.0.1:{self.port}/{self.settings.application_names[0]}"

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

    def present(self, flaw: Flaw) -> None:
        """Have a certificate with a flaw, or a good one, for whoever connects from now on.

        Raises:
            ValueError: the host speaks http.

        """
        if self.settings.certify is None:
            raise ValueError("it speaks http, which has no certificates")
        self.logins = replace(self.logins, tls_certificate=self.settings.certify(flaw))

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
    """The requests of one TCP connection: an acceptor logs in, opens and seals; operations are done here."""

    def __init__(self, front: FrontEnd, peer: Peer) -> None:
        self._front = front
        self._peer = peer
        self._acceptor = WinrmAcceptor(front.logins, self._respond, peer.certificate)
        self._known = False
        self._scheme = ""
        self._cut = False

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one HTTP request."""
        if request.path == CONTROL_PATH:
            return answer_call(request, self._front.settings.control_token, self._front)
        trouble = self._front.troubles.take(ANY)
        if trouble is not None and (early := await self._befall(trouble)) is not None:
            return early
        if request.path == _ANONYMOUS_IDENTIFY:
            return HttpResponse(HTTPStatus.OK, IDENTITY, (("Content-Type", _SOAP),))
        if not self._front.is_path(request.path):
            return HttpResponse(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return HttpResponse(HTTPStatus.METHOD_NOT_ALLOWED)
        self._cut = trouble is not None and trouble.kind is Kind.CUT
        self._scheme = request.headers.get("authorization", "").partition(" ")[0] or self._scheme
        response = await self._acceptor.answer(request)
        if response.status == HTTPStatus.UNAUTHORIZED:
            return self._not_yet(request, response)
        return replace(response, cut_after=len(response.body) // 2) if self._cut else response

    def _not_yet(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """A login that goes on, has failed, or has not begun; OMI says nothing of how to begin (remoting.md 12)."""
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        goes_on = any(value.lower().startswith(f"{scheme} ") for _, value in response.headers)
        if not scheme and self._front.settings.service.manners is Manners.OMI:
            return replace(response, headers=())
        if scheme and (scheme == "basic" or not goes_on):
            self._front.counters.refused_logins += 1
        return response

    async def _respond(self, envelope: Envelope) -> Answer | HttpResponse:
        """Do what an envelope asks for."""
        front = self._front
        if not self._known:
            self._known = True
            front.counters.logins[self._scheme] += 1
            if self._acceptor.delegated is not None:
                front.delegated.append(self._acceptor.delegated)
        return await self._operation(envelope.body, envelope.user)

    async def _operation(self, envelope: bytes, user: str) -> Answer | HttpResponse:
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
            fault = self._mannered(problem.fault).envelope(request)
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, fault, _SOAP)
        else:
            answer = Answer(HTTPStatus.OK, body, _SOAP)
        self._cut = self._cut or (trouble is not None and trouble.kind is Kind.CUT)
        return answer

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
                return HttpResponse(HTTPStatus.UNAUTHORIZED, headers=_CHALLENGES)
            case Kind.SERVER_ERROR:
                return HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, _HTML, (("Content-Type", "text/html"),))
            case Kind.KILL if request is not None and caller is not None:
                self._front.service.kill(request, caller)
        return None
