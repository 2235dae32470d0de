"""The streams of one pipeline, gathered as its records come."""

from __future__ import annotations

from typing import Any

from runner.engine.result import Streams
from runner.psrp.records import is_for_host, stream_record
from runner.psrp.request import RecordKind


class StreamKeeper:
    """Takes every record but errors, and gives the :class:`~runner.engine.result.Streams` of a result.

    Pieces that Write-Host wrote without a newline are put together to lines: such a line is one entry, with the colors
    and the time of its first piece. Of each activity only the last progress is kept, as a script may write thousands.
    """

    def __init__(self) -> None:
        self._texts: dict[RecordKind, list[str]] = {
            RecordKind.WARNING: [],
            RecordKind.VERBOSE: [],
            RecordKind.DEBUG: [],
        }
        self._information: list[dict[str, Any]] = []
        self._progress: dict[Any, dict[str, Any]] = {}

    def add(self, kind: RecordKind, record: Any) -> Any:
        """Keep a record; gives what ``stream_record`` made of it.

        Raises:
            ValueError: the kind is error.

        """
        entry = stream_record(kind, record)
        if kind is RecordKind.INFORMATION:
            self._add_information(entry)
        elif kind is RecordKind.PROGRESS:
            self._progress[entry["id"]] = entry
        else:
            self._texts[kind].append(entry)
        return entry

    def streams(self) -> Streams:
        """What has come until now."""
        return Streams(
            warnings=tuple(self._texts[RecordKind.WARNING]),
            verbose=tuple(self._texts[RecordKind.VERBOSE]),
            debug=tuple(self._texts[RecordKind.DEBUG]),
            information=tuple(self._information),
            progress=tuple(self._progress.values()),
        )

    def _add_information(self, entry: dict[str, Any]) -> None:
        last = self._information[-1] if self._information else None
        if last is not None and not last["newline"] and is_for_host(last) and is_for_host(entry):
            joined = last["message"] + entry["message"]
            self._information[-1] = {**last, "message": joined, "newline": entry["newline"]}
        else:
            self._information.append(entry)
