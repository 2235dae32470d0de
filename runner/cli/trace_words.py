"""The events of a run as lines of a trace: names, kinds, sizes and times, never what a script gave. Pure."""

from __future__ import annotations

from datetime import datetime

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
    WaveStarted,
)
from runner.engine.result import Result
from runner.units import format_duration


def event_words(event: RunEvent) -> str | None:  # noqa: C901, PLR0912 - a line for each kind of event
    """What a trace says of an event; None where it has nothing to say (Write-Progress)."""
    match event:
        case RunStarted():
            return f"the run begins: {len(event.steps)} steps, {event.hosts} hosts"
        case AssignmentStarted(step, host):
            return f"{step} on {host}: starts"
        case AssignmentWaits(step, host):
            attempt = f" after attempt {event.attempt}" if event.attempt else ""
            return f"{step} on {host}: waits ({event.what}){attempt}{_until(event.until)}: {event.reason}"
        case DeadlineSet(step, host):
            return f"{step} on {host}: phase {event.phase}{_until(event.until)}"
        case OutputReceived(step, host):
            return f"{step} on {host}: {len(event.text)} characters of {event.stream}"
        case AssignmentEnded():
            return _ended(event.result, restored=event.restored)
        case WaveStarted():
            return f"{event.step}: wave {event.number} of {event.of} begins, {event.hosts} hosts"
        case GateOpened():
            return f"{event.step}: the gate waits{_until(event.until)}, default {event.default}"
        case PolicyStopped():
            return f"{event.step or 'the run'}: a limit stops it while {event.running} run: {event.reason}"
        case BlockRescued():
            return f"{event.block} on {event.host}: rescued, after {', '.join(event.steps)}"
        case Notice():
            return f"note{f' of {event.host}' if event.host else ''}: {event.message}"
        case RunEnded():
            summary = event.summary
            counts = ", ".join(f"{number} {status}" for status, number in summary.results.items() if number)
            why = summary.stopped_because or summary.policy
            told = f", stopped: {why}" if why else ""
            lasted = format_duration(summary.duration)
            return f"the run ends after {lasted}, exit code {int(summary.exit_code)}: {counts}{told}"
        case _:
            return None


def _ended(result: Result, *, restored: bool) -> str:
    told = ["from the journal"] if restored else []
    told += [f"attempt {result.attempt}"] if result.attempt > 1 else []
    told += [f"{result.duration:.3f} s"] if result.duration else []
    told += [f"waited {result.waited:.3f} s"] if result.waited else []
    told += [f"exit code {result.exit_code}"] if result.exit_code is not None else []
    told += [f"signal {result.signal}"] if result.signal is not None else []
    told += [f"over {result.transport}"] if result.transport else []
    told += [f"{len(result.output)} of output"] if isinstance(result.output, list | str) else []
    told += [f"{len(result.stderr)} lines of stderr"] if result.stderr else []
    told += [f"{len(result.errors)} errors"] if result.errors else []
    told += [f"{len(result.items)} items"] if result.items else []
    told += [
        word for word in ("changed", "held_back", "ignored", "truncated", "secret") if getattr(result, word)
    ]
    told += [result.skip_reason] if result.skip_reason else []
    words = f"{result.step} on {result.host}: {result.status}, {', '.join(told)}".removesuffix(", ")
    if (failure := result.failure) is not None:
        ran = "may have run" if failure.may_have_run else "nothing was run"
        words += f"; [{failure.code}] in {failure.phase}, {ran}: {failure.message}"
    return words


def _until(moment: datetime | None) -> str:
    return "" if moment is None else f" until {moment:%Y-%m-%dT%H:%M:%S}Z"
