"""``-o json``: one document ``{run, results, summary}`` when the run has ended.

The document is written piece by piece while the run goes on, into a sink that shows it only as a whole
(``WholeFile``, ``WholeStream``), so memory stays bounded and a run that broke off leaves no half document.
Results stand in the order in which they ended.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from runner.engine.observe import AssignmentEnded, GateOpened, Notice, RunEnded, RunEvent, RunStarted
from runner.present.encode import encode_result, encode_summary, encode_time
from runner.present.encode_events import encode_start
from runner.present.harmless import harmless
from runner.present.port import Mask
from runner.present.said import gate_words
from runner.present.sink import Sink


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
        self._results = 0
        self._complete = False

    def on_event(self, event: RunEvent) -> None:
        """Write a result, keep what the summary needs."""
        match event:
            case RunStarted():
                self._start = event
                self._sink.write('{"run": ' + self._json(event.run) + ', "results": [')
            case AssignmentEnded() if self._start is not None:
                separator = ",\n  " if self._results else "\n  "
                document = encode_result(self._start.run, event.result, self._mask)
                self._sink.write(separator + self._json(document))
                self._results += 1
            case RunEnded() if self._start is not None:
                summary = self._summary(self._start, event.at) | encode_summary(event.summary, self._mask)
                self._sink.write('\n], "summary": ' + self._json(summary) + "}\n")
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
        if self._complete:
            self._sink.close()
        else:
            self._sink.discard()

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
