"""Logs clients in as WinRM's HTTP listener does: Basic, certificates, Negotiate, Kerberos and CredSSP, bodies sealed.

One acceptor serves one TCP connection, whose login it keeps. NTLM passwords come from the file that ``NTLM_USER_FILE``
names, lines of ``DOMAIN:user:password``; Kerberos keys from the keytab that ``KRB5_KTNAME`` names.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import spnego
import spnego.channel_bindings
from spnego.exceptions import SpnegoError

from runner.lab.http_server import HttpRequest, HttpResponse
from runner.wsman.certificate import channel_binding
from runner.wsman.encryption import NotSealed, Sealing, is_sealed, seal, unseal
from runner.wsman.port import Answer

_SOAP = "application/soap+xml;charset=UTF-8"
_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_OFFERS = {
    "negotiate": "Negotiate",
    "kerberos": "Kerberos",
    "basic": 'Basic realm="WSMAN"',
    "credssp": "CredSSP",
}
_SEALINGS = {"negotiate": Sealing.SPNEGO, "kerberos": Sealing.KERBEROS, "credssp": Sealing.CREDSSP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """Who may come in, and how.

    Attributes:
        mechanisms: of ``basic``, ``negotiate``, ``kerberos``, ``credssp``, ``certificate``.
        passwords: for Basic, by user name.
        certificates: user names by SHA-256 fingerprint of the client's certificate, hexadecimal in lower case.
        unencrypted: whether bodies may come bare over http (AllowUnencrypted of a WinRM service).
        tls_certificate: the server's own, DER, of an https listener; logins are bound to it where the client says so.

    """

    mechanisms: frozenset[str] = frozenset(_OFFERS)
    passwords: Mapping[str, str] = field(default_factory=dict)
    certificates: Mapping[str, str] = field(default_factory=dict)
    unencrypted: bool = False
    tls_certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What came, opened: the request's envelope, who sent it, and whether it was sealed."""

    body: bytes
    user: str
    sealed: bool
    request: HttpRequest


Respond = Callable[[Envelope], Awaitable[Answer | HttpResponse]]


class WinrmAcceptor:
    """One connection: an :class:`runner.lab.http_server.HttpHandler` that logs in, opens and seals.

    Args:
        logins: who may come in.
        respond: answers an envelope; an :class:`Answer` is sealed as the request was, an ``HttpResponse`` goes as is.
        peer_certificate: the client's certificate, DER, where the TLS handshake brought one.

    """

    def __init__(self, logins: Logins, respond: Respond, peer_certificate: bytes | None = None) -> None:
        self._logins = logins
        self._respond = respond
        self._peer = peer_certificate
        self._context: spnego.ContextProxy | None = None
        self._scheme = ""
        self._user: str | None = None

    @property
    def delegated(self) -> object | None:
        """The credential that a client delegated by CredSSP: has ``username`` and ``password``."""
        if self._context is None:
            return None
        return self._context.get_extra_info("client_credential")  # type: ignore[no-any-return]

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request of the connection."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        scheme = scheme.lower()
        if not scheme and self._user is not None and self._context is not None:
            return await self._serve(request, self._user)
        if scheme == "basic" and "basic" in self._logins.mechanisms:
            user = self._basic(rest)
            return await self._serve(request, user) if user is not None else self._refuse()
        if scheme == _CERTIFICATE and "certificate" in self._logins.mechanisms:
            user = self._by_certificate()
            return await self._serve(request, user) if user is not None else self._refuse()
        if scheme in _SEALINGS and scheme in self._logins.mechanisms:
            return await self._step(request, scheme, rest)
        return self._refuse()

    def _basic(self, text: str) -> str | None:
        try:
            user, _, password = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user if self._logins.passwords.get(user) == password else None

    def _by_certificate(self) -> str | None:
        if self._peer is None:
            return None
        return self._logins.certificates.get(hashlib.sha256(self._peer).hexdigest())

    async def _step(self, request: HttpRequest, scheme: str, token: str) -> HttpResponse:
        if self._context is None or self._context.complete or scheme != self._scheme:
            self._context, self._scheme, self._user = self._new_context(scheme), scheme, None
        context = self._context
        try:
            # Kerberos reads its keytab and may write a replay cache: not on the loop.
            out = await asyncio.to_thread(context.step, base64.b64decode(token))
        except (SpnegoError, ValueError, KeyError, struct.error):  # pyspnego raises all of them at bad tokens
            self._context = None
            return self._refuse()
        name = _OFFERS[scheme].partition(" ")[0]
        header = (("WWW-Authenticate", f"{name} {base64.b64encode(out or b'').decode()}".rstrip()),)
        if not context.complete:
            return HttpResponse(401, headers=header) if out else self._refuse()
        self._user = context.client_principal or "unknown"
        answer = await self._serve(request, self._user)
        return HttpResponse(answer.status, answer.body, (*header, *answer.headers)) if out else answer

    def _new_context(self, scheme: str) -> spnego.ContextProxy:
        binding = None
        if self._logins.tls_certificate is not None and scheme != "credssp":
            data = channel_binding(self._logins.tls_certificate)
            binding = spnego.channel_bindings.GssChannelBindings(application_data=data)
        return spnego.server(protocol=scheme, channel_bindings=binding)

    def _refuse(self) -> HttpResponse:
        offers = [_OFFERS[name] for name in _OFFERS if name in self._logins.mechanisms]
        return HttpResponse(401, headers=tuple(("WWW-Authenticate", offer) for offer in offers))

    async def _serve(self, request: HttpRequest, user: str) -> HttpResponse:
        content_type = request.headers.get("content-type", "")
        sealed = is_sealed(content_type)
        body = request.body
        if not body:
            return HttpResponse(200)  # the login alone, as clients send it before they can seal
        if sealed and self._context is not None:
            try:
                _, body = unseal(self._context, body)
            except (NotSealed, SpnegoError):
                return HttpResponse(400)
        elif self._logins.tls_certificate is None and not self._logins.unencrypted:
            return HttpResponse(500)  # as WinRM does where AllowUnencrypted is false
        answer = await self._respond(Envelope(body, user, sealed, request))
        if isinstance(answer, HttpResponse):
            return answer
        kind = answer.content_type or _SOAP
        content = answer.body
        if sealed and self._context is not None:
            kind, content = seal(self._context, _SEALINGS[self._scheme], content)
        return HttpResponse(answer.status, content, (("Content-Type", kind),))
