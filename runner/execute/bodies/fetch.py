"""The ``fetch`` body: files of the host to the controller, counted and checked, never half written.

A host may lie about names: whatever it answers, nothing is written outside the directory that the author named.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from runner.errors import ExecutionFailed
from runner.execute.bodies.host_files import Files, Listed
from runner.execute.rendered import controller_path, text, texts
from runner.playbook.bodies import FetchBody
from runner.transport.port import Stream
from runner.variables.scope import Scope

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch and where to: ``root`` is the author's directory, or the file itself where ``single``."""

    patterns: tuple[str, ...]
    root: Path
    flat: bool
    single: bool
    max_size: int | None
    missing_ok: bool


class Claims:
    """Which host's file each local path belongs to in one step: two for one path are refused, nothing overwritten."""

    def __init__(self) -> None:
        self._owners: dict[Path, tuple[str, str]] = {}

    def claim(self, path: Path, host: str, remote: str) -> None:
        """Take ``path`` for a host's file.

        Raises:
            ExecutionFailed: another file of this step goes there.

        """
        owner = self._owners.setdefault(path, (host, remote))
        if owner != (host, remote):
            raise ExecutionFailed(
                "fetch-collision",
                f"`{remote}` of `{host}` and `{owner[1]}` of `{owner[0]}` would both become `{path}`",
                hints=("leave `flat` out: each host's files go to a directory of its own",),
            )


def prepare(body: FetchBody, scope: Scope) -> Wanted:
    """What the body asks for on a host.

    Raises:
        ExecutionFailed: a field has no sense.
        VariableError: a template fails.

    """
    patterns = tuple(pattern for pattern in texts(scope, body.source, "src") if pattern)
    written = text(scope, body.destination, "`dest`")
    if not patterns or not written:
        raise ExecutionFailed("fetch-source", "`src` and `dest` must each name something", phase="plan")
    root = controller_path(body.destination, written)
    one = len(patterns) == 1 and not _GLOB & set(patterns[0])
    single = body.flat and one and not written.endswith("/") and not root.is_dir()
    return Wanted(patterns, root, body.flat, single, body.max_size, body.missing == "ok")


async def fetch(files: Files, wanted: Wanted, host: str, claims: Claims) -> list[dict[str, Any]]:
    """Fetch all files of a host; one entry a file for the step's output. All is checked before anything is written.

    Raises:
        ExecutionFailed: a file is missing, too large, no file, damaged on the way, or cannot be written here.
        ConnectionLost: the link broke.

    """
    found = [listed for listed in await files.find(wanted.patterns) if not _forgiven(listed, wanted)]
    for listed in found:
        _check(listed, wanted)
    places = [(listed, local_path(wanted, host, listed.path, windows=listed.windows)) for listed in found]
    for listed, path in places:
        claims.claim(path, host, listed.path)
    return [await _fetch_one(files, listed, path) for listed, path in places]


def local_path(wanted: Wanted, host: str, remote: str, *, windows: bool = False) -> Path:
    """Where a host's file goes: below ``dest/HOST/`` with its own path, or flat.

    ``windows``: backslashes part the path too, and a drive ``C:`` becomes a directory ``C``.

    Raises:
        ExecutionFailed: the host's answer names no file.

    """
    if wanted.single:
        return wanted.root
    written = re.sub(r"^([A-Za-z]):", r"\1", remote).replace("\\", "/") if windows else remote
    parts = [part for part in written.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or "\0" in remote:
        raise ExecutionFailed(
            "fetch-path", f"the host names a file that cannot be kept under a directory: `{remote}`"
        )
    if wanted.flat:
        return wanted.root / parts[-1]
    return wanted.root.joinpath(_directory_name(host), *parts)


def _directory_name(host: str) -> str:
    name = host.replace("/", "_").replace("\0", "_")
    return "_" if name in {"", ".", ".."} else name


def _forgiven(listed: Listed, wanted: Wanted) -> bool:
    return listed.kind == "missing" and wanted.missing_ok


def _check(listed: Listed, wanted: Wanted) -> None:
    path = listed.path
    if listed.kind == "missing":
        raise ExecutionFailed(
            "fetch-missing",
            f"there is no file `{path}` on the host",
            hints=("where it may be missing, write `missing: ok`",),
        )
    if listed.kind == "directory":
        hint = f"name the files: `{path.rstrip('/')}/*`"
        raise ExecutionFailed("fetch-directory", f"`{path}` is a directory on the host", hints=(hint,))
    if listed.kind != "file":
        words = "cannot be read" if listed.kind == "unreadable" else "is no regular file"
        raise ExecutionFailed("fetch-unreadable", f"`{path}` {words} on the host")
    if wanted.max_size is not None and listed.size > wanted.max_size:
        sizes = f"{listed.size:,} bytes, more than `max_size` allows ({wanted.max_size:,})"
        raise ExecutionFailed("fetch-too-large", f"`{path}` has {sizes}", hints=("raise `max_size`",))


async def _fetch_one(files: Files, listed: Listed, path: Path) -> dict[str, Any]:
    entry = {"path": listed.path, "dest": str(path), "bytes": listed.size, "sha256": listed.digest}
    try:
        if _digest_of(path) == listed.digest:
            return {**entry, "changed": False}
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}")
        try:
            with temporary.open("xb") as file:
                incoming = _Incoming(file, listed.size)
                await files.take(listed, incoming)
            incoming.check(listed)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ExecutionFailed(
            "fetch-write", f"`{path}` cannot be written on the controller: {reason}"
        ) from error
    return {**entry, "changed": True}


class _Incoming:
    """Writes what comes, no more than was announced, and knows whether it is what was announced."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self._digest = hashlib.sha256()
        self._error: OSError | None = None

    def data_received(self, stream: Stream, data: bytes) -> None:
        """Take a piece of the file; a disk that is full is told at the end, for a receiver must not raise."""
        data = data[: self._left]
        self._left -= len(data)
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            self._error = self._error or error

    def check(self, listed: Listed) -> None:
        if self._error is not None:
            raise self._error
        if self._left or self._digest.hexdigest() != listed.digest:
            raise ExecutionFailed(
                "fetch-damaged",
                f"`{listed.path}` changed while it was fetched, or arrived damaged; nothing was written",
                hints=("run the step again",),
            )


def _digest_of(path: Path) -> str | None:
    """The digest of a local file, None where there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def changed(entries: Iterable[dict[str, Any]]) -> bool:
    """Whether anything on the controller is new."""
    return any(entry["changed"] for entry in entries)
