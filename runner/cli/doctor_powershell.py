"""What a PowerShell host misses: each thing on the way to a session, in order, up to the one that fails.

A session is opened as a run would open it, and closed. No script is run, so that endpoints which take none are looked
at like all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from runner.cli.doctor_finding import Finding, Mend
from runner.cli.doctor_listener import Listener, answers_elsewhere, look
from runner.cli.doctor_mending import CLOCKS, add_subsystem, check_of, mend
from runner.cli.doctor_posix import ask
from runner.errors import HostError, Unreachable
from runner.execute.powershell.session import PowerShellSession
from runner.plan.model import Placement
from runner.transport.port import Connection, Link, Login, Transport
from runner.transport.winrm_uris import HTTPS_PORT, configuration_name

CLOCK_SKEW = 5 * 60  # seconds; Kerberos refuses tickets beyond five minutes (RFC 4120, 8.2)
_SOON = 30  # days before the end of a certificate in which the end is told
_OLDEST = (5, 1)
_GRACE = 5.0
_WITHOUT_ENGINE = frozenset({"subsystem-missing", "engine-missing"})
_FIND_PWSH = "command -v pwsh || ls /opt/microsoft/powershell/*/pwsh /snap/bin/pwsh 2>/dev/null | tail -n 1"


async def look_at_powershell(
    placement: Placement, transport: Transport, login: Login | None, proxy_login: Login | None = None
) -> list[Finding]:
    """Findings of one host; nothing is raised for what is wrong there."""
    if placement.endpoint.transport == "winrm":
        return await _Winrm(placement, transport, login).look(proxy_login)
    return await _Stream(placement, transport, login).look()


class _Look:
    """What both ways share: the findings until now, and the session at their end."""

    def __init__(self, placement: Placement, transport: Transport, login: Login | None) -> None:
        self._placement, self._endpoint = placement, placement.endpoint
        self._transport, self._login = transport, login
        self.findings: list[Finding] = []

    def _well(self, check: str, seen: str) -> None:
        self.findings.append(Finding(self._placement.host, check, ok=True, seen=seen))

    def _miss(self, check: str, seen: str, hint: str = "", cure: Mend | None = None) -> None:
        self.findings.append(Finding(self._placement.host, check, ok=False, seen=seen, hint=hint, mend=cure))

    def _failed(self, error: HostError, hint: str = "", cure: Mend | None = None) -> None:
        """What an error says; a finding of the same check that seemed well gives way to it."""
        check = self._check_of(error)
        finding = Finding(
            self._placement.host,
            check,
            ok=False,
            seen=error.message.removesuffix("; nothing was run"),
            hint=hint or next(iter(error.hints), ""),
            mend=cure or self._cure_of(error),
            unreachable=isinstance(error, Unreachable),
        )
        checks = [known.check for known in self.findings]
        place = checks.index(check) if check in checks else len(checks)
        self.findings[place : place + 1] = [finding]

    def _check_of(self, error: HostError) -> str:
        return check_of(error, self._endpoint)

    def _cure_of(self, error: HostError) -> Mend | None:
        return mend(error.code, self._endpoint)

    async def _open(self, link: Link) -> PowerShellSession:
        session = PowerShellSession(link, self._placement, lambda words: self._well("redirection", words))
        try:
            await session.open()
        except BaseException:
            await session.kill(_GRACE)
            raise
        return session

    async def _close(self, session: PowerShellSession) -> None:
        version = session.engine_version
        await session.close(_GRACE)
        self.findings += version_findings(self._placement.host, version)


class _Winrm(_Look):
    """WinRM: the listener is looked at first, without a login."""

    async def look(self, proxy_login: Login | None) -> list[Finding]:
        try:
            listener = await look(self._endpoint, proxy_login)
        except Unreachable as error:
            other = await answers_elsewhere(self._endpoint) if error.code == "connection-refused" else None
            hint = (
                f"port {other} answers: say `use_ssl: {str(other == HTTPS_PORT).lower()}`"
                if other is not None
                else ""
            )
            self._failed(error, hint)
            return self.findings
        self._tell(listener)
        try:
            link = await self._transport.connect(self._endpoint, self._login)
            try:
                session = await self._open(link)
                self._well("login", f"as {_user(self._login)} by {self._mechanism}")
                assert self._endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
                self._well("session configuration", configuration_name(self._endpoint.winrm.resource_uri))
                await self._close(session)
            finally:
                await link.close()
        except HostError as error:
            self._failed(error)
        return self.findings

    @property
    def _mechanism(self) -> str:
        assert self._endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
        return "certificate" if self._by_certificate else str(self._endpoint.winrm.authentication)

    @property
    def _by_certificate(self) -> bool:
        assert self._endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
        named = self._login is not None and self._login.certificate is not None
        return named or self._endpoint.winrm.certificate is not None

    def _tell(self, listener: Listener) -> None:
        assert self._endpoint.winrm is not None  # noqa: S101 - of the WinRM transport
        url = self._endpoint.winrm.url.partition("?")[0]
        self._well(
            "listener", f"{url} answers" + (f", through the proxy {listener.via}" if listener.via else "")
        )
        if listener.certificate is not None:
            self._well("certificate", certificate_words(listener, datetime.now(UTC)))
        if listener.offered:
            self._well("authentication", f"offers {', '.join(listener.offered)}")
        if listener.skew is not None:
            self.findings.append(clock_finding(self._placement.host, listener.skew))


class _Stream(_Look):
    """Over SSH, or on the controller: a login or none, and then an engine that is started."""

    async def look(self) -> list[Finding]:
        try:
            link = await self._transport.connect(self._endpoint, self._login)
        except HostError as error:
            self._failed(error)
            return self.findings
        try:
            if self._endpoint.transport == "ssh":
                self._well("login", f"{self._endpoint.address} lets us in")
            session = await self._open(link)
            self._well(*self._engine())
            await self._close(session)
        except HostError as error:
            await self._no_engine(error, link)
        finally:
            await link.close()
        return self.findings

    @property
    def _by_subsystem(self) -> bool:
        return self._endpoint.transport == "ssh" and self._placement.interpreter is None

    def _check_of(self, error: HostError) -> str:
        check = super()._check_of(error)
        return "pwsh" if check == "subsystem" and not self._by_subsystem else check

    def _cure_of(self, error: HostError) -> Mend | None:
        return super()._cure_of(error) if self._by_subsystem else None

    def _engine(self) -> tuple[str, str]:
        if not self._by_subsystem:
            return "pwsh", f"{self._placement.interpreter or 'pwsh'} starts"
        return "subsystem", f"{self._endpoint.subsystem or 'powershell'} speaks PowerShell remoting"

    async def _no_engine(self, error: HostError, link: Link) -> None:
        """Look for the engine by hand, so that the line to add is the right one for this host."""
        found = ""
        if self._by_subsystem and isinstance(link, Connection) and error.code in _WITHOUT_ENGINE:
            found = next(iter((await ask(link, _FIND_PWSH) or "").split()), "")
        cure = add_subsystem(self._endpoint, found) if found.startswith("/") else None
        self._failed(error, cure=cure)
        if found:
            self._well("pwsh", found)
        elif self._by_subsystem and error.code == "subsystem-missing":
            self._miss(
                "pwsh", "not found", "install PowerShell on the host: https://aka.ms/install-powershell"
            )


def version_findings(host: str, version: tuple[int, ...] | None) -> Iterator[Finding]:
    """Whether a host's PowerShell is one that is still served."""
    if version is None:
        yield Finding(host, "PowerShell", ok=True, seen="of a version it does not tell")
        return
    seen = ".".join(map(str, version))
    hint = (
        "`$Using:` values need Windows PowerShell 5 or PowerShell 6: install Windows Management Framework 5.1"
    )
    yield Finding(host, "PowerShell", ok=version[:2] >= _OLDEST, seen=seen, hint=hint)


def clock_finding(host: str, skew: float) -> Finding:
    """Whether two clocks agree well enough for Kerberos; ``skew`` in seconds, positive where the host is ahead."""
    side = "off" if abs(skew) < 1 else "ahead" if skew > 0 else "behind"
    return Finding(
        host,
        "clock",
        ok=abs(skew) < CLOCK_SKEW,
        seen=f"{abs(skew):.0f}s {side}",
        hint="Kerberos allows five minutes; find out which of the two clocks is wrong",
        mend=CLOCKS,
    )


def certificate_words(listener: Listener, now: datetime) -> str:
    """Who a listener says it is, and until when."""
    certificate = listener.certificate
    if certificate is None:
        return "unreadable"
    left = (certificate.not_after - now).days
    soon = f" (in {left} days)" if left < _SOON else ""
    names = ", ".join(certificate.names[:3]) or "no name"
    return f"for {names}, issued by {certificate.issuer or 'nobody'}, until {certificate.not_after:%Y-%m-%d}{soon}"


def _user(login: Login | None) -> str:
    return login.username if login is not None and login.username else "the controller's own ticket"
