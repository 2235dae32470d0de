"""Who is at the other end of a connection: Basic, a certificate, or a scheme with tokens (remoting.md 3.4).

NTLM, Kerberos and CredSSP log a connection in once, with tokens back and forth, and encrypt what follows; Basic and
certificates say it with each request.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from runner.lab.http_server import HttpRequest, Peer

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""What stands in ``Authorization`` where the client's certificate says who it is."""


class Exchange(Protocol):
    """One login by tokens, and the message encryption of its connection."""

    @property
    def user(self) -> str | None:
        """Who has logged in; None before."""

    def step(self, token: bytes) -> bytes | None:
        """Take the client's token and give the answer to it.

        Raises:
            LoginRefused: the client is not who it says.

        """

    def unwrap(self, content_type: str, body: bytes) -> bytes:
        """The envelope in an encrypted body.

        Raises:
            LoginRefused: it was not encrypted with the key of this connection.

        """

    def wrap(self, envelope: bytes) -> tuple[str, bytes]:
        """The encrypted body of an envelope, and its content type."""


class LoginRefused(Exception):
    """The login failed; the connection goes on and may try anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """Who may log in, and how.

    Args:
        users: name -> password, for Basic.
        schemes: name of a scheme as in ``WWW-Authenticate`` -> a new exchange of it.
        basic: whether Basic is taken.
        allow_unencrypted: whether plain envelopes are taken over http.
        certificates: SHA-1 of a client certificate in DER, as hexadecimal digits -> the user it stands for.
        greets: whether a request without ``Authorization`` is told the schemes; servers on Linux do not.

    """

    users: Mapping[str, str]
    schemes: Mapping[str, Callable[[], Exchange]]
    basic: bool = True
    allow_unencrypted: bool = True
    certificates: Mapping[str, str]
    greets: bool = True

    def challenges(self, *, encrypted: bool) -> tuple[tuple[str, str], ...]:
        """The headers that tell a client how it may log in."""
        names = list(self.schemes)
        if self.basic and (encrypted or self.allow_unencrypted):
            names.append('Basic realm="WSMAN"')
        return tuple(("WWW-Authenticate", name) for name in names)

    def basic_user(self, credentials: str) -> str | None:
        """The user of a Basic login; None where the name or the password is wrong."""
        try:
            name, _, password = b64decode(credentials).decode().partition(":")
        except (Base64Error, ValueError):
            return None
        known = {user.lower(): (user, secret) for user, secret in self.users.items()}.get(name.lower())
        if known is None or not hmac.compare_digest(known[1].encode(), password.encode()):
            return None
        return known[0]

    def certificate_user(self, certificate: bytes | None) -> str | None:
        """The user that a client certificate stands for."""
        if certificate is None:
            return None
        return self.certificates.get(hashlib.sha1(certificate, usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A request whose sender is known; ``exchange`` where the connection can encrypt, ``token`` is the last to send."""

    user: str
    scheme: str
    exchange: Exchange | None = None
    token: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Challenged:
    """A request that must come again with a token, or with another login where ``token`` is None."""

    token: tuple[str, bytes] | None = None


class ConnectionLogin:
    """The login of one connection."""

    def __init__(self, settings: LoginSettings, peer: Peer, *, tls: bool) -> None:
        self._settings = settings
        self._peer = peer
        self._tls = tls
        self._exchange: Exchange | None = None
        self._scheme = ""

    def check(self, request: HttpRequest) -> LoggedIn | Challenged:
        """Who sends this request, or what it must bring first."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._basic(rest.strip())
        if scheme == MUTUAL:
            user = self._settings.certificate_user(self._peer.certificate)
            return LoggedIn(user, "Certificate") if user is not None else Challenged()
        if scheme:
            return self._token(scheme, rest.strip())
        if self._exchange is not None and self._exchange.user is not None:
            return LoggedIn(self._exchange.user, self._scheme, self._exchange)
        return Challenged()

    def _basic(self, credentials: str) -> LoggedIn | Challenged:
        if not self._settings.basic or not (self._tls or self._settings.allow_unencrypted):
            return Challenged()
        user = self._settings.basic_user(credentials)
        return LoggedIn(user, "Basic") if user is not None else Challenged()

    def _token(self, scheme: str, text: str) -> LoggedIn | Challenged:
        name = next((known for known in self._settings.schemes if known.lower() == scheme.lower()), None)
        if name is None:
            return Challenged()
        if self._exchange is None or self._scheme != name or self._exchange.user is not None:
            self._exchange, self._scheme = self._settings.schemes[name](), name
        try:
            answer = self._exchange.step(b64decode(text))
        except (LoginRefused, Base64Error):
            self._exchange = None
            return Challenged()
        if self._exchange.user is None:
            return Challenged((name, answer or b""))
        token = (name, answer) if answer else None
        return LoggedIn(self._exchange.user, name, self._exchange, token)
