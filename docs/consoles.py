"""Examples of the documentation that are run: what a page shows is what the commands print.

In a page a block ```` ```yaml NAME ```` (or any language with a name) is a file, and in a block
```` ```console checked ```` each line that begins with ``$`` is a command, the lines below it its output.
:func:`replay` does it all again in a folder, in the order of the page. ``python -m docs.consoles FOLDER PAGE...``
writes what was printed into the pages; a test compares.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<language>\w+) (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CHECKED = "checked"
_COMMAND = "$ "

# What differs from run to run, and what stands for it in a comparison.
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z(-[0-9a-f]{4}|…)"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+]00:00| UTC)?"), "WHEN"),
    (re.compile(r"\bby \S+ on \S+"), "by USER on MACHINE"),
    (re.compile(r"\b\d+(\.\d+)?m?s\b"), "TIME"),
    (re.compile(r"(?<=process )\d+"), "PID"),
    (re.compile(r"\b\S+@\S+:\d+\b"), "USER@MACHINE:PID"),
    (re.compile(r"\bof `[^`]+` on `[^`]+`"), "of `USER` on `MACHINE`"),
    (re.compile(r"on `[^`]+` shows"), "on `MACHINE` shows"),
    (re.compile(r"(?<=port: )\d+|(?<=\bport )\d+"), "PORT"),
    (re.compile(r"(?<=plan )[0-9a-f]{12}"), "DIGEST"),
    (re.compile(r"(?<=digest )[0-9a-f]{12,64}"), "DIGEST"),
    (re.compile(r"(?<=inventory\.yml  sha256 )[0-9a-f]{12}"), "DIGEST"),
    (re.compile(r"\bmade [^\n]*? ago\b"), "made AGO"),
    (re.compile(r"(?<=\.)\d{8}T\d{6}Z~"), "INSTANT~"),
    (re.compile(r"(?m)^-?\d{8,}$"), "MEMORY"),
    (re.compile(r"(?m)^\d+\.\d+\.\d+$"), "VERSION"),
    (re.compile(r"─+"), "─"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True, slots=True)
class Console:
    """One command of a page, with the output the page shows and what it printed now."""

    command: str
    shown: str
    printed: str


def replay(page: str, folder: Path) -> Iterator[list[Console]]:
    """Write the files and run the commands of a page in ``folder``; gives the commands of one block at a time."""
    for block in _BLOCK.finditer(page):
        if block["name"] != _CHECKED:
            file = folder / block["name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block["text"], encoding="utf-8")
        else:
            yield [
                Console(command, shown, _run(command, folder)) for command, shown in _commands(block["text"])
            ]


def alike(text: str) -> list[str]:
    """The lines of an output without what differs from run to run, sorted: two streams have no common order."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return sorted(line.strip() for line in text.splitlines() if line.strip())


def _commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
        if part.startswith(_COMMAND):
            command, _, shown = part.removeprefix(_COMMAND).partition("\n")
            yield command, shown


def _run(command: str, folder: Path) -> str:
    """Both streams of a command, results first; the environment is that of a user with an empty home."""
    search = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": search, "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC", "COLUMNS": "80"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    printed = done.stdout + ("\n" if done.stdout and done.stderr else "") + done.stderr
    return printed.replace(f"{folder}/", "").replace(str(folder), "~").strip("\n") + "\n"


def refreshed(page: str, folder: Path) -> str:
    """The page with the output of now in every checked block."""
    blocks = replay(page, folder)

    def again(block: re.Match[str]) -> str:
        if block["name"] != _CHECKED:
            return block[0]
        body = "".join(f"{_COMMAND}{one.command}\n{one.printed.lstrip()}" for one in next(blocks))
        return f"```console {_CHECKED}\n{body}```"

    # Files are written by the replay itself, which runs in step with the blocks met here.
    return _BLOCK.sub(again, page)


def main(arguments: Sequence[str]) -> int:
    """Refresh pages; the first argument is the folder to work in."""
    folder = Path(arguments[0]).absolute()
    for name in arguments[1:]:
        page = Path(name)
        page.write_text(refreshed(page.read_text(encoding="utf-8"), folder), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
