"""What the view on a terminal shows of execution control: deadlines, waits, waves, gates, limits, rescues."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    AssignmentWaits,
    BlockRescued,
    DeadlineSet,
    GateOpened,
    PolicyStopped,
    RunEvent,
    RunStarted,
    StepOutline,
    Waits,
    WaveStarted,
)
from runner.engine.result import Result, Status
from runner.present.cells import cell_width
from runner.present.group import Presenters
from runner.present.live_view import UNICODE, live_lines
from runner.present.open import open_presenters
from runner.present.paint import text_of
from runner.present.progress import RunProgress
from runner.present.rich_view import RichSettings, RichView
from runner.present.sink import StreamSink
from runner.present.terminal import Screen
from tests.support.fake_runs import BEGIN, RUN, Pipe, Terminal, events_of, failed, keep, mask_hunter, ok

HOSTS = [f"web{number:02d}" for number in range(1, 13)]


def after(seconds: float) -> datetime:
    """A moment of the run."""
    return BEGIN + timedelta(seconds=seconds)


def drawn(
    *events: RunEvent, seconds: float = 10, width: int = 100, asks: bool = False, hosts: int = 12
) -> list[str]:
    """The live view of a run of one step after these events."""
    progress = RunProgress()
    outlines = (StepOutline("patch", None, hosts), StepOutline("after", None, hosts))
    progress.on_event(RunStarted(RUN, "Site", "site.yml", BEGIN, outlines, hosts))
    for event in events:
        progress.on_event(event)
    lines = live_lines(progress, after(seconds), width=width, height=14, glyphs=UNICODE, asks=asks)
    return [text_of(pieces) for pieces in lines]


def shown(events: list[RunEvent], *, verbosity: int = 0) -> list[str]:
    """What stands in the report of a run that is shown without a live view."""
    out = Pipe()
    settings = RichSettings(
        output_colour=False,
        report_colour=False,
        size=lambda: (100, 24),
        now=lambda: BEGIN,
        verbosity=verbosity,
    )
    view = RichView(StreamSink(out), StreamSink(out), mask_hunter, settings)
    for event in events:
        view.on_event(event)
    view.close()
    return out.getvalue().splitlines()


def test_deadlines_run_down() -> None:
    """Each host says its phase and how much of its time is gone; a limit of the step itself needs no name."""
    lines = drawn(
        *(AssignmentStarted("patch", host, BEGIN) for host in HOSTS[:3]),
        DeadlineSet("patch", "web01", "connect", BEGIN, after(30)),
        DeadlineSet("patch", "web02", "step", after(4), after(304)),
        DeadlineSet("patch", "web03", "open", after(4)),
        seconds=12,
    )
    assert lines[1].strip() == "waiting for web01 connect 12s of 30s, web02 8s of 5m 00s, web03 open 8s"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (Waits.RETRY, "retry: web01 in 4s (attempt 3): it said so"),
        (Waits.UNREACHABLE, "unreachable: web01 again in 4s: it said so"),
        (Waits.LOCK, "lock: web01 10s of 14s: it said so"),
        (Waits.REBOOT, "restart: web01 10s of 14s: it said so"),
        (Waits.CONDITION, "condition: web01 10s of 14s: it said so"),
        (Waits.GATE, "gate: web01 10s of 14s: it said so"),
    ],
)
def test_whoever_waits_says_until_when(what: Waits, words: str) -> None:
    """A host that waits works on nothing, and the view says what for, how long and why."""
    wait = AssignmentWaits("patch", "web01", what, "it said so", BEGIN, 2, after(14))
    lines = drawn(AssignmentStarted("patch", "web01", BEGIN), wait)
    assert [text.strip() for text in lines[1:-1]] == [words]


def test_a_host_that_works_again_waits_no_longer() -> None:
    """Nor does one that has ended."""
    wait = AssignmentWaits("patch", "web01", Waits.RETRY, "it failed", BEGIN, 1, after(14))
    assert drawn(wait, AssignmentStarted("patch", "web01", after(4)))[1].strip() == "waiting for web01 6s"
    assert len(drawn(wait, AssignmentEnded(ok("patch", "web01", []), after(4)))) == 1


@pytest.mark.parametrize("what", [Waits.LOCK, Waits.GATE, Waits.REBOOT, Waits.CONDITION])
def test_a_look_at_what_is_waited_for_does_not_end_the_wait(what: Waits) -> None:
    """The host starts again for every look, and the view says all the time how long it has waited."""
    wait = AssignmentWaits("patch", "web01", what, "not yet", BEGIN, until=after(60))
    looks = [AssignmentStarted("patch", "web01", after(second)) for second in (1, 2, 3)]
    before, later = drawn(wait)[1], drawn(wait, *looks)[1]
    assert before == later
    assert "web01 10s of 1m 00s: not yet" in later


def test_a_lock_is_waited_for_until_the_work_begins() -> None:
    """Then the time of the step runs."""
    wait = AssignmentWaits("patch", "web01", Waits.LOCK, "held by another run", BEGIN)
    deadline = DeadlineSet("patch", "web01", "step", after(6), after(36))
    lines = drawn(wait, AssignmentStarted("patch", "web01", after(6)), deadline)
    assert lines[1].strip() == "waiting for web01 4s of 30s"


def test_a_look_is_no_start_of_its_own() -> None:
    """With -vv a host that waits for an hour is not said to have started every second."""
    wait = AssignmentWaits("a", "web1", Waits.CONDITION, "not yet", BEGIN)
    events = events_of([ok("a", "web1", [])])
    looks = [AssignmentStarted("a", "web1", after(second)) for second in range(9)]
    assert (
        sum(" started" in text for text in shown([*events[:2], wait, *looks, *events[2:]], verbosity=2)) == 1
    )


def test_very_many_that_wait_are_counted() -> None:
    """Drawing stays cheap when thousands of hosts wait."""
    waits = [
        AssignmentWaits("patch", f"web{number}", Waits.UNREACHABLE, "no answer", BEGIN, 1, after(300))
        for number in range(1_000)
    ]
    lines = drawn(*waits, width=120, hosts=1_000)
    assert "web2 again in 4m 50s, and 997 hosts more: no answer" in lines[1]


def test_a_wave_says_which_it_is_and_how_far() -> None:
    """Hosts of waves before it are not counted in it; between two waves the step stays in view."""
    ended = [AssignmentEnded(ok("patch", host, []), BEGIN) for host in HOSTS[:5]]
    lines = drawn(WaveStarted("patch", 1, 3, 2, BEGIN), *ended, WaveStarted("patch", 2, 3, 4, BEGIN))
    assert "  5/12  wave 2 of 3  3/4  5 ok" in lines[0]
    assert len(lines) == 2


def test_a_wave_of_a_block_stands_in_the_last_line() -> None:
    """A block is no step and has no line of its own."""
    assert drawn(WaveStarted("work", 2, 3, 4, BEGIN))[-1].endswith("12 hosts  10s  work wave 2 of 3")


def _gate(limit: float | None = 7200) -> list[RunEvent]:
    until = None if limit is None else after(limit)
    return [
        AssignmentStarted("patch", "web01", BEGIN),
        AssignmentWaits(
            "patch", "web01", Waits.GATE, "the gate waits for an answer: go on?", BEGIN, until=until
        ),
        GateOpened(RUN, "patch", "go on?", BEGIN, until, "stop"),
    ]


def test_a_gate_says_what_is_asked_how_long_and_what_to_type() -> None:
    """With the command for another terminal; where it is answered here the question is the last line."""
    lines = [text.strip() for text in drawn(*_gate(), seconds=120)]
    assert lines[1:3] == ["gate: 1h 58m left, default stop: go on?", f"runner runs approve {RUN} patch"]
    assert drawn(*_gate(), asks=True)[-1] == "patch: go on? [y/n] "
    assert drawn(*_gate(None))[1].strip() == "gate: go on?"


def test_a_gate_that_was_answered_asks_no_more() -> None:
    """The question goes with the host that waited."""
    ended = AssignmentEnded(ok("patch", "web01", {"approved_by": "ada"}), after(5))
    assert drawn(*_gate(), ended, asks=True) == ["  Site  0 of 2 steps done, 12 hosts  10s"]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_of_control_passes_the_width(width: int) -> None:
    """Long reasons and questions are cut."""
    reason = "it failed " * 30
    events = [
        *_gate(),
        GateOpened(RUN, "patch", reason, BEGIN, after(50), "go"),
        *(
            AssignmentWaits("patch", host, what, reason, BEGIN, 1, after(50))
            for host in HOSTS
            for what in Waits
        ),
    ]
    assert max(map(cell_width, drawn(*events, width=width, asks=True))) <= width


def test_rescues_and_what_was_restored_are_counted() -> None:
    """In the last line and in the line of the step; a rescued host has no errors."""
    lines = drawn(
        AssignmentStarted("patch", "web04", BEGIN),
        AssignmentEnded(ok("patch", "web01", []), BEGIN, restored=True),
        AssignmentEnded(failed("patch", "web02"), BEGIN),
        BlockRescued("work", "web02", BEGIN, ("patch",)),
        AssignmentEnded(failed("patch", "web03"), BEGIN),
    )
    assert lines[0].endswith("1 ok, 2 failed (1 from before)")
    assert lines[-1].endswith("12 hosts, 1 rescued, ✗ 1 with errors  10s")


def test_a_limit_is_told_at_once_with_its_sentence() -> None:
    """And what was still running, at once and in the recap."""
    limit = "`max_fail` of `a` is exceeded: 2 of 12 hosts failed"
    events = events_of([failed("a", "web1")])
    lines = shown([*events[:-2], PolicyStopped("a", limit, 3, BEGIN), *events[-2:]])
    assert f"✗ stopped: {limit}; 3 were still running" in lines
    assert f"stopped: {limit}; 3 were still running" in lines


def test_many_rescues_do_not_flood_the_screen() -> None:
    """Three at once, all of them in the recap."""
    events = events_of([failed("a", host) for host in HOSTS])
    rescues = [BlockRescued("work", host, BEGIN, ("a",)) for host in HOSTS]
    lines = shown([*events[:-2], *rescues, *events[-2:]])
    assert sum(text.startswith("✓ work rescued on web") for text in lines) == 3
    assert "  further rescues of work are told at the end" in lines
    assert "✓ a failed (exit 5), rescued on web[01-12] (12 hosts)" in lines
    assert "  rescued  12 hosts  web[01-12]" in lines


def test_what_was_restored_is_not_shown_again() -> None:
    """Its output was shown by the run that made it; the step still says how its hosts fared."""
    events = [
        replace(event, restored=True) if isinstance(event, AssignmentEnded) else event
        for event in events_of([ok("a", host, ["old"]) for host in HOSTS])
    ]
    lines = shown(events)
    assert not any("old" in text for text in lines)
    assert any(text.startswith("✓ a  12 ok (12 from before)") for text in lines)


def test_verbose_tells_every_wait_and_attempt() -> None:
    """One line each, with the time until the next attempt."""
    wait = AssignmentWaits("a", "web1", Waits.RETRY, "hunter2 failed", BEGIN, 1, after(4))
    result = replace(ok("a", "web1", []), attempt=2, waited=4.0)
    events = events_of([result])
    lines = shown([*events[:2], wait, *events[2:]], verbosity=1)
    assert "web1  a attempt 2 follows in 4.0s: ******** failed" in lines
    assert "web1  a ok  250ms, attempt 2, waited 4.0s" in lines


def test_without_a_live_view_waves_and_gates_are_lines() -> None:
    """A view in a file says them too."""
    events = events_of([ok("a", "web1", [])])
    more: list[RunEvent] = [WaveStarted("a", 1, 2, 6, BEGIN), GateOpened(RUN, "a", "go on?", BEGIN)]
    lines = shown([*events[:1], *more, *events[1:]])
    assert lines[1:3] == [
        "a wave 1 of 2: 6 hosts",
        f"gate a: go on?; answer with `runner runs approve {RUN} a`",
    ]


def test_who_asks_is_settled_once() -> None:
    """Where a live view shows the question nobody else writes it; elsewhere, somebody has to."""

    def opened(stream: Pipe | Terminal, *, asks: bool) -> Presenters:
        screen = Screen(stdout=stream, stderr=stream, environ={"TERM": "xterm"})
        return open_presenters((), screen=screen, mask=keep, asks=asks)

    assert opened(Terminal(), asks=True).asks
    assert not opened(Terminal(), asks=False).asks
    assert not opened(Pipe(), asks=True).asks


def test_what_would_change_is_not_said_to_be_changed() -> None:
    """Under --check nothing was changed, in the line of the step as in the recap."""
    would = Result(step="a", host="web1", status=Status.CHANGED, changed=True, would_change=True)
    lines = shown(events_of([would, ok("a", "web2", [])]))
    assert any(text.startswith("✓ a  1 ok, 1 would change") for text in lines)
    assert "  would change  1 host  web1" in lines
    assert not any(" changed" in text for text in lines)
