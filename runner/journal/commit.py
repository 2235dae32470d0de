"""Group commit: many callers, one write and one sync for all that wait at a time.

Callers add lines to a buffer in the event loop. One flusher at a time takes the whole buffer to a thread, writes and
syncs it there; what comes meanwhile goes with the next. Who must not act before its line is on disk waits for it, all
others do not. What is long goes to the spool first, so that no line names what is not there. On a full disk the end of
a run is written into a reserve that it has kept there.
"""

from __future__ import annotations

import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from runner.errors import JournalError
from runner.journal.disk import Disk, write_all
from runner.journal.lines import Blob, Line
from runner.journal.reader import read_tail
from runner.journal.reserve import SIZE, Reserve, room_of
from runner.journal.spool import SpoolWriter
from runner.journal.store import RunDirectory

PAUSE: Final = 0.05
"""Seconds that what nobody waits for may stay in memory: less than a person notices, more than a disk's sync takes."""

MOST_WAITING: Final = 8 << 20
"""Bytes in the buffer that are written without a pause."""

MOST_KEPT: Final = 64 << 20
"""Bytes that are kept for a later try when the disk takes nothing more; what ends then is unknown to ``resume``."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(slots=True)
class _Batch:
    """Lines that go to disk together, what must be there before them, and who waits for them."""

    lines: list[Line] = field(default_factory=list)
    size: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self.size += _size(line)

    def blobs(self) -> list[Blob]:
        """What must be on disk before the lines."""
        return [blob for line in self.lines if line.blobs for blob in line.blobs]

    def put_before(self, earlier: _Batch) -> None:
        """Take the lines of a batch that could not be written, before one's own."""
        self.lines[:0] = earlier.lines
        self.size += earlier.size

    def forget(self, written: int) -> None:
        """Drop the first lines, so many bytes of them, which are on disk."""
        while written > 0:
            line = self.lines.pop(0)
            written -= len(line.data)
            self.size -= _size(line)

    def leave_out(self, room: int) -> bool:
        """Drop lines whose long parts do not fit into so many bytes, so that all others do; whether there are any."""
        room -= sum(len(line.data) for line in self.lines)
        kept = []
        for line in self.lines:
            needed = sum(room_of(blob.data) for blob in line.blobs)
            if needed <= room or not needed:
                room -= needed
                kept.append(line)
        left_out, self.lines = len(kept) < len(self.lines), kept
        return left_out

    def settle(self, error: BaseException | None = None) -> None:
        """Tell those who wait; a cancelled one waits no longer."""
        for future in self.waiting:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
        self.waiting.clear()


def _size(line: Line) -> int:
    return len(line.data) + sum(len(blob.data) for blob in line.blobs) if line.blobs else len(line.data)


