"""Filters and tests of the language beyond Jinja's own (language.md, "Jinja"); pure functions of their arguments."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from jinja2.exceptions import FilterArgumentError

from runner.units import parse_duration, parse_size

_SAFE_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s")


def to_datetime(value: object, pattern: str | None = None) -> datetime:
    """Read ISO 8601 (or ``strptime`` with ``pattern``, or seconds since 1970) as a datetime; no zone means UTC."""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        text = str(value)
        moment = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError) as error:
        raise FilterArgumentError(f"not a date and time: `{value}`") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def duration(value: object) -> timedelta:
    """Read ``30s``, ``3m``, ``1h30m`` or seconds as a duration."""
    try:
        return parse_duration(value)
    except ValueError as error:
        raise FilterArgumentError(f"{error}: `{value}`") from error


def size(value: object) -> int:
    """Read ``10MiB`` and the like as a number of bytes."""
    try:
        return parse_size(value)
    except ValueError as error:
        raise FilterArgumentError(f"{error}: `{value}`") from error


def plain_json(value: object) -> object:
    """What JSON makes of a value it has no form for: ISO 8601, text of a decimal, base64 of bytes.

    Raises:
        TypeError: the value has no JSON form.

    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():f}".rstrip("0").rstrip(".") + "S"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def to_json(value: object, indent: int | None = None) -> str:
    """The value as JSON text."""
    try:
        return json.dumps(value, indent=indent, default=plain_json, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise FilterArgumentError(str(error)) from error


def from_json(value: object) -> Any:
    """The value that JSON text holds."""
    try:
        return json.loads(str(value))
    except ValueError as error:
        raise FilterArgumentError(f"not JSON: {error}") from error


def _compiled(pattern: str, ignorecase: bool, multiline: bool) -> re.Pattern[str]:
    flags = (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise FilterArgumentError(f"not a regular expression: {error}") from error


def regex_search(
    value: object, pattern: str, *groups: int | str, ignorecase: bool = False, multiline: bool = False
) -> Any:
    """The first match, or None; with group numbers or names a list of those groups."""
    match = _compiled(pattern, ignorecase, multiline).search(str(value))
    if match is None:
        return None
    if not groups:
        return match[0]
    numbers = [g.lstrip("\\").removeprefix("g<").rstrip(">") if isinstance(g, str) else g for g in groups]
    return [match[int(g) if isinstance(g, str) and g.isdigit() else g] for g in numbers]


def regex_replace(
    value: object,
    pattern: str,
    replacement: str = "",
    *,
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
) -> str:
    r"""Every match (or the first ``count``) replaced; ``\1`` and ``\g<name>`` name groups."""
    return _compiled(pattern, ignorecase, multiline).sub(replacement, str(value), count=count)


def b64encode(value: object, encoding: str = "utf-8") -> str:
    """Base64 of text (encoded as ``encoding``) or bytes."""
    data = value if isinstance(value, bytes) else str(value).encode(encoding)
    return base64.b64encode(data).decode("ascii")


def b64decode(value: object, encoding: str = "utf-8") -> str:
    """The text that base64 holds."""
    try:
        return base64.b64decode(str(value), validate=True).decode(encoding)
    except (binascii.Error, UnicodeDecodeError) as error:
        raise FilterArgumentError(f"not base64 of {encoding} text: {error}") from error


def hash_text(value: object, algorithm: str = "sha256") -> str:
    """The digest of text or bytes in hex."""
    if algorithm not in _SAFE_HASHES:
        raise FilterArgumentError(f"unknown hash `{algorithm}`; known: {', '.join(_SAFE_HASHES)}")
    data = value if isinstance(value, bytes) else str(value).encode()
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def combine(value: object, *others: object, recursive: bool = False) -> dict[str, Any]:
    """Mappings merged, later ones win; ``recursive`` merges mappings inside them too."""
    merged: dict[str, Any] = {}
    for mapping in (value, *others):
        if not isinstance(mapping, Mapping):
            raise FilterArgumentError(f"`combine` takes mappings, not {type(mapping).__name__}")
        for key, item in mapping.items():
            old = merged.get(key)
            if recursive and isinstance(old, Mapping) and isinstance(item, Mapping):
                merged[key] = combine(old, item, recursive=True)
            else:
                merged[key] = item
    return merged


def unique(value: object, case_sensitive: bool = True, attribute: str | None = None) -> list[Any]:
    """Items without repeats, first ones kept; works for mappings and lists as items too."""
    seen: set[str] = set()
    kept: list[Any] = []
    for item in value if isinstance(value, list | tuple) else list(value):  # type: ignore[call-overload]
        part = item[attribute] if attribute else item
        mark = json.dumps(part, sort_keys=True, default=str)
        mark = mark if case_sensitive else mark.casefold()
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept


def _status(value: object) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("status"), str):
        return str(value["status"])
    raise FilterArgumentError("this test takes the result of a step (the name it was registered under)")


FILTERS: dict[str, Callable[..., Any]] = {
    "to_datetime": to_datetime,
    "duration": duration,
    "size": size,
    "to_json": to_json,
    "from_json": from_json,
    "regex_search": regex_search,
    "regex_replace": regex_replace,
    "b64encode": b64encode,
    "b64decode": b64decode,
    "hash": hash_text,
    "combine": combine,
    "unique": unique,
}

TESTS: dict[str, Callable[[object], bool]] = {
    "changed": lambda value: isinstance(value, Mapping) and bool(value.get("changed")),
    "failed": lambda value: _status(value) in {"failed", "timed_out", "unreachable", "cancelled", "unknown"},
    "skipped": lambda value: _status(value) == "skipped",
    "succeeded": lambda value: _status(value) in {"ok", "changed", "detached"},
    "unreachable": lambda value: _status(value) == "unreachable",
}
