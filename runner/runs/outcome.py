"""What is known of every assignment that began in a run, also of those whose end nobody saw. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.engine.observe import (
    AssignmentEnded,
    Notice,
    RunEnded,
    RunEvent,
    RunStarted,
    StepOutline,
    Summary,
)
from runner.engine.result import Failure, Result, Status
from runner.engine.summary import Tally
from runner.errors import ExitCode
from runner.journal.replay import History, Key


def outcomes(history: History) -> dict[Key, Result]:
    """A result for every assignment that began or ended, those whose end is not known first."""
    found = {key: left_unknown(key) for key in history.unknown}
    found |= {key: taken_for_done(key) for key in history.taken_for_done}
    found |= history.results
    return found


def left_unknown(key: Key) -> Result:
    """What stands for the result of an assignment whose end nobody saw, and that is not decided."""
    step, host = key
    failure = Failure(
        "unknown-after-crash",
        "it had begun when the run broke off, and nobody knows how it ended",
        may_have_run=True,
        hints=(
            "look at the host, then resume with `--unknown rerun` or `--unknown skip`",
            "`rerun: safe` in the step says that it may run twice",
        ),
    )
    return Result(step=step, host=host, status=Status.UNKNOWN, failure=failure)


def taken_for_done(key: Key) -> Result:
    """What stands for the result that an assignment taken for done does not have: what needs it goes on."""
    step, host = key
    reason = "it had begun when the run broke off, and is taken for done without a result"
    return Result(step=step, host=host, status=Status.SKIPPED, skip_reason=reason, unseen=True)


def summary_of(history: History) -> Summary:
    """The run's own summary, or the counts of what is known where it did not come to its end."""
    if history.finished is not None:
        return history.finished
    tally = Tally()
    for result in outcomes(history).values():
        tally.add(result)
    header = history.header
    ended = history.last_at or header.started_at
    return tally.summary(
        duration=(ended - header.started_at).total_seconds(),
        stopped_because=history.stopped.reason if history.stopped else "it broke off",
        stop_code=ExitCode.FAILED,
    )


def events_of(history: History) -> Iterator[RunEvent]:
    """The run told again: its start, its notices, its results in the order of their ends, its end."""
    header = history.header
    ended = history.last_at or header.started_at
    outlines = tuple(StepOutline(id=step.id, name=step.name, hosts=step.hosts) for step in header.steps)
    yield RunStarted(header.run, header.playbook, header.path, header.started_at, outlines, header.hosts)
    for notice in history.notices:
        yield Notice(notice.message, notice.at, notice.host)
    for result in outcomes(history).values():
        # A history keeps no time of ends; a result has its beginning, and how long it took.
        spent = timedelta(seconds=result.duration)
        yield AssignmentEnded(result, result.started_at + spent if result.started_at else ended)
    yield RunEnded(header.run, ended, summary_of(history))
