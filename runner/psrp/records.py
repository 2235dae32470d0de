"""Records of PowerShell's streams as a run keeps them: errors whole, the others handy in templates.

Warnings, verbose and debug records become their text, so that ``r.warnings`` is a list of texts. An information record
becomes a mapping with ``message``, ``tags``, ``source``, ``time``, ``user``, ``computer``, ``color`` and
``background`` (names of ConsoleColor), ``newline``, and ``data`` where it carries an object and no text. A progress
record becomes a mapping with ``activity``, ``id``, ``parent``, ``status``, ``operation``, ``percent``,
``seconds_left`` and ``completed``; what it does not know is None. (remoting.md 2.3, 2.4)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psrpcore.types import ConsoleColor

from runner.engine.result import ErrorRecord
from runner.objects import PreciseDatetime, PSObject
from runner.psrp.from_ps import from_ps, read_text
from runner.psrp.request import RecordKind

_PREFIX = "Deserialized."
_MOST_INNER = 20
_FRAME = re.compile(r"<No file>: line (\d+)")  # how a frame of the text that was sent ends
_HOST_TAG = "PSHOST"  # what Write-Host puts on its records
_HOST_MESSAGE = "System.Management.Automation.HostInformationMessage"


class HostText(NamedTuple):
    """A piece of text for the screen, the ConsoleColor it asks for, and whether the line ends after it."""

    text: str
    color: str | None
    newline: bool


def error_record(record: Any) -> ErrorRecord:
    """What psrpcore made of an ERROR_RECORD, or of the record in a failed pipeline's state."""
    exception = from_ps(record.Exception)
    details = record.ErrorDetails
    line, column, position = _place(record)
    return ErrorRecord(
        message=_message(details, exception),
        fully_qualified_error_id=_words(record.FullyQualifiedErrorId),
        category=_words(record.CategoryInfo.PSObject.to_string),
        exception=_types(exception),
        line=line,
        column=column,
        stack=_words(record.ScriptStackTrace),
        inner=tuple(_inner(exception)),
        target=read_text(record.TargetObject),
        position=position,
        recommended_action=_words(details.RecommendedAction) if details is not None else None,
    )


def stream_record(kind: RecordKind, record: Any) -> Any:
    """A record as :class:`~runner.engine.result.Streams` holds it; for errors there is :func:`error_record`.

    Raises:
        ValueError: the kind is error.

    """
    if kind is RecordKind.INFORMATION:
        return _information(record)
    if kind is RecordKind.PROGRESS:
        return _progress(record)
    if kind is RecordKind.ERROR:
        raise ValueError("an error record is read by error_record")
    return read_text(record.Message) or ""


def write_host(record: Any) -> HostText:
    """An information record as a piece of a line for the screen; text without a color where it is no Write-Host."""
    return host_text(_information(record))


def host_text(information: Mapping[str, Any]) -> HostText:
    """The same of what :func:`stream_record` gave."""
    return HostText(information["message"], information["color"], information["newline"])


def is_for_host(information: Mapping[str, Any]) -> bool:
    """Whether it was written for the screen (Write-Host); the others are shown where the step asks for them."""
    return _HOST_TAG in information["tags"]


def _message(details: Any, exception: Any) -> str:
    told = _words(details.Message) if details is not None else None
    if told is None and isinstance(exception, PSObject):
        told = _words(exception.get("Message")) or exception.text
    return told or (exception if isinstance(exception, str) else "") or "an error without a message"


def _words(value: Any) -> str | None:
    """Text where there is some."""
    return str(value) if isinstance(value, str) and value else None


def _types(exception: Any) -> tuple[str, ...]:
    names = exception.type_names if isinstance(exception, PSObject) else ()
    return tuple(
        name.removeprefix(_PREFIX) for name in names if name.removeprefix(_PREFIX) != "System.Object"
    )


