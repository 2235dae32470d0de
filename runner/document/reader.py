"""Reads a file that a person wrote: its text, or the reason why there is none, with a place."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from runner.document.nodes import Source
from runner.document.positions import span_in_text
from runner.problems import Problem, Problems
from runner.values import Span

PLAYBOOK_LIMIT: Final = 4 * 1024 * 1024
"""Bytes a playbook may have: 4 MiB."""

INVENTORY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes an inventory may have: 64 MiB, which is about a million hosts with a variable each."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SIXTEEN_BIT_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

_NOTED: ContextVar[dict[str, str] | None] = ContextVar("noted", default=None)


@contextmanager
def noting_files() -> Iterator[dict[str, str]]:
    """What is read within, for who must know later whether it has changed: path as shown to SHA-256 in hex.

    The output of a program that is read in place of a file stands there too, under the command.
    """
    noted: dict[str, str] = {}
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def note_read(shown: str, content: bytes) -> str:
    """Note something that was read; gives its SHA-256 in hex."""
    digest = hashlib.sha256(content).hexdigest()
    noted = _NOTED.get()
    if noted is not None:
        noted[shown] = digest
    return digest


def written_path(text: str) -> Path:
    """A path as somebody wrote it, ``~`` and ``~name`` expanded; a name that nobody has stays as it is."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises where nobody has the name


def read_source(
    path: Path | str, problems: Problems, *, limit: int, span: Span | None = None
) -> Source | None:
    """Read a UTF-8 text file; a byte order mark is taken off.

    Args:
        path: the file as the author named it; ``Source.path`` keeps this form.
        problems: takes what is wrong: no such file, a folder, not readable, too large, a NUL byte, not UTF-8.
        limit: the most bytes it may have, checked before reading.
        span: where the file is named, for problems that have no place inside it.

    Returns:
        The source with the SHA-256 digest of the file's bytes, or None where a problem was noted.

    """
    shown = str(path)
    content = _read_bytes(Path(path), shown, problems, limit=limit, span=span)
    if content is None:
        return None
    text = _decode(content, shown, problems)
    if text is None:
        return None
    return Source(shown, text, note_read(shown, content))


def _read_bytes(path: Path, shown: str, problems: Problems, *, limit: int, span: Span | None) -> bytes | None:
    where = span or Span(shown)
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            problems.error("not-a-file", f"`{shown}` is a folder, a file is needed", where)
            return None
        if about.st_size > limit:
            _note_too_large(shown, limit, problems, where)
            return None
        with path.open("rb") as file:
            content = file.read(limit + 1)  # a pipe or a growing file has no true size beforehand
    except FileNotFoundError:
        problems.error("file-not-found", f"there is no file `{shown}`", where, *_near_names(path))
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.error("file-unreadable", f"`{shown}` cannot be read: {reason}", where)
        return None
    if len(content) > limit:
        _note_too_large(shown, limit, problems, where)
        return None
    return content


def _note_too_large(shown: str, limit: int, problems: Problems, where: Span) -> None:
    problems.error(
        "file-too-large",
        f"`{shown}` is larger than the {_mebibytes(limit)} that are read of such a file",
        where,
        "move large data into files of their own and name them, e.g. with `vars_files` or `copy`",
    )


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.3g} MiB" if size >= 1024 * 1024 else f"{size} bytes"


def _near_names(path: Path) -> tuple[str, ...]:
    """The hint for a file that is there under the other usual ending, such as ``.yaml`` for ``.yml``."""
    for ending in {".yml": (".yaml",), ".yaml": (".yml",), "": (".yml", ".yaml")}.get(path.suffix, ()):
        if path.with_suffix(ending).is_file():
            return (f"there is `{path.with_suffix(ending)}`",)
    return ()


def _decode(content: bytes, shown: str, problems: Problems) -> str | None:
    if content.startswith(_SIXTEEN_BIT_MARKS):
        problems.error(
            "not-utf-8", f"`{shown}` is UTF-16, UTF-8 is needed", Span(shown), "save the file as UTF-8"
        )
        return None
    content = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        problems.error(
            "not-utf-8",
            f"the byte 0x{content[error.start]:02x} is not UTF-8",
            span_in_text(shown, before + "?", len(before), len(before) + 1),
            "save the file as UTF-8; editors often call the present encoding Windows-1252 or Latin-1",
        )
        return None
    nul = text.find("\0")
    if nul >= 0:
        problems.add(
            Problem(
                "nul-byte",
                f"`{shown}` holds a NUL byte, so it is no text file",
                span_in_text(shown, text, nul, nul + 1),
                hints=("take the byte out, or check that this is the file you meant",),
            )
        )
        return None
    return text
