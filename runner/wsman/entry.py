"""Which login an endpoint asks for over WinRM (remoting.md 3.4); decided before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from runner.transport.endpoint import Authentication, Endpoint
from runner.transport.port import Login
from runner.values import Secret
from runner.wsman.http_errors import Attempt


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
