"""Many hosts out of one real OpenSSH server, seen by nobody else.

In a network namespace with only ``lo`` up, one sshd on 0.0.0.0 answers on every 127.x.y.z, so each address is a host.
In a mount namespace beside it the machine has one more account, whose home is empty and whose login shell is
``/bin/sh``: the accounts of the machine itself are not touched, and everything is gone with the process.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.listen import timed_lines

USER = "benchmark"
_ID = 61234  # neither a person's nor a system account's on common distributions
_SSHD = "/usr/sbin/sshd"
_CONFIG = """\
ListenAddress 0.0.0.0
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 500
MaxSessions 100
LogLevel VERBOSE
PrintMotd no
"""


def missing() -> str | None:
    """What keeps this machine from having such a fleet, or None."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux, for a network namespace"
    if os.geteuid() != 0:
        return "it needs root, for a network namespace and an account of its own"
    absent = [program for program in ("unshare", "ip", "mount", _SSHD) if shutil.which(program) is None]
    return f"it needs {', '.join(absent)}" if absent else None


def in_namespace(arguments: Sequence[str]) -> int:
    """Run Python with ``arguments`` in namespaces of its own; gives its exit code."""
    return subprocess.call(["unshare", "--net", "--mount", "--", sys.executable, *arguments])


@dataclass
class Fleet:
    """A running sshd and how to log in. ``first_connection`` is when it saw one, on the monotonic clock, or None."""

    folder: Path
    addresses: tuple[str, ...]
    server: subprocess.Popen[bytes]
    first_connection: float | None = None
    _log: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The home folder of the side that connects: a key, known hosts and nothing else."""
        return self.folder / "client"

    @property
    def key(self) -> Path:
        """The key that may log in, without a passphrase."""
        return self.home / ".ssh" / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The hosts' key, a line for each of them."""
        return self.home / ".ssh" / "known_hosts"

    def settle(self, patience: float = 0.5) -> None:
        """Wait until nobody is connected, and end connections that are kept longer than ``patience`` seconds."""
        until = time.monotonic() + patience
        while children := _children(self.server.pid):
            if time.monotonic() > until:
                for child in children:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGTERM)
            time.sleep(0.02)
        self.first_connection = None

    def computing(self) -> float:
        """Seconds of computing of all connections that are over, and of what ran over them."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        children = sum(map(int, fields[13:15]))  # cutime and cstime of proc(5), without the first two fields
        return children / os.sysconf("SC_CLK_TCK")

    def read_log(self) -> None:
        """Follow the server's log until it ends; runs in a thread."""
        if self.server.stderr is None:
            raise RuntimeError("the server was started without a pipe")
        for seen, line in timed_lines(self.server.stderr):
            if self.first_connection is None and line.startswith("Connection from"):
                self.first_connection = seen
            self._log.append(line)

    def log(self) -> str:
        """What the server has said so far."""
        return "\n".join(self._log)


@contextlib.contextmanager
def fleet(folder: Path, hosts: int) -> Iterator[Fleet]:
    """``hosts`` hosts for the length of a block; only inside of :func:`in_namespace`."""
    _isolate(folder)
    addresses = tuple(f"127.1.{number // 200}.{number % 200 + 1}" for number in range(hosts))
    client = folder / "client" / ".ssh"
    client.mkdir(parents=True, mode=0o700)
    _make_key(client / "id_ed25519")
    _make_key(folder / "host_key")
    (folder / "authorized_keys").write_text((client / "id_ed25519.pub").read_text())
    host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (client / "known_hosts").write_text("".join(f"{address} {host_key}\n" for address in addresses))
    (folder / "config").write_text(_CONFIG.format(folder=folder))
    command = [_SSHD, "-D", "-e", "-f", str(folder / "config")]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    running = Fleet(folder, addresses, server)
    threading.Thread(target=running.read_log, daemon=True).start()
    try:
        _wait_until_listening(running)
        yield running
    finally:
        running.settle(patience=0)
        server.terminate()
        server.wait(10)


def _isolate(folder: Path) -> None:
    """Bring loopback up, and put one more account over the machine's own, for this namespace alone."""
    folder.chmod(0o755)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    home = folder / "empty"
    home.mkdir()
    os.chown(home, _ID, _ID)
    for name, line in {
        "passwd": f"{USER}:x:{_ID}:{_ID}::{home}:/bin/sh",
        "group": f"{USER}:x:{_ID}:",
        "shadow": f"{USER}:*:19000:0:99999:7:::",
    }.items():
        copy = folder / name
        copy.write_text(Path("/etc", name).read_text().rstrip("\n") + f"\n{line}\n")
        copy.chmod(0o600 if name == "shadow" else 0o644)
        subprocess.run(["mount", "--bind", str(copy), f"/etc/{name}"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    Path("/run/sshd").mkdir(mode=0o755)


def _make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _wait_until_listening(running: Fleet) -> None:
    for _ in range(500):
        if "Server listening" in running.log():
            return
        if running.server.poll() is not None:
            break
        time.sleep(0.01)
    raise SystemExit(f"sshd did not start: {running.log()}")


def _children(parent: int) -> list[int]:
    """The process ids of a process's children."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            match = re.match(r"(\d+) \(.*\) \S (\d+)", stat.read_text())
            if match and int(match[2]) == parent:
                found.append(int(match[1]))
    return found
