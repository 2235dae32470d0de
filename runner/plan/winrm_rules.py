"""Rules of a WinRM endpoint once every layer has spoken: how one logs in, what must be encrypted, whom one may trust.

They are those of Invoke-Command's reference (remoting.md 3.2-3.4; coverage.md P1, P5-P7, P10, N11, N21, O1, O2, O7,
O9). A value that may come from an inventory, a group, a target or a template cannot be judged earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.plan.setting import Reach
from runner.plan.winrm import is_ip_address, is_trusted
from runner.playbook.model import Credential
from runner.problems import Problem, Problems, Severity, suggestion
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.winrm_uris import uses_tls
from runner.values import Span

_SKIPS = ("skip_ca_check", "skip_cn_check", "skip_revocation_check")
_WITH_PASSWORD = (Authentication.BASIC, Authentication.CREDSSP)
_CERTIFICATE_KEYS = ("certificate_thumbprint", "certificate_pem")


class WinrmRules:
    """Notes what breaks a rule, once a rule and place: 2,000 hosts of a group have one mistake."""

    def __init__(self, credentials: Mapping[str, Credential], problems: Problems) -> None:
        self._credentials = credentials
        self._problems = problems
        self._told: set[tuple[str, str, Span]] = set()
        # What the check of the document, which knows keys and no hosts, has told at a key is told already.
        self._before = {(p.code, p.span.path, p.span.line) for p in problems if p.span is not None}

    def check(self, reach: Reach, endpoint: Endpoint) -> None:
        """Check one host; nothing where it is not reached over WinRM, or where its URL was refused."""
        settings = endpoint.winrm
        if settings is None:
            return
        encrypted = uses_tls(settings.url)
        credential = self._credentials.get(endpoint.credential or "")
        by_certificate = any(key in reach.settings for key in _CERTIFICATE_KEYS) or (
            credential is not None and credential.certificate is not None
        )
        self._login(reach, endpoint, settings, by_certificate=by_certificate)
        if by_certificate:
            self._certificate(reach, settings, encrypted=encrypted)
        self._encryption(reach, settings, endpoint.session_options, encrypted=encrypted)
        if not by_certificate and is_ip_address(endpoint.address):
            self._ip_address(reach, endpoint, encrypted=encrypted)
        self._redirection(reach, settings, endpoint.session_options)
        self._proxy(reach, endpoint.session_options)
        if reach.host.uri is not None:
            self._uri(reach.host.uri, reach.host.span)

    def _login(
        self, reach: Reach, endpoint: Endpoint, settings: WinrmSettings, *, by_certificate: bool
    ) -> None:
        kind = settings.authentication
        if reach.word("authentication") == "digest":
            words = "`authentication` cannot be `digest`: servers no longer offer it"
            hint = "use `negotiate`, `kerberos` or, over https, `basic`"
            self._error("digest-authentication", words, reach.span("authentication"), hint)
        if kind is Authentication.NEGOTIATE_WITH_IMPLICIT_CREDENTIAL and endpoint.credential is not None:
            words = (
                f"`credential` does not go with `authentication: {kind}`: it logs in with the ticket you have"
            )
            self._error("excluded-key", words, reach.span("credential"), "leave `credential` out")
        elif kind in _WITH_PASSWORD and endpoint.credential is None and not by_certificate:
            words = f"`authentication: {kind}` needs `credential`: it sends a user name and a password"
            hint = "add `credential: NAME`, one of the playbook's `credentials`"
            self._error("missing-companion", words, reach.span("authentication"), hint)
        elif endpoint.credential is not None and not by_certificate:
            self._credential(reach, endpoint, kind)
        if kind is Authentication.CREDSSP:
            self._warning(
                "credssp-delegation",
                "`authentication: credssp` hands the password to the host: whoever controls it can use it elsewhere",
                reach.span("authentication"),
                "use it for the second hop alone; Kerberos delegation or a JEA endpoint needs no password there",
            )

    def _credential(self, reach: Reach, endpoint: Endpoint, kind: Authentication) -> None:
        """A credential made for SSH keys logs in nowhere over WinRM."""
        credential = self._credentials.get(endpoint.credential or "")
        if credential is None:
            return  # a password asked for or of the inventory, or an unknown name, which is told elsewhere
        span = reach.span("credential")
        if credential.password is None and (kind in _WITH_PASSWORD or credential.private_key is not None):
            words = f"credential `{credential.name}` has no `password`, which a login over WinRM needs"
            hint = "add `password`, or `certificate` for a login by certificate"
            self._error("missing-companion", words, span, hint)
        elif credential.username is None and endpoint.user is None:
            words = f"credential `{credential.name}` has no `username`, which a login over WinRM needs"
            self._error("missing-companion", words, span, "add `username: 'DOMAIN\\user'`")

    def _certificate(self, reach: Reach, settings: WinrmSettings, *, encrypted: bool) -> None:
        span = reach.span(*_CERTIFICATE_KEYS, "credential")
        what = next((f"`{key}`" for key in _CERTIFICATE_KEYS if key in reach.settings), "a certificate")
        if not encrypted:
            words = f"{what} goes with https only: the certificate is shown while TLS begins"
            self._error("certificate-needs-https", words, span, "add `use_ssl: true`")
        if settings.authentication is not Authentication.DEFAULT:
            words = f"`authentication: {settings.authentication}` does not go with {what}: the certificate is the login"
            self._error("excluded-key", words, reach.span("authentication"), "leave `authentication` out")

    def _encryption(
        self, reach: Reach, settings: WinrmSettings, options: SessionOptions, *, encrypted: bool
    ) -> None:
        for key in _SKIPS:
            if getattr(options, key) and not encrypted:
                words = f"the session option `{key}` goes with https only: over http there is no certificate"
                span = reach.option_span(key)
                self._error("needs-https", words, span, "add `use_ssl: true`, or leave the option out")
        skipped = [f"`{key}`" for key in _SKIPS if getattr(options, key)]
        if skipped and encrypted:
            self._warning(
                "check-skipped",
                f"{' and '.join(skipped)}: who answers for the host is not fully checked",
                reach.option_span(*_SKIPS),
                "for finding a fault, not for every day: whoever stands in between can read and change everything",
            )
        span = reach.option_span("no_encryption")
        if options.no_encryption and encrypted:
            words = "the session option `no_encryption` goes with http only: https is always encrypted"
            self._error("needs-http", words, span, "leave one of the two out")
        elif options.no_encryption:
            basic = settings.authentication is Authentication.BASIC
            self._warning(
                "sent-unencrypted",
                f"`no_encryption` sends scripts and results{', and the password,' if basic else ''} in clear text",
                span,
                "use https (`use_ssl: true`) wherever there is a listener for it",
            )
        elif settings.authentication is Authentication.BASIC and not encrypted:
            self._error(
                "basic-unencrypted",
                "`authentication: basic` over http sends the password in clear text",
                reach.span("authentication"),
                "use https: `use_ssl: true`, or a `connection_uri` that begins with https://",
                "say `session_option: {no_encryption: true}` where it must be",
            )

    def _ip_address(self, reach: Reach, endpoint: Endpoint, *, encrypted: bool) -> None:
        span = reach.span("address")
        if endpoint.credential is None:
            self._error(
                "ip-address",
                f"an IP address needs `credential`: `{endpoint.address}` has no name that a ticket could be for",
                span,
                "add `credential: NAME`, or write the host's DNS name",
                once=True,
            )
        elif not encrypted and not is_trusted(endpoint):
            self._error(
                "ip-address",
                f"an IP address needs https or `trusted_hosts`: nothing proves who answers at `{endpoint.address}`",
                span,
                "add `use_ssl: true`, or write the host's DNS name",
                f"say `trusted_hosts: ['{endpoint.address}']` where you trust the network",
                once=True,
            )

    def _redirection(self, reach: Reach, settings: WinrmSettings, options: SessionOptions) -> None:
        if options.maximum_redirection and not settings.allow_redirection:
            words = "`maximum_redirection` goes with `connection_uri` and `allow_redirection: true` only"
            hint = "add `allow_redirection: true` to the target, or leave the option out"
            self._error("missing-companion", words, reach.option_span("maximum_redirection"), hint)

    def _proxy(self, reach: Reach, options: SessionOptions) -> None:
        proxy = options.proxy
        if proxy is None:
            return
        if proxy.authentication == "digest":
            words = "`proxy_authentication` cannot be `digest`: its hash is broken, and proxies offer better"
            span = reach.option_span("proxy_authentication")
            self._error("digest-authentication", words, span, "use `negotiate` or `basic`")
        if proxy.credential is not None and proxy.credential not in self._credentials:
            hints = suggestion(proxy.credential, self._credentials)
            span = reach.option_span("proxy_credential")
            self._error("unknown-credential", f"no credential is named `{proxy.credential}`", span, *hints)

    def _uri(self, uri: str, span: Span) -> None:
        parts = urlsplit(uri)
        if parts.port is None and parts.path.strip("/").lower() in {"", "wsman"}:
            default, usual = (443, 5986) if parts.scheme.lower() == "https" else (80, 5985)
            self._warning(
                "uri-without-port",
                f"`{uri}` means port {default}: a URI without a port never means {usual}, where WinRM usually listens",
                span,
                f"write the port: `{parts.scheme}://{parts.netloc}:{usual}/wsman`, or `:{default}` where it is meant",
            )

    def _error(self, code: str, message: str, span: Span, *hints: str, once: bool = False) -> None:
        self._tell(Problem(code, message, span, Severity.ERROR, hints), once=once)

    def _warning(self, code: str, message: str, span: Span, *hints: str) -> None:
        self._tell(Problem(code, message, span, Severity.WARNING, hints), once=False)

    def _tell(self, problem: Problem, *, once: bool) -> None:
        """``once``: the message names a host, and one of those at the same place is enough."""
        span = problem.span or Span("")
        key = (problem.code, "" if once else problem.message, span)
        if key not in self._told:
            self._told.add(key)
            if (problem.code, span.path, span.line) not in self._before:
                self._problems.add(problem)
