"""Long parts of results in files named by their SHA-256: equal ones of many hosts are kept once."""

from __future__ import annotations

import json
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from runner.journal.codec import SPOOL
from runner.journal.disk import Disk, write_whole
from runner.journal.lines import Blob

FOLDER: Final = "spool"
_MOST_KEPT = 16  # parsed files that a reader remembers: equal outputs end close to each other


def spool_path(folder: Path, digest: str) -> Path:
    """``ab/cdef...``: a folder for each of the first 256 beginnings."""
    return folder / digest[:2] / digest[2:]


class SpoolWriter:
    """Writes each content once."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._written: set[bytes] = set()

    def write(self, blobs: list[Blob]) -> None:
        """Return when all of them are on disk under their names.

        Raises:
            OSError: not all of them are; asked again it goes on.

        """
        fresh = {blob.digest: blob for blob in blobs if bytes.fromhex(blob.digest) not in self._written}
        if not fresh:
            return
        folders = {spool_path(self._folder, digest).parent for digest in fresh}
        new = [folder for folder in sorted(folders) if not self._disk.exists(folder)]
        for folder in new:
            self._disk.make_folder(folder)
        if new:
            self._disk.sync_folder(self._folder)
        for blob in fresh.values():
            path = spool_path(self._folder, blob.digest)
            # A file of that name is whole: it got its name when its content was on disk.
            if not self._disk.exists(path):
                write_whole(self._disk, path, blob.data)
        for folder in sorted(folders):
            self._disk.sync_folder(folder)
        self._written.update(map(bytes.fromhex, fresh))


class SpoolReader:
    """Fetches what fields of results refer to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def load(self, field: Any) -> Any:
        """The field itself, or the content it refers to.

        Raises:
            ValueError: the file is not there or is not what was written.

        """
        if not isinstance(field, dict) or SPOOL not in field:
            return field
        digest = str(field[SPOOL])
        if digest not in self._kept:
            self._kept[digest] = self._read(digest)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(digest)
        return self._kept[digest]

    def _read(self, digest: str) -> Any:
        if len(digest) != 64 or not digest.isalnum():
            raise ValueError("no digest")
        try:
            data = spool_path(self._folder, digest).read_bytes()
        except OSError as error:
            raise ValueError(f"{FOLDER}/{digest[:2]}/{digest[2:]}: {error.strerror}") from error
        if sha256(data).hexdigest() != digest:
            raise ValueError(f"{FOLDER}/{digest[:2]}/{digest[2:]} is not what was written")
        return json.loads(data)
