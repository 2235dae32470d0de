"""``-o quiet``: failures, and what may still run on hosts; a run in which all went well says nothing."""

from __future__ import annotations

from runner.engine.observe import AssignmentEnded, RunEnded, RunEvent
from runner.present.failures import FailureReport
from runner.present.harmless import harmless
from runner.present.paint import Line, Painter, Piece, Role, line
from runner.present.port import Mask
from runner.present.sink import Sink


class Quiet:
    """Writes the report of failures when the run has ended."""

    def __init__(self, sink: Sink, mask: Mask, *, colour: bool = False) -> None:
        self._sink = sink
        self._mask = mask
        self._failures = FailureReport(mask)
        self._painter = Painter(colour)

    def on_event(self, event: RunEvent) -> None:
        """Keep a failure; write all of them at the end."""
        match event:
            case AssignmentEnded():
                self._failures.add(event.result)
            case RunEnded():
                self._finish(event)
            case _:
                pass

    def close(self) -> None:
        """Close the file, if it is one."""
        self._sink.close()

    def _finish(self, event: RunEnded) -> None:
        lines: list[Line] = self._failures.lines(bad="✗" if self._sink.unicode else "x")
        if event.summary.stopped_because:
            lines.append(self._warning("stopped", event.summary.stopped_because))
        lines += [self._warning("may still run", name) for name in event.summary.may_still_run]
        if lines:
            self._sink.write(self._painter.paint_all(lines))

    def _warning(self, head: str, text: str) -> Line:
        return line(Piece(f"{head}: {harmless(self._mask(text))}", Role.WARNING))
