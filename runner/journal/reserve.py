"""Room on the disk that a run keeps for its last records, should somebody fill the disk meanwhile."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from runner.journal.disk import Disk

SIZE: Final = 1 << 20
"""Bytes: the ends of two thousand assignments, or of fewer with their outputs."""

_BLOCK: Final = 4096  # a file takes whole blocks of the disk, and its name may take one more


class Reserve:
    """A file that has its blocks and no content. Where the disk gives none, there is no reserve and no error."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        with suppress(OSError):
            if not disk.exists(path):  # a process that was killed has left it
                disk.reserve(path, SIZE)

    def release(self) -> None:
        """Give the room back. Idempotent; a disk that does not let the file be removed keeps it."""
        with suppress(OSError):
            self._disk.remove(self._path)

    def make_room(self) -> bool:
        """Give the room back for what is written now; whether there was any."""
        with suppress(OSError):
            if self._disk.exists(self._path):
                self._disk.remove(self._path)
                self._disk.sync_folder(self._path.parent)  # some file systems free blocks only then
                return True
        return False


def room_of(content: bytes) -> int:
    """Bytes of the disk that a file of its own with this content takes at most."""
    return len(content) + 2 * _BLOCK
