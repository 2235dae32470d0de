"""``runner runs watch``: a run shown from its journal while it goes on elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    BlockRescued,
    Notice,
    Observer,
    PolicyStopped,
    RunEnded,
    RunEvent,
    RunStarted,
    StepOutline,
)
from runner.errors import ExitCode
from runner.journal.classify import Fate, classify
from runner.journal.control import WaitingGate
from runner.journal.reader import JournalReader
from runner.journal.record import (
    Answered,
    Ended,
    Finished,
    Noticed,
    PolicyBroke,
    Record,
    Rescued,
    Resumed,
    RunHeader,
    Started,
)
from runner.journal.replay import History, Key
from runner.journal.store import RunDirectory
from runner.runs.outcome import summary_of

_LOOK: Final = 0.25
"""Seconds between looks at what was written; a person sees no difference to at once."""


def watch(directory: RunDirectory, observer: Observer, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Show a run until it ends; gives its exit code, 1 where it broke off.

    Raises:
        JournalError: its journal cannot be read.

    """
    reader = JournalReader(directory.journal)
    outdated = _outdated(directory)
    history = History(reader.header)
    observer.on_event(_began(reader.header))
    asked: frozenset[str] = frozenset()
    while True:
        going_on = directory.is_running() is not None  # asked before reading, so that nothing is missed
        waiting = directory.control.waiting() if going_on else ()
        for number, record in reader:
            history.take(record)
            if number in outdated:
                continue
            for event in _events(record):
                observer.on_event(event)
        if history.finished is not None or not going_on:
            break
        for gate in waiting:
            if gate.step not in asked:
                observer.on_event(_opened(reader.header.run, gate))
        asked = frozenset(gate.step for gate in waiting)
        sleep(_LOOK)
    ended = history.last_at or reader.header.started_at
    summary = summary_of(history)
    observer.on_event(RunEnded(reader.header.run, ended, summary))
    return int(summary.exit_code if history.finished is not None else ExitCode.FAILED)


def _outdated(directory: RunDirectory) -> set[int]:
    """Numbers of records that a resume took the place of: results made anew, and limits of the part before it.

    While the run goes on, what has still to be made anew is left out too, as its new result will come.
    """
    going_on = directory.is_running() is not None
    outdated: set[int] = set()
    last: dict[Key, int] = {}
    limits: set[int] = set()
    undone: dict[Key, int] = {}
    for number, record in JournalReader(directory.journal, outputs=False):
        match record:
            case Ended(result):
                key = result.step, result.host
                outdated |= {last[key]} if key in last else set()
                last[key] = number
                if classify(result) is not Fate.DONE:
                    undone[key] = number
            case PolicyBroke():
                limits.add(number)
            case Resumed():
                outdated |= limits | (set(undone.values()) if going_on else set())
                limits, undone = set(), {}
    return outdated


def _began(header: RunHeader) -> RunStarted:
    steps = tuple(StepOutline(id=step.id, name=step.name, hosts=step.hosts) for step in header.steps)
    return RunStarted(header.run, header.playbook, header.path, header.started_at, steps, header.hosts)


def _opened(run: str, gate: WaitingGate) -> Notice:
    """A gate that waits, which no record tells of; as a note, for nothing says on which hosts it does."""
    answer = f"answer with `runner runs approve {run} {gate.step}`"
    return Notice(f"gate `{gate.step}` waits: {gate.message}; {answer}", gate.at)


def _events(record: Record) -> Iterator[RunEvent]:
    match record:
        case Started(step, host, attempt, item, at):
            if attempt == 1 and not item:
                yield AssignmentStarted(step, host, at)
        case Ended(result, at):
            yield AssignmentEnded(result, at)
        case Noticed(message, at, host):
            yield Notice(message, at, host)
        case PolicyBroke(step, reason, at):
            yield PolicyStopped(step, reason, 0, at)
        case Rescued(block, host, steps, at):
            yield BlockRescued(block, host, at, steps)
        case Answered(step, go, who, at):
            yield Notice(f"gate `{step}` {'approved' if go else 'rejected'} by {who}", at)
        case Resumed():
            yield Notice(f"resumed by {record.user} on {record.machine}", record.at)
        case Finished() | _:
            return
