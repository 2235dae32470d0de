"""Closed pipes, terminals and colours, with real processes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.command_line import clean_environment

LONG = """\
version: 1
steps:
  - id: talk
    shell: python
    script: |
      import time
      for number in range(2000):
          print("line", number, "x" * 100, flush=True)
"""
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    "words",
    [
        ["run", "long.yml", "-o", "plain"],
        ["run", "long.yml", "-o", "jsonl"],
        ["run", "long.yml", "-o", "json"],
        ["plan", "long.yml"],
        ["schema", "playbook"],
        ["explain", "wrong-value"],
        ["validate", "missing.yml", "-o", "json"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_closed_output(words: list[str], folder: Path) -> None:
    """Where nobody reads (`| head -1`), the command ends with 141, without a traceback and without a report."""
    (folder / "long.yml").write_text(LONG, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, "Traceback" in done.stderr) == (141, False), done.stderr
    assert "internal" not in done.stderr
    assert "Exception ignored" not in done.stderr


def on_a_terminal(words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code and everything a terminal of 100 columns was sent."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update({**clean_environment(), "TERM": "xterm-256color", "COLUMNS": "100", **environment})
        os.execv(sys.executable, [sys.executable, "-m", "runner", *words])
    sent = b""
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not read:
            break
        sent += read
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), sent.decode()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    "words", [["run", "hello.yml"], ["validate", "broken.yml"], ["plan", "hello.yml"]], ids=" ".join
)
def test_colour(words: list[str], folder: Path) -> None:
    """A terminal gets colour; NO_COLOR takes all of it away and nothing else of the text."""
    (folder / "broken.yml").write_text("version: 1\nsteps:\n  - {scirpt: uptime}\n", encoding="utf-8")
    code, coloured = on_a_terminal(words, folder, {})
    assert ESCAPE.search(coloured)
    again, plain = on_a_terminal(words, folder, {"NO_COLOR": "1"})
    assert code == again == (2 if "broken.yml" in words else 0)
    assert not re.search(r"\x1b\[[0-9;]*[1-9][0-9;]*m", plain)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_terminal_without_abilities(folder: Path) -> None:
    """`TERM=dumb` gets no escape at all."""
    code, text = on_a_terminal(["run", "hello.yml"], folder, {"TERM": "dumb"})
    assert code == 0
    assert "\x1b" not in text
    assert "hello world from north" in text
