"""A lab fleet with the playbooks of playbooks/control/ beside it, and what a run over it came to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.docs.conftest import ROOT, runner
from tests.language.author import Ran

PATIENCE = 60.0
"""Seconds within which what a test waits for must come, however slow the machine is."""


@dataclass
class Fleet:
    """The lab, as it was planted, and a folder with the playbooks in which commands are typed."""

    inventory: Path
    homes: Path
    folder: Path
    going: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def change(self, name: str, *pairs: tuple[str, str]) -> None:
        """Shorten what takes minutes: a playbook of the folder with words in place of others."""
        path = self.folder / "control" / f"{name}.yml"
        text = path.read_text()
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)

    def words(self, name: str, *options: str, inventory: Path | None = None) -> list[str]:
        """The words that follow `runner`: a run with one JSON document."""
        book = str(self.folder / "control" / f"{name}.yml")
        given = ["-i", str(inventory or self.inventory), "--record", "rec", "-o", "json"]
        return ["run", book, *given, *options]

    def run(self, name: str, *options: str, inventory: Path | None = None) -> Ran:
        """Run a playbook to its end."""
        done = runner(*self.words(name, *options, inventory=inventory), home=self.folder)
        return Ran(done.returncode, done.stdout, done.stderr)

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Any other command."""
        return runner(*words, home=self.folder)

    def start(self, name: str, *options: str, inventory: Path | None = None) -> subprocess.Popen[bytes]:
        """Begin a run that says on standard error what it does; :meth:`finish` waits for it."""
        words = self.words(name, *options, inventory=inventory)
        words[words.index("json")] = "plain"
        with (self.folder / "told").open("w") as told:
            process = subprocess.Popen(
                [sys.executable, "-m", "runner", *words, "-o", "json=document.json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=told,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(ROOT)},
            )
        self.going.append(process)
        return process

    def finish(self, process: subprocess.Popen[bytes]) -> Ran:
        """Wait for the end of what was begun."""
        code = process.wait(PATIENCE)
        return Ran(code, (self.folder / "document.json").read_text(), self.told())

    def told(self) -> str:
        """What the run that was begun has said on standard error until now."""
        return (self.folder / "told").read_text()

    def file(self, host: str, name: str) -> Path:
        """A file on a host."""
        return self.homes / host / name


def until(holds: Callable[[], Any]) -> None:
    """Wait until something of another process holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def statuses(ran: Ran, step: str) -> Counter[str]:
    """How often a step ended how."""
    return Counter(result["status"] for result in ran.results if result["step"] == step)


def at_once(ran: Ran, *steps: tuple[str, int]) -> int:
    """The most that the steps held together at one moment, each as often as it says."""
    weights, changes = dict(steps), []
    for result in ran.results:
        if result["step"] in weights:
            begin = datetime.fromisoformat(result["started_at"])
            weight = weights[result["step"]]
            changes += [(begin, weight), (begin + timedelta(seconds=result["duration_s"]), -weight)]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most
