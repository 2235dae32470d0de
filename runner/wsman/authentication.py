"""Logging in over WinRM (remoting.md 3.4): once for each connection, before any envelope goes out."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import spnego
import spnego.channel_bindings

from runner.wsman.authentication_errors import incomplete, not_offered, refused, untrusted_host
from runner.wsman.authentication_steps import context_errors, off_loop, offers, step, token_of
from runner.wsman.certificate import channel_binding
from runner.wsman.encryption import Sealing
from runner.wsman.entry import Entry
from runner.wsman.http_answer import Response
from runner.wsman.http_connection import HttpConnection
from runner.wsman.http_errors import Attempt
from runner.wsman.kerberos_reach import KerberosReach

_UNAUTHORIZED = 401
#: MS-WSMV 2.2.1 and DSP0226 C.3.1: the client's certificate of the TLS handshake is the login.
_BY_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
#: A login takes four round trips at most (CredSSP over NTLM); a server that goes on after these plays with us.
_MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that stands: headers for every request, and the context that seals bodies, where it does."""

    headers: tuple[tuple[str, str], ...] = ()
    context: spnego.ContextProxy | None = None
    sealing: Sealing = Sealing.SPNEGO


@dataclass(slots=True)
class LastLogin:
    """The last NTLM context of a wire, and what it was made for: the next is made from it.

    pyspnego computes the hashes of the password for each context that is given one, for more than a millisecond, and
    takes them over where a context is made from another.
    """

    made_for: tuple[str, bytes | None] | None = None
    context: spnego.ContextProxy | None = None

    def again(self, made_for: tuple[str, bytes | None]) -> spnego.ContextProxy | None:
        """A new context of the same login, where it was made for the same."""
        return self.context.new_context() if self.context is not None and self.made_for == made_for else None


