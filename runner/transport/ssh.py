"""SSH as a transport: opens connections, shares jump hosts, bounds how many handshakes are under way."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint, HostKeyChecking
from runner.transport.port import Login
from runner.transport.socket_errors import NO_FILES_LEFT, no_files_left
from runner.transport.ssh_config import ConfigError, host_matches
from runner.transport.ssh_connection import SshConnection
from runner.transport.ssh_dial import address_family, dial, greeted
from runner.transport.ssh_errors import Attempt, Phase
from runner.transport.ssh_gathering import GatheringSocket
from runner.transport.ssh_host_keys import HostKeyCheck
from runner.transport.ssh_identities import Identities, KeyRing
from runner.transport.ssh_jumps import Chain, Jump, JumpHosts
from runner.transport.ssh_known_hosts import KnownHostsFiles
from runner.transport.ssh_link import SshLink
from runner.transport.ssh_login import Greeter
from runner.transport.ssh_names import Names
from runner.transport.ssh_options import connect_arguments, environment_of
from runner.transport.ssh_settings import Places, Settings, SettingsReader

#: Handshakes at once. One costs 2-4 ms of computing here, so more of them would only make each slower.
_HANDSHAKES = 16
#: Seconds a server has to greet before it is tried in earnest and takes a place among the handshakes.
_PATIENCE = 5.0
#: Seconds before trying again after each time a server closed the connection without a greeting.
_DROPPED_PAUSES = (0.2, 0.5, 1.0)


class SshTransport:
    """Opens SSH connections.

    Args:
        home: where ``.ssh/`` is looked for; default the user's home.
        system: the folder of ``ssh_config`` and ``ssh_known_hosts``.
        logins: gives the values of a jump host's credential by its name; default: there are none.
        environment: asked for SSH_AUTH_SOCK and by SendEnv; default the process's own.

    """

    def __init__(
        self,
        *,
        home: Path | None = None,
        system: Path = Path("/etc/ssh"),
        logins: Callable[[str], Login | None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home or _home()
        self._environment = dict(os.environ if environment is None else environment)
        self._reader = SettingsReader(Places(self._home, system), self._environment)
        self._logins = logins
        self._ring = KeyRing()
        self._known_hosts = KnownHostsFiles()
        self._names = Names()
        self._gate = asyncio.Semaphore(_HANDSHAKES)
        self._jumps = JumpHosts(self._open_jump)
        # asyncssh tells of every connection and command at INFO, which a program's own logging would print.
        if logging.getLogger("asyncssh").level == logging.NOTSET:
            asyncssh.set_log_level(logging.WARNING)

    @property
    def name(self) -> str:
        """``ssh``."""
        return "ssh"

    async def connect(self, endpoint: Endpoint, login: Login | None) -> SshConnection:
        """Open a connection within ``connect_timeout``; jump hosts, and waiting for a place, have time of their own.

        Raises:
            Unreachable: with the reason's own code: name, refused, timeout, host key, login, jump host.

        """
        link = await self._link(endpoint, login)
        return SshConnection(link, lambda: self._link(endpoint, login))

    async def _link(self, endpoint: Endpoint, login: Login | None) -> SshLink:
        try:
            settings = self._settings(endpoint, login)
            link = await self._open(settings, login, ())
        except OSError as error:
            if error.errno not in NO_FILES_LEFT:
                raise
            raise no_files_left(f"`{endpoint.host}`") from error
        environment = environment_of(settings, self._environment, host_matches)
        opening = endpoint.session_options.open_timeout or settings.timeout
        return SshLink(endpoint, link, open_timeout=opening, environment=environment)

    async def knock(self, endpoint: Endpoint, login: Login | None, address: str, port: int) -> bool:
        """Open a TCP connection to a port of a host from its jump host, and close it; see ``port.Knocks``.

        The jump host must forward (``AllowTcpForwarding``), as it must for logins behind it.
        """
        settings = self._settings(endpoint, login)
        if not settings.jump:
            return False
        jump = await self._jumps.reach(endpoint.host, settings.jump, ())
        attempt = Attempt(endpoint.host, f"{address}:{port}", via=jump.name, timeout=settings.timeout)
        try:
            _, writer = await jump.link.open_connection(address, port, encoding=None)
        except (asyncssh.Error, OSError) as error:
            raise attempt.failure(error) from error
        writer.close()
        return True

    async def close(self) -> None:
        """Close the jump hosts; idempotent, never raises."""
        await self._jumps.close()

    async def _open_jump(self, endpoint: Endpoint, waiting: Chain) -> asyncssh.SSHClientConnection:
        login = self._logins(endpoint.credential) if self._logins and endpoint.credential else None
        return await self._open(self._settings(endpoint, login), login, waiting)

    def _settings(self, endpoint: Endpoint, login: Login | None) -> Settings:
        try:
            return self._reader.settings(endpoint, login.username if login else None)
        except ConfigError as error:
            raise Unreachable(
                "ssh-config-invalid",
                f"the ssh options of `{endpoint.host}` cannot be used: {error}; nothing was run",
            ) from error

    async def _open(
        self, settings: Settings, login: Login | None, waiting: Chain
    ) -> asyncssh.SSHClientConnection:
        host, jump = settings.endpoint.host, None
        if settings.jump:
            jump = await self._jumps.reach(host, settings.jump, waiting)
        attempt = Attempt(host, settings.target, via=jump.name if jump else None, timeout=settings.timeout)
        budget = _Budget(settings.timeout)
        for pause in _DROPPED_PAUSES:
            try:
                return await self._once(settings, login, attempt, budget, jump)
            except Unreachable as error:
                # sshd drops connections at random while too many log in at once (MaxStartups), before it greets.
                if error.code != "connection-dropped" or attempt.phase is not Phase.BANNER:
                    raise
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing
        return await self._once(settings, login, attempt, budget, jump)

    async def _once(
        self, settings: Settings, login: Login | None, attempt: Attempt, budget: _Budget, jump: Jump | None
    ) -> asyncssh.SSHClientConnection:
        connection = None
        try:
            if jump is None and settings.proxy_command is None:
                attempt.phase = Phase.NAME
                found = await self._names.addresses(
                    settings.address, settings.port, address_family(settings), budget.spend()
                )
                async with budget.spend():
                    connection = await dial(found, settings, attempt)
                    await greeted(connection, min(_PATIENCE, settings.timeout / 2))
            return await self._log_in(settings, login, attempt, budget, _way(settings, jump, connection))
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, asyncssh.Error | OSError | ValueError):
                raise attempt.failure(error) from error
            raise

    async def _log_in(
        self,
        settings: Settings,
        login: Login | None,
        attempt: Attempt,
        budget: _Budget,
        way: _Way,
    ) -> asyncssh.SSHClientConnection:
        check = HostKeyCheck(settings, self._known_hosts, attempt)
        greeter = Greeter(attempt, check, Identities(settings, login, self._ring, self._home), login)
        algorithms = None if settings.checking is HostKeyChecking.OFF else check.algorithms()
        try:
            async with way.gate or self._gate, budget.spend():
                link = await asyncssh.connect(
                    settings.address,
                    settings.port,
                    client_factory=lambda: greeter,
                    **way.arguments,
                    **connect_arguments(settings, algorithms),
                )
        finally:
            greeter.note_progress()
            await greeter.finish()
        if attempt.refusal is not None:
            link.abort()
            raise attempt.refusal
        return link


def _home() -> Path:
    """The user's home; the root where there is none, as in a container that runs as any user."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


@dataclass(frozen=True, slots=True)
class _Way:
    """How asyncssh gets to the host, and the gate for that way; None is the transport's own."""

    arguments: dict[str, Any]
    gate: asyncio.Semaphore | None = None


def _way(settings: Settings, jump: Jump | None, connection: socket.socket | None) -> _Way:
    if jump is not None:
        return _Way({"tunnel": jump.link}, jump.gate)
    if connection is not None:
        return _Way({"tunnel": GatheringSocket(connection)})
    # As ssh does; the text is the user's own and stands in a configuration for just this.
    return _Way({"proxy_command": ("sh", "-c", f"exec {settings.proxy_command}")})


class _Budget:
    """Seconds that are used up only while something is waited for that is the host's own doing."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    @asynccontextmanager
    async def spend(self) -> AsyncGenerator[None, None]:
        """Bound what is done inside by what is left.

        Raises:
            TimeoutError: nothing is left.

        """
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with asyncio.timeout(self.left):
                yield
        finally:
            self.left -= clock() - start
