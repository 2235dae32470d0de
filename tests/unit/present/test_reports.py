"""What a person reads: failures, recap, plain lines, quiet."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.observe import AssignmentEnded, GateOpened, RunEvent
from runner.engine.result import Failure, Result, Status
from runner.engine.summary import Tally
from runner.present.failures import MOST_GROUPS, FailureReport
from runner.present.paint import text_of
from runner.present.plain import Plain
from runner.present.progress import RunProgress
from runner.present.quiet import Quiet
from runner.present.recap import recap_lines
from runner.present.sink import StreamSink
from tests.support.fake_runs import BEGIN, RUN, Pipe, events_of, failed, keep, mask_hunter, ok, unreachable


def report_of(results: list[Result]) -> list[str]:
    """The report of failures as lines."""
    report = FailureReport(mask_hunter)
    for result in results:
        report.add(result)
    return [text_of(pieces) for pieces in report.lines()]


def plain_of(events: list[RunEvent], verbosity: int = 0) -> tuple[str, str]:
    """What ``plain`` writes to standard output and to standard error."""
    out, err = Pipe(), Pipe()
    presenter = Plain(StreamSink(out), StreamSink(err), mask_hunter, verbosity=verbosity)
    for event in events:
        presenter.on_event(event)
    presenter.close()
    return out.getvalue(), err.getvalue()


def test_a_failure_says_everything_that_helps() -> None:
    """Status, exit code, hosts, code, message, whether it ran, line in the script, standard error, hint."""
    assert report_of([failed("restart", "web1"), ok("restart", "web2", []), failed("restart", "web3")]) == [
        "✗ restart failed (exit 5) on web[1,3] (2 hosts)",
        "    error[exit-code]: the script ended with exit code 5",
        "    it ran, and failed",
        "    line 3 of the script: bind() failed",
        "    | nginx: [emerg] bind() failed",
        "    hint: look with `runner shell`",
        "",
    ]


def test_failures_that_differ_only_in_the_name_of_the_host_are_one() -> None:
    """One dead switch is one paragraph, and one host's message is marked as an example."""
    assert report_of([unreachable("facts", f"web{n}") for n in (1, 2, 3)]) == [
        "✗ facts unreachable on web[1-3] (3 hosts)",
        "    error[ssh-timeout]: `web1` did not answer within 30s (the others likewise)",
        "    nothing was run",
        "",
    ]


def stopped(step: str, host: str, stderr: str = "working") -> Result:
    """It ran, and was ended by a stop of the run."""
    failure = Failure("run-stopped", "the run was stopped; it was ended on the host", may_have_run=True)
    return Result(step=step, host=host, status=Status.CANCELLED, stderr=[stderr], failure=failure)


def test_who_was_stopped_stands_behind_what_failed() -> None:
    """Under another sign, and without the word error: nothing went wrong there but that somebody ended it."""
    assert report_of([stopped("one", "web1"), stopped("one", "web2"), failed("one", "web3")]) == [
        "✗ one failed (exit 5) on web3",
        "    error[exit-code]: the script ended with exit code 5",
        "    it ran, and failed",
        "    line 3 of the script: bind() failed",
        "    | nginx: [emerg] bind() failed",
        "    hint: look with `runner shell`",
        "",
        "! one cancelled on web[1-2] (2 hosts)",
        "    the run was stopped; it was ended on the host [run-stopped]",
        "    it may have run, wholly or in part",
        "    | working",
        "",
    ]


def test_a_stop_of_many_leaves_room_for_failures() -> None:
    """However many were stopped in ways of their own, a failure that came after them is told whole."""
    lines = report_of(
        [*(stopped("one", f"web{n}", f"at {n}") for n in range(MOST_GROUPS + 2)), failed("tidy", "web0")]
    )
    assert lines[1] == "    error[exit-code]: the script ended with exit code 5"
    assert lines[-2] == f"! one cancelled in other ways on web[{MOST_GROUPS}-{MOST_GROUPS + 1}]"


