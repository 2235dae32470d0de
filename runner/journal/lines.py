"""Records as lines of a journal and back. What is long in a result is told apart, for the spool."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from sys import intern
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from runner.journal.codec import SPOOL, decode, encode
from runner.journal.record import (
    FORMAT,
    Answered,
    Choice,
    Decision,
    Digests,
    Ended,
    Finished,
    Noticed,
    PolicyBroke,
    Record,
    Rescued,
    Resumed,
    RunHeader,
    RunOptions,
    Started,
    StepCount,
    Stopped,
    WavePassed,
)
from runner.journal.results import (
    SPOOLED,
    Load,
    moment_to_json,
    result_from_json,
    result_to_json,
    summary_from_json,
    summary_to_json,
)

LONG: Final = 4096
"""Bytes of a result's field above which it goes to the spool: equal outputs of many hosts are kept once."""

_SECRET: Final = (b'"$type":"secret"', b'"$type":"credential"')
"""What stands in a line only where the codec left a secret out: a quote inside of a text has a backslash."""


class Blob(NamedTuple):
    """The content of a file of the spool, and its SHA-256 in hex."""

    digest: str
    data: bytes


class Line(NamedTuple):
    """A line with its end, and what must be on disk before it."""

    data: bytes
    blobs: tuple[Blob, ...] = ()


class ForeignFormatError(ValueError):
    """The header is of another version of the format; ``format`` and ``version`` (of the runner) as it says."""

    def __init__(self, number: Any, version: Any) -> None:
        super().__init__(f"format {number!r}")
        self.format = number
        self.version = version


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _dump(value: Any) -> bytes:
    try:
        return _encode(value)
    except (UnicodeEncodeError, TypeError):
        # Bytes of a path or a message that were no UTF-8, or a kind of text of its own; the codec has written those of
        # values in another way.
        return _ascii(value).encode()


def _parse(line: bytes) -> Any:
    try:
        return _decode(line)
    except msgspec.DecodeError:
        return json.loads(line)  # it takes halves of surrogate pairs, which `_ascii` writes


def started_line(step: str, host: str, attempt: int, item: int | None, at: datetime) -> Line:
    """A :class:`Started` without making one: half of all lines."""
    written: dict[str, Any] = {"type": "started", "at": moment_to_json(at), "step": step, "host": host}
    if attempt != 1:
        written["attempt"] = attempt
    if item is not None:
        written["item"] = item
    return Line(_dump(written) + b"\n")


def line_of(record: Record) -> Line:
    """A record as its line."""
    if isinstance(record, Ended):
        return _ended(record)
    if isinstance(record, Started):
        return started_line(record.step, record.host, record.attempt, record.item, record.at)
    return Line(_dump(_WRITERS[type(record)](record)) + b"\n")


def _ended(record: Ended) -> Line:
    result = record.result
    written = result_to_json(result)
    whole = {
        "type": "ended",
        "at": moment_to_json(record.at),
        "step": result.step,
        "host": result.host,
        "result": written,
    }
    data = _dump(whole)
    if b'"$type":"' in data and any(mark in data for mark in _SECRET):
        written["secret"] = True
        data = _dump(whole)
    if len(data) <= LONG:
        return Line(data + b"\n")
    blobs: list[Blob] = []
    _take_long(written, blobs)
    return Line(_dump(whole) + b"\n", tuple(blobs))


def _take_long(written: dict[str, Any], blobs: list[Blob]) -> None:
    """Put references in the place of long fields, in the items of a loop too."""
    for name in SPOOLED:
        if name in written:
            data = _dump(written[name])
            if len(data) > LONG:
                digest = sha256(data).hexdigest()
                blobs.append(Blob(digest, data))
                written[name] = {SPOOL: digest, "size": len(data)}
    for item in written.get("items", ()):
        _take_long(item, blobs)


def record_of(line: bytes, load: Load, *, outputs: bool = True) -> Record:
    """The record of a line.

    Args:
        line: with or without its end.
        load: gives what stands for a field of a result: see :data:`~runner.journal.results.Load`.
        outputs: whether outputs of results are wanted.

    Steps and hosts are interned: a history holds the same names a million times.

    Raises:
        ForeignFormatError: a header of another version.
        ValueError: it is no record.

    """
    try:
        written = _parse(line)
        kind = written["type"]
        if kind == "ended":
            step, host = intern(written["step"]), intern(written["host"])
            result = result_from_json(step, host, written["result"], load, outputs=outputs)
            return Ended(result, datetime.fromisoformat(written["at"]))
        return _READERS[kind](written)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no record: {error!r}") from error


def _header(record: RunHeader) -> dict[str, Any]:
    return {
        "type": "run",
        "format": record.format,
        "version": record.version,
        "run": record.run,
        "playbook": record.playbook,
        "path": record.path,
        "started_at": moment_to_json(record.started_at),
        "now": moment_to_json(record.now),
        "seed": record.seed,
        "plan": record.plan,
        "pid": record.pid,
        "machine": record.machine,
        "user": record.user,
        "hosts": record.hosts,
        "steps": _steps(record.steps),
        "options": written_options(record.options),
        "digests": _digests(record.digests),
    }


