"""The programs we compare with, in a virtual environment of their own below the user's cache folder."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

PACKAGES = {"ansible": "ansible-core", "parallel-ssh": "parallel-ssh", "pyinfra": "pyinfra"}
"""The peers by name, and the package that each comes in."""


def home() -> Path:
    """Where the peers are kept between two benchmarks."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "runner-benchmarks" / "peers"


def python() -> Path:
    """The interpreter that has the peers."""
    return home() / "bin" / "python"


def program(name: str) -> Path:
    """A program of the peers."""
    return home() / "bin" / name


def install() -> dict[str, str]:
    """Install what is missing; gives the version of each peer that is there, and says what could not be had."""
    if not python().exists():
        venv.create(home(), with_pip=True)
    found = _versions()
    for peer, package in PACKAGES.items():
        if peer not in found:
            finished = _pip("install", "--quiet", package)
            if finished.returncode != 0:
                last = (finished.stderr.strip() or "no reason given").splitlines()[-1]
                print(f"{peer} is left out, it cannot be installed: {last}")
    return _versions()


def _versions() -> dict[str, str]:
    listed = _pip("list", "--format", "freeze").stdout
    versions = dict(line.split("==", 1) for line in listed.splitlines() if "==" in line)
    return {peer: versions[package] for peer, package in PACKAGES.items() if package in versions}


def _pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python()), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
