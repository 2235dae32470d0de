"""The view on a terminal: what stands on the screen in the end, and that the live part leaves nothing behind."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from runner.engine.observe import AssignmentStarted, OutputReceived, RunEvent, RunStarted, StepOutline
from runner.engine.result import Result, Status
from runner.present.cells import cell_width
from runner.present.live_lines import LiveLines
from runner.present.live_region import LiveRegion
from runner.present.live_view import ASCII, UNICODE, clock, live_lines
from runner.present.paint import Painter, line, text_of
from runner.present.progress import RunProgress
from runner.present.rich_view import RichSettings, RichView
from runner.present.sink import StreamSink
from runner.present.streams import StreamLine
from tests.support.fake_runs import (
    BEGIN,
    RUN,
    Pipe,
    Terminal,
    events_of,
    failed,
    mask_hunter,
    ok,
    unreachable,
)

_SEQUENCE = re.compile(r"\x1b\[(\?25[lh]|(\d*)[AKJm]|[\d;]*m)|\r|\n|[^\x1b\r\n]")


def screen_of(written: str) -> list[str]:
    """The lines of an endless terminal that was written to; knows what the region uses and nothing more."""
    rows: list[list[str]] = [[]]
    row = column = 0
    matched = 0
    for match in _SEQUENCE.finditer(written):
        matched += len(match[0])
        match match[0]:
            case "\r":
                column = 0
            case "\n":
                row, column = row + 1, 0
                rows += [[]] if row == len(rows) else []
            case "\x1b[K":
                del rows[row][column:]
            case "\x1b[J":
                del rows[row][column:], rows[row + 1 :]
            case code if code.startswith("\x1b["):
                row -= int(match[2] or 1) if code.endswith("A") else 0
            case character:
                rows[row].extend(" " * (column + 1 - len(rows[row])))
                rows[row][column] = character
                column += 1
    assert matched == len(written), "a sequence that the region should not use"
    return ["".join(cells).rstrip() for cells in rows]


def view_of(
    events: list[RunEvent], *, width: int = 80, verbosity: int = 0, colour: bool = False
) -> tuple[list[str], str]:
    """The screen after a run on one terminal, and everything that was written to it."""
    terminal = Terminal()
    settings = RichSettings(
        output_colour=colour,
        report_colour=colour,
        size=lambda: (width, 24),
        now=lambda: BEGIN + timedelta(seconds=5),
        verbosity=verbosity,
        terminal=terminal,
    )
    view = RichView(StreamSink(terminal), StreamSink(terminal), mask_hunter, settings)
    for event in events:
        view.on_event(event)
    view.close()
    return screen_of(terminal.getvalue()), terminal.getvalue()


RESULTS = [
    *(ok("facts", f"web{n:02d}", {"os": "Debian", "disk": 40 + (n == 3)}) for n in range(1, 5)),
    ok("reload", "web01", []),
    failed("reload", "web02"),
]


def test_the_screen_after_a_run_is_a_report() -> None:
    """Outputs folded, failures with all that helps, a recap, and no rest of the live view."""
    screen, _ = view_of(events_of(RESULTS))
    assert screen == [
        f"Site  4 hosts, 2 steps  {RUN}",
        "",
        "✓ facts  4 ok  3.2s  " + "─" * 59,
        "host           os      disk",
        "web[01-02,04]  Debian    40",
        "web03          Debian    41",
        "✗ reload failed (exit 5) on web02",
        "    error[exit-code]: the script ended with exit code 5",
        "✗ reload  1 ok, 1 failed  1.2s",
        "note: web01: the connection was opened again",
        "",
        "✗ reload failed (exit 5) on web02",
        "    error[exit-code]: the script ended with exit code 5",
        "    it ran, and failed",
        "    line 3 of the script: bind() failed",
        "    | nginx: [emerg] bind() failed",
        "    hint: look with `runner shell`",
        "",
        "  failed   1 host  web02",
        "  ok      3 hosts  web[01,03-04]",
        "✗ Site: 1 of 4 hosts with errors in 6.0s (exit 1)",
        "  6 results: 5 ok, 1 failed",
        f"  run {RUN}",
        "",
    ]


def test_the_cursor_is_given_back() -> None:
    """Hidden while something is drawn, shown again whatever happened, also when the run broke off."""
    for events in (events_of(RESULTS), events_of(RESULTS)[:4], []):
        _, written = view_of(events)
        assert written.count("\x1b[?25l") == written.count("\x1b[?25h")
        assert written.rfind("\x1b[?25h") >= written.rfind("\x1b[?25l")


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_of_the_report_passes_the_width(width: int) -> None:
    """A narrow terminal shows the same, wrapped at words or cut."""
    screen, _ = view_of(events_of([*RESULTS, unreachable("reload", "web03")]), width=width)
    assert max(map(cell_width, screen)) <= width


def test_colours_are_only_colours() -> None:
    """The screen says the same without them."""
    assert view_of(events_of(RESULTS), colour=True)[0] == view_of(events_of(RESULTS))[0]


def test_a_host_cannot_drive_the_terminal_nor_tell_a_secret() -> None:
    """Its output is text, and a secret is stars, live and folded; an unknown sequence fails in screen_of."""
    screen, _ = view_of(events_of([ok("a", "web1", ["\x1b[2J\x1b]0;x\x07hunter2"])]), verbosity=2)
    assert sum("^[[2J^[]0;x^G********" in row for row in screen) == 2


def test_verbose_shows_every_line_with_its_host() -> None:
    """Live lines, and how each host ended; twice verbose also starts."""
    screen, _ = view_of(events_of([ok("a", "web1", ["one", "two"])]), verbosity=1)
    assert screen[1:4] == ["web1 | one", "web1 | two", "web1  a ok  250ms"]
    screen, _ = view_of(events_of([ok("a", "web1", ["one"], transport="ssh")]), verbosity=2)
    assert screen[1] == "web1  a started"
    assert screen[3] == "web1  a ok  250ms  over ssh"


def test_many_failures_of_a_step_do_not_flood_the_screen() -> None:
    """Three at once, the others in the report."""
    screen, _ = view_of(events_of([unreachable("a", f"web{n}") for n in range(40)]))
    assert sum(row.startswith("✗ a unreachable on web") for row in screen) == 4
    assert "  further failures of a are told at the end" in screen


def test_a_skipped_step_says_why() -> None:
    """One reason for all is told; that nothing was done is no success and no failure."""
    skipped = [
        Result(step="a", host=f"web{n}", status=Status.SKIPPED, skip_reason="`when` is false") for n in (1, 2)
    ]
    screen, _ = view_of(events_of(skipped))
    assert screen[1] == "- a  2 skipped  `when` is false"


def test_an_unreachable_host_is_told_once_at_once() -> None:
    """Not by every step that would have liked to run there."""
    screen, _ = view_of(events_of([unreachable(step, "web1") for step in ("a", "b", "c")]))
    assert [row for row in screen if row.startswith("✗ ") and " on web1" in row] == [
        "✗ a unreachable on web1",
        "✗ unreachable on web1 in 3 steps: a, b, c",
    ]


def test_hidden_computer_names_are_hidden() -> None:
    """Display only: the rows are there, the column is not."""
    screen, _ = view_of(events_of([ok("a", "web1", [{"x": 1}]), ok("a", "web2", [{"x": 2}])], hidden=["a"]))
    assert screen[3:6] == ["x", "1", "2"]


def test_results_go_to_standard_output_everything_else_to_standard_error() -> None:
    """A pipe gets results alone, though a person watches the rest."""
    out, err = Pipe(), Terminal()
    settings = RichSettings(
        output_colour=False, report_colour=False, size=lambda: (60, 20), now=lambda: BEGIN, terminal=err
    )
    view = RichView(StreamSink(out), StreamSink(err), mask_hunter, settings)
    for event in events_of(RESULTS):
        view.on_event(event)
    view.close()
    assert out.getvalue().splitlines()[2:] == [
        "host           os      disk",
        "web[01-02,04]  Debian    40",
        "web03          Debian    41",
    ]
    assert "\x1b" not in out.getvalue()


def started(count: int, *, total: int | None = None) -> RunProgress:
    """A step in which ``count`` hosts have started, a second apart."""
    progress = RunProgress()
    steps = (StepOutline("facts", None, total or count), StepOutline("reload", None, 1))
    progress.on_event(RunStarted(RUN, "Site", "site.yml", BEGIN, steps, total or count))
    for number in range(count):
        progress.on_event(AssignmentStarted("facts", f"web{number:02d}", BEGIN + timedelta(seconds=number)))
    return progress


def test_the_live_view_tells_who_is_waited_for_and_how_long() -> None:
    """The slowest by name and time, the others as a node set."""
    now = BEGIN + timedelta(seconds=65)
    lines = [text_of(p) for p in live_lines(started(6, total=10), now, width=80, height=10, glyphs=UNICODE)]
    assert lines == [
        "  facts  " + "─" * 24 + "  0/10  ",
        "         waiting for web00 1m 05s, web01 1m 04s, web02 1m 03s, and web[03-05]",
        "  Site  0 of 2 steps done, 10 hosts  1m 05s",
    ]


def test_very_many_hosts_are_counted_not_named() -> None:
    """Drawing stays cheap when thousands run at once."""
    lines = live_lines(started(1_000), BEGIN, width=80, height=10, glyphs=UNICODE)
    assert text_of(lines[1]).endswith("web02 0s, and 997 hosts more")


def test_the_live_view_is_never_higher_than_asked() -> None:
    """Steps that do not fit are counted."""
    progress = RunProgress()
    steps = tuple(StepOutline(f"step{n}", None, 1) for n in range(30))
    progress.on_event(RunStarted(RUN, "Site", "site.yml", BEGIN, steps, 1))
    for step in steps:
        progress.on_event(AssignmentStarted(step.id, "web1", BEGIN))
    lines = live_lines(progress, BEGIN, width=60, height=8, glyphs=ASCII)
    assert len(lines) == 8
    assert text_of(lines[-2]) == "  and 27 steps more running"


def test_nothing_is_drawn_when_nothing_changed() -> None:
    """The same lines again are no write, so a quiet run does not flicker."""
    terminal = Terminal()
    region = LiveRegion(terminal, Painter(colour=False))
    region.draw([line("one"), line("two")], 40)
    written = terminal.getvalue()
    region.draw([line("one"), line("two")], 40)
    assert terminal.getvalue() == written
    region.draw([line("three")], 40)
    assert screen_of(terminal.getvalue()) == ["three"]
    region.close(40)
    region.close(40)
    assert screen_of(terminal.getvalue()) == [""]


def test_a_terminal_made_narrower_is_cleaned_all_the_same() -> None:
    """The rows that wrapped lines take are counted."""
    terminal = Terminal()
    region = LiveRegion(terminal, Painter(colour=False))
    region.draw([line("x" * 50), line("y")], 80)
    region.erase(20)
    assert terminal.getvalue().endswith("\r\x1b[3A\x1b[J")


def test_pieces_of_output_become_whole_lines() -> None:
    """Hosts and streams do not mix, and the end gives what has no line feed."""
    live = LiveLines()

    def fed(host: str, stream: str, text: str, color: str | None = None) -> list[StreamLine]:
        return live.feed(OutputReceived("a", host, stream, text, color))

    assert fed("web1", "stdout", "one\ntw") == [StreamLine("stdout", "one")]
    assert fed("web2", "stdout", "x\n") == [StreamLine("stdout", "x")]
    assert fed("web1", "information", "[ ok ", "Green") == []
    assert fed("web1", "stdout", "o\nthree") == [StreamLine("stdout", "two")]
    assert fed("web1", "information", "]\nnext") == [StreamLine("information", "[ ok ]", "Green")]
    result = Result(step="a", host="web1", status=ok("a", "web1", []).status)
    assert live.end(result) == [StreamLine("stdout", "three"), StreamLine("information", "next")]
    assert live.end(result) == []
    assert fed("web1", "stdout", "x" * 20_000) == [StreamLine("stdout", "x" * 20_000)]


@pytest.mark.parametrize(("seconds", "shown"), [(-1, "0s"), (7.9, "7s"), (65, "1m 05s"), (7800, "2h 10m")])
def test_elapsed_time_is_short(seconds: float, shown: str) -> None:
    """Whole seconds, so that the view changes once a second and not more."""
    assert clock(seconds) == shown


def test_the_time_comes_from_outside() -> None:
    """Drawn at a moment given, not at a moment found."""
    late = datetime(2026, 11, 21, 1, 51, tzinfo=UTC)
    assert text_of(live_lines(started(1), late, width=60, height=9, glyphs=ASCII)[-1]).endswith("1m 00s")
