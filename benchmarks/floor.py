"""What asyncssh alone needs for the same work: no playbook, no plan, no limits but one, no results but text.

``python -m benchmarks.floor session|target ADDRESSES... `` logs in to each address, 32 at once, and runs the commands
one after another: ``session`` feeds them to one kept ``sh`` a host, ``target`` executes each anew. The session's shell
is told to print a word after each command, without which nobody could know that it has ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncssh

from benchmarks.fleet import USER
from benchmarks.work import PARALLEL, commands

_END = "END-OF-COMMAND"


async def session(link: asyncssh.SSHClientConnection) -> list[str]:
    """The commands in one kept shell."""
    process = await link.create_process("exec sh")
    outputs = []
    for command in commands():
        process.stdin.write(f"{command}\necho {_END}\n")
        outputs.append((await process.stdout.readuntil(f"{_END}\n")).removesuffix(f"{_END}\n"))
    process.stdin.write_eof()
    await process.wait()
    return outputs


async def target(link: asyncssh.SSHClientConnection) -> list[str]:
    """Each command executed anew over the one connection."""
    return [str((await link.run(command, check=True)).stdout) for command in commands()]


async def everywhere(
    work: Callable[[asyncssh.SSHClientConnection], Awaitable[list[str]]], addresses: Sequence[str]
) -> None:
    """Do the work on all hosts, some of them at once."""
    places = asyncio.Semaphore(PARALLEL)
    ssh = Path(os.environ["HOME"]) / ".ssh"
    key = asyncssh.read_private_key(ssh / "id_ed25519")
    known_hosts = asyncssh.read_known_hosts(str(ssh / "known_hosts"))

    async def one(address: str) -> list[str]:
        async with (
            places,
            asyncssh.connect(
                address,
                username=USER,
                client_keys=[key],
                known_hosts=known_hosts,
                agent_path=None,
                config=None,
            ) as link,
        ):
            return await work(link)

    results = await asyncio.gather(*(one(address) for address in addresses))
    if any(len(outputs) != len(commands()) or not all(outputs) for outputs in results):
        raise SystemExit("a command gave no output")
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(everywhere({"session": session, "target": target}[sys.argv[1]], sys.argv[2:]))
