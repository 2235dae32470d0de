"""``-o quiet``: gates that wait, failures, limits that ended a part of the run, what may still run; else nothing."""

from __future__ import annotations

from runner.engine.observe import AssignmentEnded, BlockRescued, GateOpened, PolicyStopped, RunEnded, RunEvent
from runner.present.failures import FailureReport
from runner.present.harmless import harmless
from runner.present.paint import Line, Painter, Piece, Role, line
from runner.present.port import Mask
from runner.present.recap import stop_sentences
from runner.present.said import gate_words
from runner.present.sink import Sink


class Quiet:
    """Writes gates at once, and the report of failures when the run has ended; what a ``rescue`` has mended is none."""

    def __init__(self, sink: Sink, mask: Mask, *, colour: bool = False) -> None:
        self._sink = sink
        self._mask = mask
        self._failures = FailureReport(mask)
        self._stops: list[PolicyStopped] = []
        self._painter = Painter(colour)

    def on_event(self, event: RunEvent) -> None:
        """Keep a failure; write all of them at the end."""
        match event:
            case AssignmentEnded():
                self._failures.add(event.result)
            case BlockRescued():
                self._failures.rescue(event.host, event.steps)
            case GateOpened():  # somebody must answer it while the run goes on
                words = self._warning(f"gate {event.step}", gate_words(event))
                self._sink.write(self._painter.paint_all([words]))
            case PolicyStopped():
                self._stops.append(event)
            case RunEnded():
                self._finish(event)
            case _:
                pass

    def close(self) -> None:
        """Close the file, if it is one."""
        self._sink.close()

    def _finish(self, event: RunEnded) -> None:
        lines: list[Line] = self._failures.lines(bad="✗" if self._sink.unicode else "x", mended=None)
        lines += [self._warning("stopped", text) for text in stop_sentences(self._stops, event.summary)]
        if event.summary.stopped_because and event.summary.stopped_because != event.summary.policy:
            lines.append(self._warning("stopped", event.summary.stopped_because))
        lines += [self._warning("may still run", name) for name in event.summary.may_still_run]
        if lines:
            self._sink.write(self._painter.paint_all(lines))

    def _warning(self, head: str, text: str) -> Line:
        return line(Piece(f"{head}: {harmless(self._mask(text))}", Role.WARNING))
