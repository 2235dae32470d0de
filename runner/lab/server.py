"""The background process of a lab: an SSH or WinRM server for every host, each on a port of its own of 127.0.0.1.

Started by :mod:`runner.lab.control` as ``python -m runner.lab.server DIRECTORY COUNT WINDOWS TOKEN``. It ends on
SIGTERM, and by itself when its state file is gone, so a deleted directory leaves no process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import asyncssh

from runner.lab.directory import LabDirectory, ServedHost, write_whole
from runner.lab.fleet import LabHost, lab_hosts
from runner.lab.front_end import FrontEnd
from runner.lab.ssh_host import Lab, SshHost
from runner.lab.state import token_of, write_state
from runner.lab.windows import close_all, forget_windows, windows_hosts

_LOOK = 1.0  # seconds between looks at the state file, and at who was told to restart


async def serve(directory: LabDirectory, count: int, windows: int, token: str) -> None:
    """Serve ``count`` hosts, and ``windows`` Windows-like ones, until told to end, or until the state file no longer
    bears ``token``.
    """
    hosts = lab_hosts(count, windows)
    await asyncio.to_thread(directory.seed, hosts)
    lab = Lab(directory, _login_key(directory.private_key), token)
    linux = [SshHost(host, lab) for host in hosts[:count]]
    for each in linux:
        await each.start()
    served = [ServedHost(each.host, each.port) for each in linux]
    fronts = await _start_windows(directory, token, hosts[count:])
    served += [ServedHost(host, front.port) for host, front in fronts.items()]
    write_whole(directory.known_hosts, "".join(each.known for each in linux))
    write_whole(directory.inventory, directory.inventory_text(served), 0o644)
    stop = _stop_on_signal()
    write_state(directory, token, tuple(served))
    await _until_over(stop, directory, token, linux)
    await asyncio.gather(*(each.close() for each in linux), close_all(list(fronts.values())))


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


async def _until_over(
    stop: asyncio.Event, directory: LabDirectory, token: str, linux: Sequence[SshHost]
) -> None:
    while token_of(directory) == token:
        for each in linux:
            each.look()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK)
            return


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
