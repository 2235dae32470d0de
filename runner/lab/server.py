"""The background process of a lab: an SSH or WinRM server for every host, each on a port of its own of 127.0.0.1.

Started by :mod:`runner.lab.control` as ``python -m runner.lab.server DIRECTORY COUNT WINDOWS TOKEN``. It ends on
SIGTERM, and by itself when its state file is gone, so a deleted directory leaves no process.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from runner.lab.directory import LabDirectory, ServedHost, write_whole
from runner.lab.dotnet import engine_needs
from runner.lab.engines import SOURCE, engine_command
from runner.lab.fleet import GUESTS, WITHOUT_POWERSHELL, LabHost, lab_hosts
from runner.lab.front_end import FrontEnd
from runner.lab.host_process import HostSession
from runner.lab.state import MARK, token_of, write_state
from runner.lab.windows import close_all, forget_windows, windows_hosts

_ADDRESS = "127.0.0.1"
_LOOK = 1.0  # seconds between looks at the state file
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Lab:
    """What all hosts share; ``connections`` are those that are open."""

    directory: LabDirectory
    key: asyncssh.SSHKey
    token: str
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)


class LabServer(asyncssh.SSHServer):
    """One host for one connection: takes the lab's key for the host's login name or a guest's, nothing else."""

    def __init__(self, host: LabHost, lab: Lab) -> None:
        self._host = host
        self._lab = lab
        self._connection: asyncssh.SSHServerConnection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Know it (asyncssh's call)."""
        self._connection = conn
        self._lab.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it (asyncssh's call)."""
        self._lab.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        """Always ask for a key (asyncssh's call)."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are taken (asyncssh's call)."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether this is the lab's key for a login of the host (asyncssh's call)."""
        return username in {self._host.user, *GUESTS} and key.public_data == self._lab.key.public_data

    def session_requested(self) -> HostSession:
        """A channel for a command (asyncssh's call)."""
        directory = self._lab.directory
        home = directory.home(self._host)
        environment = {
            "HOME": str(home),
            "USER": self._host.user,
            "LOGNAME": self._host.user,
            "SHELL": "/bin/sh",
            "PATH": f"{directory.programs(self._host)}:{_SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            MARK: self._lab.token,
        }
        subsystems: dict[str, str] = {}
        if self._host.group not in WITHOUT_POWERSHELL:
            engine = engine_command(directory.recordings, mode="-sshs")
            needs = [f"{name}={value}" for name, value in engine_needs().items()]
            subsystems["powershell"] = shlex.join(("exec", "env", f"PYTHONPATH={SOURCE}", *needs, *engine))
        return HostSession(home, environment, subsystems)


async def serve(directory: LabDirectory, count: int, windows: int, token: str) -> None:
    """Serve ``count`` hosts, and ``windows`` Windows-like ones, until told to end, or until the state file no longer
    bears ``token``.
    """
    hosts = lab_hosts(count, windows)
    await asyncio.to_thread(directory.seed, hosts)
    lab = Lab(directory, _login_key(directory.private_key), token)
    listeners: list[asyncssh.SSHAcceptor] = []
    served: list[ServedHost] = []
    known: list[str] = []
    for host in hosts[:count]:
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        listener = await _listen(host, lab, host_key)
        listeners.append(listener)
        served.append(ServedHost(host, listener.get_port()))
        public = host_key.export_public_key().decode().strip()
        known.append(f"[{_ADDRESS}]:{listener.get_port()} {public}\n")
    fronts = await _start_windows(directory, token, hosts[count:])
    served += [ServedHost(host, front.port) for host, front in fronts.items()]
    write_whole(directory.known_hosts, "".join(known))
    write_whole(directory.inventory, directory.inventory_text(served), 0o644)
    stop = _stop_on_signal()
    write_state(directory, token, tuple(served))
    await _until_over(stop, directory, token)
    await asyncio.gather(_close(lab, listeners), close_all(list(fronts.values())))


async def _start_windows(
    directory: LabDirectory, token: str, hosts: Sequence[LabHost]
) -> dict[LabHost, FrontEnd]:
    """Front ends that listen, by their host."""
    if not hosts:
        forget_windows(directory)
        return {}
    makers = windows_hosts(directory, token)
    fronts = {host: makers.front_end(host) for host in hosts}
    for front in fronts.values():
        await front.start()
    return fronts


async def _listen(host: LabHost, lab: Lab, host_key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
    """Listen on a free port; compression is off, as loopback needs none."""
    return await asyncssh.listen(
        _ADDRESS,
        0,
        server_factory=lambda: LabServer(host, lab),
        server_host_keys=[host_key],
        encoding=None,
        compression_algs=["none"],
        agent_forwarding=False,
        x11_forwarding=False,
        line_editor=False,
        allow_scp=False,
        login_timeout=30,
    )


def _login_key(path: Path) -> asyncssh.SSHKey:
    """The key of all logins; one of an earlier start is kept, so that a copied inventory stays good."""
    with suppress(OSError, asyncssh.KeyImportError):
        return asyncssh.read_private_key(str(path))
    key = asyncssh.generate_private_key("ssh-ed25519", comment="runner lab")
    write_whole(path, key.export_private_key().decode())
    write_whole(path.with_suffix(".pub"), key.export_public_key().decode(), 0o644)
    return key


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _until_over(stop: asyncio.Event, directory: LabDirectory, token: str) -> None:
    while token_of(directory) == token:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK)
            return


async def _close(lab: Lab, listeners: Iterable[asyncssh.SSHAcceptor]) -> None:
    """Close listeners and connections; what still runs on the hosts is hung up on as its channel closes."""
    for listener in listeners:
        listener.close()
    open_connections = list(lab.connections)
    for connection in open_connections:
        connection.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(*(connection.wait_closed() for connection in open_connections))


def main() -> None:
    """Leave the starter behind, then serve."""
    directory, count, windows = LabDirectory(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    token = sys.argv[4]
    if server := os.fork():
        os.write(1, str(server).encode())
        os._exit(0)  # whoever called waits for this process, and has no child of its own afterwards
    os.dup2(2, 1)  # the pipe that told the pid must not stay open
    os.umask(0o077)
    asyncio.run(serve(directory, count, windows, token))


if __name__ == "__main__":
    main()
