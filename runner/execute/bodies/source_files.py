"""Files of the controller that go to hosts: read in pieces, each version of a file hashed once for all hosts."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from runner.errors import ExecutionFailed

PIECE = 256 << 10
"""Bytes read at once: a fraction of a millisecond from the page cache, so the event loop is not held up."""

_Version: TypeAlias = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A version of a file: its size, SHA-256 and permission bits."""

    path: Path
    size: int
    digest: str
    mode: int


class SourceFiles:
    """Looks files up; a file that has not changed since is not read again."""

    def __init__(self) -> None:
        self._digests: dict[_Version, str] = {}

    async def look(self, path: Path, written: str) -> SourceFile:
        """The file as it is now; ``written`` is the path in the author's words.

        Raises:
            ExecutionFailed: there is none, it cannot be read, or it is a directory.

        """
        try:
            version, mode = _version(path)
            if stat.S_ISDIR(mode):
                raise ExecutionFailed(
                    "copy-directory",
                    f"`src` is a directory: `{written}`; copy takes one file",
                    hints=("copy several files with a `loop` over their names",),
                    phase="plan",
                )
            if version not in self._digests:
                self._digests[version] = await _digest(path)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            message = f"`src` cannot be read on the controller: `{written}`: {reason}"
            hint = f"a path is relative to the file it is written in: here it is `{path}`"
            raise ExecutionFailed("copy-source", message, hints=(hint,), phase="plan") from error
        return SourceFile(path, version[-1], self._digests[version], stat.S_IMODE(mode))


async def pieces_of_file(path: Path) -> AsyncIterator[bytes]:
    """The file's content in pieces."""
    with _open(path) as file:
        while piece := file.read(PIECE):
            yield piece
            await asyncio.sleep(0)


async def pieces_of_bytes(data: bytes) -> AsyncIterator[bytes]:
    """Content that is in memory already."""
    if data:
        yield data


async def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    async for piece in pieces_of_file(path):
        digest.update(piece)
    return digest.hexdigest()


def _version(path: Path) -> tuple[_Version, int]:
    found = path.stat()
    return (str(path), found.st_ino, found.st_mtime_ns, found.st_size), found.st_mode


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")
