"""Hosts that speak PowerShell remoting, in a process of their own: what they compute is not the controller's.

``python -m benchmarks.powershell_hosts -s`` is one such endpoint on standard input and output.
``python -m benchmarks.powershell_hosts FOLDER`` serves WinRM over http and https and an SSH server with the subsystem
``powershell``, all in front of endpoints within that process that answer everything the same, writes one line of JSON
that says where, and ends with its standard input. :func:`hosts` starts it and gives the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from runner.lab.certificates import Authority, Flaw, flawed_host, load, server_context
from runner.lab.engine_channel import EngineChannel
from runner.lab.engines import LoopbackEngine, in_process_engine
from runner.lab.front_end import FrontEnd, FrontEndSettings
from runner.lab.recordings import unpack_recordings
from runner.lab.replay import serve
from runner.lab.replay_recordings import Answer, Recordings
from runner.lab.winrm_acceptor import Logins
from runner.lab.wsman_settings import Quotas, ServiceSettings
from runner.transport.port import Stream

USER, PASSWORD = "Administrator", "bench mark"
#: What is asked, and what everything is answered with.
SCRIPT, ANSWER = "param($rack) 'ok'", "ok"
MESSAGES = [
    (0x00041004, f"<S>{ANSWER}</S>"),  # PIPELINE_OUTPUT and PIPELINE_STATE (MS-PSRP 2.2.1)
    (0x00041006, '<Obj RefId="0"><MS><I32 N="PipelineState">4</I32></MS></Obj>'),
]
_MANY = 100_000
#: SSH_MSG_IGNORE (RFC 4253 11.2).
_IGNORED = 2


@dataclass(frozen=True, slots=True)
class Hosts:
    """Ports of 127.0.0.1, and the folder with the recordings, ``ca.pem``, ``id_ed25519`` and ``known_hosts``."""

    folder: Path
    http: int
    https: int
    ssh: int


@contextmanager
def hosts() -> Iterator[Hosts]:
    """Hosts for the length of a block."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "benchmarks.powershell_hosts", name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            if process.stdout is None or process.stdin is None:
                raise RuntimeError("the hosts were started without pipes")
            ports = json.loads(process.stdout.readline())
            os.environ["NTLM_USER_FILE"] = str(Path(name) / "ntlm-users")
            try:
                yield Hosts(Path(name), **ports)
            finally:
                process.stdin.close()


class _Ears:
    """What an engine says goes to the client of an SSH channel; a :class:`runner.transport.port.Receiver`."""

    def __init__(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._process = process

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Pass it on."""
        (self._process.stdout if stream is Stream.STDOUT else self._process.stderr).write(data)


class _Server(asyncssh.SSHServer):
    """Takes one key."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Send what is asked for alone, as OpenSSH does: asyncssh leads each packet by an empty one."""
        send = conn.send_packet

        def send_without_ignored(kind: int, *args: bytes, **options: Any) -> None:
            if kind != _IGNORED:
                send(kind, *args, **options)

        conn.send_packet = send_without_ignored  # type: ignore[assignment, method-assign] # there is no setting for it

    def begin_auth(self, username: str) -> bool:
        """Ask for a key (asyncssh's call)."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are taken (asyncssh's call)."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether it is the one (asyncssh's call)."""
        return key.public_data == self._key.public_data


async def _serve_ssh(folder: Path, recordings: Recordings) -> int:
    async def engine(process: asyncssh.SSHServerProcess[bytes]) -> None:
        loopback = LoopbackEngine(recordings, _Ears(process))
        while data := await process.stdin.read(1 << 16):
            await loopback.write(data)
        process.exit(0)

    key, host_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    key.write_private_key(folder / "id_ed25519")
    (folder / "id_ed25519").chmod(0o600)
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(key),
        server_host_keys=[host_key],
        process_factory=engine,
        encoding=None,
        backlog=4096,
    )
    port = listener.get_port()
    (folder / "known_hosts").write_text(
        f"[127.0.0.1]:{port} {host_key.export_public_key().decode().strip()}\n"
    )
    return int(port)


async def _serve(folder: Path) -> None:
    recordings = _recordings(folder)
    (folder / "ntlm-users").write_text(f":{USER}:{PASSWORD}\nLAB:{USER}:{PASSWORD}\n")
    os.environ["NTLM_USER_FILE"] = str(folder / "ntlm-users")
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem)
    context = server_context(authority)
    issued = flawed_host(authority, Flaw.NONE, "127.0.0.1", "localhost")
    load(context, issued, folder)
    quotas = Quotas(
        max_shells_per_user=_MANY, max_concurrent_users=_MANY, max_concurrent_operations_per_user=_MANY
    )
    ports = {}
    for name, tls in (("http", None), ("https", context)):
        front = FrontEnd(
            FrontEndSettings(
                service=ServiceSettings(engine=in_process_engine(recordings), quotas=quotas),
                logins=Logins(
                    mechanisms=frozenset({"basic", "negotiate"}),
                    passwords={USER: PASSWORD},
                    unencrypted=True,
                    tls_certificate=issued.der if tls is not None else None,
                ),
                context=tls,
            )
        )
        await front.start()
        ports[name] = front.port
    ports["ssh"] = await _serve_ssh(folder, recordings)
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # nothing is worth closing


class OneAnswer(Recordings):
    """Opens pools as PowerShell 7.6.5 was recorded to, and answers every pipeline with the same at once."""

    def find(self, asked: str, last: tuple[str, int], turn: int) -> Answer:
        """The answer, whatever is asked."""
        return Answer(("any", 0), list(MESSAGES))


def _recordings(folder: Path) -> Recordings:
    unpack_recordings(folder / "recordings")
    return OneAnswer(folder / "recordings")


def more_files() -> None:
    """Allow this process as many open files as it may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    more_files()
    if sys.argv[1] == "-s":  # as a child process: `pwsh -s`
        sys.exit(serve(OneAnswer(Path(os.environ["RECORDINGS"])), EngineChannel()))
    asyncio.run(_serve(Path(sys.argv[1])))
