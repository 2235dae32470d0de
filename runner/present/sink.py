"""Where shown text goes: a stream, a file line by line, or a file that is there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Protocol, TextIO

from runner.errors import ExitCode, RunnerError, UsageError


class OutputClosed(RunnerError):
    """Who read the output went away (``runner ... | head``); nothing more can be shown there."""

    exit_code = ExitCode.CLOSED_OUTPUT

    def __init__(self) -> None:
        super().__init__("output-closed", "the reader of the output is gone")


class OutputNotWritten(UsageError):
    """A file or a stream of output cannot be written; ``reason`` is the system's words."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            "output-not-written",
            f"cannot write the output to `{name}`: {reason}",
            hints=(
                "name a file in a directory that exists and that you may write to, as in `-o json=out.json`",
            ),
        )


class Sink(Protocol):
    """Takes text in order. Both methods raise OutputClosed or OutputNotWritten where it cannot be taken."""

    @property
    def unicode(self) -> bool:
        r"""Whether any character can be written; where not, others are written as ``\xe9``."""

    def write(self, text: str) -> None:
        """Write and flush, so that what a person sees is never behind."""

    def close(self) -> None:
        """Make what was written stay; a stream that was given stays open."""

    def discard(self) -> None:
        """Let go without a result: the run did not come to its end."""


@contextmanager
def told_errors(name: str) -> Iterator[None]:
    """Errors of writing to ``name`` as OutputClosed and OutputNotWritten."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputNotWritten(name, error.strerror or str(error)) from error
    except ValueError as error:  # what a stream that was closed under us raises
        raise OutputClosed from error


@contextmanager
def _closed_terminals() -> Iterator[None]:
    """A terminal that was closed under us is a reader that went away; the system calls it an I/O error."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EIO:
            raise BrokenPipeError from error
        raise


class Nowhere:
    """Takes everything and keeps nothing."""

    unicode = True

    def write(self, text: str) -> None:
        """Drop it."""

    def close(self) -> None:
        """Nothing was kept."""

    def discard(self) -> None:
        """Nothing was kept."""


class StreamSink:
    """Standard output or standard error, which belong to the process.

    That the reader is gone is told once; what is written afterwards is dropped, so that whoever writes to two
    streams can go on with the other one.
    """

    def __init__(self, stream: TextIO, name: str = "standard output") -> None:
        self._stream = stream
        self._name = name
        self._gone = False
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    @property
    def unicode(self) -> bool:
        """Whether the stream's encoding is UTF-8."""
        return self._encoding.lower().replace("-", "").startswith("utf8")

    def write(self, text: str) -> None:
        """Write and flush."""
        if self._gone:
            return
        shown = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        try:
            with told_errors(self._name), _closed_terminals():
                self._stream.write(shown)
                self._stream.flush()
        except OutputClosed:
            self._gone = True
            raise

    def close(self) -> None:
        """Flush."""
        if not self._gone:
            with told_errors(self._name):
                self._stream.flush()

    def discard(self) -> None:
        """Nothing is held back, so nothing can be taken back."""


class FileSink:
    """A file written as it comes, replaced at the start: lines of a run that broke off are worth having."""

    unicode = True

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        with told_errors(self._name):
            self._file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")

    def write(self, text: str) -> None:
        """Write and flush."""
        with told_errors(self._name):
            self._file.write(text)
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with told_errors(self._name):
            self._file.close()

    def discard(self) -> None:
        """Close the file with what it holds."""
        with suppress(OSError):
            self._file.close()


class WholeFile:
    """A file that appears whole at :meth:`close`, or not at all: written beside its place, then renamed."""

    unicode = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = str(path)
        with told_errors(self._name):
            if path.is_dir():
                raise IsADirectoryError(None, "it is a directory")
            self._file: IO[str] = NamedTemporaryFile(  # noqa: SIM115 - lives until close or discard
                "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
            )

    def write(self, text: str) -> None:
        """Write beside the place."""
        with told_errors(self._name):
            self._file.write(text)

    def close(self) -> None:
        """Put the file in its place, with the permissions that a new file of this process gets."""
        try:
            with told_errors(self._name):
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                part = Path(self._file.name)
                part.chmod(0o666 & ~_umask())
                part.replace(self._path)
        except RunnerError:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave what was at the place before."""
        with suppress(OSError, ValueError):
            self._file.close()
        Path(self._file.name).unlink(missing_ok=True)


class WholeStream:
    """Text kept in a temporary file, then given to a stream or a device whole at :meth:`close`, or not at all."""

    def __init__(self, sink: StreamSink | FileSink) -> None:
        self._sink = sink
        self.unicode = sink.unicode
        with told_errors("a temporary file"):
            self._spool: IO[str] = TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - as above

    def write(self, text: str) -> None:
        """Keep."""
        with told_errors("a temporary file"):
            self._spool.write(text)

    def close(self) -> None:
        """Give everything to the stream."""
        with self._spool:
            self._spool.seek(0)
            copyfileobj(self._spool, self._sink)
        self._sink.close()

    def discard(self) -> None:
        """Forget what was kept."""
        self._spool.close()


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
