"""``-o jsonl``: an event a line as it happens, the last one ``run_ended``."""

from __future__ import annotations

import json

from runner.engine.observe import AssignmentEnded, AssignmentStarted, AssignmentWaits, RunEvent, RunStarted
from runner.present.encode_events import encode_event
from runner.present.port import Mask
from runner.present.sink import Sink


class JsonLines:
    """Writes each event as one line and flushes it.

    What waits looks again and again without telling anew that it waits; that it works for that moment is left out, or a
    ``wait_for`` on 2,000 hosts would write 2,000 lines a second.
    """

    def __init__(self, sink: Sink, mask: Mask) -> None:
        self._sink = sink
        self._mask = mask
        self._run = ""
        self._started: set[tuple[str, str]] = set()

    def on_event(self, event: RunEvent) -> None:
        """Write one line."""
        if isinstance(event, RunStarted):
            self._run = event.run
        elif isinstance(event, AssignmentStarted):
            if (event.step, event.host) in self._started:
                return
            self._started.add((event.step, event.host))
        elif isinstance(event, AssignmentWaits):
            self._started.discard((event.step, event.host))
        elif isinstance(event, AssignmentEnded):
            self._started.discard((event.result.step, event.result.host))
        document = encode_event(self._run, event, self._mask)
        self._sink.write(json.dumps(document, ensure_ascii=not self._sink.unicode) + "\n")

    def close(self) -> None:
        """Close the file, if it is one."""
        self._sink.close()
