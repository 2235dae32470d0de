"""Plan files on disk: written whole or not at all, read with every damage told at its place."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from runner.document.reader import written_path
from runner.document.schema_validator import findings
from runner.errors import UsageError
from runner.planfile.build import KIND, VERSION, digest_of
from runner.values import Span

LIMIT: Final = 512 * 1024 * 1024
"""Bytes a plan file may have: 512 MiB, some twenty times what 2,000 hosts with 100 steps come to."""

_WRITTEN: Final = "`runner plan PLAYBOOK --out FILE` writes one"


def write_plan_file(path: str, document: Mapping[str, Any]) -> None:
    """Write a document so that at any moment there is the old file or the new one; only its owner may read it.

    Raises:
        UsageError: ``plan-not-written``.

    """
    target = written_path(path)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    temporary = None
    try:
        # mkstemp gives mode 0600; scripts and addresses are in the file.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise UsageError(
            "plan-not-written", f"the plan cannot be written to `{path}`: {error.strerror}", Span(path)
        ) from error


def read_bytes(path: str, what: str = "plan file") -> bytes:
    """The bytes of a file that the command line names.

    Raises:
        UsageError: ``plan-file``: there is none, or it cannot be read.

    """
    try:
        with written_path(path).open("rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        raise UsageError(
            "plan-file",
            f"the {what} `{path}` cannot be read: {error.strerror}; nothing was run",
            hints=(_WRITTEN,) if what == "plan file" else (),
        ) from error
    if len(content) > LIMIT:
        raise _refused(path, "it is larger than any plan")
    return content


def parse_plan_file(content: bytes, path: str) -> dict[str, Any]:
    """The document of a plan file.

    Args:
        content: its bytes.
        path: as it was given, for messages.

    Raises:
        UsageError: ``plan-file``: it is no plan file, of another version, or not as it was written.

    """
    document = _json(content, path)
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise _refused(path, "it is no plan file")
    if document.get("version") != VERSION:
        raise _refused(
            path,
            f"it has version `{document.get('version')}` of the format, and this runner reads version {VERSION}",
            hint="make the plan again with this runner: `runner plan PLAYBOOK --out FILE`",
        )
    found = findings("plan", _without_plain_assignments(document))
    if found:
        where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in found[0].path)
        raise _refused(path, f"`{where.removeprefix('.') or 'the whole'}` breaks the rule `{found[0].rule}`")
    if document["digest"] != digest_of(document):
        raise _refused(
            path,
            "its digest does not fit what is in it: it was edited, or is damaged",
            hint="make the plan again: what is to run is said in the playbook, not in the plan",
        )
    return document


def moment(text: str) -> datetime:
    """An instant as it stands in the file."""
    return datetime.fromisoformat(text)


def _without_plain_assignments(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the assignments that are right at a glance.

    There are 100,000 of them where 2,000 hosts have 50 steps, and jsonschema needs some 80 us for each.
    """
    steps = document.get("steps")
    if not isinstance(steps, list):
        return document
    return {**document, "steps": [_lean(step) for step in steps]}


def _lean(step: Any) -> Any:
    assignments = step.get("assignments") if isinstance(step, dict) else None
    if not isinstance(assignments, list):
        return step
    return {**step, "assignments": [each for each in assignments if not _is_plain(each)]}


def _is_plain(each: Any) -> bool:
    """A host and the number of a way, and nothing else."""
    return (
        isinstance(each, dict)
        and each.keys() == {"host", "reached"}
        and isinstance(each["host"], str)
        and type(each["reached"]) is int
        and each["reached"] >= 0
    )


def _json(content: bytes, path: str) -> Any:
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _refused(path, f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        place = Span(path, error.lineno, error.colno, error.lineno, error.colno + 1)
        raise _refused(path, f"it is no JSON: {error.msg}", place) from error
    except RecursionError as error:
        raise _refused(path, "it is nested too deep") from error


def _refused(path: str, why: str, place: Span | None = None, *, hint: str = _WRITTEN) -> UsageError:
    return UsageError(
        "plan-file",
        f"the plan file `{path}` cannot be used: {why}; nothing was run",
        place or Span(path),
        hints=(hint,),
    )