class GroupCommit:
    """Appends lines to the journal of a run, in the order in which they are added. Used within one event loop.

    After the first failure nothing is written by itself any more and :meth:`add_and_wait` raises; what is added is
    kept, up to :data:`MOST_KEPT` bytes, and :meth:`flush` and :meth:`close` try once more.
    """

    def __init__(self, directory: RunDirectory, disk: Disk) -> None:
        """Open the journal behind its last whole line; what is torn is cut off.

        Raises:
            JournalError: it cannot be opened or cut.

        """
        self._directory = directory
        self._disk = disk
        self._spool = SpoolWriter(directory.spool, disk)
        self._batch = _Batch()
        self._flusher: asyncio.Task[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._cause: OSError | None = None
        self._descriptor: int | None = None
        try:
            _, self._whole = read_tail(directory.journal)
            self._descriptor = disk.open(directory.journal)
            self._cut(self._descriptor)
        except OSError as error:
            self._shut()
            raise _not_written(directory, error) from error
        self._reserve = Reserve(directory.reserve, disk)
        self._thread = ThreadPoolExecutor(1, "journal")

    @property
    def error(self) -> JournalError | None:
        """Why a write failed, None where none did."""
        return None if self._cause is None else _not_written(self._directory, self._cause)

    def add(self, line: Line) -> None:
        """Add a line, which nobody waits for; it is written soon, and before any line that is added after it."""
        if self._cause is not None and self._batch.size > MOST_KEPT:
            return
        self._batch.add(line)
        self._wake(soon=self._batch.size <= MOST_WAITING)

    async def add_and_wait(self, line: Line) -> None:
        """Add a line; returns when it is on disk.

        Raises:
            JournalError: it is not.

        """
        if self._cause is not None:
            raise _not_written(self._directory, self._cause) from self._cause
        self._batch.add(line)
        future = asyncio.get_running_loop().create_future()
        self._batch.waiting.append(future)
        self._wake(soon=False)
        await future

    async def flush(self) -> None:
        """Return when everything that was added is on disk.

        Raises:
            JournalError: it is not, also on another try.

        """
        while self._flusher is not None or self._batch.lines:
            flusher = self._flusher or self._begin()
            if not await asyncio.shield(flusher) and self._cause is not None:
                raise _not_written(self._directory, self._cause) from self._cause

    async def close(self) -> None:
        """Flush and close, on a full disk with the reserve. Idempotent.

        Raises:
            JournalError: not everything is on disk; it is closed all the same.

        """
        if self._descriptor is None:
            return
        try:
            await self._flush_into_reserve()
        finally:
            self._shut()
            self._reserve.release()
            self._thread.shutdown(wait=False)

    async def _flush_into_reserve(self) -> None:
        try:
            await self.flush()
        except JournalError:
            if self._cause is None or self._cause.errno not in _FULL or not self._reserve.make_room():
                raise
            left_out = self._batch.leave_out(SIZE)
            await self.flush()
            if left_out:
                raise

    def _wake(self, *, soon: bool) -> None:
        """See that the buffer is written: at once, or ``soon``."""
        if self._flusher is not None or self._cause is not None or self._descriptor is None:
            return
        if not soon:
            self._begin()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._begin_late)

    def _begin_late(self) -> None:
        self._timer = None
        if self._flusher is None and self._batch.lines:
            self._begin()

    def _begin(self) -> asyncio.Task[bool]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flusher = asyncio.get_running_loop().create_task(self._run())
        return self._flusher

    async def _run(self) -> bool:
        """Write batch after batch while somebody waits; False where one failed."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                batch, self._batch = self._batch, _Batch()
                try:
                    await loop.run_in_executor(self._thread, self._store, batch)
                except OSError as error:
                    self._fail(batch, error)
                    return False
                except BaseException as error:
                    batch.settle(error)
                    raise
                batch.settle()
                if not self._batch.waiting and self._batch.size <= MOST_WAITING:
                    return True
        finally:
            self._flusher = None
            if self._batch.lines:
                self._wake(soon=True)

    def _fail(self, batch: _Batch, error: OSError) -> None:
        """Keep what is not on disk, and tell all who wait."""
        self._cause = error
        told = _not_written(self._directory, error)
        batch.settle(told)
        self._batch.settle(told)
        self._batch.put_before(batch)

    def _store(self, batch: _Batch) -> None:
        """In the thread: bring a batch to disk; of one that fails the lines that are not there stay in it."""
        descriptor = self._descriptor
        if descriptor is None:
            raise OSError(errno.EBADF, "it is closed")
        self._cut(descriptor)
        self._spool.write(batch.blobs())
        data = b"".join([line.data for line in batch.lines])
        try:
            write_all(self._disk, descriptor, data)
        except OSError:
            self._keep_whole_lines(descriptor, batch, data)
            raise
        # After a failed sync the system may take the data for written, so that a second sync says nothing: another
        # try writes it again, where _cut leaves off.
        self._disk.sync(descriptor)
        self._whole += len(data)

    def _cut(self, descriptor: int) -> None:
        """Leave nothing behind the last line that is known to be on disk."""
        if self._disk.size(descriptor) != self._whole:
            self._disk.cut(descriptor, self._whole)
            self._disk.sync(descriptor)

    def _keep_whole_lines(self, descriptor: int, batch: _Batch, data: bytes) -> None:
        """A part of the data is in the file: cut it behind its last whole line."""
        with suppress(OSError):  # the next who opens the journal cuts it
            written = self._disk.size(descriptor) - self._whole
            kept = data.rfind(b"\n", 0, max(written, 0)) + 1
            self._disk.cut(descriptor, self._whole + kept)
            self._disk.sync(descriptor)
            self._whole += kept
            batch.forget(kept)

    def _shut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                self._disk.close(descriptor)


def _not_written(directory: RunDirectory, error: OSError) -> JournalError:
    """A fresh error for everybody who is told: tracebacks grow on those that are raised often."""
    run, path = directory.run, directory.journal
    on_with = f"go on with `runner resume {run}`"
    if error.errno in _FULL:
        return JournalError(
            "journal-full",
            f"the disk with the journal `{path}` is full ({error.strerror}); nothing new is started",
            hints=("make room, for example with `runner runs prune`", on_with),
        )
    if error.errno == errno.EROFS:
        return JournalError(
            "journal-read-only",
            f"the disk with the journal `{path}` is read-only; nothing new is started",
            hints=(f"when it can be written again, {on_with}",),
        )
    return JournalError(
        "journal-not-written",
        f"the journal `{path}` cannot be written: {error.strerror or error}; nothing new is started",
        hints=(f"when it can be written again, {on_with}",),
    )
