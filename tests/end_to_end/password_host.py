"""An SSH server that asks for a password and runs commands with sh: ``python password_host.py HOST_KEY PASSWORD_FILE``.

A process of its own, started by :func:`tests.end_to_end.faults.password_server`; prints its port, ends when its
standard input does.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncssh


class _Passwords(asyncssh.SSHServer):
    """Lets one password in."""

    def __init__(self, password: str) -> None:
        self._password = password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == self._password


async def _run(process: asyncssh.SSHServerProcess[bytes]) -> None:
    child = subprocess.Popen(
        ["sh", "-c", process.command or ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    code = await asyncio.to_thread(child.wait)
    await process.stdout.drain()
    process.exit(code if code >= 0 else 128 - code)


async def _serve(host_key: str, password: str) -> None:
    serving = await asyncssh.create_server(
        lambda: _Passwords(password),
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        process_factory=_run,
        encoding=None,
    )
    sys.stdout.write(f"{serving.get_port()}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # what still runs here waits for hosts' commands, and nobody waits for it


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2]).read_text().rstrip("\n")))
