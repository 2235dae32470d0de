"""Where runs keep what they record: one folder of a repository, seen by its owner alone and never committed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from runner.cli.settings import FILE_NAME

FOLDER: Final = ".runner"
_MARKS: Final = (".git", FILE_NAME, FOLDER)


def record_folder(playbook: Path, environment: Mapping[str, str]) -> Path:
    """``.runner/`` of the repository that holds the playbook, else the user's state directory (cli.md, `--record`).

    A repository is the nearest folder upwards with ``.git``, ``runner.toml`` or ``.runner``. Shown relative to the
    working directory where it is below it.
    """
    start = playbook.absolute().parent
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            found = folder / FOLDER
            return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
    state = environment.get("XDG_STATE_HOME")
    with suppress(RuntimeError):  # a user without a home
        return (Path(state) if state else Path.home() / ".local" / "state") / "runner"
    return Path(FOLDER)


def keep_out_of_git(folder: Path) -> None:
    """Keep what was recorded out of git; does nothing where nothing was recorded."""
    with suppress(OSError):  # of another user, or the disk is full: the run's own end is no worse for it
        if folder.name == FOLDER and folder.is_dir() and not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
