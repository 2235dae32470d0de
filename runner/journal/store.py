"""Where runs are kept: a directory each under ``.runner/runs/``, found by their ids, listed and pruned."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from runner.errors import JournalError, UsageError
from runner.journal.control import Control
from runner.journal.disk import Disk, LocalDisk, write_whole
from runner.journal.lines import line_of
from runner.journal.lock import RunLock, holder
from runner.journal.reader import JournalReader, read_tail
from runner.journal.record import Finished, RunHeader
from runner.journal.replay import History, replay
from runner.journal.spool import FOLDER as SPOOL_FOLDER
from runner.problems import did_you_mean

RUNS: Final = "runs"
LAST: Final = "last"


class RunState(StrEnum):
    """Running: its process lives. Finished: it came to its end; stopped: before everything was run. Crashed: neither.

    ``unreadable``: its journal's first line cannot be read, or is of another version.
    """

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    CRASHED = "crashed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The directory of one run."""

    path: Path

    @property
    def run(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """The file of its records."""
        return self.path / "journal.jsonl"

    @property
    def spool(self) -> Path:
        """The folder of long outputs."""
        return self.path / SPOOL_FOLDER

    @property
    def reserve(self) -> Path:
        """Room for the last records, while the run goes on."""
        return self.path / "reserve"

    @property
    def control(self) -> Control:
        """What other processes say to the run."""
        return Control(self.path / "control")

    def lock(self) -> RunLock:
        """Hold the run: by the process that runs it, from before the first record to after the last.

        Raises:
            JournalError: ``run-going-on``: another process holds it, which the message names.

        """
        return RunLock(self.path / "lock", self.run)

    def is_running(self) -> int | None:
        """The process that runs it now (0: it does not say which), None where nobody does."""
        return holder(self.path / "lock")

    def replay(self, *, outputs: bool = True, recover: bool = False) -> History:
        """What is known of it: see :func:`runner.journal.replay.replay`."""
        return replay(self.journal, outputs=outputs, recover=recover)


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run in a list.

    Attributes:
        directory: where it is kept.
        state: what became of it.
        header: as the run began (a resumed run's too); None where it is unreadable.
        finished: the last record where the run came to its end, with its summary.
        pid: of the process that runs it, 0 where it is not told; None where nobody does.
        problem: why it is unreadable.

    """

    directory: RunDirectory
    state: RunState
    header: RunHeader | None = None
    finished: Finished | None = None
    pid: int | None = None
    problem: JournalError | None = None

    @property
    def run(self) -> str:
        """The run's id."""
        return self.directory.run


@dataclass(frozen=True, slots=True)
class Pruned:
    """A run that was removed, or would be (``dry_run``), and the bytes of its files."""

    run: str
    size: int


class RunStore:
    """The runs under ``root``, which is ``.runner`` of a repository or the user's state directory."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self._runs = root / RUNS
        self._disk = disk or LocalDisk()

    def create(self, header: RunHeader) -> RunDirectory:
        """Make the directory of a new run, its header on disk.

        Raises:
            UsageError: ``journal-not-created``; nothing was run, and nothing may be.

        """
        directory = RunDirectory(self._runs / header.run)
        made = False
        try:
            self._disk.make_folder(self._runs)
            directory.path.mkdir(mode=0o700)
            made = True
            for folder in ("control", SPOOL_FOLDER):
                (directory.path / folder).mkdir(mode=0o700)
            write_whole(self._disk, directory.journal, line_of(header).data)
            for path in (directory.path, self._runs, self._runs.parent):
                self._disk.sync_folder(path)
        except OSError as error:
            if made:
                shutil.rmtree(directory.path, ignore_errors=True)
            raise UsageError(
                "journal-not-created",
                f"the run's journal cannot be made in `{directory.path}`: {error.strerror}; nothing was run",
                hints=("name a folder that can be written with `--record DIR`",),
            ) from error
        return directory

    def find(self, name: str) -> RunDirectory:
        """The run of that id, of the only id that begins so, or the newest for ``last``.

        Raises:
            UsageError: ``unknown-run``: there is none, or several ids begin so.

        """
        names = self._names()
        if name == LAST:
            newest = self._newest(names)
            if newest is None:
                raise UsageError(
                    "unknown-run",
                    f"no run is recorded in `{self._runs}`",
                    hints=("name another folder with `--record DIR`",),
                )
            return newest
        found = [name] if name in names else sorted(each for each in names if name and each.startswith(name))
        if len(found) == 1:
            return RunDirectory(self._runs / found[0])
        if found:
            listed = ", ".join(f"`{each}`" for each in found[:5]) + (" ..." if len(found) > 5 else "")
            hint = "type more of the one you mean; `runner runs list` shows what each was"
            raise UsageError("unknown-run", f"{len(found)} runs begin with `{name}`: {listed}", hints=(hint,))
        near = did_you_mean(name, [*names, LAST])
        hint = f"did you mean `{near}`?" if near else "`runner runs list` shows the runs there are"
        raise UsageError("unknown-run", f"no run `{name}` is recorded in `{self._runs}`", hints=(hint,))

    def list(self) -> Iterator[RunEntry]:
        """Every run, the newest first; reads no more than the first and the last lines of each journal."""
        for name in reversed(self._by_age(self._names())):
            yield read_entry(RunDirectory(self._runs / name))

    def prune(
        self,
        *,
        keep: int | None = None,
        older_than: timedelta | None = None,
        now: datetime,
        dry_run: bool = False,
    ) -> tuple[Pruned, ...]:
        """Remove runs that are over: all but the newest ``keep``, of those what began before ``now - older_than``.

        Where neither is given nothing is removed. What is running, however old, stays and counts as kept.

        Raises:
            JournalError: ``journal-not-removed``: a run could not be; those before it are.

        """
        if keep is None and older_than is None:
            return ()
        removed = []
        for position, entry in enumerate(self.list()):
            young = older_than is not None and _began(entry) > now - older_than
            if entry.state is RunState.RUNNING or young or (keep is not None and position < keep):
                continue
            size = _size(entry.directory.path)
            if dry_run or self._remove(entry.directory):
                removed.append(Pruned(entry.run, size))
        return tuple(removed)

    def _remove(self, directory: RunDirectory) -> bool:
        """Remove it under its lock, so that nobody goes on with it meanwhile; False where somebody does."""
        try:
            lock = directory.lock()
        except JournalError as error:
            if error.code == "run-going-on":
                return False
            raise
        gone = directory.path.with_name(f".{directory.run}.pruned")
        try:
            with lock:
                directory.path.rename(gone)  # at once, so that nobody sees half of it
            shutil.rmtree(gone)
        except OSError as error:
            raise JournalError(
                "journal-not-removed", f"run `{directory.run}` cannot be removed: {error.strerror}"
            ) from error
        return True

    def _names(self) -> tuple[str, ...]:
        """The runs that have a journal; a directory without one is being made, or its process died in doing so."""
        with suppress(OSError):
            names = [each.name for each in os.scandir(self._runs) if not each.name.startswith(".")]
            return tuple(name for name in names if RunDirectory(self._runs / name).journal.exists())
        return ()

    def _by_age(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The oldest first: ids begin with the instant, and within a second the header tells."""
        seconds = Counter(map(_second, names))
        return tuple(
            sorted(
                names,
                key=lambda name: (
                    _second(name),
                    _began(read_entry(RunDirectory(self._runs / name)))
                    if seconds[_second(name)] > 1
                    else None,
                    name,
                ),
            )
        )

    def _newest(self, names: tuple[str, ...]) -> RunDirectory | None:
        return RunDirectory(self._runs / self._by_age(names)[-1]) if names else None


def read_entry(directory: RunDirectory) -> RunEntry:
    """What a list shows of a run."""
    pid = directory.is_running()
    try:
        header = JournalReader(directory.journal, outputs=False).header
        last, _ = read_tail(directory.journal)
    except JournalError as error:
        return RunEntry(directory, RunState.UNREADABLE, pid=pid, problem=error)
    except OSError as error:
        problem = JournalError("journal-not-read", f"`{directory.journal}` cannot be read: {error.strerror}")
        return RunEntry(directory, RunState.UNREADABLE, pid=pid, problem=problem)
    finished = last if isinstance(last, Finished) else None
    if pid is not None:
        return RunEntry(directory, RunState.RUNNING, header, None, pid)
    if finished is None:
        return RunEntry(directory, RunState.CRASHED, header)
    summary = finished.summary
    stopped = summary.stopped_because is not None or summary.policy is not None
    return RunEntry(directory, RunState.STOPPED if stopped else RunState.FINISHED, header, finished)


def _second(name: str) -> str:
    """``2026-11-21T015000Z`` of an id."""
    return name[:18]


def _began(entry: RunEntry) -> datetime:
    if entry.header is not None:
        return entry.header.started_at
    return datetime.fromtimestamp(_made(entry.directory.journal), UTC)


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
