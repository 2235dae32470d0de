"""Whether a process that holds hosts still lives, as far as this machine can tell."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from pathlib import Path

from runner.locks.model import Holder

_PROC = Path("/proc")
_ENDED = frozenset("ZXx")
"""States of /proc/PID/stat of a process that has ended and that nobody has waited for (proc(5))."""


def this_process(run: str, playbook: str) -> Holder:
    """The holder that runs here, with a new ``holding``."""
    pid = os.getpid()
    return Holder(
        holding=secrets.token_hex(16),
        run=run,
        playbook=playbook,
        user=user_name(),
        controller=socket.gethostname(),
        machine=machine(),
        pid=pid,
        started=_started(pid) or 0,
    )


def user_name() -> str:
    """The login name of who runs this, or the number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # 3.11 and 3.13 differ in what they raise
        return str(os.getuid())


def machine() -> str:
    """What tells this boot of this kernel, and this table of processes, from all others; empty where it cannot be had.

    The boot id is a random UUID (random(4)); containers on one kernel share it, and each has a namespace of pids.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def alive(holder: Holder) -> bool | None:
    """Whether the process lives; None where it ran on another machine, or nothing is known of it."""
    if not holder.machine or not holder.started or holder.machine != machine():
        return None
    return _started(holder.pid) == holder.started


def _started(pid: int) -> int | None:
    """Ticks since boot when a process started; None where there is none that lives."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return None if fields[0] in _ENDED else int(fields[19])
