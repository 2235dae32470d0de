"""Typing commands: in this process with captured streams, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

HELLO = """\
version: 1
name: Hello
inputs:
  who: {type: string, default: world}
vars: {site: north}
steps:
  - id: greet
    script: echo "hello $Using:who from $Using:site"
    register: greeting
    tags: [first]
  - id: report
    shell: python
    script: print($Using:results.greeting["localhost"]["output"])
"""

INVENTORY = """\
version: 1
vars: {site: south}
hosts:
  bastion: {address: 10.0.0.1}
groups:
  web:
    hosts: {"web[01:03]": {}}
    vars: {tier: front}
    connection: {transport: local}
  empty: {}
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed where."""

    code: int
    out: str
    err: str


class Typed(Protocol):
    """Types a command in this process."""

    def __call__(self, *words: str) -> Done:
        """Run it, with the fixture's folder as the working directory."""


def in_a_process(
    *words: str, folder: Path, environment: Mapping[str, str] | None = None, **settings: Any
) -> Done:
    """Run `python -m runner` on its own, without a terminal and without settings of the tester."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env={**clean_environment(), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **settings,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def clean_environment() -> dict[str, str]:
    """This process's environment without what changes the runner's output."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RUNNER_") and name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    }
