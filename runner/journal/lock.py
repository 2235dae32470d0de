"""The lock of a run's directory: who holds it is the process that runs it, and it ends with that process."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from runner.errors import JournalError

_TRIES: Final = 20
_PAUSE: Final = 0.01  # seconds; somebody who asks whether the run goes on holds the lock for a moment


class RunLock:
    """Held from its making until :meth:`release`, or until the process ends however it does (flock)."""

    def __init__(self, path: Path, run: str) -> None:
        """Take it.

        Raises:
            JournalError: ``run-going-on``, with the process that holds it; ``journal-not-written`` where it cannot be.

        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(
                "journal-not-written", f"`{path}` cannot be opened: {error.strerror}; nothing was run"
            ) from error
        if not _take(descriptor):
            pid = _read_pid(descriptor)
            os.close(descriptor)
            raise JournalError(
                "run-going-on",
                f"run `{run}` is going on in process {pid or 'unknown'}; nothing was run",
                hints=(f"look at it with `runner runs watch {run}`", f"end it with `runner runs stop {run}`"),
            )
        self._descriptor: int | None = descriptor
        with suppress(OSError):  # a full disk: the lock itself holds, only its holder is not named
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give it back. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def holder(path: Path) -> int | None:
    """The process id of who holds the lock, 0 where it is held and does not say by whom; None where nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read_pid(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    for attempt in range(_TRIES):
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if attempt + 1 < _TRIES:
            time.sleep(_PAUSE)
    return False


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
