"""Counts of a run and the exit code they lead to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.engine.result import Result, Status
from runner.engine.summary import Tally
from runner.errors import ExitCode

OK = Result(step="s", host="a", status=Status.OK)


def tally_of(*results: Result) -> Tally:
    tally = Tally()
    for result in results:
        tally.add(result)
    return tally


@pytest.mark.parametrize(
    ("statuses", "exit_code"),
    [
        ([Status.OK, Status.CHANGED, Status.SKIPPED, Status.DETACHED], 0),
        ([Status.OK, Status.UNREACHABLE], 3),
        ([Status.UNREACHABLE, Status.FAILED], 1),
        ([Status.TIMED_OUT], 1),
        ([Status.UNKNOWN, Status.OK], 1),
    ],
)
def test_exit_codes_follow_the_results(statuses: list[Status], exit_code: int) -> None:
    """Failed, timed out or unknown is 1, else unreachable is 3, else 0."""
    assert (
        tally_of(*(replace(OK, status=status) for status in statuses)).summary(duration=1).exit_code
        == exit_code
    )


def test_ignored_failures_are_told_and_do_not_count() -> None:
    """An ignored failure is counted as such, its host is well and the run succeeds."""
    summary = tally_of(OK, replace(OK, status=Status.FAILED, ignored=True)).summary(duration=1)
    assert (summary.exit_code, summary.ignored) == (0, 1)
    assert summary.hosts == {Status.OK: 1}
    assert summary.results == {Status.OK: 1, Status.FAILED: 1}


def test_a_host_counts_under_its_worst_result() -> None:
    """One failure on a host makes it a failed host, in whatever order the results came."""
    skipped = replace(OK, status=Status.SKIPPED, host="b")
    failed = replace(OK, status=Status.FAILED)
    assert tally_of(failed, OK, skipped).summary(duration=1).hosts == {Status.FAILED: 1, Status.SKIPPED: 1}


def test_a_stopped_run_did_not_succeed() -> None:
    """A run that was stopped early is never exit 0, and a bug is 70 whatever else there is."""
    assert tally_of(OK).summary(duration=1, stopped_because="the run's timeout").exit_code == 1
    assert tally_of(OK).summary(duration=1, stopped_because="an internal error", bug=True).exit_code == 70


def test_the_code_of_a_signal_is_the_run_s() -> None:
    """A run that a signal stopped ends with the signal's code, whatever failed; only a bug is worse."""
    failed = tally_of(replace(OK, status=Status.FAILED))
    code = ExitCode.INTERRUPTED
    assert failed.summary(duration=1, stopped_because="Ctrl-C", stop_code=code).exit_code == 130
    assert failed.summary(duration=1, stopped_because="Ctrl-C", stop_code=code, bug=True).exit_code == 70


def test_what_was_rescued_counts_as_done() -> None:
    """Bad results of a mended block make neither the host nor the run bad; others of the same host still do."""
    failed = replace(OK, step="body", status=Status.FAILED)
    tally = tally_of(
        failed, replace(OK, step="mend"), replace(OK, step="other", host="b", status=Status.UNREACHABLE)
    )
    tally.rescue("a", {"body", "mend"})
    summary = tally.summary(duration=1)
    assert (summary.exit_code, summary.rescued) == (3, 1)
    assert summary.hosts == {Status.OK: 1, Status.UNREACHABLE: 1}
    assert summary.results == {Status.OK: 1, Status.FAILED: 1, Status.UNREACHABLE: 1}
    tally.add(replace(OK, step="elsewhere", status=Status.FAILED))
    tally.rescue("a", {"body"})
    assert tally.summary(duration=1).exit_code == 1


def test_an_exceeded_limit_comes_before_what_failed() -> None:
    """4 is told before 1, a signal before 4, a bug before all."""
    failed = tally_of(replace(OK, status=Status.FAILED))
    said = "`max_fail` of `s` is exceeded: 1 of 2 hosts failed"
    assert failed.summary(duration=1, policy=said).exit_code == 4
    assert failed.summary(duration=1, policy=said).policy == said
    assert failed.summary(duration=1, policy=said, stop_code=ExitCode.INTERRUPTED).exit_code == 130
    assert failed.summary(duration=1, policy=said, bug=True).exit_code == 70


def test_a_difference_is_told_under_check_only() -> None:
    """What would change is exit 5 where nothing was to be changed, behind every failure."""
    would = replace(OK, status=Status.CHANGED, would_change=True)
    assert tally_of(would).summary(duration=1, check=True).exit_code == 5
    assert tally_of(would).summary(duration=1, check=True).would_change == 1
    assert tally_of(would).summary(duration=1).exit_code == 0
    unreachable = replace(OK, host="b", status=Status.UNREACHABLE)
    assert tally_of(would, unreachable).summary(duration=1, check=True).exit_code == 3
