"""Ctrl-C, termination and hang-up of a local run: what ran is ended with all it started, and the exit code says why."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.command_line import clean_environment

POLITE = """\
version: 1
steps:
  - id: busy
    script: |
      sleep 301 &
      echo $$ $! > pids.part
      mv pids.part pids
      wait
  - id: after
    script: touch after
"""
STUBBORN = POLITE.replace("      sleep 301 &\n", "      trap '' TERM INT HUP\n      sleep 301 &\n").replace(
    "      wait\n", "      while :; do wait; done\n"
)
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@dataclass(slots=True)
class OnTerminal:
    """A run with a terminal of its own; everything it shows is collected."""

    folder: Path
    pid: int
    terminal: int
    shown: bytes = field(default=b"")

    @classmethod
    def start(cls, folder: Path, playbook: str, *options: str) -> OnTerminal:
        """Run a playbook in the folder, in a session of its own as a login has it."""
        (folder / "busy.yml").write_text(playbook, encoding="utf-8")
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update({**clean_environment(), "TERM": "xterm-256color"})
            os.execv(sys.executable, [sys.executable, "-m", "runner", "run", "busy.yml", *options])
        os.set_blocking(terminal, False)
        return cls(folder, pid, terminal)

    def read(self) -> None:
        """Take what is there; a program whose terminal is full would wait."""
        try:
            while more := os.read(self.terminal, 65536):
                self.shown += more
        except BlockingIOError:
            return
        except OSError:  # EIO: the program is gone
            return

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Go on reading until something is true; a minute is far more than any machine needs."""
        give_up = time.monotonic() + 60
        while not true():
            if time.monotonic() > give_up:
                pytest.fail(f"{what} did not happen; shown so far: {self.shown.decode(errors='replace')}")
            self.read()
            time.sleep(0.02)

    def pids(self) -> list[int]:
        """The processes of the step, once they have said so."""
        file = self.folder / "pids"
        self.until(file.exists, "the step's start")
        return [int(word) for word in file.read_text(encoding="utf-8").split()]

    def type(self, keys: bytes) -> None:
        """Type on its keyboard."""
        os.write(self.terminal, keys)

    def wait(self) -> int:
        """Its exit code."""
        status: list[int] = []

        def ended() -> bool:
            pid, value = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                status.append(value)
            return bool(pid)

        self.until(ended, "the end of the run")
        self.read()
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status[0])


def is_gone(pid: int) -> bool:
    """Whether no such process runs any more (one that nobody has waited for yet does not run)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in {"Z", "X"}


def check_ended(run: OnTerminal, pids: list[int], code: int) -> None:
    """The exit code is right, the whole process group is gone, and the next step did not begin."""
    assert run.wait() == code, run.shown.decode(errors="replace")
    assert [pid for pid in pids if not is_gone(pid)] == []
    assert not (run.folder / "after").exists()
    assert b"Traceback" not in run.shown


@pytest.mark.parametrize("options", [[], ["-o", "plain"], ["-o", "json=out.json"]], ids=" ".join)
def test_ctrl_c(options: list[str], folder: Path) -> None:
    """Ctrl-C on the terminal ends the step with what it started, then the run, with 130."""
    run = OnTerminal.start(folder, POLITE, *options)
    pids = run.pids()
    run.type(b"\x03")
    check_ended(run, pids, 130)
    if options and options[-1].startswith("json="):
        document = json.loads((folder / "out.json").read_text(encoding="utf-8"))
        assert document["results"][0]["status"] == "cancelled"


def test_a_second_ctrl_c_hurries(folder: Path) -> None:
    """A step that will not end is killed, and a second Ctrl-C does not wait for it to end by itself."""
    run = OnTerminal.start(folder, STUBBORN)
    pids = run.pids()
    run.type(b"\x03")
    run.until(lambda: b"Ctrl-C" in run.shown, "the word that the run is being stopped")
    run.type(b"\x03")
    check_ended(run, pids, 130)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_signals(number: signal.Signals, code: int, folder: Path) -> None:
    """Termination and hang-up stop the run in order, each with its code."""
    run = OnTerminal.start(folder, POLITE)
    pids = run.pids()
    os.kill(run.pid, number)
    check_ended(run, pids, code)


def test_the_first_signal_decides(folder: Path) -> None:
    """Termination after Ctrl-C hurries the run; its exit code stays that of Ctrl-C."""
    run = OnTerminal.start(folder, STUBBORN)
    pids = run.pids()
    run.type(b"\x03")
    run.until(lambda: b"Ctrl-C" in run.shown, "the word that the run is being stopped")
    os.kill(run.pid, signal.SIGTERM)
    check_ended(run, pids, 130)


def test_a_closed_terminal(folder: Path) -> None:
    """A terminal that is closed is a hang-up: what ran is ended, and nothing is left behind."""
    run = OnTerminal.start(folder, POLITE)
    pids = run.pids()
    os.close(run.terminal)
    _, status = os.waitpid(run.pid, 0)
    assert os.waitstatus_to_exitcode(status) in {129, 141}
    assert [pid for pid in pids if not is_gone(pid)] == []
    assert not (folder / "after").exists()
