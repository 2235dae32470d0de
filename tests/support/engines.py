"""The engine that tests marked ``pwsh`` run against: a real PowerShell where there is one, else the replay endpoint."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from runner.lab.dotnet import engine_needs

#: Conversations of a real engine, as the replay endpoint reads them.
RECORDINGS = Path(__file__).parents[1] / "recordings" / "server"

_ARGUMENTS = ["-s", "-NoLogo", "-NoProfile"]


def real_engine() -> bool:
    """Whether ``pwsh`` is on PATH."""
    return shutil.which("pwsh") is not None


def engine_command() -> list[str]:
    """The argv that serves one client on standard input and output, also where the environment is another's.

    An sshd has a PATH of its own and gives nothing on of what .NET may need (``DOTNET_ROOT``, or
    ``DOTNET_SYSTEM_GLOBALIZATION_INVARIANT`` where there is no ICU).
    """
    found = shutil.which("pwsh")
    if found is None:
        return replay_command()
    needs = [f"{name}={value}" for name, value in engine_needs().items()]
    return [*(["env", *needs] if needs else []), found, *_ARGUMENTS]


def replay_command(recordings: Path = RECORDINGS) -> list[str]:
    """The replay endpoint, though there be a real engine."""
    return [sys.executable, "-m", "runner.lab.replay", *_ARGUMENTS, "--recordings", str(recordings)]


def engine_program(folder: Path) -> str:
    """A program that stands for ``pwsh`` where a name is wanted; it takes the same arguments."""
    return "pwsh" if real_engine() else program(folder, replay_command())


def program(folder: Path, command: list[str]) -> str:
    """A program in ``folder`` that runs ``command`` with what else it is given; its path."""
    path = folder / "pwsh"
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
    return str(path)


def subsystem(command: list[str], name: str = "powershell") -> str:
    """The line of sshd_config that serves ``command`` as a subsystem."""
    return f"Subsystem {name} {shlex.join(command)}\n"


def scripted_command(*options: str) -> list[str]:
    """The scripted engine (runner/lab/scripted_engine.py), which knows a handful of words and how to break."""
    return [sys.executable, "-m", "runner.lab.scripted_engine", *_ARGUMENTS, *options]