def _steps(steps: tuple[StepCount, ...]) -> list[dict[str, Any]]:
    return [
        {"id": step.id, "hosts": step.hosts} | ({} if step.name is None else {"name": step.name})
        for step in steps
    ]


def _digests(digests: Digests) -> dict[str, dict[str, str]]:
    return {kind: dict(each) for kind, each in digests.items()}


def written_options(options: RunOptions) -> dict[str, Any]:
    """Options as they stand in a file; what was not given is left out."""
    written: dict[str, Any] = {}
    for field in fields(RunOptions):
        value = getattr(options, field.name)
        if value is None or value is False or value in ((), {}):
            continue
        if field.name == "extras":
            written[field.name] = encode(dict(value))
        else:
            written[field.name] = list(value) if isinstance(value, tuple) else value
    return written


def _resumed(record: Resumed) -> dict[str, Any]:
    written: dict[str, Any] = {
        "type": "resumed",
        "at": moment_to_json(record.at),
        "pid": record.pid,
        "machine": record.machine,
        "user": record.user,
        "version": record.version,
        "decisions": [
            {"step": each.step, "host": each.host, "decision": each.choice.value} for each in record.decisions
        ],
        "changed": list(record.changed),
        "rerun": list(record.rerun),
    }
    if record.plan is not None:
        written["plan"] = record.plan
    if record.digests is not None:
        written["digests"] = _digests(record.digests)
    if record.steps is not None:
        written["steps"] = _steps(record.steps)
    if record.hosts is not None:
        written["hosts"] = record.hosts
    return written


def _noticed(record: Noticed) -> dict[str, Any]:
    written = {"type": "notice", "at": moment_to_json(record.at), "message": record.message}
    return written if record.host is None else written | {"host": record.host}


_WRITERS: Final[Mapping[type, Callable[[Any], dict[str, Any]]]] = MappingProxyType(
    {
        RunHeader: _header,
        Resumed: _resumed,
        Noticed: _noticed,
        WavePassed: lambda each: {
            "type": "wave",
            "at": moment_to_json(each.at),
            "step": each.step,
            "wave": each.wave,
        },
        PolicyBroke: lambda each: {
            "type": "policy",
            "at": moment_to_json(each.at),
            "step": each.step,
            "reason": each.reason,
        },
        Rescued: lambda each: {
            "type": "rescued",
            "at": moment_to_json(each.at),
            "block": each.block,
            "host": each.host,
            "steps": list(each.steps),
        },
        Answered: lambda each: {
            "type": "answer",
            "at": moment_to_json(each.at),
            "step": each.step,
            "go": each.go,
            "who": each.who,
        },
        Stopped: lambda each: {"type": "stopped", "at": moment_to_json(each.at), "reason": each.reason},
        Finished: lambda each: {
            "type": "finished",
            "at": moment_to_json(each.at),
            "summary": summary_to_json(each.summary),
        },
    }
)


def _read_header(written: dict[str, Any]) -> RunHeader:
    if written["format"] != FORMAT:
        raise ForeignFormatError(written["format"], written.get("version"))
    values = {key: value for key, value in written.items() if key != "type"}
    return RunHeader(
        **{
            **values,
            "started_at": _at(written, "started_at"),
            "now": _at(written, "now"),
            "steps": _read_steps(written["steps"]),
            "options": read_options(written["options"]),
        }
    )


def read_options(written: dict[str, Any]) -> RunOptions:
    """What :func:`written_options` wrote."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in written.items()
    }
    return RunOptions(**{**values, "extras": decode(written.get("extras", {}))})


def _read_steps(written: list[dict[str, Any]]) -> tuple[StepCount, ...]:
    return tuple(StepCount(step["id"], step["hosts"], step.get("name")) for step in written)


def _read_resumed(written: dict[str, Any]) -> Resumed:
    values = {key: value for key, value in written.items() if key != "type"}
    steps = written.get("steps")
    return Resumed(
        **{
            **values,
            "at": _at(written),
            "decisions": tuple(
                Decision(each["step"], each["host"], Choice(each["decision"]))
                for each in written["decisions"]
            ),
            "changed": tuple(written["changed"]),
            "rerun": tuple(written["rerun"]),
            "steps": None if steps is None else _read_steps(steps),
        }
    )


def _at(written: dict[str, Any], key: str = "at") -> datetime:
    return datetime.fromisoformat(written[key])


_READERS: Final[Mapping[str, Callable[[dict[str, Any]], Record]]] = MappingProxyType(
    {
        "run": _read_header,
        "resumed": _read_resumed,
        "started": lambda each: Started(
            intern(each["step"]), intern(each["host"]), each.get("attempt", 1), each.get("item"), _at(each)
        ),
        "wave": lambda each: WavePassed(each["step"], each["wave"], _at(each)),
        "policy": lambda each: PolicyBroke(each["step"], each["reason"], _at(each)),
        "rescued": lambda each: Rescued(each["block"], each["host"], tuple(each["steps"]), _at(each)),
        "notice": lambda each: Noticed(each["message"], _at(each), each.get("host")),
        "answer": lambda each: Answered(each["step"], each["go"], each["who"], _at(each)),
        "stopped": lambda each: Stopped(each["reason"], _at(each)),
        "finished": lambda each: Finished(summary_from_json(each["summary"]), _at(each)),
    }
)
