"""A host that restarts: an sshd that is the first process of a PID namespace of its own, begun anew when it ends.

What is real: the connection breaks with everything that ran, nobody listens for a while, then the same address answers
with another first process. What is not: the kernel goes on, and `systemctl`, `shutdown` and `reboot` are scripts that
stand first in the PATH of who logs in. So nothing here can ever restart the machine that the tests run on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.openssh import SSHD, OpenSsh, start

_SUPERVISOR = """\
while :; do
  unshare --pid --fork --mount-proc --kill-child {user} {sshd} -D -e -f {config}
  echo restarted >>{folder}/restarts
  sleep 1.5
done
"""

GOES = "kill -TERM 1"
REFUSES = "echo 'Interactive authentication required.' >&2; exit 1"


@contextmanager
def rebooting(folder: Path, order: str = GOES) -> Iterator[OpenSsh]:
    """The server; ``order`` is what its programs do that restart a host."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    for name in ("systemctl", "shutdown", "reboot"):
        looked = "case $1 in show) exit 1;; esac"  # how often user space was restarted, which older ones do not know
        text = f'#!/bin/sh\n{looked}\necho "{name} $*" >>{folder}/orders\n{order}\n'
        (programs / name).write_text(text)
    (programs / "wall").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{folder}/wall\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    words = f"HOME={folder / 'remote-home'} PATH={programs}:/usr/sbin:/usr/bin:/sbin:/bin"
    server = start(folder, {"SetEnv": words})
    server.stop()
    user = "" if os.getuid() == 0 else "--user --map-current-user"
    script = _SUPERVISOR.format(sshd=SSHD, config=folder / "config", folder=folder, user=user)
    with (folder / "log").open("ab") as log:
        server.process = subprocess.Popen(
            ["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_it_listens(server)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait(10)


def _wait_until_it_listens(server: OpenSsh) -> None:
    for _ in range(1000):
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
            return
        time.sleep(0.01)
    raise RuntimeError(f"the host did not start: {server.log()}")


def restarts(server: OpenSsh) -> int:
    """How often the host has gone down."""
    path = server.folder / "restarts"
    return path.read_text().count("\n") if path.exists() else 0
