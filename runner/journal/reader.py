"""Journals line by line. The last line may be torn, as a process can end in the midst of writing it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from runner.engine.result import Result
from runner.errors import JournalError
from runner.journal.lines import ForeignFormatError, record_of
from runner.journal.record import FORMAT, Ended, Record, RunHeader
from runner.journal.spool import FOLDER, SpoolReader

_TAIL: Final = 1 << 16


class JournalReader:
    """Iterates over the numbered records behind the header; iterating again goes on with what was written since.

    Attributes:
        header: the first record.
        torn: the last line is not whole and was left out.
        whole: bytes up to the end of the last whole line.
        at: offset of the line of the record that was given last.
        damaged: numbers of the lines that ``recover`` left out.

    Raises:
        JournalError: at once for a header that cannot be read, while iterating for any other line.

    """

    def __init__(self, path: Path, *, outputs: bool = True, recover: bool = False) -> None:
        self.torn = False
        self.whole = 0
        self.at = 0
        self.damaged: list[int] = []
        self._path = path
        self._outputs = outputs
        self._recover = recover
        self._load = SpoolReader(path.parent / FOLDER).load
        self._number = 1
        self.header = self._read_header()

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        self.torn = False
        try:
            with self._path.open("rb") as file:
                file.seek(self.whole)
                yield from self._records(file)
        except OSError as error:
            raise _not_read(self._path, error) from error

    def _records(self, lines: Iterator[bytes]) -> Iterator[tuple[int, Record]]:
        broken: tuple[bytes, ValueError] | None = None
        for line in lines:
            if broken is not None:
                self._leave_out(*broken)
                broken = None
            try:
                record = record_of(_whole(line), self._load, outputs=self._outputs)
            except ValueError as error:
                broken = line, error
                continue
            self._number += 1
            self.at = self.whole
            self.whole += len(line)
            yield self._number, record
        self.torn = broken is not None

    def _leave_out(self, line: bytes, error: ValueError) -> None:
        number = self._number + 1
        if not self._recover:
            raise _damaged(self._path, number, error, f"{number - 1} lines before it can be read")
        self.damaged.append(number)
        self._number = number
        self.whole += len(line)

    def _read_header(self) -> RunHeader:
        try:
            with self._path.open("rb") as file:
                line = file.readline()
        except OSError as error:
            raise _not_read(self._path, error) from error
        try:
            record = record_of(_whole(line), self._load)
        except ForeignFormatError as error:
            raise _foreign(self._path, error) from error
        except ValueError as error:
            raise _damaged(self._path, 1, error, "nothing in it can be read") from error
        if not isinstance(record, RunHeader):
            raise _damaged(self._path, 1, ValueError("no header"), "nothing in it can be read")
        self.whole = len(line)
        return record


class ResultReader:
    """Reads results from a journal again, each by the offset of its line; lines are only ever added behind them."""

    def __init__(self, path: Path, *, outputs: bool = True) -> None:
        self._path = path
        self._outputs = outputs
        self._load = SpoolReader(path.parent / FOLDER).load
        self._file: BinaryIO | None = None

    def read(self, offset: int) -> Result:
        """The result that is recorded at that offset.

        Raises:
            JournalError: it cannot be read, or somebody has changed the file since.

        """
        try:
            if self._file is None:
                self._file = self._path.open("rb")
                weakref.finalize(self, self._file.close)
            self._file.seek(offset)
            record = record_of(_whole(self._file.readline()), self._load, outputs=self._outputs)
        except OSError as error:
            raise _not_read(self._path, error) from error
        except ValueError as error:
            raise _changed(self._path, offset, error) from error
        if not isinstance(record, Ended):
            raise _changed(self._path, offset, ValueError("no result"))
        return record.result


def read_tail(path: Path) -> tuple[Record | None, int]:
    """The last whole record without outputs, and how many bytes of the file are whole lines.

    Raises:
        OSError: the file cannot be read.

    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        length = min(size, _TAIL)
        while True:
            file.seek(size - length)
            data = file.read(length)
            found = _last_of(data, size, complete=length == size)
            if found is not None:
                return found
            length = min(size, length * 8)


def _last_of(data: bytes, size: int, *, complete: bool) -> tuple[Record | None, int] | None:
    """The last record in the end of a file and where it ends; None where more of the file is needed."""
    end = data.rfind(b"\n") + 1
    for _ in range(2):  # a power cut can leave a last line with an end and no sense
        begin = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
        if begin == 0 and not complete:
            return None
        try:
            record = record_of(data[begin:end], _nothing, outputs=False)
        except ValueError:
            end = begin
            continue
        return record, size - len(data) + end
    return None, size - len(data) + end


def _whole(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise ValueError("it has no end")
    return line


def _nothing(field: Any) -> Any:
    return field if isinstance(field, list) else []


def _not_read(path: Path, error: OSError) -> JournalError:
    return JournalError(
        "journal-not-read",
        f"the journal `{path}` cannot be read: {error.strerror}",
        hints=("`runner runs list` shows the runs that are recorded here",),
    )


def _foreign(path: Path, error: ForeignFormatError) -> JournalError:
    wrote = f" by version {error.version} of the runner" if isinstance(error.version, str) else ""
    return JournalError(
        "journal-version",
        f"`{path}` was written{wrote} in format {error.format}, and this version ({FORMAT}) cannot read it",
        hints=("use that version of the runner for this run",) if wrote else (),
    )


def _changed(path: Path, offset: int, error: ValueError) -> JournalError:
    return JournalError(
        "journal-damaged",
        f"the line at byte {offset} of `{path}` is not what it was before ({error})",
        hints=("restore the file and its spool from a backup",),
    )


def _damaged(path: Path, number: int, error: ValueError, readable: str) -> JournalError:
    return JournalError(
        "journal-damaged",
        f"{path}:{number}: this line of the journal is damaged ({error}); {readable}; nothing was run",
        hints=("restore the file from a backup, or begin again with `runner run`",),
    )
