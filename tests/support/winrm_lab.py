"""A Windows-like host in this very process, for tests: :func:`front_end`.

    async with front_end() as host:
        ... connect to host.url as host.user with host.password ...
        host.troubles.add(Trouble(kind=Kind.CUT, on="Receive"))
        assert host.counters.shells_opened == 1

The engine is the replay of the recordings within this process; ``engine=child()`` starts a process for each shell,
``pwsh`` where there is one.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.lab.certificates import Authority, Flaw, flawed_host, load, server_context
from runner.lab.engines import child_engine, engine_command, engine_environment, in_process_engine
from runner.lab.front_end import FrontEnd, FrontEndSettings
from runner.lab.replay_recordings import Recordings
from runner.lab.troubles import Troubles
from runner.lab.winrm_acceptor import Logins
from runner.lab.wsman_settings import Counters, Manners, Quotas, ServiceSettings
from runner.lab.wsman_soap import Request
from runner.transport.carrier import Carrier

RECORDINGS = Path(__file__).parents[1] / "recordings" / "server"
USER, PASSWORD = "Administrator", "S3cret pass: word"


@cache
def recordings() -> Recordings:
    """Every recorded conversation, read once."""
    return Recordings(RECORDINGS)


def child(home: Path, command: Sequence[str] = ()) -> Callable[[], Carrier]:
    """A process for each shell: ``pwsh``, else the replay; or ``command`` (``scripted_command()`` of engines.py)."""
    return child_engine(command or engine_command(RECORDINGS), engine_environment(home))


class WinrmHost:
    """A host that listens; what it saw is in ``counters`` and ``requests``."""

    def __init__(
        self, front: FrontEnd, requests: list[Request], users: Mapping[str, str], directory: Path
    ) -> None:
        self.front = front
        self.requests = requests
        self.users = users
        self.user, self.password = next(iter(users.items()))
        self.directory = directory

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT/wsman``."""
        return self.front.url

    @property
    def port(self) -> int:
        """The port of 127.0.0.1."""
        return self.front.port

    @property
    def ca_file(self) -> Path:
        """What a client is to trust, in PEM; only with ``tls``."""
        return self.directory / "ca.pem"

    @property
    def crl_file(self) -> Path:
        """The revocation list of that authority, in PEM; only with ``tls``."""
        return self.directory / "crl.pem"

    @property
    def client_certificate(self) -> tuple[Path, Path]:
        """Certificate and key, in PEM, that stand for the first user; only with ``tls``."""
        return self.directory / "client.pem", self.directory / "client.key"

    @property
    def troubles(self) -> Troubles:
        """What is to go wrong."""
        return self.front.troubles

    @property
    def counters(self) -> Counters:
        """What was asked of it."""
        return self.front.counters

    @property
    def shells(self) -> int:
        """How many shells are open now."""
        return self.front.service.open_shells


@asynccontextmanager
async def front_end(
    *,
    users: Mapping[str, str] | None = None,
    engine: Callable[[], Carrier] | None = None,
    quotas: Quotas | None = None,
    manners: Manners = Manners.WINDOWS,
    application_names: tuple[str, ...] = ("wsman",),
    tls: Flaw | None = None,
    **login: Any,
) -> AsyncIterator[WinrmHost]:
    """A host on a free port; nothing of it is left afterwards.

    Args:
        users: name -> password; one where None.
        engine: makes the carrier of a shell; the replay in this process where None.
        quotas: limits; those of Windows where None.
        manners: habits, of Windows or of OMI.
        application_names: first parts of URLs that are answered.
        tls: https, with a certificate for 127.0.0.1 and localhost that is good or has this flaw; None is http.
        login: further settings of :class:`Logins`, by name.

    """
    users = users or {USER: PASSWORD}
    seen: list[Request] = []
    service = ServiceSettings(
        engine=engine or in_process_engine(recordings()),
        quotas=quotas or Quotas(),
        manners=manners,
        watch=seen.append,
    )
    with TemporaryDirectory() as name:
        directory = Path(name)
        certificates: dict[str, str] = {}
        context = certify = None
        if tls is not None:
            context, certify, certificates = _tls(next(iter(users)), directory)
        logins = Logins(
            **{
                "mechanisms": frozenset({"basic", "negotiate", "certificate"}),
                "passwords": users,
                "certificates": certificates,
                "unencrypted": True,
                "tls_certificate": certify(tls) if certify is not None and tls is not None else None,
                **login,
            }
        )
        front = FrontEnd(
            FrontEndSettings(
                service=service,
                logins=logins,
                context=context,
                certify=certify,
                application_names=application_names,
            )
        )
        await front.start()
        try:
            yield WinrmHost(front, seen, users, directory)
        finally:
            await front.close()


def _tls(user: str, directory: Path) -> tuple[ssl.SSLContext, Callable[[Flaw], bytes], dict[str, str]]:
    """TLS of a host, what changes its certificate, and what the client's certificate stands for."""
    authority = Authority()
    context = server_context(authority)
    client = authority.user(user)
    (directory / "ca.pem").write_bytes(authority.pem)
    (directory / "client.pem").write_bytes(client.pem)
    (directory / "client.key").write_bytes(client.key)

    def certify(flaw: Flaw) -> bytes:
        issued = flawed_host(authority, flaw, "127.0.0.1", "localhost")
        load(context, issued, directory)
        (directory / "crl.pem").write_bytes(authority.revocations())
        return issued.der

    return context, certify, {client.fingerprint: user}
