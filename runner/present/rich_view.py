"""``-o rich``: a live view on standard error, each step's folded output on standard output when it is over.

The live view is drawn by a thread of its own, so that it goes on telling who is waited for while no event comes;
everything else happens in the caller's. One lock keeps them apart.
"""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event, RLock, Thread
from typing import TextIO

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    AssignmentWaits,
    BlockRescued,
    GateOpened,
    Notice,
    OutputReceived,
    PolicyStopped,
    ProgressReceived,
    RunEnded,
    RunEvent,
    RunStarted,
    WaveStarted,
)
from runner.engine.result import Result, Status
from runner.present.cells import cell_width
from runner.present.failures import FailureReport
from runner.present.fold_outputs import OutputFold, output_lines
from runner.present.harmless import harmless
from runner.present.live_lines import LiveLines
from runner.present.live_region import LiveRegion
from runner.present.live_view import ASCII, UNICODE, counted, live_lines
from runner.present.paint import STATUS_ROLES, Line, Painter, Piece, Role, fit_line, line, text_of, wrap_line
from runner.present.port import Mask
from runner.present.progress import RunProgress, StepProgress
from runner.present.recap import count_of, recap_lines, stop_sentence
from runner.present.said import effort_words, ending_words, gate_words, wait_words, wave_words
from runner.present.sink import Sink
from runner.present.streams import StreamLine
from runner.units import format_duration

_FAILURES_AT_ONCE = 3
_TICK = 0.125  # seconds between looks at whether the live view has changed
_LIVE_HEIGHT = 14  # lines at most, so that what was printed stays in view


@dataclass(frozen=True, slots=True, kw_only=True)
class RichSettings:
    """How the view looks.

    Attributes:
        output_colour: colours for results.
        report_colour: colours for everything else.
        size: gives width and height of the terminal in cells, asked before each drawing.
        now: the time, aware, for how long hosts have been running.
        verbosity: 1 shows every output line as it comes, and how each host ended; 2 also starts and transports.
        terminal: where the live view is drawn; None for none.
        asks: gates are answered on ``terminal``.

    """

    output_colour: bool
    report_colour: bool
    size: Callable[[], tuple[int, int]]
    now: Callable[[], datetime]
    verbosity: int = 0
    terminal: TextIO | None = None
    asks: bool = False


