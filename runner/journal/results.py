"""A result as the journal has it: what is as by default is left out, values keep their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from sys import intern
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec

from runner.engine.observe import Summary
from runner.engine.result import Difference, ErrorRecord, Failure, Result, Status, Streams
from runner.journal.codec import decode, encode

Load: TypeAlias = Callable[[Any], Any]
"""Gives what stands for a field: itself, or the content of the spool's file that it refers to."""

SPOOLED: Final = ("output", "stderr", "streams", "difference", "errors")
"""Fields that go to the spool where they are long."""

_FLAGS: Final = (
    "changed",
    "held_back",
    "ignored",
    "rescued",
    "would_change",
    "session_lost",
    "truncated",
    "secret",
)
_WORDS: Final = ("exit_code", "signal", "skip_reason", "transport", "session", "output_file")
_flags_of: Final = attrgetter(*_FLAGS)
_words_of: Final = attrgetter(*_WORDS)
_OUTPUTS: Final = frozenset({"output", "stderr", "streams", "difference"})
_STREAMS: Final = tuple(field.name for field in fields(Streams))
_ERROR: Final = tuple(field.name for field in fields(ErrorRecord))
_NO_STREAMS: Final = Streams()
_STATUS: Final[Mapping[str, Status]] = MappingProxyType({status.value: status for status in Status})


_encode: Final = msgspec.json.Encoder().encode


def moment_to_json(at: datetime) -> str:
    """ISO 8601 with its offset, as ``isoformat`` has it, in a third of the time: there are three in an assignment."""
    return (
        f"{_encode(at)[1:-2].decode()}+00:00" if at.tzinfo is UTC else at.isoformat()
    )  # "...Z" with its quotes


def result_to_json(result: Result) -> dict[str, Any]:
    """Everything but step and host, which its record has (items have them too, from the same place)."""
    written: dict[str, Any] = {"status": result.status.value}
    if result.item is not None:
        written["item"] = encode(result.item)
    if result.attempt != 1:
        written["attempt"] = result.attempt
    if result.started_at is not None:
        written["started_at"] = moment_to_json(result.started_at)
    if result.duration:
        written["duration"] = result.duration
    if result.waited:
        written["waited"] = result.waited
    flags = _flags_of(result)
    if True in flags:
        written |= {name: True for name, flag in zip(_FLAGS, flags, strict=True) if flag}
    for name, value in zip(_WORDS, _words_of(result), strict=True):
        if value is not None:
            written[name] = value
    _add_values(result, written)
    if result.failure is not None:
        written["failure"] = _failure_to_json(result.failure)
    if result.items:
        written["items"] = [_item_to_json(item, result) for item in result.items]
    return written


def _add_values(result: Result, written: dict[str, Any]) -> None:
    if result.output != [] or type(result.output) is not list:
        written["output"] = encode(result.output)
    if result.stderr:
        written["stderr"] = encode(result.stderr)
    if result.errors:
        written["errors"] = [_without_none(error, _ERROR) for error in result.errors]
    if result.streams is not _NO_STREAMS and result.streams != _NO_STREAMS:
        streams = ((name, getattr(result.streams, name)) for name in _STREAMS)
        written["streams"] = {name: encode(list(entries)) for name, entries in streams if entries}
    if result.difference is not None:
        difference = result.difference
        written["difference"] = {"before": encode(difference.before), "after": encode(difference.after)}
        if difference.path is not None:
            written["difference"]["path"] = difference.path


def _item_to_json(item: Result, of: Result) -> dict[str, Any]:
    written = result_to_json(item)
    if item.step != of.step:
        written["step"] = item.step
    if item.host != of.host:  # with `delegate_to` more than one
        written["host"] = item.host
    return written


def _failure_to_json(failure: Failure) -> dict[str, Any]:
    written: dict[str, Any] = {"code": failure.code, "message": failure.message}
    if failure.phase != "execute":
        written["phase"] = failure.phase
    if failure.may_have_run:
        written["may_have_run"] = True
    if failure.hints:
        written["hints"] = list(failure.hints)
    return written


def _without_none(value: ErrorRecord, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that say something; tuples of text as lists."""
    found = ((name, getattr(value, name)) for name in names)
    return {
        name: list(each) if isinstance(each, tuple) else each
        for name, each in found
        if each not in (None, ())
    }


def result_from_json(
    step: str, host: str, written: Mapping[str, Any], load: Load, *, outputs: bool = True
) -> Result:
    """The result again; ``load`` fetches what is in the spool. Without ``outputs`` those stay empty.

    Raises:
        ValueError: it is not what :func:`result_to_json` writes (or KeyError, TypeError).

    """
    values: dict[str, Any] = {}
    for name, value in written.items():
        if outputs or name not in _OUTPUTS:
            reader = _READERS.get(name)
            if reader is not None:
                value = reader(load(value) if name in SPOOLED else value)  # noqa: PLW2901 - as it reads best
            values[name] = value
    if "items" in written:
        values["items"] = tuple(
            result_from_json(item.get("step", step), item.get("host", host), item, load, outputs=outputs)
            for item in written["items"]
        )
    return Result(**{"step": step, "host": host, **values})


def _failure(written: Mapping[str, Any]) -> Failure:
    return Failure(**{**written, "hints": tuple(written.get("hints", ()))})


def _errors(written: list[dict[str, Any]]) -> tuple[ErrorRecord, ...]:
    return tuple(ErrorRecord(**{name: _tuple(value) for name, value in error.items()}) for error in written)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _streams(written: Mapping[str, Any]) -> Streams:
    return Streams(**{name: tuple(decode(entries)) for name, entries in written.items()})


def _difference(written: Mapping[str, Any]) -> Difference:
    return Difference(decode(written["before"]), decode(written["after"]), written.get("path"))


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "status": lambda written: _STATUS[written],
        "item": decode,
        "started_at": datetime.fromisoformat,
        "output": decode,
        "stderr": decode,
        "errors": _errors,
        "streams": _streams,
        "difference": _difference,
        "failure": _failure,
        "transport": intern,
        "session": intern,
    }
)


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """All of it; statuses that nothing has are left out."""
    return {
        "results": {status.value: count for status, count in summary.results.items()},
        "hosts": {status.value: count for status, count in summary.hosts.items()},
        "ignored": summary.ignored,
        "duration": summary.duration,
        "exit_code": int(summary.exit_code),
        "stopped_because": summary.stopped_because,
        "may_still_run": list(summary.may_still_run),
        "rescued": summary.rescued,
        "would_change": summary.would_change,
        "restored": summary.restored,
        "policy": summary.policy,
    }


def summary_from_json(written: Mapping[str, Any]) -> Summary:
    """The summary again."""
    counts = {
        name: {_STATUS[status]: count for status, count in written[name].items()}
        for name in ("results", "hosts")
    }
    return Summary(**{**written, **counts, "may_still_run": tuple(written["may_still_run"])})
