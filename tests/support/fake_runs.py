"""Events of a small run, and streams to show it on."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    Notice,
    OutputReceived,
    RunEnded,
    RunEvent,
    RunStarted,
    StepOutline,
)
from runner.engine.result import ErrorRecord, Failure, Result, Status
from runner.engine.summary import Tally

RUN = "2026-11-21T015000Z-7f3a"
BEGIN = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """It is."""
        return True


class Pipe(io.StringIO):
    """A stream that is no terminal."""

    encoding = "utf-8"


class ClosedPipe(Pipe):
    """A pipe whose reader is gone."""

    def write(self, text: str) -> int:
        """Fail as the system does."""
        raise BrokenPipeError(32, "Broken pipe")


def keep(text: str) -> str:
    """A mask that knows no secret."""
    return text


def mask_hunter(text: str) -> str:
    """A mask that knows one secret."""
    return text.replace("hunter2", "********")


def ok(step: str, host: str, output: Any, **more: Any) -> Result:
    """A good result."""
    return Result(
        step=step,
        host=host,
        status=Status.OK,
        output=output,
        exit_code=0,
        started_at=BEGIN,
        duration=0.25,
        **more,
    )


def failed(step: str, host: str, **more: Any) -> Result:
    """A script that ended with exit code 5."""
    return Result(
        step=step,
        host=host,
        status=Status.FAILED,
        exit_code=5,
        started_at=BEGIN,
        duration=0.5,
        stderr=["nginx: [emerg] bind() failed"],
        errors=(ErrorRecord("bind() failed", line=3),),
        failure=Failure(
            "exit-code", "the script ended with exit code 5", "execute", True, ("look with `runner shell`",)
        ),
        **more,
    )


def unreachable(step: str, host: str) -> Result:
    """A host that did not answer."""
    failure = Failure("ssh-timeout", f"`{host}` did not answer within 30s", "connect", False)
    return Result(step=step, host=host, status=Status.UNREACHABLE, failure=failure)


def events_of(
    results: Iterable[Result], *, hidden: Iterable[str] = (), stopped: str | None = None
) -> list[RunEvent]:
    """A whole run that has these results, each host started, with its text output as it came, and ended in turn."""
    results = list(results)
    steps = dict.fromkeys(result.step for result in results)
    outlines = tuple(
        StepOutline(step, None, sum(r.step == step for r in results), hide_computer_name=step in hidden)
        for step in steps
    )
    hosts = len({result.host for result in results})
    events: list[RunEvent] = [RunStarted(RUN, "Site", "playbooks/site.yml", BEGIN, outlines, hosts)]
    tally = Tally()
    for count, result in enumerate(results):
        at = BEGIN + timedelta(seconds=count)
        if result.started_at is not None:
            events.append(AssignmentStarted(result.step, result.host, at))
        texts = result.output if isinstance(result.output, list) else []
        events += [
            OutputReceived(result.step, result.host, "stdout", f"{t}\n") for t in texts if isinstance(t, str)
        ]
        tally.add(result)
        events.append(AssignmentEnded(result, at + timedelta(milliseconds=250)))
    end = BEGIN + timedelta(seconds=len(results))
    events.append(Notice("the connection was opened again", end, "web01"))
    events.append(RunEnded(RUN, end, tally.summary(duration=float(len(results)), stopped_because=stopped)))
    return events