def test_a_wrong_password_is_told_once_though_every_host_has_its_address() -> None:
    """Where it was tried and what its certificate says differ at every host; the reason does not."""
    own = "; certificate of CN=web{0}, issued by CN=CA, for `web{0}`, valid 2026 to 2027, SHA-256 {0}{0}ab"
    results = [
        replace(
            unreachable("facts", f"web{n}"),
            failure=Failure(
                "tls", f"`web{n}` is not trusted{own.format(n)} (tried: https://192.0.2.{n}); nothing was run"
            ),
        )
        for n in (1, 2)
    ]

    assert report_of(results)[0] == "✗ facts unreachable on web[1-2] (2 hosts)"


def test_what_was_never_sent_took_no_time() -> None:
    """A host that could not be reached has no time of its script."""
    result = replace(unreachable("facts", "web1"), started_at=BEGIN)

    assert "facts web1 unreachable: `web1` did not answer" in plain_of(events_of([result]))[1]


def test_a_host_that_cannot_be_reached_is_told_once_for_all_steps() -> None:
    """Six steps that wait for one dead host are one failure."""
    assert report_of([unreachable(step, "web1") for step in ("facts", "disks")])[0] == (
        "✗ unreachable on web1 in 2 steps: facts, disks"
    )


def test_whether_it_ran_is_said_once() -> None:
    """A message that says it needs no second line."""
    failure = Failure("refused", "`web1` refused the login; nothing was run", "connect")
    result = Result(step="a", host="web1", status=Status.UNREACHABLE, failure=failure)
    assert sum("nothing was run" in text for text in report_of([result])) == 1


def test_a_run_that_was_cut_off_does_not_say_that_it_failed() -> None:
    """What was cancelled or ran out of time may have done its work."""
    failure = Failure("late", "it took longer than 5s", "execute", True)
    result = Result(step="a", host="web1", status=Status.TIMED_OUT, failure=failure)
    assert report_of([result])[2] == "    it may have run, wholly or in part"


def test_a_link_that_broke_does_not_say_how_the_script_ended() -> None:
    """Nobody knows whether a script went on behind a line that was cut: it is not said to have failed."""
    failure = Failure(
        "connection-lost", "the link to `web1` broke; the command may have run", "execute", True
    )
    told = report_of([Result(step="a", host="web1", status=Status.FAILED, failure=failure)])
    assert sum("may have run" in text for text in told) == 1
    assert not any("and failed" in text for text in told)


def test_the_report_is_bounded() -> None:
    """Many different failures: the first are told, the others are named."""
    results = [failed("s", f"web{n}") for n in range(MOST_GROUPS + 5)]
    different = [
        Result(step=r.step, host=r.host, status=r.status, exit_code=n) for n, r in enumerate(results)
    ]
    assert report_of(different)[-2] == f"✗ s failed in other ways on web[{MOST_GROUPS}-{MOST_GROUPS + 4}]"


def test_ignored_and_held_back_results_are_no_failures() -> None:
    """The report names causes, not consequences, and not what was asked to be ignored."""
    held = Result(step="b", host="web1", status=Status.SKIPPED, held_back=True)
    assert report_of([held, failed("a", "web1", ignored=True)]) == []


def test_the_recap_names_hosts_under_their_worst_status() -> None:
    """Counts, names, duration, exit code and the run's id."""
    progress = RunProgress()
    for event in events_of(
        [ok("a", "web1", []), ok("a", "web2", []), failed("b", "web2"), unreachable("b", "web3")]
    ):
        progress.on_event(event)
    assert [text_of(pieces) for pieces in recap_lines(progress, keep, width=80)] == [
        "  failed       1 host  web2",
        "  unreachable  1 host  web3",
        "  ok           1 host  web1",
        "✗ Site: 2 of 3 hosts with errors in 4.0s (exit 1)",
        "  4 results: 2 ok, 1 unreachable, 1 failed",
        f"  run {RUN}",
    ]


RESULTS = st.builds(
    Result,
    step=st.just("a"),
    host=st.sampled_from(["web1", "web2", "web3"]),
    status=st.sampled_from(list(Status)),
    ignored=st.booleans(),
)


