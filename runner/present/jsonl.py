"""``-o jsonl``: an event a line as it happens, the last one ``run_ended``."""

from __future__ import annotations

import json

from runner.engine.observe import RunEvent, RunStarted
from runner.present.encode_events import encode_event
from runner.present.port import Mask
from runner.present.sink import Sink


class JsonLines:
    """Writes each event as one line and flushes it."""

    def __init__(self, sink: Sink, mask: Mask) -> None:
        self._sink = sink
        self._mask = mask
        self._run = ""

    def on_event(self, event: RunEvent) -> None:
        """Write one line."""
        if isinstance(event, RunStarted):
            self._run = event.run
        document = encode_event(self._run, event, self._mask)
        self._sink.write(json.dumps(document, ensure_ascii=not self._sink.unicode) + "\n")

    def close(self) -> None:
        """Close the file, if it is one."""
        self._sink.close()
