"""PowerShell remoting over WinRM: one wire a host, shared by the carriers of its sessions.

WinRM has no connection of its own: each request logs in over whatever HTTP connection it gets. So connecting sends
nothing; the first session to be opened finds out whether the host is there and lets us in, and says so as
``Unreachable``.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from runner.errors import HostError
from runner.transport.carrier import Carrier
from runner.transport.endpoint import Endpoint, WinrmSettings
from runner.transport.port import Login
from runner.wsman.carrier import WsmanCarrier
from runner.wsman.client import Client, Clock, MonotonicClock
from runner.wsman.kerberos_reach import KerberosReach
from runner.wsman.operations import IDENTIFY
from runner.wsman.port import Redirected, Wire
from runner.wsman.session_settings import client_settings, shell_settings
from runner.wsman.tls import TlsContexts
from runner.wsman.wire import HttpWire

Wires = Callable[[Endpoint, Login | None], Wire]


class WinrmConnection:
    """A wire to one host, and what makes carriers over it. A PowerShellLink: no processes can be started over it."""

    __slots__ = ("_clock", "_closed", "_endpoint", "_session", "_settings", "_wire")

    def __init__(self, endpoint: Endpoint, settings: WinrmSettings, wire: Wire, clock: Clock) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._wire = wire
        self._clock = clock
        # One id for all that this client does, as PowerShell has one for its process.
        self._session = uuid4()
        self._closed = False

    @property
    def endpoint(self) -> Endpoint:
        """What it was opened for."""
        return self._endpoint

    @property
    def lost(self) -> bool:
        """Whether it was closed; a host that is gone is found out by whoever asks it something."""
        return self._closed

    def carrier(self, *, name: str | None = None) -> Carrier:
        """A carrier for one new pool; ``name`` is the session's name as the host shows it."""
        options = self._endpoint.session_options
        settings = client_settings(self._endpoint, self._settings, self._session)
        return WsmanCarrier(
            Client(self._wire, settings, self._clock),
            shell_settings(options, name),
            retries=options.max_connection_retry_count or 0,
        )

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long the peer may take is the question
        """Whether the host's WinRM answers: the one question it answers without a shell (DSP0226 11)."""
        if self._closed:
            return False
        try:
            await self._wire.post(IDENTIFY, timeout=timeout)
        except Redirected:
            return True
        except HostError:
            return False
        return True

    async def close(self) -> None:
        """Close every connection to the host; idempotent. Sessions are closed by their pools before."""
        self._closed = True
        await self._wire.close()


class WinrmTransport:
    """Opens connections over WinRM.

    Args:
        proxy_login: the values of the credential that a proxy's settings name; None where none can be had.
        wires: makes the wire of an endpoint; None is over HTTP.
        clock: time for pauses and patience; None is the event loop's.

    """

    name = "winrm"

    def __init__(
        self,
        *,
        proxy_login: Callable[[str], Login] | None = None,
        wires: Wires | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._proxy_login = proxy_login
        self._contexts = TlsContexts()
        self._kerberos = KerberosReach()
        self._wires = wires or self._over_http
        self._clock = clock or MonotonicClock()

    async def connect(self, endpoint: Endpoint, login: Login | None) -> WinrmConnection:
        """Get ready to speak to a host; nothing is sent.

        Raises:
            Unreachable: what the login needs is not there: a certificate, a ticket's library.

        """
        if endpoint.winrm is None:
            raise ValueError(f"the endpoint of {endpoint.host} has no settings for WinRM")
        return WinrmConnection(endpoint, endpoint.winrm, self._wires(endpoint, login), self._clock)

    async def close(self) -> None:
        """Nothing is shared between connections that would have to be closed."""

    def _over_http(self, endpoint: Endpoint, login: Login | None) -> Wire:
        proxy = endpoint.session_options.proxy
        named = proxy.credential if proxy is not None else None
        proxy_login = (
            self._proxy_login(named) if named is not None and self._proxy_login is not None else None
        )
        return HttpWire(
            endpoint, login, contexts=self._contexts, kerberos=self._kerberos, proxy_login=proxy_login
        )
