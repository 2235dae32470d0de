"""The Windows-like hosts of a lab: front ends with certificates of the lab's own authority, and one user.

Odd ones speak https, even ones http with messages encrypted by NTLM. The user's password is made anew for each lab
directory and kept in a file that only its owner can read, as is a certificate that logs in over https. The users of
the reference's examples have the same password.
"""

from __future__ import annotations

import os
import secrets
import shlex
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.lab.certificates import Authority, Certificate, Flaw, flawed_host, load, server_context
from runner.lab.directory import PASSWORD_VARIABLE, LabDirectory, uses_tls, write_whole
from runner.lab.engines import child_engine, engine_command, engine_environment
from runner.lab.fleet import WINDOWS_GUESTS, WINDOWS_USER, LabHost
from runner.lab.front_end import FrontEnd, FrontEndSettings
from runner.lab.state import MARK
from runner.lab.winrm_acceptor import Logins
from runner.lab.wsman_settings import ServiceSettings

_DOMAIN = "LAB"
_STAND_INS = Path(__file__).with_name("stand_ins.ps1")
"""What Windows has and a PowerShell on Linux has not: `Get-HotFix`, `Get-WinEvent` ..."""


@dataclass(frozen=True, slots=True)
class WindowsHosts:
    """Makes front ends for the hosts of one lab."""

    directory: LabDirectory
    token: str
    authority: Authority
    password: str
    client: Certificate

    def front_end(self, host: LabHost) -> FrontEnd:
        """A front end for a host, not started."""
        home = self.directory.home(host)
        environment = engine_environment(
            home,
            programs=self.directory.programs(host),
            **{MARK: self.token, "USER": host.user, "COMPUTERNAME": host.name},
        )
        command = engine_command(self.directory.recordings, first=_STAND_INS.read_text(encoding="utf-8"))
        engine = child_engine(command, environment)
        context, certify = self._tls(host) if uses_tls(host) else (None, None)
        logins = Logins(
            mechanisms=frozenset({"basic", "negotiate", "credssp", "certificate"}),
            passwords=dict.fromkeys((WINDOWS_USER, *WINDOWS_GUESTS), self.password),
            certificates={self.client.fingerprint: WINDOWS_USER},
            tls_certificate=certify(Flaw.NONE) if certify is not None else None,
        )
        return FrontEnd(
            FrontEndSettings(
                service=ServiceSettings(engine=engine),
                logins=logins,
                context=context,
                certify=certify,
                application_names=("wsman", "PowerShell"),
                control_token=self.token,
            )
        )

    def _tls(self, host: LabHost) -> tuple[ssl.SSLContext, Callable[[Flaw], bytes]]:
        """TLS for a host, and what changes its certificate."""
        context = server_context(self.authority)

        def certify(flaw: Flaw) -> bytes:
            issued = flawed_host(self.authority, flaw, host.name, "127.0.0.1", "localhost")
            load(context, issued, self.directory.secrets)
            write_whole(self.directory.revocations, self.authority.revocations().decode(), 0o644)
            return issued.der

        return context, certify


def windows_hosts(directory: LabDirectory, token: str) -> WindowsHosts:
    """Write what clients need (authority, password, environment) and what NTLM needs."""
    authority = Authority()
    password = _password(directory)
    directory.secrets.mkdir(mode=0o700, exist_ok=True)
    for stale in directory.secrets.glob("*.pem"):
        stale.unlink()
    users = directory.secrets / "ntlm-users"
    write_whole(users, "".join(f"{login}:{password}\n" for login in _ntlm_logins()))
    os.environ["NTLM_USER_FILE"] = str(
        users
    )  # the only way to tell pyspnego; this process serves the lab alone
    write_whole(directory.authority, authority.pem.decode(), 0o644)
    write_whole(directory.environment, _environment(directory))
    client = authority.user(WINDOWS_USER)
    write_whole(directory.client_certificate, (client.pem + client.key).decode())
    return WindowsHosts(directory, token, authority, password, client)


def forget_windows(directory: LabDirectory) -> None:
    """Remove what an earlier lab with Windows-like hosts has written for clients."""
    written = (
        directory.authority,
        directory.revocations,
        directory.environment,
        directory.client_certificate,
    )
    for path in written:
        path.unlink(missing_ok=True)


async def close_all(fronts: Sequence[FrontEnd]) -> None:
    """End every front end, one failing one or not."""
    for front in fronts:
        with suppress(OSError):
            await front.close()


def _password(directory: LabDirectory) -> str:
    """The password; one of an earlier start is kept, so that a shell's environment stays good."""
    with suppress(OSError):
        if password := directory.password.read_text(encoding="utf-8").strip():
            return password
    password = secrets.token_urlsafe(16)
    write_whole(directory.password, password + "\n")
    return password


def _ntlm_logins() -> Iterator[str]:
    """``DOMAIN:user`` of everybody, as NTLM_USER_FILE has them."""
    yield from (f"{domain}:{WINDOWS_USER}" for domain in (_DOMAIN, ""))
    for login in WINDOWS_GUESTS:
        domain, _, user = login.rpartition("\\")
        yield f"{domain}:{user}"


def _environment(directory: LabDirectory) -> str:
    authority, password = shlex.quote(str(directory.authority)), shlex.quote(str(directory.password))
    return (
        "# Source this before `runner run` against the lab's Windows-like hosts.\n"
        f"export SSL_CERT_FILE={authority}\n"
        f'{PASSWORD_VARIABLE}="$(cat {password})"\n'
        f"export {PASSWORD_VARIABLE}\n"
    )
