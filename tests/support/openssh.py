"""A throw-away OpenSSH server on loopback, with its own keys, configuration and log, run by whoever runs the tests.

As an ordinary user it lets just that user in, with keys alone; nothing of the machine's own sshd or ``~/.ssh`` is
touched. Recipe: AuthorizedKeysFile by absolute path, StrictModes and PAM off, so that no account has to be made.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd") or next(
    (path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if Path(path).exists()), None
)
WHY_NOT = None if SSHD and shutil.which("ssh-keygen") else "OpenSSH's sshd and ssh-keygen are not installed"


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "", comment: str = "test") -> Path:
    """A new key pair at ``path`` and ``path.pub``."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def sign(
    authority: Path, public_key: Path, *, host: bool = False, principals: str, options: tuple[str, ...] = ()
) -> Path:
    """A certificate for a public key, beside it."""
    kind = ["-h"] if host else []
    command = [
        "ssh-keygen",
        "-q",
        "-s",
        str(authority),
        "-I",
        "test",
        *kind,
        "-n",
        principals,
        *options,
        str(public_key),
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return public_key.with_name(public_key.name.replace(".pub", "-cert.pub"))


@dataclass
class OpenSsh:
    """A running sshd. ``user`` is who may log in, ``client_key`` with what; ``home`` is a home for the client side."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    home: Path
    client_key: Path
    user: str

    @property
    def host_key(self) -> str:
        """The host's public key: algorithm and base64."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def known_hosts(self) -> Path:
        """The client's known_hosts; holds the host's key from the start."""
        return self.home / ".ssh" / "known_hosts"

    def log(self) -> str:
        """What sshd logged until now."""
        return (self.folder / "log").read_text(errors="replace")

    def logins(self) -> int:
        """How many logins sshd let in."""
        return self.log().count("Accepted publickey for ")

    def children(self) -> list[int]:
        """The pids of sshd's processes for connections."""
        output = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
        ).stdout
        pairs = [tuple(map(int, line.split())) for line in output.splitlines()]
        return [pid for pid, parent in pairs if parent == self.process.pid]

    def signal_children(self, number: signal.Signals) -> None:
        """Send a signal to sshd's processes for connections, and to theirs."""
        for pid in self.children():
            self.signal_child(pid, number)

    def signal_child(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to one of them, and to its own."""
        for grandchild in _sshd_children(pid):
            os.kill(grandchild, number)
        os.kill(pid, number)

    def stop(self) -> None:
        """End the server and its connections."""
        with contextlib.suppress(ProcessLookupError):
            self.signal_children(signal.SIGKILL)
        self.process.terminate()
        self.process.wait(10)


def _sshd_children(pid: int) -> list[int]:
    """The unprivileged sshd processes under one of sshd's own; not the commands they run."""
    output = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,comm="], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.split(None, 2) for line in output.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and row[2].startswith("sshd")]


def start(folder: Path, settings: Mapping[str, str] | None = None, *, extra: str = "") -> OpenSsh:
    """Start an sshd in ``folder``; ``settings`` are words of sshd_config over the defaults here."""
    assert SSHD is not None
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True, exist_ok=True, mode=0o700)
    key = home / ".ssh" / "id_ed25519"
    if not key.exists():
        make_key(key)
        make_key(folder / "host_key", comment="host")
        (folder / "authorized_keys").write_bytes(key.with_suffix(".pub").read_bytes())
    port, remote_home = free_port(), folder / "remote-home"
    remote_home.mkdir(exist_ok=True)
    words = {
        "Port": str(port),
        "ListenAddress": "127.0.0.1",
        "HostKey": str(folder / "host_key"),
        "PidFile": str(folder / "pid"),
        "AuthorizedKeysFile": str(folder / "authorized_keys"),
        "PermitRootLogin": "yes",
        "StrictModes": "no",
        "UsePAM": "no",
        "UseDNS": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "MaxStartups": "200",
        "LogLevel": "VERBOSE",
        "PrintMotd": "no",
        "Subsystem": "sftp internal-sftp",
        # Whatever the start-up files of the account do stays out of the tests.
        "SetEnv": f"HOME={remote_home}",
    } | dict(settings or {})
    (folder / "config").write_text("".join(f"{word} {text}\n" for word, text in words.items()) + extra)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "config")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = OpenSsh(folder, port, process, home, key, getpass.getuser())
    server.known_hosts.write_text(f"[127.0.0.1]:{port} {server.host_key}\n")
    _wait_until_listening(server)
    return server


def free_port() -> int:
    """A TCP port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(server: OpenSsh) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
            return
        if server.process.poll() is not None:
            break
        time.sleep(0.01)
    raise RuntimeError(f"sshd did not start: {server.log()}")


@contextlib.contextmanager
def running(folder: Path, settings: Mapping[str, str] | None = None, *, extra: str = "") -> Iterator[OpenSsh]:
    """An sshd for the length of a block."""
    server = start(folder, settings, extra=extra)
    try:
        yield server
    finally:
        server.stop()