def _inner(exception: Any) -> Iterator[str]:
    """What is inside: objects while the peer's depth reaches, then the text of the rest, whose first line counts."""
    for _ in range(_MOST_INNER):
        exception = exception.get("InnerException") if isinstance(exception, PSObject) else None
        if isinstance(exception, PSObject):
            message = _words(exception.get("Message")) or exception.text or ""
            yield f"{next(iter(_types(exception)), 'System.Exception')}: {message}"
        elif isinstance(exception, str) and exception:
            yield exception.partition("\n")[0].rstrip("\r")
            return
        else:
            return


def _place(record: Any) -> tuple[int | None, int | None, str | None]:
    """Line and column in the script, and the picture of the place.

    The position counts where it lies in the text that was sent; that of an error in a module's file is told by the
    stack's first frame in the text. Write-Error gives line 0 and no picture: again the stack knows.
    """
    position = from_ps(getattr(record.Exception, "SerializedRemoteInvocationInfo", None))
    if not isinstance(position, PSObject):
        position = PSObject()
    picture = _words(position.get("PositionMessage"))
    line, column = position.get("ScriptLineNumber"), position.get("OffsetInLine")
    if isinstance(line, int) and line > 0 and not _words(position.get("ScriptName")):
        return line, column if isinstance(column, int) and column > 0 else None, picture
    frame = _FRAME.search(_words(record.ScriptStackTrace) or "")
    return int(frame[1]) if frame and int(frame[1]) > 0 else None, None, picture


def _information(record: Any) -> dict[str, Any]:
    data = from_ps(record.MessageData)
    of_host = isinstance(data, PSObject) and any(name.endswith(_HOST_MESSAGE) for name in data.type_names)
    fields = data if of_host else {}
    time = from_ps(record.TimeGenerated)
    tags = from_ps(record.Tags)
    entry: dict[str, Any] = {
        "message": str(fields.get("Message") or "") if of_host else read_text(record.MessageData) or "",
        "tags": [str(tag) for tag in tags] if isinstance(tags, list) else [],
        "source": _words(record.Source),
        "time": _in_utc(time) if isinstance(time, datetime) else None,
        "user": _words(record.User),
        "computer": _words(record.Computer),
        "color": _color(fields.get("ForegroundColor")),
        "background": _color(fields.get("BackgroundColor")),
        "newline": not fields.get("NoNewLine"),
    }
    if not of_host and not isinstance(data, str):
        entry["data"] = data
    return entry


def _in_utc(moment: datetime) -> datetime:
    """A Local time of the peer as the same moment in UTC; without a zone nobody knows which it is."""
    if moment.utcoffset() is None:
        return moment
    tick = moment.tick if isinstance(moment, PreciseDatetime) else 0
    whole = datetime.combine(moment.date(), moment.timetz()).astimezone(UTC)
    return PreciseDatetime.of(whole, tick) if tick else whole


def _color(value: Any) -> str | None:
    """A ConsoleColor by name; engines send its name, its number, or both."""
    if isinstance(value, str):
        return str(value) if value in ConsoleColor.__members__ else None
    if isinstance(value, int) and 0 <= value <= 15:
        return ConsoleColor(value).name
    return None


def _progress(record: Any) -> dict[str, Any]:
    percent, seconds = from_ps(record.PercentComplete), from_ps(record.SecondsRemaining)
    parent, kind = from_ps(record.ParentActivityId), from_ps(record.RecordType)
    return {
        "activity": _words(record.Activity) or "",
        "id": from_ps(record.ActivityId),
        "parent": parent if isinstance(parent, int) and parent >= 0 else None,
        "status": _words(record.StatusDescription) or "",
        "operation": _words(record.CurrentOperation) or "",
        "percent": min(percent, 100) if isinstance(percent, int) and percent >= 0 else None,
        "seconds_left": seconds if isinstance(seconds, int) and seconds >= 0 else None,
        "completed": kind == "Completed",
    }