class RichView:
    """Shows a run to a person; without ``output``, how it goes and not what it gives."""

    def __init__(self, output: Sink | None, report: Sink, mask: Mask, settings: RichSettings) -> None:
        self._output = output
        self._report = report
        self._mask = mask
        self._settings = settings
        self._glyphs = UNICODE if report.unicode and (output is None or output.unicode) else ASCII
        self._output_painter = Painter(settings.output_colour)
        self._report_painter = Painter(settings.report_colour)
        self._progress = RunProgress()
        self._folds: dict[str, OutputFold] = {}
        self._failures = FailureReport(mask)
        self._told: Counter[str] = Counter()
        self._told_rescues: Counter[str] = Counter()
        self._unreachable: set[str] = set()
        self._live = LiveLines()
        self._lock = RLock()
        self._stop = Event()
        self._region = LiveRegion(settings.terminal, self._report_painter) if settings.terminal else None
        self._drawer: Thread | None = None

    @property
    def asks(self) -> bool:
        """Whether the live view shows the question of a gate, and what is typed behind it."""
        return self._settings.asks and self._region is not None

    def on_event(self, event: RunEvent) -> None:
        """Show what the event says."""
        with self._lock:
            self._progress.on_event(self._masked(event))
            match event:
                case RunStarted():
                    self._start(event)
                case AssignmentStarted() if self._settings.verbosity > 1 and self._progress.works(event):
                    self._tell([line(Piece(f"{event.host}  {event.step} started", Role.FAINT))])
                case OutputReceived() if self._settings.verbosity:
                    self._tell_live(event.host, self._live.feed(event))
                case AssignmentWaits() if self._settings.verbosity:
                    self._tell([line(Piece(f"{event.host}  {event.step} {wait_words(event)}", Role.FAINT))])
                case WaveStarted() if self._settings.verbosity or self._region is None:
                    self._tell([line(Piece(f"{event.step} {wave_words(event)}", Role.FAINT))])
                case AssignmentEnded():
                    self._end(event.result, restored=event.restored)
                case GateOpened() if self._region is None:
                    self._tell([line(Piece(f"gate {event.step}: ", Role.WARNING), gate_words(event))])
                case PolicyStopped():
                    said = f"{self._glyphs.bad} stopped: {stop_sentence(event)}"
                    self._tell([line(Piece(said, Role.BAD))])
                case BlockRescued():
                    self._rescue(event)
                case Notice():
                    where = f"{event.host}: " if event.host else ""
                    self._tell([line(Piece("note: ", Role.WARNING), where + event.message)])
                case RunEnded():
                    self._finish()
                case _:
                    pass

    def close(self) -> None:
        """Take the live view away, give the cursor back, close files."""
        self._stop_drawing()
        if self._drawer is not None:
            self._drawer.join()
            self._drawer = None
        if self._output is not None:
            self._output.close()
        self._report.close()

    def _masked(self, event: RunEvent) -> RunEvent:
        """Texts of the live view are cut to the width later, and a cut secret would not be known."""
        match event:
            case ProgressReceived():
                return replace(event, activity=self._mask(event.activity), status=self._mask(event.status))
            case AssignmentWaits():
                return replace(event, reason=self._mask(event.reason))
            case GateOpened():
                return replace(event, message=self._mask(event.message))
            case _:
                return event

    def _start(self, event: RunStarted) -> None:
        counts = f"{count_of(event.hosts, 'host')}, {count_of(len(event.steps), 'step')}"
        self._tell(
            [line(Piece(event.playbook, Role.STRONG), f"  {counts}", Piece(f"  {event.run}", Role.FAINT))]
        )
        if self._region is not None:
            atexit.register(self._stop_drawing)
            self._drawer = Thread(target=self._draw_until_stopped, name="live view", daemon=True)
            self._drawer.start()
            self._draw(self._region)

    def _end(self, result: Result, *, restored: bool) -> None:
        step = self._progress.steps[result.step]
        self._failures.add(result)
        if not restored:
            self._show(step, result)
        if step.over:
            self._end_step(step)

    def _show(self, step: StepProgress, result: Result) -> None:
        self._tell_live(result.host, self._live.end(result))
        # The standard error of a failure stands in the report at the end, not twice.
        shown = replace(result, stderr=[]) if result.status.bad and not result.ignored else result
        if self._output is not None:
            fold = OutputFold(self._mask, information=step.outline.show_information)
            self._folds.setdefault(result.step, fold).add(shown)
        if self._settings.verbosity:
            self._tell([self._ending(result)])
        else:
            self._tell_failure(result)

    def _rescue(self, event: BlockRescued) -> None:
        """Told at once and in short, as failures are."""
        self._failures.rescue(event.host, event.steps)
        self._told_rescues[event.block] += 1
        if self._told_rescues[event.block] <= _FAILURES_AT_ONCE or self._settings.verbosity:
            said = f"{self._glyphs.good} {event.block} rescued"
            self._tell([line(Piece(said, Role.CHANGED), " on ", Piece(event.host, Role.HOSTS))])
        elif self._told_rescues[event.block] == _FAILURES_AT_ONCE + 1:
            self._tell([line(Piece(f"  further rescues of {event.block} are told at the end", Role.FAINT))])

    def _tell_failure(self, result: Result) -> None:
        """A failure at once and in short: of each step the first few, of a host that cannot be reached the first."""
        if not result.status.bad or result.ignored or result.status is Status.CANCELLED:
            return
        if result.status is Status.UNREACHABLE:
            if result.host in self._unreachable:
                return
            self._unreachable.add(result.host)
        self._told[result.step] += 1
        if self._told[result.step] <= _FAILURES_AT_ONCE:
            self._tell(self._failures.result_lines(result, bad=self._glyphs.bad)[:2])
        elif self._told[result.step] == _FAILURES_AT_ONCE + 1:
            self._tell([line(Piece(f"  further failures of {result.step} are told at the end", Role.FAINT))])

    def _end_step(self, step: StepProgress) -> None:
        """Head and outputs of a step on standard output; a step without output is one line of the report."""
        width = self._settings.size()[0]
        outputs = self._folds.pop(step.outline.id, None)
        head = self._head(step, width, rule=bool(outputs))
        if not outputs or self._output is None:
            self._tell([head])
            return
        with_hosts = not step.outline.hide_computer_name and step.outline.hosts > 1
        lines = [(), head, *output_lines(outputs, width, with_hosts=with_hosts)]
        self._print(self._output, self._output_painter, lines)

    def _head(self, step: StepProgress, width: int, *, rule: bool) -> Line:
        sign, role = self._sign(step)
        reason = f"  {self._mask(min(step.skip_reasons))}" if len(step.skip_reasons) == 1 else ""
        duration = f"  {format_duration(step.duration)}" if step.duration is not None else ""
        title = harmless(self._mask(step.outline.name or step.outline.id))
        head = line(
            Piece(f"{sign} ", role),
            Piece(title, Role.STRONG),
            "  ",
            *counted(step),
            Piece(duration + harmless(reason), Role.FAINT),
        )
        head = fit_line(head, width)
        room = width - cell_width(text_of(head)) - 2
        return line(*head, Piece(f"  {self._glyphs.rule * room}", Role.FAINT)) if rule and room > 2 else head

    def _sign(self, step: StepProgress) -> tuple[str, Role]:
        if any(status.bad for status in step.counts):
            return self._glyphs.bad, Role.BAD
        if step.counts.keys() <= {Status.SKIPPED}:
            return self._glyphs.skipped, Role.FAINT
        return self._glyphs.good, Role.GOOD

    def _ending(self, result: Result) -> Line:
        """One host's end, for ``-v``: status and time, for ``-vv`` also how it was reached."""
        how = f"  {effort}" if (effort := effort_words(result)) else ""
        if self._settings.verbosity > 1 and result.transport:
            how += f"  over {result.transport}" + (f", session {result.session}" if result.session else "")
        reason = result.skip_reason or (result.failure.message if result.failure else "")
        return line(
            Piece(f"{result.host}  ", Role.HOSTS),
            f"{result.step} ",
            Piece(ending_words(result), STATUS_ROLES[result.status]),
            Piece(how, Role.FAINT),
            f"  {reason}" if reason else "",
        )

    def _tell_live(self, host: str, lines: list[StreamLine]) -> None:
        self._tell([line(Piece(f"{host} {said.sign} ", Role.FAINT), said.piece) for said in lines])

    def _finish(self) -> None:
        self._stop_drawing()
        width = self._settings.size()[0]
        lines: list[Line] = [()]
        if self._failures:
            lines += self._failures.lines(bad=self._glyphs.bad, mended=self._glyphs.good)
        glyphs = self._glyphs
        lines += recap_lines(self._progress, self._mask, width=width, good=glyphs.good, bad=glyphs.bad)
        wrapped = [part for pieces in lines for part in wrap_line(pieces, width)]
        self._print(self._report, self._report_painter, wrapped)

    def _tell(self, lines: list[Line]) -> None:
        """Print lines of the report, every piece masked and harmless."""
        if lines:
            width = self._settings.size()[0]
            wrapped = [part for pieces in self._safe(lines) for part in wrap_line(pieces, width)]
            self._print(self._report, self._report_painter, wrapped)

    def _safe(self, lines: list[Line]) -> list[Line]:
        return [
            tuple(Piece(harmless(self._mask(part.text)), part.role) for part in pieces) for pieces in lines
        ]

    def _print(self, sink: Sink, painter: Painter, lines: list[Line]) -> None:
        """Print above the live view, which is drawn again at once."""
        with self._lock:
            if self._region is None or self._stop.is_set():
                sink.write(painter.paint_all(lines))
                return
            width = self._settings.size()[0]
            drawn = self._region.erase(width)
            try:
                sink.write(painter.paint_all(lines))
            finally:
                self._region.draw(drawn, width)

    def _draw_until_stopped(self) -> None:
        while not self._stop.wait(_TICK):
            with self._lock:
                if self._region is not None and not self._stop.is_set():
                    self._draw(self._region)

    def _draw(self, region: LiveRegion) -> None:
        width, height = self._settings.size()
        room = min(_LIVE_HEIGHT, max(height // 2, 3))
        now = self._settings.now()
        lines = live_lines(
            self._progress, now, width=width, height=room, glyphs=self._glyphs, asks=self._settings.asks
        )
        region.draw(self._safe(lines), width)

    def _stop_drawing(self) -> None:
        """Harmless when nothing is drawn, or called again (also at the end of the process)."""
        self._stop.set()
        if self._region is not None:
            with self._lock:
                self._region.close(self._settings.size()[0])
        atexit.unregister(self._stop_drawing)
