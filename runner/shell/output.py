"""A script's output as it comes: bounded in memory, spooled past that, and told a line at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeAlias

from runner.transport.port import Stream

#: How much of each stream is kept in memory (language.md and the issue: spooled past 1 MiB), in bytes.
MEMORY_LIMIT = 1 << 20
#: A live line is shown at this length even where no newline has come, in bytes.
_LONGEST_LINE = 1 << 16

TextListener: TypeAlias = Callable[[Stream, str], None]


class OutputCollector:
    r"""Takes a process's output; a :class:`runner.transport.port.Receiver`.

    ``on_text`` gets each line with its end, as soon as it is whole, with ``\xNN`` for bytes that are no UTF-8; only a
    very long line comes in pieces. A last line without an end comes, with one, with :meth:`finish`. ``directory`` is
    where output past ``limit`` bytes is spooled under a name (see :attr:`Collected.path`); without one the file has no
    name and is gone with the collector. With ``named`` false it gets its name only by :meth:`Collected.keep`.
    """

    def __init__(
        self,
        *,
        on_text: TextListener | None = None,
        directory: Path | None = None,
        limit: int = MEMORY_LIMIT,
        named: bool = True,
    ) -> None:
        self.stdout = Collected("stdout", directory, limit, named=named)
        self.stderr = Collected("stderr", directory, limit, named=named)
        self._lines = _LiveLines(on_text) if on_text is not None else None

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output."""
        (self.stdout if stream is Stream.STDOUT else self.stderr).add(data)
        if self._lines is not None:
            self._lines.add(stream, data)

    def finish(self) -> None:
        """The output is complete: tell the last line and bring spooled bytes to the file; idempotent."""
        if self._lines is not None:
            self._lines.finish()
        self.stdout.flush()
        self.stderr.flush()

    def close(self) -> None:
        """Close what is open; named files stay."""
        self.stdout.close()
        self.stderr.close()


class Collected:
    """One stream: its beginning in memory, and past the limit all of it in a file.

    Attributes:
        size: all bytes that came.
        head: the first bytes, at most the limit.
        path: the named file that holds everything, or None.
        failure: why not everything could be kept (a full disk), or None.

    """

    def __init__(self, name: str, directory: Path | None, limit: int, *, named: bool = True) -> None:
        self._name = name
        self._directory = directory
        self._limit = limit
        self._named = named
        self._file: IO[bytes] | None = None
        self._head = bytearray()
        self.size = 0
        self.path: Path | None = None
        self.failure: OSError | None = None

    @property
    def head(self) -> bytes:
        """The first bytes, at most the limit."""
        return bytes(self._head)

    @property
    def complete(self) -> bool:
        """Whether ``head`` is everything."""
        return self.size == len(self._head)

    def add(self, data: bytes) -> None:
        """Take a piece; a full disk is noted in ``failure``, the beginning stays."""
        room = self._limit - len(self._head)
        self.size += len(data)
        if room >= len(data) and self._file is None:
            self._head += data
            return
        if self.failure is None:
            try:
                self._spool(data)
            except OSError as error:
                self.failure = error
        if room > 0:
            self._head += data[:room]

    def read(self) -> bytes:
        """Everything, from memory or from the file.

        Raises:
            OSError: it could not be spooled, or not be read.

        """
        if self.complete:
            return self.head
        if self.failure is not None or self._file is None:
            raise self.failure or OSError("the spooled output is closed")
        self._file.flush()
        self._file.seek(0)
        return self._file.read()

    def flush(self) -> None:
        """Bring everything to the file."""
        if self._file is not None and self.failure is None:
            try:
                self._file.flush()
            except OSError as error:
                self.failure = error

    def keep(self, rewrite: Callable[[IO[bytes], IO[bytes]], object]) -> None:
        """Keep what was spooled without a name under its name, as ``rewrite`` copies it; a full disk is noted."""
        if self._file is None or self._directory is None or self.path is not None or self.failure is not None:
            return
        path = self._directory / self._name
        try:
            self._file.seek(0)
            with _private(path) as target:
                rewrite(self._file, target)
        except OSError as error:
            self.failure = error
            path.unlink(missing_ok=True)
        else:
            self.path = path

    def close(self) -> None:
        """Close the file; a named one stays."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def _spool(self, data: bytes) -> None:
        if self._file is None:
            self._file = self._opened()
            self._file.write(self._head)
        self._file.write(data)

    def _opened(self) -> IO[bytes]:
        if self._directory is None:
            return tempfile.TemporaryFile()
        _make_private(self._directory)
        if not self._named:
            return tempfile.TemporaryFile(dir=self._directory)
        self.path = self._directory / self._name
        return _private(self.path)


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for nobody else: mkdir itself would do so for the last."""
    for each in (*reversed(folder.parents), folder):
        each.mkdir(mode=0o700, exist_ok=True)


def _private(path: Path) -> IO[bytes]:
    """A new file that nobody else reads."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")


class _LiveLines:
    """Lines of both streams, told as soon as they are whole."""

    def __init__(self, on_text: TextListener) -> None:
        self._on_text = on_text
        self._begun = {Stream.STDOUT: b"", Stream.STDERR: b""}

    def add(self, stream: Stream, data: bytes) -> None:
        *lines, rest = (self._begun[stream] + data).split(b"\n")
        for line in lines:
            self._on_text(stream, shown(line) + "\n")
        while len(rest) > _LONGEST_LINE:
            self._on_text(stream, shown(rest[:_LONGEST_LINE]))
            rest = rest[_LONGEST_LINE:]
        self._begun[stream] = rest

    def finish(self) -> None:
        for stream, rest in self._begun.items():
            self._begun[stream] = b""
            if rest:
                self._on_text(stream, shown(rest) + "\n")


def shown(line: bytes) -> str:
    r"""A line as people see it: without a carriage return at its end, ``\xNN`` for what is no UTF-8.

    >>> shown(b"caf\xe9\r")
    'caf\\xe9'
    """
    return line.removesuffix(b"\r").decode("utf-8", "backslashreplace")
