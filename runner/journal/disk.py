"""The few things the journal asks of a file system, so that a test can count them or have them fail."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """Files by descriptor. Every method blocks and may raise OSError."""

    def create(self, path: Path) -> int:
        """A new file that only its owner reads and writes, open for appending; fails where it exists."""

    def open(self, path: Path) -> int:
        """An existing file, open for appending."""

    def reserve(self, path: Path, size: int) -> None:
        """A new file that only its owner reads and writes, with the room of so many bytes; else there is none."""

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write a part of ``data``, at least a byte; gives how many bytes."""

    def sync(self, descriptor: int) -> None:
        """Return when what was written is on disk."""

    def size(self, descriptor: int) -> int:
        """Bytes of the file."""

    def cut(self, descriptor: int, size: int) -> None:
        """Keep the first ``size`` bytes."""

    def close(self, descriptor: int) -> None:
        """Close it."""

    def exists(self, path: Path) -> bool:
        """Whether the file is there."""

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name, over what has it."""

    def remove(self, path: Path) -> None:
        """Remove a file where it is there."""

    def make_folder(self, path: Path) -> None:
        """Make a folder that only its owner enters, where there is none."""

    def sync_folder(self, path: Path) -> None:
        """Return when the names in a folder are on disk."""


_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class LocalDisk:
    """The file system of this machine."""

    def create(self, path: Path) -> int:
        """See :class:`Disk`."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def open(self, path: Path) -> int:
        """See :class:`Disk`."""
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)

    def reserve(self, path: Path, size: int) -> None:
        """See :class:`Disk`; macOS does not do that."""
        if not hasattr(os, "posix_fallocate"):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            self.remove(path)
            raise
        finally:
            os.close(descriptor)

    def write(self, descriptor: int, data: memoryview) -> int:
        """See :class:`Disk`."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """See :class:`Disk`; the file's times may come later, its size does not."""
        _sync(descriptor)

    def size(self, descriptor: int) -> int:
        """See :class:`Disk`."""
        return os.fstat(descriptor).st_size

    def cut(self, descriptor: int, size: int) -> None:
        """See :class:`Disk`."""
        os.ftruncate(descriptor, size)

    def close(self, descriptor: int) -> None:
        """See :class:`Disk`."""
        os.close(descriptor)

    def exists(self, path: Path) -> bool:
        """See :class:`Disk`."""
        return path.exists()

    def replace(self, source: Path, target: Path) -> None:
        """See :class:`Disk`."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """See :class:`Disk`."""
        with suppress(FileNotFoundError):
            path.unlink()

    def make_folder(self, path: Path) -> None:
        """See :class:`Disk`."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """See :class:`Disk`."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_all(disk: Disk, descriptor: int, data: bytes) -> None:
    """Write all of it, however often the disk takes a part only."""
    rest = memoryview(data)
    while rest:
        rest = rest[disk.write(descriptor, rest) :]


def write_whole(disk: Disk, path: Path, data: bytes) -> None:
    """Put a file under its name in one step, its content on disk before it; the folder is not synced yet.

    Raises:
        OSError: it could not be; under its name there is nothing then, or what was there.

    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    disk.remove(temporary)
    try:
        descriptor = disk.create(temporary)
        try:
            write_all(disk, descriptor, data)
            disk.sync(descriptor)
        finally:
            disk.close(descriptor)
        disk.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            disk.remove(temporary)
        raise
