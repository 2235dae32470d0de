"""How one is logged in over WinRM (remoting.md 3.4): decided once for an endpoint, done once for each connection."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import spnego
import spnego.channel_bindings

from runner.transport.endpoint import Authentication, Endpoint
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.authentication_errors import incomplete, not_offered, refused, untrusted_host
from runner.wsman.authentication_steps import context_errors, in_login_thread, offers, step, token_of
from runner.wsman.certificate import channel_binding
from runner.wsman.encryption import Sealing
from runner.wsman.http_connection import HttpConnection, Response
from runner.wsman.http_errors import Attempt

_UNAUTHORIZED = 401
#: MS-WSMV 2.2.1 and DSP0226 C.3.1: the client's certificate of the TLS handshake is the login.
_BY_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
#: A login takes four round trips at most (CredSSP over NTLM); a server that goes on after these plays with us.
_MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """What a login needs, whoever it is for.

    Attributes:
        mechanism: as WinRM writes it: ``Basic``, ``Certificate``, ``Negotiate``, ``Kerberos``, ``CredSSP``.
        protocol: pyspnego's name of it, empty for the first two.
        username: None for the controller's own ticket.
        hostname: of the service's name (SPN).
        seals: whether bodies are sealed by the login's key.
        ntlm: whether NTLM may be what Negotiate comes to.

    """

    mechanism: str
    protocol: str = ""
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    hostname: str = ""
    seals: bool = False
    ntlm: bool = True

    @property
    def user(self) -> str:
        """Who logs in, for messages."""
        if self.mechanism == "Certificate":
            return "the certificate"
        return f"`{self.username}`" if self.username is not None else "the controller's ticket"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that stands: headers for every request, and the context that seals bodies, where it does."""

    headers: tuple[tuple[str, str], ...] = ()
    context: spnego.ContextProxy | None = None
    sealing: Sealing = Sealing.SPNEGO


class AnsweredInstead(Exception):
    """The server answered before anybody was logged in: a wrong path, a proxy's page, a service that is down."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def entry_for(
    endpoint: Endpoint, login: Login | None, url: str, attempt: Attempt, *, certificate: bool
) -> Entry:
    """Decide how to log in to ``url``; ``certificate`` says that TLS presents one.

    Raises:
        Unreachable: the password would go over http as it is (``basic-unencrypted``), or there is none
            (``credential-missing``), or a certificate is to log in over http (``certificate-needs-https``).

    """
    assert endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
    parts = urlsplit(url)
    bare = parts.scheme == "http"
    if certificate:
        if bare:
            raise attempt.unreachable(
                "certificate-needs-https",
                f"a certificate cannot log in to `{attempt.host}` over http",
                "set `use_ssl: true`, or an https address",
            )
        return Entry("Certificate")
    kind = endpoint.winrm.authentication
    username, password = _credential(endpoint, login)
    options = endpoint.session_options
    if kind in {Authentication.BASIC, Authentication.CREDSSP} and (username is None or password is None):
        raise _no_credential(attempt, kind)
    if kind is Authentication.BASIC:
        if bare and not options.no_encryption:
            raise attempt.unreachable(
                "basic-unencrypted",
                f"Basic over http would show the password for `{attempt.host}` to everybody on the way",
                "use https (`use_ssl: true`) or Negotiate; `no_encryption: true` allows it on a trusted network",
            )
        return Entry("Basic", username=username, password=password)
    hostname = parts.hostname or ""
    if options.include_port_in_spn:
        hostname = f"{hostname}:{parts.port or (80 if bare else 443)}"
    seals = bare and not options.no_encryption
    if kind is Authentication.CREDSSP:
        return Entry("CredSSP", "credssp", username, password, hostname, seals=seals)
    implicit = kind is Authentication.NEGOTIATE_WITH_IMPLICIT_CREDENTIAL
    if implicit or password is None:
        # NTLM has no proof without a password, so what Negotiate can come to is Kerberos.
        return Entry("Negotiate", "kerberos", None if implicit else username, None, hostname, seals=seals)
    if kind is Authentication.KERBEROS:
        return Entry("Kerberos", "kerberos", _principal(username), password, hostname, seals=seals)
    trusted = not bare or _is_trusted(endpoint, parts.hostname or "")
    return Entry("Negotiate", "negotiate", username, password, hostname, seals=seals, ntlm=trusted)


def _credential(endpoint: Endpoint, login: Login | None) -> tuple[str | None, Secret | None]:
    """Who logs in, with which password; a nearer ``user_name`` wins, and an inventory's password has no other name."""
    username = endpoint.user or (login.username if login is not None else None)
    if not username:
        return None, None
    # `.\name` says "of the host itself", which is what a bare name says.
    return username.removeprefix(".\\"), login.password if login is not None else None


def _principal(username: str | None) -> str | None:
    r"""``corp.example.com\user`` as Kerberos writes it; a short domain is no realm and stays for the KDC to refuse."""
    domain, backslash, name = (username or "").partition("\\")
    return f"{name}@{domain.upper()}" if backslash and "." in domain else username


def _is_trusted(endpoint: Endpoint, host: str) -> bool:
    assert endpoint.winrm is not None  # noqa: S101 - asked by entry_for
    names = {host.lower()}
    if host.lower() == urlsplit(endpoint.winrm.url).hostname:  # not after a redirection
        names.add(endpoint.host.lower())
    patterns = [pattern.lower() for pattern in endpoint.winrm.trusted_hosts]
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _no_credential(attempt: Attempt, kind: Authentication) -> Exception:
    return attempt.unreachable(
        "credential-missing",
        f"`authentication: {kind}` for `{attempt.host}` needs a user name and a password",
        "set `credential:` to one with both",
    )


async def log_in(
    entry: Entry,
    connection: HttpConnection,
    target: str,
    headers: list[tuple[str, str]],
    attempt: Attempt,
) -> LoggedIn:
    """Log in on a fresh connection, by requests without a body: no envelope goes out before it is known to count.

    Raises:
        Unreachable: refused, not offered, or Kerberos is short of something.
        AnsweredInstead: the server answered the empty request with something else than a login.
        HttpBroken: the connection broke.

    """
    if not entry.protocol:
        return await _by_header(entry, connection, target, headers, attempt)
    exchange = _Exchange(entry, connection, target, headers, attempt)
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
        sealing = {"CredSSP": Sealing.CREDSSP, "Kerberos": Sealing.KERBEROS}.get(scheme, Sealing.SPNEGO)
        return LoggedIn(context=context if self.entry.seals else None, sealing=sealing)

    async def _context(self, protocol: str = "") -> spnego.ContextProxy:
        binding = None
        certificate = self.connection.peer_certificate
        if certificate is not None:
            data = channel_binding(certificate)
            binding = spnego.channel_bindings.GssChannelBindings(application_data=data)
        entry = self.entry
        return await in_login_thread(
            lambda: spnego.client(
                entry.username,
                entry.password.reveal() if entry.password is not None else None,
                hostname=entry.hostname,
                service="HTTP",
                channel_bindings=binding,
                protocol=protocol or entry.protocol,
                options=spnego.NegotiateOptions.wrapping_winrm
                if entry.seals and entry.protocol != "credssp"
                else spnego.NegotiateOptions.none,
            )
        )

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