class AnsweredInstead(Exception):
    """The server answered before anybody was logged in: a wrong path, a proxy's page, a service that is down."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


async def log_in(
    entry: Entry,
    connection: HttpConnection,
    target: str,
    headers: list[tuple[str, str]],
    attempt: Attempt,
    kerberos: KerberosReach,
    last: LastLogin,
) -> LoggedIn:
    """Log in on a fresh connection, by requests without a body: no envelope goes out before it is known to count.

    Raises:
        Unreachable: refused, not offered, or Kerberos is short of something.
        AnsweredInstead: the server answered the empty request with something else than a login.
        HttpBroken: the connection broke.

    """
    if not entry.protocol:
        return await _by_header(entry, connection, target, headers, attempt)
    exchange = _Exchange(entry, connection, target, headers, attempt, kerberos, last)
    with context_errors(attempt, f"`{attempt.host}`", entry.mechanism):
        return await exchange.run()


async def _by_header(
    entry: Entry,
    connection: HttpConnection,
    target: str,
    headers: list[tuple[str, str]],
    attempt: Attempt,
) -> LoggedIn:
    """Basic and certificates say who they are along with each request."""
    word = _BY_CERTIFICATE
    if entry.mechanism == "Basic":
        password = entry.password.reveal() if entry.password is not None else ""
        word = "Basic " + base64.b64encode(f"{entry.username}:{password}".encode()).decode("ascii")
    logged_in = LoggedIn((("Authorization", word),))
    response = await connection.request("POST", target, [*headers, *logged_in.headers])
    if response.status == _UNAUTHORIZED:
        offered = offers(response)
        if entry.mechanism == "Basic" and "basic" not in {offer.lower() for offer in offered}:
            raise not_offered(attempt, entry.mechanism, offered)
        raise refused(attempt, entry.user, entry.mechanism, offered)
    if response.status // 100 == 3:
        raise AnsweredInstead(response)
    return logged_in


@dataclass(slots=True)
class _Exchange:
    """The tokens of one login."""

    entry: Entry
    connection: HttpConnection
    target: str
    headers: list[tuple[str, str]]
    attempt: Attempt
    kerberos: KerberosReach
    last: LastLogin
    made_for: tuple[str, bytes | None] = ("", None)

    async def run(self) -> LoggedIn:
        scheme = "CredSSP" if self.entry.protocol == "credssp" else "Negotiate"
        context = await self._context()
        try:
            await self._exchange(context, scheme)
        except _NotOffered as told:
            # A listener that only has Kerberos says so by the scheme of that name.
            spelt = {offer.lower() for offer in told.offered}
            if self.entry.protocol == "credssp" or "kerberos" not in spelt or not self.connection.usable:
                raise not_offered(self.attempt, self.entry.mechanism, told.offered) from None
            scheme, context = "Kerberos", await self._context("kerberos")
            try:
                await self._exchange(context, scheme)
            except _NotOffered as again:
                raise not_offered(self.attempt, self.entry.mechanism, again.offered) from None
        if context.protocol == "ntlm":  # only now: it knows its credential since its first step
            self.last.made_for, self.last.context = self.made_for, context
        sealing = {"CredSSP": Sealing.CREDSSP, "Kerberos": Sealing.KERBEROS}.get(scheme, Sealing.SPNEGO)
        return LoggedIn(context=context if self.entry.seals else None, sealing=sealing)

    async def _context(self, protocol: str = "") -> spnego.ContextProxy:
        binding = None
        data = None
        certificate = self.connection.peer_certificate
        if certificate is not None:
            data = channel_binding(certificate)
            binding = spnego.channel_bindings.GssChannelBindings(application_data=data)
        entry = self.entry
        protocol = protocol or await self._protocol()
        self.made_for = (entry.hostname, data)
        if protocol == "ntlm" and (again := self.last.again(self.made_for)) is not None:
            return again
        return await off_loop(
            protocol,
            lambda: spnego.client(
                entry.username,
                entry.password.reveal() if entry.password is not None else None,
                hostname=entry.hostname,
                service="HTTP",
                channel_bindings=binding,
                protocol=protocol,
                options=spnego.NegotiateOptions.wrapping_winrm
                if entry.seals and entry.protocol != "credssp"
                else spnego.NegotiateOptions.none,
            ),
        )

    async def _protocol(self) -> str:
        """Negotiate is bare NTLM from the start where Kerberos has no ticket; its tokens go under the same scheme."""
        entry = self.entry
        if entry.protocol != "negotiate" or await self.kerberos.gives_ticket(entry.username, entry.password):
            return entry.protocol
        return "ntlm"

    async def _exchange(self, context: spnego.ContextProxy, scheme: str) -> None:
        token = await step(context, None)
        for _ in range(_MOST_STEPS):
            if not self.entry.ntlm and context.negotiated_protocol == "ntlm":
                raise untrusted_host(self.attempt)
            word = base64.b64encode(token or b"").decode("ascii")
            authorization = ("Authorization", f"{scheme} {word}")
            response = await self.connection.request("POST", self.target, [*self.headers, authorization])
            incoming = token_of(response, scheme)
            if response.status != _UNAUTHORIZED:
                await self._over(context, response, incoming)
                return
            if not incoming:
                offered = offers(response)
                if scheme.lower() not in {offer.lower() for offer in offered}:
                    raise _NotOffered(offered)
                raise refused(self.attempt, self.entry.user, self.entry.mechanism, offered)
            token = await step(context, incoming)
            if not token:
                break
        raise refused(self.attempt, self.entry.user, self.entry.mechanism, [scheme])

    async def _over(self, context: spnego.ContextProxy, response: Response, incoming: bytes | None) -> None:
        if incoming and not context.complete:
            await step(context, incoming)
        if context.complete:
            return
        if response.status // 100 == 2:
            raise incomplete(self.attempt, self.entry.mechanism)
        raise AnsweredInstead(response)


class _NotOffered(Exception):
    def __init__(self, offered: list[str]) -> None:
        super().__init__(offered)
        self.offered = offered
