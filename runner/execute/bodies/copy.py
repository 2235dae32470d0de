"""The ``copy`` body: a file or a text to a place on the host, compared first, put there whole or not at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.document.nodes import AnyNode, Scalar
from runner.errors import ExecutionFailed
from runner.execute.bodies.host_files import Destination, Facts, Files, Wish
from runner.execute.bodies.source_files import SourceFiles, pieces_of_bytes, pieces_of_file
from runner.execute.rendered import controller_path, text
from runner.playbook.bodies import CopyBody
from runner.variables.filters import to_json
from runner.variables.scope import Scope

_MODE = re.compile(r"[0-7]{3,4}|[ugoa]*[-+=][rwxXstugo]*(,[ugoa]*[-+=][rwxXstugo]*)*")


@dataclass(frozen=True, slots=True)
class Content:
    """What is to stand at the destination; ``name`` is the file's own, empty for a text."""

    digest: str
    size: int
    pieces: Callable[[], AsyncIterator[bytes]]
    name: str = ""
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class Comparison:
    """What stands at the destination: whether its content ``differs``; where not, what else is ``wanted`` of it."""

    there: Destination
    differs: bool
    wanted: Wish | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of it: one entry for the step's output, and whether the host was changed."""

    entry: dict[str, Any]
    changed: bool


async def prepare(
    body: CopyBody, scope: Scope, sources: SourceFiles, *, powershell: bool = False
) -> tuple[Content, str, Wish]:
    """Content, destination and wishes of the body on a host; nothing is sent.

    ``validate`` is a command of PowerShell where the host's files are handled by it, else of sh.

    Raises:
        ExecutionFailed: the source cannot be read, or a field has no sense.
        VariableError: a template fails.

    """
    content = await _content(body, scope, sources)
    destination = text(scope, body.destination, "`dest`")
    if not destination:
        raise ExecutionFailed("copy-destination", "`dest` is empty", phase="plan")
    mode = text(scope, body.mode, "`mode`")
    if mode == "preserve":
        mode = f"{content.mode:04o}"
    if mode and not _MODE.fullmatch(mode):
        raise ExecutionFailed(
            "copy-mode",
            f"`mode` must be octal like `0644`, symbolic like `u=rw,go=r`, or `preserve`: `{mode}`",
            phase="plan",
        )
    wish = Wish(
        owner=text(scope, body.owner, "`owner`"),
        group=text(scope, body.group, "`group`"),
        mode=mode,
        validate=_validation(text(scope, body.validate, "`validate`"), powershell=powershell),
    )
    return content, destination, wish


async def compare(files: Files, content: Content, destination: str, wish: Wish) -> Comparison:
    """Look at what stands there and change nothing.

    Raises:
        ExecutionFailed: nothing can be put there.
        ConnectionLost: the link broke.

    """
    there = await files.look(destination, content.name)
    if there.digest == content.digest and there.facts is not None:
        return Comparison(there, differs=False, wanted=_unsettled(there.facts, wish))
    return Comparison(there, differs=True)


async def copy(
    files: Files, content: Content, comparison: Comparison, wish: Wish, *, backup_at: datetime | None
) -> Copied:
    """Put or settle only what differs. ``backup_at`` asks for a backup named after that instant.

    Raises:
        ExecutionFailed: the host refused; what stood there still does.
        ConnectionLost: the link broke.

    """
    there = comparison.there
    entry = entry_of(content, there.path)
    if not comparison.differs:
        changed = False
        if comparison.wanted is not None:
            changed = await files.settle(there.path, comparison.wanted) != there.facts
        return Copied({**entry, "changed": changed}, changed)
    if backup_at is not None and there.digest is not None:
        backup = f"{there.path}.{backup_at:%Y%m%dT%H%M%SZ}~"
        wish = Wish(owner=wish.owner, group=wish.group, mode=wish.mode, backup=backup, validate=wish.validate)
        entry["backup"] = backup
    await files.put(there.path, content.digest, content.pieces(), wish)
    return Copied({**entry, "changed": True}, changed=True)


def would_change(comparison: Comparison) -> bool:
    """Whether a copy would change the host, as far as can be known without trying.

    What a symbolic mode makes of a mode is known to the host alone; it is taken for no change.
    """
    wanted = comparison.wanted
    if comparison.differs or wanted is None:
        return comparison.differs
    return bool(wanted.owner or wanted.group or wanted.mode.isdigit())


def entry_of(content: Content, path: str) -> dict[str, Any]:
    """What a step's output says of the file."""
    return {"path": path, "bytes": content.size, "sha256": content.digest}


def _unsettled(facts: Facts, wish: Wish) -> Wish | None:
    """What differs of owner, group and mode, None where nothing does. Symbolic modes are left to the host."""
    owner = "" if wish.owner in {facts.owner, facts.uid} else wish.owner
    group = "" if wish.group in {facts.group, facts.gid} else wish.group
    octal = wish.mode.isdigit() and int(wish.mode, 8) == facts.mode
    mode = "" if octal else wish.mode
    return Wish(owner=owner, group=group, mode=mode) if owner or group or mode else None


async def _content(body: CopyBody, scope: Scope, sources: SourceFiles) -> Content:
    if body.source is not None:
        written = text(scope, body.source, "`src`")
        path = controller_path(body.source, written)
        source = await sources.look(path, written)
        return Content(
            source.digest, source.size, lambda: pieces_of_file(path), Path(written).name, source.mode
        )
    data = _text_content(scope, body.content)
    return Content(hashlib.sha256(data).hexdigest(), len(data), lambda: pieces_of_bytes(data))


def _text_content(scope: Scope, node: AnyNode | None) -> bytes:
    """Text as it is, bytes as they are, lists and mappings as JSON."""
    value = scope.render(node)
    if isinstance(value, bytes):
        return value
    if isinstance(value, list | dict):
        return (to_json(value, 2) + "\n").encode(errors="surrogateescape")
    if isinstance(node, Scalar):
        return text(scope, node, "`content`").encode(errors="surrogateescape")
    return b""


def _validation(command: str, *, powershell: bool) -> str:
    """The command with the file's name as the first argument of the shell; ``%s`` says where it goes, else last."""
    if not command:
        return ""
    # In PowerShell `%s` may stand within quotes of the author's; what is put last has quotes of its own, or on Unix a
    # program is handed what the name matches as a pattern.
    name = "$($args[0])" if powershell else '"$1"'
    last = f'"{name}"' if powershell else name
    return command.replace("%s", name) if "%s" in command else f"{command} {last}"
