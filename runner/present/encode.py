"""Values and results as JSON has them (cli.md, "What is printed"; schemas/result).

A datetime and a duration become ISO 8601, a Decimal and a Guid text, bytes and text that is not UTF-8
``{"$bytes": base64}``; an object of PowerShell its properties, or its text where it has none; an enum value its name.
Every text passes the mask before anything else is done with it.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from runner.engine.observe import Summary
from runner.engine.result import Difference, ErrorRecord, Failure, Result, Status, Streams
from runner.objects import PSObject, iso_duration
from runner.present.port import Mask
from runner.values import JsonValue


def encode_value(value: object, mask: Mask) -> JsonValue:  # noqa: C901, PLR0912 - one line for each type
    """Any value of an output as JSON; what JSON has no form for (infinity, a class of its own) becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return encode_value(value.value, mask)
    if isinstance(value, str):
        return encode_text(str(value), mask)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _encode_bytes(bytes(value), mask)
    if isinstance(value, PSObject) and not value and value.text is not None:
        return encode_text(value.text, mask)
    if isinstance(value, Mapping):
        return {_key(key, mask): encode_value(item, mask) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode_value(item, mask) for item in value]
    if isinstance(value, set | frozenset):
        return [encode_value(item, mask) for item in sorted(value, key=repr)]
    if isinstance(value, datetime):
        return encode_time(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, Decimal):
        return mask(str(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode_value(getattr(value, field.name), mask) for field in fields(value)}
    return encode_text(str(value), mask)


def encode_text(text: str, mask: Mask) -> JsonValue:
    """Text as text; with lone surrogates, which stand for bytes that were not UTF-8, as those bytes."""
    masked = mask(text)
    try:
        masked.encode()
    except UnicodeEncodeError:
        return {"$bytes": b64encode(_bytes_of(masked)).decode()}
    return masked


def encode_words(text: str, mask: Mask) -> str:
    r"""Words of a message, a name or a path: always text; a byte that was not UTF-8 becomes ``\xff``."""
    masked = mask(text)
    if masked.isascii():
        return masked
    return _bytes_of(masked).decode("utf-8", "backslashreplace")


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte, as JSON can write one
        return text.encode("utf-8", "surrogatepass")


def encode_optional(text: str | None, mask: Mask) -> str | None:
    """Words, or None where there are none."""
    return None if text is None else encode_words(text, mask)


def _encode_bytes(data: bytes, mask: Mask) -> JsonValue:
    masked = mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return {"$bytes": b64encode(masked).decode()}


def _key(key: object, mask: Mask) -> str:
    text = encode_words(key, mask) if isinstance(key, str) else encode_value(key, mask)
    return text if isinstance(text, str) else str(key)


def encode_time(moment: datetime) -> str:
    """``2026-11-21T01:50:00.125Z``; a time without a zone stays without one."""
    if moment.tzinfo is not None and not moment.utcoffset():
        return moment.isoformat().removesuffix("+00:00") + "Z"
    return moment.isoformat()


def encode_result(run: str, result: Result, mask: Mask) -> dict[str, Any]:
    """A result with the keys of cli.md, then those of execution control: why skipped, whether rescued, what differs.

    Whether a result held a secret is not told: it is masked, and that is seen.
    """
    return {
        "run": run,
        "step": result.step,
        "host": encode_words(result.host, mask),
        "item": encode_value(result.item, mask),
        "attempt": result.attempt,
        "status": result.status.value,
        "started_at": encode_time(result.started_at) if result.started_at else None,
        "duration_s": round(result.duration, 6),
        "exit_code": result.exit_code,
        "output": encode_value(result.output, mask),
        "stderr": encode_value(result.stderr, mask),
        "signal": result.signal,
        "truncated": result.truncated,
        "output_file": result.output_file,
        "errors": [_encode_error(error, mask) for error in result.errors],
        "streams": _encode_streams(result.streams, mask),
        "failure": _encode_failure(result.failure, mask) if result.failure else None,
        "transport": result.transport,
        "session": result.session,
        "changed": result.changed,
        "skip_reason": encode_optional(result.skip_reason, mask),
        "held_back": result.held_back,
        "ignored": result.ignored,
        "rescued": result.rescued,
        "would_change": result.would_change,
        "difference": _encode_difference(result.difference, mask) if result.difference else None,
        "waited_s": round(result.waited, 6),
        "session_lost": result.session_lost,
        "items": [encode_result(run, item, mask) for item in result.items],
    }


def _encode_error(error: ErrorRecord, mask: Mask) -> dict[str, Any]:
    return {
        "message": encode_words(error.message, mask),
        "fully_qualified_error_id": encode_optional(error.fully_qualified_error_id, mask),
        "category": encode_optional(error.category, mask),
        "exception": [encode_words(name, mask) for name in error.exception],
        "line": error.line,
        "column": error.column,
        "stack": encode_optional(error.stack, mask),
        "inner": [encode_words(text, mask) for text in error.inner],
        "target": encode_optional(error.target, mask),
        "position": encode_optional(error.position, mask),
        "recommended_action": encode_optional(error.recommended_action, mask),
        "source": encode_optional(error.source, mask),
    }


def _encode_streams(streams: Streams, mask: Mask) -> dict[str, Any]:
    return {field.name: encode_value(getattr(streams, field.name), mask) for field in fields(streams)}


def _encode_difference(difference: Difference, mask: Mask) -> dict[str, Any]:
    return {
        "before": encode_value(difference.before, mask),
        "after": encode_value(difference.after, mask),
        "path": encode_optional(difference.path, mask),
    }


def _encode_failure(failure: Failure, mask: Mask) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": encode_words(failure.message, mask),
        "phase": failure.phase,
        "may_have_run": failure.may_have_run,
        "hints": [encode_words(hint, mask) for hint in failure.hints],
    }


def encode_summary(summary: Summary, mask: Mask) -> dict[str, Any]:
    """Counts with every status present, so that a reader can ask for ``.summary.hosts.failed`` without a test."""
    return {
        "results": {status.value: summary.results.get(status, 0) for status in Status},
        "hosts": {status.value: summary.hosts.get(status, 0) for status in Status},
        "ignored": summary.ignored,
        "duration_s": round(summary.duration, 6),
        "exit_code": summary.exit_code,
        "stopped_because": encode_optional(summary.stopped_because, mask),
        "may_still_run": [encode_words(name, mask) for name in summary.may_still_run],
        "rescued": summary.rescued,
        "would_change": summary.would_change,
        "restored": summary.restored,
        "policy": encode_optional(summary.policy, mask),
    }