@given(st.lists(RESULTS, max_size=12))
def test_the_recap_and_the_summary_count_hosts_alike(results: list[Result]) -> None:
    """The names shown are as many as the engine counted."""
    progress, tally = RunProgress(), Tally()
    for event in events_of(results):
        progress.on_event(event)
    for result in results:
        tally.add(result)
    named = {status: len(names) for status, names in progress.hosts_by_status().items()}
    assert named == tally.summary(duration=0).hosts


def test_plain_lines_are_stamped_and_results_alone_are_on_standard_output() -> None:
    """Step and host lead each line; an object is one line of JSON."""
    out, err = plain_of(
        events_of([ok("facts", "web1", [{"n": 1}], stderr=["hm"]), failed("restart", "web1")])
    )
    assert out == 'facts web1 | {"n": 1}\n'
    assert err.splitlines()[:6] == [
        f"run {RUN}: Site (playbooks/site.yml), 1 host, 2 steps",
        "facts web1 ! hm",
        "facts web1 ok in 250ms",
        "restart web1 failed in 500ms: the script ended with exit code 5 [exit-code]",
        "note: web1: the connection was opened again".replace("web1", "web01"),
        "",
    ]
    assert "x restart failed (exit 5) on web1" in err
    assert err.endswith(f"  run {RUN}\n")


def test_plain_shows_lines_as_they_come_when_asked() -> None:
    """With -v every line is told when it is received, and each start."""
    _, err = plain_of(events_of([ok("facts", "web1", ["one", "two"])]), verbosity=1)
    assert err.splitlines()[1:5] == [
        "facts web1 started",
        "facts web1 > one",
        "facts web1 > two",
        "facts web1 ok in 250ms",
    ]


@given(st.text(), st.text())
def test_plain_output_holds_no_control_characters_and_no_secret(output: str, stderr: str) -> None:
    """Whatever a host sends."""
    for text in plain_of(events_of([ok("a", "web1", [output + "hunter2"], stderr=[stderr])])):
        assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"]
        assert "hunter2" not in text


def test_quiet_says_nothing_when_all_is_well() -> None:
    """A cron job that succeeded sends no mail."""
    err = Pipe()
    presenter = Quiet(StreamSink(err), keep)
    for event in events_of([ok("a", "web1", ["output"])]):
        presenter.on_event(event)
    assert err.getvalue() == ""


def test_quiet_tells_of_a_gate_while_it_waits() -> None:
    """Nobody can answer a question that is not asked; what holds a secret is masked."""
    err = Pipe()
    presenter = Quiet(StreamSink(err), lambda text: text.replace("hunter2", "***"))
    at = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)
    presenter.on_event(GateOpened("2026-11-21T015000Z-7f3a", "ask", "with hunter2?", at))
    answer = "answer with `runner runs approve 2026-11-21T015000Z-7f3a ask`"
    assert err.getvalue() == f"gate ask: with ***?; {answer}\n"


def test_quiet_tells_failures_and_a_stop() -> None:
    """Only what went wrong."""
    err = Pipe()
    presenter = Quiet(StreamSink(err), keep)
    for event in events_of([failed("a", "web1"), ok("a", "web2", ["fine"])], stopped="Ctrl-C"):
        presenter.on_event(event)
    assert err.getvalue().startswith("✗ a failed (exit 5) on web1\n")
    assert err.getvalue().endswith("stopped: Ctrl-C\n")
    assert "fine" not in err.getvalue()


def test_progress_knows_who_is_running_since_when() -> None:
    """A host runs from its start to its end."""
    progress = RunProgress()
    events = events_of([ok("a", "web1", [])])
    for event in events[:2]:
        progress.on_event(event)
    assert progress.steps["a"].running == {"web1": datetime(2026, 11, 21, 1, 50, tzinfo=UTC)}
    for event in events[2:]:
        progress.on_event(event)
    assert progress.steps["a"].running == {}
    assert progress.steps["a"].over
    assert isinstance(events[2], AssignmentEnded)
    assert progress.steps["a"].duration == 0.25
