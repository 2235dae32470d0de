"""Hosts that are ill, each in its own way, in the loop of the test that asks for them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


@asynccontextmanager
async def password_server(host_key: Path, password_file: Path) -> AsyncIterator[int]:
    """An SSH server that lets the password in the file in, see ``password_host``; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("password_host.py")),
        str(host_key),
        str(password_file),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        await process.communicate(b"")
