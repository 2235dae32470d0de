"""A run's directory while this process runs the run, and what goes into its journal from what people are told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.engine.observe import Notice, Observer, RunEvent, Summary
from runner.engine.result import Result
from runner.journal.lock import RunLock
from runner.journal.record import Answered, Resumed, RunHeader
from runner.journal.replay import Key
from runner.journal.store import RunDirectory, RunStore
from runner.journal.writer import JournalWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A run's directory, held by this process, and what an earlier part of the run left.

    Attributes:
        directory: where it is recorded.
        lock: held until the run is over.
        resumed: what the journal is told first where the run is gone on with.
        restored: results that are taken from the journal.
        passed_waves: waves that passed, by step and number.
        before: answers to gates that were given while nobody ran the run.
        resume_options: words that `runner resume` needs to find the run: `` --record DIR``.

    """

    directory: RunDirectory
    lock: RunLock
    resumed: Resumed | None = None
    restored: Mapping[Key, Result] = field(default_factory=dict)
    passed_waves: Collection[tuple[str, int]] = ()
    before: Mapping[str, Answered] = field(default_factory=dict)
    resume_options: str = ""

    @property
    def resume_with(self) -> str:
        """What to type to go on."""
        return f"runner resume {self.directory.run}{self.resume_options}"

    def discard(self) -> None:
        """Take a new run's directory away: it was refused before anything was run, so there is nothing to keep."""
        if self.resumed is None:
            shutil.rmtree(self.directory.path, ignore_errors=True)


Keep = Callable[[], Kept]
"""Makes or takes a run's directory; called when everything is ready, before anything connects."""


def keep_new(folder: Path, header: RunHeader, *, resume_options: str = "") -> Kept:
    """Make the directory of a new run below a folder.

    Raises:
        UsageError: ``journal-not-created``; nothing was run.

    """
    with suppress(OSError):  # told by the store, with what helps
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = RunStore(folder).create(header)
    return Kept(directory=directory, lock=directory.lock(), resume_options=resume_options)


class Journaling:
    """Observes a run for its journal, beside the presenters; raises nothing."""

    def __init__(self, writer: JournalWriter, presenters: Observer) -> None:
        self._writer = writer
        self._presenters = presenters
        self._stopped = False

    def on_event(self, event: RunEvent) -> None:
        """Show an event, and keep what a person was told."""
        self._presenters.on_event(event)
        if isinstance(event, Notice):
            self._writer.notice(event.message, event.host)

    def stopped(self, reason: str) -> None:
        """Note why the run is stopped; the first reason counts."""
        if not self._stopped:
            self._stopped = True
            self._writer.stopped(reason)

    async def finish(self, summary: Summary) -> None:
        """Note the end, and return when everything is on disk.

        Raises:
            JournalError: it is not.

        """
        if summary.stopped_because:
            self.stopped(summary.stopped_because)
        self._writer.finished(summary)
        await self._writer.close()
