"""``-o plain``: a line an output line as hosts end, stamped with step and host; the same in a log as in a pipe.

Results go to ``output``, everything else to ``report``; both may be one file. No colours, no control characters.
"""

from __future__ import annotations

from dataclasses import replace

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    Notice,
    OutputReceived,
    RunEnded,
    RunEvent,
    RunStarted,
)
from runner.engine.result import Result
from runner.present.failures import FailureReport
from runner.present.harmless import harmless, harmless_lines
from runner.present.live_lines import LiveLines
from runner.present.paint import Line, Painter
from runner.present.port import Mask
from runner.present.progress import RunProgress
from runner.present.recap import count_of, recap_lines, status_words
from runner.present.sink import Sink
from runner.present.streams import StreamLine
from runner.present.values import cell_text, one_line, side_lines
from runner.units import format_duration

_RECAP_WIDTH = 100


class Plain:
    """Writes ``STEP HOST | OUTPUT``, ``STEP HOST ! STDERR`` and ``STEP HOST STATUS`` when a host has ended.

    What PowerShell wrote for the screen (Write-Host) is no output: it goes to ``report``, as ``STEP HOST | TEXT``.
    ``verbosity`` 1 adds starts, and each line of output as it comes: ``STEP HOST > TEXT``.
    """

    def __init__(self, output: Sink, report: Sink, mask: Mask, *, verbosity: int = 0) -> None:
        self._output = output
        self._report = report
        self._mask = mask
        self._verbosity = verbosity
        self._progress = RunProgress()
        self._failures = FailureReport(mask)
        self._live = LiveLines()
        self._painter = Painter(colour=False)

    def on_event(self, event: RunEvent) -> None:
        """Write what the event says."""
        self._progress.on_event(event)
        match event:
            case RunStarted():
                counts = f"{count_of(event.hosts, 'host')}, {count_of(len(event.steps), 'step')}"
                self._tell(f"run {event.run}: {event.playbook} ({event.path}), {counts}")
            case AssignmentStarted() if self._verbosity:
                self._tell(f"{event.step} {event.host} started")
            case OutputReceived() if self._verbosity:
                self._tell_live(event.step, event.host, self._live.feed(event))
            case AssignmentEnded():
                self._tell_live(event.result.step, event.result.host, self._live.end(event.result))
                self._failures.add(event.result)
                self._show(event.result)
            case Notice():
                where = f"{event.host}: " if event.host else ""
                self._tell(f"note: {where}{event.message}")
            case RunEnded():
                self._finish()
            case _:
                pass

    def close(self) -> None:
        """Close the file, if it is one."""
        self._output.close()
        self._report.close()

    def _show(self, result: Result) -> None:
        stamp = harmless(self._mask(f"{result.step} {result.host}"))
        lines = [f"{stamp} | {text}\n" for text in _flat_lines(result, self._mask)]
        if lines:
            self._output.write("".join(lines))
        shown = (
            replace(result, stderr=[]) if result.status.bad else result
        )  # it stands in the report at the end
        information = self._progress.steps[result.step].outline.show_information
        lines_beside = side_lines(shown, self._mask, information=information)
        told = [f"{stamp} {side.sign} {side.words}\n" for side in lines_beside]
        if told:
            self._report.write("".join(told))
        self._tell(f"{result.step} {result.host} {_ending(result)}")

    def _finish(self) -> None:
        lines: list[Line] = [()]
        if self._failures:
            lines += self._failures.lines(bad="x")
        lines += recap_lines(self._progress, self._mask, width=_RECAP_WIDTH, good="-", bad="x")
        self._report.write(self._painter.paint_all(lines))

    def _tell_live(self, step: str, host: str, lines: list[StreamLine]) -> None:
        if lines:
            stamp = harmless(self._mask(f"{step} {host}"))
            self._report.write("".join(f"{stamp} > {harmless(self._mask(said.words))}\n" for said in lines))

    def _tell(self, text: str) -> None:
        self._report.write(harmless(self._mask(text)) + "\n")


def _flat_lines(result: Result, mask: Mask) -> list[str]:
    """Text as it came, and a line an object, so that each can be found and read alone."""
    if result.items:
        return [
            f"[{cell_text(item.item, mask)}] {text}"
            for item in result.items
            for text in _flat_lines(item, mask)
        ]
    parts = result.output if isinstance(result.output, list | tuple) else [result.output]
    return [text for part in parts for text in _part_lines(part, mask)]


def _part_lines(part: object, mask: Mask) -> list[str]:
    if isinstance(part, str):
        return harmless_lines(mask(part))
    return [] if part is None else [one_line(part, mask)]


def _ending(result: Result) -> str:
    words = status_words(result.status)
    if result.ignored:
        words += " (ignored)"
    if result.skip_reason:
        return f"{words}: {result.skip_reason}"
    words += f" in {format_duration(result.duration)}" if result.duration else ""
    if result.failure is not None:
        words += f": {result.failure.message} [{result.failure.code}]"
    return words
