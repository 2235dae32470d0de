"""The sshd of a Linux host of a lab: who may log in, where it listens, and its restarts."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from runner.lab.directory import LabDirectory, write_whole
from runner.lab.dotnet import engine_needs
from runner.lab.engines import SOURCE, SYSTEM_PATH, engine_command
from runner.lab.fleet import GUESTS, WITHOUT_POWERSHELL, LabHost, restarted_files
from runner.lab.host_process import HostSession
from runner.lab.state import MARK, marked_processes

ADDRESS = "127.0.0.1"
_AWAY = 2.0  # seconds that a restart takes: what has not ended by itself until then was killed
_PATIENCE = 1.0  # seconds in which connections may say goodbye at the end


@dataclass(frozen=True, slots=True)
class Lab:
    """What all hosts share."""

    directory: LabDirectory
    key: asyncssh.SSHKey
    token: str


class SshHost:
    """One host: it listens on one port for as long as the lab is up, but for restarts."""

    def __init__(self, host: LabHost, lab: Lab) -> None:
        self.host = host
        self.lab = lab
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._listener: asyncssh.SSHAcceptor
        self._restarts = 0
        self._restarting: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def known(self) -> str:
        """Its line in a file of known hosts, once it listens."""
        return f"[{ADDRESS}]:{self.port} {self._key.export_public_key().decode().strip()}\n"

    async def start(self) -> None:
        """Listen, on a free port."""
        await self._listen(_bound(0))

    def look(self) -> None:
        """Begin a restart where one was ordered and none is under way."""
        order = self.lab.directory.restart_order(self.host)
        if order.exists() and (self._restarting is None or self._restarting.done()):
            order.unlink(missing_ok=True)
            self._restarting = asyncio.create_task(self._restart())

    async def close(self) -> None:
        """Close the listener and the connections; what still runs is hung up on as its channel closes."""
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
        self._listener.close()
        left = list(self.connections)
        for connection in left:
            connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(connection.wait_closed() for connection in left))

    async def _restart(self) -> None:
        """Be away with everything that ran, then be there on the same port, as another start."""
        directory = self.lab.directory
        self._listener.close()
        port = _bound(self.port)  # nobody else gets it, and nobody listens there
        try:
            for connection in list(self.connections):
                connection.abort()
            for pid in await asyncio.to_thread(
                marked_processes, self.lab.token, home=directory.home(self.host)
            ):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(_AWAY)
            self._restarts += 1
            for name, text in restarted_files(self.host, self._restarts).items():
                write_whole(directory.home(self.host) / name, text, 0o644)
        except BaseException:
            port.close()
            raise
        await self._listen(port)

    async def _listen(self, port: socket.socket) -> None:
        """Listen there; compression is off, as loopback needs none."""
        self._listener = await asyncssh.listen(
            sock=port,
            server_factory=lambda: _Login(self),
            server_host_keys=[self._key],
            encoding=None,
            compression_algs=["none"],
            agent_forwarding=False,
            x11_forwarding=False,
            line_editor=False,
            allow_scp=False,
            login_timeout=30,
        )
        self.port = self._listener.get_port()


class _Login(asyncssh.SSHServer):
    """One connection to a host: takes the lab's key for the host's login name or a guest's, nothing else."""

    def __init__(self, served: SshHost) -> None:
        self._served = served
        self._connection: asyncssh.SSHServerConnection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Know it (asyncssh's call)."""
        self._connection = conn
        self._served.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it (asyncssh's call)."""
        self._served.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        """Always ask for a key (asyncssh's call)."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are taken (asyncssh's call)."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether this is the lab's key for a login of the host (asyncssh's call)."""
        known = {self._served.host.user, *GUESTS}
        return username in known and key.public_data == self._served.lab.key.public_data

    def session_requested(self) -> HostSession:
        """A channel for a command (asyncssh's call)."""
        host, lab = self._served.host, self._served.lab
        directory = lab.directory
        home = directory.home(host)
        environment = {
            "HOME": str(home),
            "USER": host.user,
            "LOGNAME": host.user,
            "SHELL": "/bin/sh",
            "PATH": f"{directory.programs(host)}:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            MARK: lab.token,
        }
        subsystems: dict[str, str] = {}
        if host.group not in WITHOUT_POWERSHELL:
            engine = engine_command(directory.recordings, mode="-sshs")
            needs = [f"{name}={value}" for name, value in engine_needs().items()]
            subsystems["powershell"] = shlex.join(("exec", "env", f"PYTHONPATH={SOURCE}", *needs, *engine))
        return HostSession(home, environment, subsystems)


def _bound(port: int) -> socket.socket:
    """A socket on the port, 0 for a free one: connections to it are refused until it listens."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((ADDRESS, port))
    return bound
