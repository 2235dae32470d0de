"""``-o json``: one document ``{run, results, summary}`` when the run has ended.

Results are kept in a temporary file while the run goes on, so memory stays bounded and a run that broke off leaves no
half document. They stand in the order in which they ended; whether a rescue mended one is known only later, and put in
when the document is written.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any

from runner.engine.observe import (
    AssignmentEnded,
    BlockRescued,
    GateOpened,
    Notice,
    RunEnded,
    RunEvent,
    RunStarted,
)
from runner.engine.result import Result
from runner.present.encode import encode_result, encode_summary, encode_time
from runner.present.encode_events import encode_start
from runner.present.harmless import harmless
from runner.present.port import Mask
from runner.present.said import gate_words
from runner.present.sink import Sink, told_errors

_SPOOL = "a temporary file"


class JsonDocument:
    """Writes the document to ``sink``.

    ``notices`` takes as lines what the document has no place for: warnings, and gates, which somebody must answer while
    the run goes on.
    """

    def __init__(self, sink: Sink, mask: Mask, notices: Sink) -> None:
        self._sink = sink
        self._mask = mask
        self._notices = notices
        self._start: RunStarted | None = None
        with told_errors(_SPOOL):
            self._results = TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - until close
        self._rescued: set[tuple[str, str]] = set()
        self._complete = False

    def on_event(self, event: RunEvent) -> None:
        """Keep a result; write the document when the run has ended."""
        match event:
            case RunStarted():
                self._start = event
            case AssignmentEnded() if self._start is not None:
                self._keep(self._start.run, event.result)
            case BlockRescued():
                self._rescued.update((step, event.host) for step in event.steps)
            case RunEnded() if self._start is not None:
                self._write(self._start, event)
                self._complete = True
            case Notice():
                where = f"{event.host}: " if event.host else ""
                self._notices.write(f"note: {harmless(self._mask(where + event.message))}\n")
            case GateOpened():
                self._notices.write(f"gate {event.step}: {harmless(self._mask(gate_words(event)))}\n")
            case _:
                pass

    def close(self) -> None:
        """Show the document, or nothing where the run has not ended."""
        with suppress(OSError):  # what could not be written is told where it was to be read
            self._results.close()
        if self._complete:
            self._sink.close()
        else:
            self._sink.discard()

    def _keep(self, run: str, result: Result) -> None:
        """One line: what a rescue would mend as ``[step, host]``, a tab (JSON has none), the result."""
        mendable = json.dumps([result.step, result.host]) if result.bad else ""
        document = self._json(encode_result(run, result, self._mask))
        with told_errors(_SPOOL):
            self._results.write(f"{mendable}\t{document}\n")

    def _write(self, start: RunStarted, end: RunEnded) -> None:
        self._sink.write('{"run": ' + self._json(start.run) + ', "results": [')
        separator = "\n  "
        with told_errors(_SPOOL):
            self._results.seek(0)
        for line in self._results:
            mendable, _, document = line.rstrip("\n").partition("\t")
            if mendable and self._rescued and tuple(json.loads(mendable)) in self._rescued:
                document = self._json(json.loads(document) | {"rescued": True})
            self._sink.write(separator + document)
            separator = ",\n  "
        summary = self._summary(start, end.at) | encode_summary(end.summary, self._mask)
        self._sink.write('\n], "summary": ' + self._json(summary) + "}\n")

    def _summary(self, start: RunStarted, ended: datetime) -> dict[str, Any]:
        about = encode_start(start, self._mask)
        return {
            "playbook": about["playbook"],
            "path": about["path"],
            "started_at": encode_time(start.at),
            "ended_at": encode_time(ended),
        }

    def _json(self, value: object) -> str:
        return json.dumps(value, ensure_ascii=not self._sink.unicode)
