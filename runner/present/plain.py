"""``-o plain``: a line an output line as hosts end, stamped with step and host; the same in a log as in a pipe.

Results go to ``output``, everything else to ``report``; both may be one file. No colours, no control characters.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    AssignmentWaits,
    BlockRescued,
    DeadlineSet,
    GateOpened,
    Notice,
    OutputReceived,
    PolicyStopped,
    RunEnded,
    RunEvent,
    RunStarted,
    Waits,
    WaveStarted,
)
from runner.engine.result import Result
from runner.errors import RunnerError
from runner.present.failures import FailureReport
from runner.present.folding import fold
from runner.present.harmless import harmless, harmless_lines
from runner.present.live_lines import LiveLines
from runner.present.paint import Line, Painter, text_of
from runner.present.port import Mask
from runner.present.progress import RunProgress
from runner.present.recap import count_of, recap_lines, stop_sentence
from runner.present.said import effort_words, ending_words, gate_words, never_started, wait_words, wave_words
from runner.present.sink import Sink
from runner.present.streams import StreamLine
from runner.present.together import Together
from runner.present.values import cell_text, changed_lines, one_line, side_lines

_RECAP_WIDTH = 100
_TOGETHER = 0.2  # seconds for which equal lines are waited for: short for a person, long for the engine


class Plain:
    """Writes ``STEP HOST | OUTPUT``, ``STEP HOST ! STDERR`` and ``STEP HOST STATUS`` when a host has ended.

    What PowerShell wrote for the screen (Write-Host) is no output: it goes to ``report``, as ``STEP HOST | TEXT``.
    ``verbosity`` 1 adds starts, and each line of output as it comes: ``STEP HOST > TEXT``.

    What never started, and blocks that were rescued, is told once for all hosts that come together. Of waits the
    first ones of a step and a kind are told alike, and no later ones, unless ``verbosity`` asks for them. What an
    earlier part of the run recorded is counted at the end.
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
        self._together = Together()
        self._waits: dict[tuple[str, Waits], list[AssignmentWaits]] = {}
        self._waits_told: set[tuple[str, Waits]] = set()
        self._due = False
        self._error: RunnerError | None = None

    def on_event(self, event: RunEvent) -> None:
        """Write what the event says."""
        if self._error is not None:
            raise self._error
        self._progress.on_event(event)
        if self._keep(event):
            self._tell_soon()
            return
        self._tell_kept()
        match event:
            case RunStarted():
                counts = f"{count_of(event.hosts, 'host')}, {count_of(len(event.steps), 'step')}"
                self._tell(f"run {event.run}: {event.playbook} ({event.path}), {counts}")
            case AssignmentStarted() if self._verbosity and self._progress.works(event):
                self._tell(f"{event.step} {event.host} started")
            case OutputReceived() if self._verbosity:
                self._tell_live(event.step, event.host, self._live.feed(event))
            case AssignmentEnded():
                self._tell_live(event.result.step, event.result.host, self._live.end(event.result))
                self._failures.add(event.result)
                self._show(event.result)
            case WaveStarted():
                self._tell(f"{event.step} {wave_words(event)}")
            case GateOpened():
                self._tell(f"gate {event.step}: {gate_words(event)}")
            case PolicyStopped():
                self._tell(f"stopped: {stop_sentence(event)}")
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

    def _keep(self, event: RunEvent) -> bool:
        """Keep what is told together with what comes next; whether that is all there is to do."""
        match event:
            case AssignmentEnded(restored=True):
                self._failures.add(event.result)
            case AssignmentEnded() if never_started(event.result):
                self._failures.add(event.result)
                self._together.add(_ending(event.result), event.result.step, event.result.host)
            case BlockRescued():
                self._failures.rescue(event.host, event.steps)
                self._together.add("rescued", event.block, event.host)
            case AssignmentWaits():
                if (event.step, event.what) not in self._waits_told or self._verbosity:
                    self._waits.setdefault((event.step, event.what), []).append(event)
            case GateOpened():
                self._waits_told.add((event.step, Waits.GATE))  # the question says it better
                self._waits.pop((event.step, Waits.GATE), None)
                return False
            case DeadlineSet():
                pass
            case _:
                return False
        return True

    def _tell_soon(self) -> None:
        """Tell what is kept in a moment also where no event comes; without an event loop the next event does it."""
        if self._due or not (self._together or self._waits):
            return
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_later(_TOGETHER, self._tell_due)
            self._due = True

    def _tell_due(self) -> None:
        self._due = False
        try:
            self._tell_kept()
        except RunnerError as error:  # the loop has nobody to tell it to; the next event has
            self._error = self._error or error

    def _tell_kept(self) -> None:
        waits, self._waits = self._waits, {}
        for (step, what), events in waits.items():
            self._waits_told.add((step, what))
            self._tell(f"{step} {fold(event.host for event in events)} {wait_words(events[0])}")
        for place, text in self._together.take():
            self._tell(f"{place} {text}")

    def _show(self, result: Result) -> None:
        stamp = harmless(self._mask(f"{result.step} {result.host}"))
        lines = [f"{stamp} | {text}\n" for text in _flat_lines(result, self._mask)]
        lines += [f"{stamp} | {text_of(pieces)}\n" for pieces in changed_lines(result, self._mask)]
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
            lines += self._failures.lines(bad="x", mended="-")
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
    words = ending_words(result)
    if result.skip_reason:
        return f"{words}: {result.skip_reason}"
    effort = effort_words(result)
    words += f" in {effort}" if result.duration else f", {effort}" if effort else ""
    if result.failure is not None:
        words += f": {result.failure.message} [{result.failure.code}]"
    return words
