"""Process groups of this machine: who is left of one, and how all of it is ended."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

#: How often a group that is being ended is looked at, in seconds: short against any grace, long against a look.
_LOOK = 0.01
#: How long the kernel may take to clear away what was killed, in seconds.
_AFTER_KILL = 2.0


def group_exists(group: int) -> bool:
    """Whether a process of the group still runs; a zombie that nobody has reaped does not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Where process 1 does not reap orphans (many containers), a dead process stays visible to the call above.
    running = _running_members(group)
    return running is None or running > 0


def signal_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to the whole group; False where there is none or it may not be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def end_group(group: int, grace: float) -> bool:
    """TERM, after ``grace`` seconds KILL; True when nothing of the group is left."""
    if signal_group(group, signal.SIGTERM) and await _gone(group, grace):
        return True
    signal_group(group, signal.SIGKILL)
    return await _gone(group, _AFTER_KILL)


async def _gone(group: int, within: float) -> bool:
    deadline = asyncio.get_running_loop().time() + within
    while group_exists(group):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(_LOOK)
    return True


def _running_members(group: int) -> int | None:
    """How many processes of the group run, by /proc; None where there is no /proc."""
    count = 0
    try:
        entries = [entry for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208 - names only
    except OSError:
        return None
    for entry in entries:
        try:
            stat = Path("/proc", entry, "stat").read_bytes()
        except OSError:
            continue  # it ended while we looked
        state, _, process_group = stat[stat.rindex(b")") + 2 :].split()[:3]
        count += int(process_group) == group and state not in b"ZX"
    return count if entries else None
