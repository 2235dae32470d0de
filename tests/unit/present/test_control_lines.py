"""What plain and quiet say of execution control: folded lines, waits, waves, gates, limits, rescues, resumes."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentWaits,
    BlockRescued,
    GateOpened,
    PolicyStopped,
    RunEnded,
    RunEvent,
    Waits,
    WaveStarted,
)
from runner.engine.result import Failure, Result, Status
from runner.engine.summary import Tally
from runner.present.folding import fold
from runner.present.plain import Plain
from runner.present.progress import RunProgress
from runner.present.quiet import Quiet
from runner.present.sink import OutputClosed, StreamSink
from runner.present.together import Together
from tests.support.fake_runs import BEGIN, RUN, Pipe, events_of, failed, keep, mask_hunter, ok

LATER = BEGIN + timedelta(seconds=30)
HOSTS = [f"web{number:02d}" for number in range(1, 13)]
LIMIT = "`max_fail` of `a` is exceeded: 2 of 12 hosts failed"


def skipped(step: str, host: str, reason: str = LIMIT) -> Result:
    """A result that a limit held back."""
    return Result(step=step, host=host, status=Status.SKIPPED, skip_reason=reason, held_back=True)


def cancelled(step: str, host: str) -> Result:
    """A result of a run that was stopped before it started."""
    failure = Failure("run-stopped", "not started: the run was stopped (Ctrl-C)", phase="plan")
    return Result(step=step, host=host, status=Status.CANCELLED, failure=failure)


def run_of(results: list[Result], *more: RunEvent) -> list[RunEvent]:
    """Events of a run; ``more`` come before the note and the end."""
    events = events_of(results)
    return [*events[:-2], *more, *events[-2:]]


def told(events: list[RunEvent], *, verbosity: int = 0) -> list[str]:
    """What ``plain`` reports, without its first line, up to the note at the end."""
    err = Pipe()
    presenter = Plain(StreamSink(Pipe()), StreamSink(err), mask_hunter, verbosity=verbosity)
    for event in events:
        presenter.on_event(event)
    presenter.close()
    lines = err.getvalue().splitlines()
    return lines[1 : lines.index("note: web01: the connection was opened again")]


def recap(events: list[RunEvent]) -> list[str]:
    """What ``plain`` says after the note."""
    err = Pipe()
    presenter = Plain(StreamSink(Pipe()), StreamSink(err), keep)
    for event in events:
        presenter.on_event(event)
    lines = err.getvalue().splitlines()
    return lines[lines.index("note: web01: the connection was opened again") + 1 :]


def test_equal_skips_that_come_together_are_one_line() -> None:
    """A limit that holds back 2,000 hosts is one line a step, and steps with the same hosts share it."""
    results = [skipped(step, host) for step in ("a", "b", "c") for host in HOSTS[step == "a" :]]
    assert told(run_of(results)) == [
        f"a web[02-12] skipped: {LIMIT}",
        f"b,c web[01-12] skipped: {LIMIT}",
    ]


def test_what_was_stopped_before_it_started_is_one_line() -> None:
    """Ctrl-C does not flood the log with what never began."""
    results = [cancelled(step, host) for step in ("a", "b") for host in HOSTS]
    assert told(run_of(results)) == [
        "a,b web[01-12] cancelled: not started: the run was stopped (Ctrl-C) [run-stopped]"
    ]


def test_what_did_start_is_told_alone() -> None:
    """A host that was cut off in its work has its own line."""
    failure = Failure("run-stopped", "ended by Ctrl-C", may_have_run=True)
    results = [
        Result(step="a", host=host, status=Status.CANCELLED, started_at=BEGIN, failure=failure)
        for host in ("web1", "web2")
    ]
    assert told(run_of(results)) == [f"a web{n} cancelled: ended by Ctrl-C [run-stopped]" for n in (1, 2)]


def test_lines_keep_their_order_around_what_is_folded() -> None:
    """What was kept is told before the next line, so a log reads as it happened."""
    results = [
        skipped("a", "web1", "x"),
        skipped("a", "web2", "x"),
        ok("b", "web1", []),
        skipped("a", "web3", "x"),
    ]
    assert told(run_of(results)) == ["a web[1-2] skipped: x", "b web1 ok in 250ms", "a web3 skipped: x"]


@given(
    st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("abc"), st.sampled_from(HOSTS)), unique=True)
)
def test_folding_loses_nothing(kept: list[tuple[str, str, str]]) -> None:
    """Every host of every step stands under its text, once."""
    together = Together()
    for text, step, host in kept:
        together.add(text, step, host)
    found: Counter[tuple[str, str, str]] = Counter()
    for place, text in together.take():
        steps, hosts = place.split(" ")
        for step in steps.split(","):
            wanted = [host for t, s, host in kept if (t, s) == (text, step)]
            assert hosts == fold(wanted)
            found.update((text, step, host) for host in wanted)
    assert found == Counter(kept)
    assert together.take() == []


def test_kept_lines_are_told_in_a_moment_without_another_event() -> None:
    """A wait of an hour is told when it begins, not when it is over."""

    class Waking(Pipe):
        def write(self, text: str) -> int:
            if "follows" in text:
                written.set()
            return super().write(text)

    written = asyncio.Event()

    async def run() -> None:
        presenter = Plain(StreamSink(Pipe()), StreamSink(Waking()), keep)
        presenter.on_event(run_of([ok("a", "web1", [])])[0])
        presenter.on_event(AssignmentWaits("a", "web1", Waits.RETRY, "it failed", BEGIN, 1, LATER))
        assert not written.is_set()
        async with asyncio.timeout(20):
            await written.wait()

    asyncio.run(run())


def test_a_reader_that_went_away_is_not_missed_by_a_kept_line() -> None:
    """The loop has nobody to tell it to, so the next event raises it."""

    class Breaking(Pipe):
        def write(self, text: str) -> int:
            if "follows" in text:
                written.set()
                raise BrokenPipeError(32, "Broken pipe")
            return super().write(text)

    written = asyncio.Event()

    async def run() -> None:
        presenter = Plain(StreamSink(Pipe()), StreamSink(Breaking()), keep)
        events = run_of([ok("a", "web1", [])])
        presenter.on_event(events[0])
        presenter.on_event(AssignmentWaits("a", "web1", Waits.RETRY, "it failed", BEGIN, 1, LATER))
        async with asyncio.timeout(20):
            await written.wait()
        with pytest.raises(OutputClosed):
            presenter.on_event(events[1])

    asyncio.run(run())


def test_the_first_waits_of_a_kind_are_told_and_no_flood() -> None:
    """Hosts that come together share a line; later ones of the same step and kind are silent, but not with -v."""
    waits = [AssignmentWaits("a", host, Waits.RETRY, "it failed", BEGIN, 1, LATER) for host in HOSTS]
    results = [ok("a", host, []) for host in HOSTS]
    events = events_of(results)
    mixed = [events[0], *waits[:6], WaveStarted("a", 1, 2, 6, BEGIN), *waits[6:], *events[1:]]
    first, second = (f"a web[{part}] attempt 2 follows in 30.0s: it failed" for part in ("01-06", "07-12"))
    assert told(mixed)[:3] == [first, "a wave 1 of 2: 6 hosts", "a web01 ok in 250ms"]
    assert told(mixed, verbosity=1)[:3] == [first, "a wave 1 of 2: 6 hosts", second]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (Waits.RETRY, "attempt 3 follows in 30.0s: so"),
        (Waits.UNREACHABLE, "is tried again in 30.0s: so"),
        (Waits.LOCK, "waits for a lock, 30.0s at most: so"),
        (Waits.REBOOT, "waits for its restart, 30.0s at most: so"),
        (Waits.CONDITION, "waits, 30.0s at most: so"),
        (Waits.GATE, "waits, 30.0s at most: so"),
    ],
)
def test_each_wait_says_how_long(what: Waits, words: str) -> None:
    """Whoever reads the log knows until when nothing will happen."""
    wait = AssignmentWaits("a", "web1", what, "so", BEGIN, 2, LATER)
    assert told(run_of([ok("a", "web1", [])], wait))[-1] == f"a web1 {words}"


def test_a_gate_says_what_to_type() -> None:
    """The question stands once, with the command that answers it, masked."""
    wait = AssignmentWaits("ask", "web1", Waits.GATE, "the gate waits for an answer: go on?", BEGIN)
    gate = GateOpened(RUN, "ask", "go on with hunter2?", BEGIN, BEGIN + timedelta(hours=2), "stop")
    assert told(run_of([ok("ask", "web1", [])], wait, gate))[-1:] == [
        f"gate ask: go on with ********?; answer with `runner runs approve {RUN} ask`, default stop in 2h 00m"
    ]


def test_a_result_says_its_attempt_and_its_rescue() -> None:
    """A retried one names the last attempt, one that is known to be mended says so, check mode would change."""
    change = replace(ok("a", "web3", []), status=Status.CHANGED, changed=True, would_change=True)
    results = [
        replace(ok("a", "web1", []), attempt=3, waited=4.0),
        replace(failed("a", "web2"), rescued=True),
        change,
    ]
    assert told(run_of(results))[0] == "a web1 ok in 250ms, attempt 3, waited 4.0s"
    assert told(run_of(results))[1].startswith("a web2 failed, rescued in 500ms: ")
    assert told(run_of(results))[2] == "a web3 would change in 250ms"


def test_a_limit_is_told_at_once_and_at_the_end() -> None:
    """With its sentence and how much was still running; one that nobody counted says no number."""
    events = run_of([failed("a", "web1"), ok("a", "web2", [])], PolicyStopped("a", LIMIT, 3, BEGIN))
    assert told(events)[-1] == f"stopped: {LIMIT}; 3 were still running"
    assert f"stopped: {LIMIT}; 3 were still running" in recap(events)
    assert f"stopped: {LIMIT}" in recap(run_of([failed("a", "web1")], PolicyStopped("a", LIMIT, 0, BEGIN)))


def test_a_policy_that_had_no_event_of_its_own_is_in_the_recap() -> None:
    """A gate that somebody shut ends the run, and the recap says which."""
    events = events_of([ok("a", "web1", [])])
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    shut = replace(ended, summary=replace(ended.summary, policy="`ask`: nobody answered", exit_code=4))
    assert "stopped: `ask`: nobody answered" in recap([*events[:-1], shut])


def test_a_stop_is_said_once_where_the_policy_is_its_reason() -> None:
    """A gate that was shut is both why the run ended and which limit ended it."""
    said = "`ask`: `root` said no"
    events = events_of([ok("a", "web1", [])])
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    events[-1] = replace(
        ended, summary=replace(ended.summary, policy=said, stopped_because=said, exit_code=4)
    )
    assert sum(text == f"stopped: {said}" for text in recap(events)) == 1
    err = Pipe()
    presenter = Quiet(StreamSink(err), keep)
    for event in events:
        presenter.on_event(event)
    assert err.getvalue() == f"stopped: {said}\n"


def test_a_host_with_a_short_name_fails_like_the_others() -> None:
    """`a` stands in many words of a message, which then is no message of its own."""
    lines = recap(run_of([cancelled("s", host) for host in ("a", "r", "web1")]))
    assert lines[1] == "! s cancelled on a,r,web1 (3 hosts)"
    assert not any("likewise" in text for text in lines)


def _rescued_run() -> list[RunEvent]:
    events = run_of(
        [
            failed("a", "web1"),
            failed("a", "web2"),
            ok("a", "web3", []),
            ok("fix", "web1", []),
            ok("fix", "web2", []),
        ],
        BlockRescued("deploy", "web1", BEGIN, ("a",)),
        BlockRescued("deploy", "web2", BEGIN, ("a",)),
    )
    ended, tally = events[-1], Tally()
    for event in events:
        if isinstance(event, AssignmentEnded):
            tally.add(event.result)
        elif isinstance(event, BlockRescued):
            tally.rescue(event.host, event.steps)
    assert isinstance(ended, RunEnded)
    return [*events[:-1], replace(ended, summary=tally.summary(duration=1.0))]


def test_a_rescued_host_is_not_told_as_failed() -> None:
    """The recap says rescued, the report that it was mended, the verdict that all is well."""
    assert told(_rescued_run())[-1] == "deploy web[1-2] rescued"
    lines = recap(_rescued_run())
    assert "- a failed (exit 5), rescued on web[1-2] (2 hosts)" in lines
    assert lines[-5:] == [
        "  rescued  2 hosts  web[1-2]",
        "  ok        1 host  web3",
        "- Site: 3 hosts, 2 rescued in 1.0s",
        "  5 results: 3 ok, 2 failed (2 rescued)",
        f"  run {RUN}",
    ]


def test_quiet_says_nothing_of_what_was_rescued_and_tells_limits() -> None:
    """A cron job whose rescue did its work sends no mail; one that a limit stopped says which."""
    for events, expected in (
        (_rescued_run(), ""),
        (
            run_of([ok("a", "web1", [])], PolicyStopped("a", LIMIT, 1, BEGIN)),
            f"stopped: {LIMIT}; 1 was still running\n",
        ),
    ):
        err = Pipe()
        presenter = Quiet(StreamSink(err), keep)
        for event in events:
            presenter.on_event(event)
        assert err.getvalue() == expected


def test_what_was_restored_is_counted_and_not_repeated() -> None:
    """A resumed run tells what it does now."""
    events = events_of([ok("a", host, ["old output"]) for host in HOSTS])
    restored = [
        replace(event, restored=True) if isinstance(event, AssignmentEnded) else event for event in events
    ]
    ended = restored[-1]
    assert isinstance(ended, RunEnded)
    restored[-1] = replace(ended, summary=replace(ended.summary, restored=12))
    assert told(restored) == []
    assert "  12 results: 12 ok (12 from before)" in recap(restored)


FLEET = st.lists(
    st.builds(
        Result,
        step=st.sampled_from("abc"),
        host=st.sampled_from(["web1", "web2"]),
        status=st.sampled_from(list(Status)),
        ignored=st.booleans(),
        held_back=st.booleans(),
    )
    | st.builds(
        BlockRescued,
        st.just("block"),
        st.sampled_from(["web1", "web2"]),
        st.just(BEGIN),
        st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
    ),
    max_size=16,
)


@given(FLEET)
def test_hosts_are_counted_as_the_engine_counts_them(happened: list[Result | BlockRescued]) -> None:
    """Whatever is rescued when, the names shown are as many as the exit code was made from."""
    progress, tally = RunProgress(), Tally()
    progress.on_event(events_of([ok(step, "web1", []) for step in "abc"])[0])
    for what in happened:
        if isinstance(what, Result):
            tally.add(what)
            progress.on_event(AssignmentEnded(what, BEGIN))
        else:
            tally.rescue(what.host, what.steps)
            progress.on_event(what)
    hosts = tally.summary(duration=0).hosts
    assert {status: len(names) for status, names in progress.hosts_by_status().items()} == hosts
    assert progress.bad_hosts == sum(number for status, number in hosts.items() if status.bad)
