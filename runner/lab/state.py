"""Who serves a lab: the state file, and whether the process it names is still that process."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from runner.lab.directory import LabDirectory, ServedHost, write_whole
from runner.lab.fleet import LabHost

MARK = "RUNNER_LAB"
"""Variable in the environment of every process of a lab; its value is the lab's token."""


class LabCondition(StrEnum):
    """What became of a request, or how a lab is."""

    STARTED = "started"
    RESTARTED = "restarted"
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LabState:
    """A lab as it is; ``pid``, ``token`` and ``hosts`` are None and empty where it is stopped."""

    directory: LabDirectory
    condition: LabCondition
    pid: int | None = None
    token: str = ""
    hosts: tuple[ServedHost, ...] = ()

    @property
    def running(self) -> bool:
        """Whether hosts answer."""
        return self.condition is not LabCondition.STOPPED

    @property
    def inventory(self) -> Path:
        """Path of the inventory, absolute."""
        return self.directory.inventory


def write_state(directory: LabDirectory, token: str, hosts: tuple[ServedHost, ...]) -> None:
    """Say that this process serves the lab."""
    document = {
        "pid": os.getpid(),
        "started": process_start(os.getpid()),
        "token": token,
        "hosts": [
            {
                "name": e.host.name,
                "group": e.host.group,
                "user": e.host.user,
                "number": e.host.number,
                "port": e.port,
            }
            for e in hosts
        ],
    }
    write_whole(directory.state, json.dumps(document, indent=1) + "\n")


def read_state(directory: LabDirectory) -> LabState:
    """The lab as its state file says, stopped where there is none, or it names a process that is not the lab's."""
    document = _read(directory.state)
    if document is None or process_start(document["pid"]) != document["started"]:
        return LabState(directory, LabCondition.STOPPED, token=document["token"] if document else "")
    hosts = tuple(
        ServedHost(LabHost(entry["name"], entry["group"], entry["user"], entry["number"]), entry["port"])
        for entry in document["hosts"]
    )
    return LabState(directory, LabCondition.RUNNING, document["pid"], document["token"], hosts)


def token_of(directory: LabDirectory) -> str | None:
    """The token in the state file; None where there is none."""
    document = _read(directory.state)
    return document["token"] if document else None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(document, dict) and {"pid", "started", "token", "hosts"} <= document.keys()
    return document if known else None


def process_start(pid: int) -> str | None:
    """When a process started, as the system writes it; None where there is none, or only its remains.

    A pid is given to another process some day; pid and start together are not.
    """
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listed.stdout.strip() or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]  # state and start time, fields 3 and 22 of proc(5)


def marked_processes(token: str, *, home: Path | None = None) -> list[int]:
    """Processes whose environment bears a lab's token, all or those of the host with this ``home``.

    None where the system does not tell environments.
    """
    marks = {f"{MARK}={token}".encode()} | (set() if home is None else {f"HOME={home}".encode()})
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if marks <= set((entry / "environ").read_bytes().split(b"\0")):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
