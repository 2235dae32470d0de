"""Hosts that are ill, each in its own way, in the loop of the test that asks for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

OWN_SSHD = """\
own_sshd() {
  pid=$$
  while :; do
    case $(cat /proc/$pid/comm) in sshd*) break;; esac
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$pid/status)
  done
  echo "$pid"
}
"""
"""sh: the pid of the sshd process that serves the very connection the script runs over, so that it can break it."""


@asynccontextmanager
async def listener(greeting: bytes = b"") -> AsyncIterator[int]:
    """A port that takes connections, says ``greeting`` and nothing more."""
    writers = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(greeting)

    serving = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield serving.sockets[0].getsockname()[1]
    finally:
        serving.close()
        for writer in writers:
            writer.close()


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port whose queue is full: further connections get no answer at all, as behind a firewall that drops them."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for filler in fillers:
                filler.close()


class _Passwords(asyncssh.SSHServer):
    """Lets one password in."""

    def __init__(self, password: str) -> None:
        self._password = password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == self._password


@asynccontextmanager
async def password_server(host_key: Path, password: str) -> AsyncIterator[int]:
    """An SSH server that asks for a password and runs commands with sh; gives its port."""
    serving = await asyncssh.create_server(
        lambda: _Passwords(password),
        "127.0.0.1",
        0,
        server_host_keys=[str(host_key)],
        process_factory=_serve,
        encoding=None,
    )
    try:
        yield serving.get_port()
    finally:
        serving.close()


async def _serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
    child = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        process.command or "",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    process.exit(await child.wait())
    await process.wait_closed()
