"""The recorder of a run: what happens in it, as lines of its journal."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

from runner.engine.observe import Summary
from runner.engine.result import Result
from runner.errors import JournalError
from runner.journal.commit import GroupCommit
from runner.journal.disk import Disk, LocalDisk
from runner.journal.lines import line_of, started_line
from runner.journal.record import (
    Answered,
    Ended,
    Finished,
    Noticed,
    PolicyBroke,
    Record,
    Rescued,
    Resumed,
    Stopped,
    WavePassed,
)
from runner.journal.store import RunDirectory


class JournalWriter:
    """The recorder of a run (``engine.port.Recorder``), and of what else happens in it.

    Used within one event loop, by who holds the run's lock. Only :meth:`started`, :meth:`flush` and :meth:`close`
    raise: after the first failure nothing more may start, and whatever else is recorded is kept in memory for
    :meth:`flush` and :meth:`close` to try again.
    """

    def __init__(
        self,
        directory: RunDirectory,
        *,
        disk: Disk | None = None,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the journal at its end, behind the last whole line; one that is torn is cut off.

        Args:
            directory: as the store made or found it.
            disk: what writes; the machine's own by default.
            utc: the time that records carry; the machine's own by default.

        Raises:
            JournalError: it cannot be opened or cut.

        """
        self._utc = utc
        self._lines = GroupCommit(directory, disk or LocalDisk())

    @property
    def error(self) -> JournalError | None:
        """Why a write failed, None where none did."""
        return self._lines.error

    async def started(self, step: str, host: str, attempt: int, item: int | None) -> None:
        """Record that a host is about to be acted on; returns when that is on disk.

        Raises:
            JournalError: it is not, and nothing may be sent.

        """
        await self._lines.add_and_wait(started_line(step, host, attempt, item, self._utc()))

    def ended(self, step: str, host: str, result: Result) -> None:
        """Record an end, also of what was skipped or was never started."""
        if result.step != step or result.host != host:
            result = replace(result, step=step, host=host)
        self._write(Ended(result, self._utc()))

    def wave_passed(self, step: str, wave: int) -> None:
        """Record that a wave passed."""
        self._write(WavePassed(step, wave, self._utc()))

    def broke(self, step: str | None, reason: str) -> None:
        """Record that a policy broke."""
        self._write(PolicyBroke(step, reason, self._utc()))

    def rescued(self, block: str, host: str, steps: Collection[str]) -> None:
        """Record that a block was mended on a host: bad results of ``steps`` there count no more."""
        self._write(Rescued(block, host, tuple(sorted(steps)), self._utc()))

    def notice(self, message: str, host: str | None = None) -> None:
        """Record what a person was told; masked by who tells it."""
        self._write(Noticed(message, self._utc(), host))

    def answered(self, step: str, *, go: bool, who: str) -> None:
        """Record the answer to a gate."""
        self._write(Answered(step, go, who, self._utc()))

    def stopped(self, reason: str) -> None:
        """Record that the run was asked to stop."""
        self._write(Stopped(reason, self._utc()))

    def resumed(self, record: Resumed) -> None:
        """Record that this process goes on with the run."""
        self._write(record)

    def finished(self, summary: Summary) -> None:
        """Record the end; only :meth:`close` comes after it."""
        self._write(Finished(summary, self._utc()))

    async def flush(self) -> None:
        """Return when all that was recorded is on disk; after a failure it is tried once more.

        Raises:
            JournalError: it is not.

        """
        await self._lines.flush()

    async def close(self) -> None:
        """Flush and close. Idempotent.

        Raises:
            JournalError: not all that was recorded is on disk; it is closed all the same.

        """
        await self._lines.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    def _write(self, record: Record) -> None:
        self._lines.add(line_of(record))
