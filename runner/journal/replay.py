"""A journal read from its beginning to its end: what is known of a run, also of one that did not come to its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from runner.engine.observe import Summary
from runner.engine.result import Result
from runner.journal.classify import Fate, classify
from runner.journal.reader import JournalReader, ResultReader
from runner.journal.record import (
    Answered,
    Choice,
    Ended,
    Finished,
    Noticed,
    PolicyBroke,
    Record,
    Rescued,
    Resumed,
    RunHeader,
    Started,
    Stopped,
    WavePassed,
)
from runner.journal.recorded import Key, Recorded

__all__ = ["History", "Key", "replay"]


@dataclass(slots=True)
class History:
    """What a journal says; what a later part of a resumed run says of an assignment takes the place of the earlier.

    Attributes:
        header: with the plan's digest, the digests, the steps and the number of hosts that the last part ran with.
        results: of what ended, also badly, in the order in which it ended. Those of a whole journal that is replayed
            are read from its file when they are asked for (JournalError where that fails).
        unknown: what started and whose end nobody saw, with its last start. Where a result says that its end was not
            seen, it is in ``results`` too.
        taken_for_done: what was unknown and a person said ``skip`` to: it has no result and is not run again.
        waves: those that passed.
        policies: those that broke in the last part; ``stopped`` and ``finished`` are the last part's too.
        answers: of gates, by step.
        rescued: blocks that were mended, in the order in which they were.
        resumed: how often the run was gone on with.
        last_at: the time of the last record.
        torn: the last line is not whole, as the process ended while it wrote; it is left out.
        damaged: numbers of lines that were left out as they cannot be read (only with ``recover``).

    """

    header: RunHeader
    results: Recorded = field(default_factory=Recorded)
    unknown: dict[Key, Started] = field(default_factory=dict)
    taken_for_done: set[Key] = field(default_factory=set)
    waves: set[tuple[str, int]] = field(default_factory=set)
    policies: list[PolicyBroke] = field(default_factory=list)
    answers: dict[str, Answered] = field(default_factory=dict)
    rescued: list[Rescued] = field(default_factory=list)
    notices: list[Noticed] = field(default_factory=list)
    stopped: Stopped | None = None
    finished: Summary | None = None
    resumed: int = 0
    last_at: datetime | None = None
    torn: bool = False
    damaged: tuple[int, ...] = ()

    def take(self, record: Record) -> None:  # noqa: C901 - one line for each kind of record
        """Add the next record; a header but the first changes nothing."""
        match record:
            case Started(step, host):
                self.results.discard((step, host))
                self.unknown[step, host] = record
                self.taken_for_done.discard((step, host))
            case Ended(result):
                self._ended(result, record.at)
            case WavePassed(step, wave):
                self.waves.add((step, wave))
            case PolicyBroke():
                self.policies.append(record)
            case Rescued(_, host, steps):
                self.rescued.append(record)
                for step in steps:
                    self._mended((step, host))
            case Noticed():
                self.notices.append(record)
            case Answered(step):
                self.answers[step] = record
            case Stopped():
                self.stopped = record
            case Resumed():
                self._resumed(record)
            case Finished(summary):
                self.finished = summary
            case RunHeader():
                return
        self.last_at = record.at

    def _ended(self, result: Result, at: datetime) -> None:
        key = result.step, result.host
        begun = self.unknown.pop(key, None)
        self.results.discard(key)  # so that the order is that of the ends
        self.results[key] = result
        self.taken_for_done.discard(key)
        if classify(result) is Fate.UNKNOWN:
            self.unknown[key] = begun or Started(*key, result.attempt, None, result.started_at or at)

    def _mended(self, key: Key) -> None:
        result = self.results.get(key)
        if result is not None and result.bad:
            self.results[key] = replace(result, rescued=True)
            self.unknown.pop(key, None)

    def _resumed(self, record: Resumed) -> None:
        self.resumed += 1
        self.policies, self.stopped, self.finished = [], None, None
        for step in record.rerun:
            self.results.discard_step(step)
        for decision in record.decisions:
            key = decision.step, decision.host
            if decision.choice is Choice.RERUN:
                self.results.discard(key)
            elif decision.choice is Choice.SKIP:
                self.results.discard(key)
                self.unknown.pop(key, None)
                self.taken_for_done.add(key)
        header = self.header
        self.header = replace(
            header,
            plan=header.plan if record.plan is None else record.plan,
            digests=header.digests if record.digests is None else record.digests,
            steps=header.steps if record.steps is None else record.steps,
            hosts=header.hosts if record.hosts is None else record.hosts,
        )


def replay(journal: Path, *, outputs: bool = True, recover: bool = False) -> History:
    """Read a whole journal, record by record.

    Args:
        journal: its file; the spool is beside it.
        outputs: False leaves outputs, streams and differences out, as a list of hosts needs them not.
        recover: leave out lines that are damaged and name them in the history; what they recorded is not known then.

    Raises:
        JournalError: it cannot be read (``journal-not-read``), is damaged (``journal-damaged``) or of another format
            (``journal-version``). A torn last line is no error.

    """
    reader = JournalReader(journal, outputs=outputs, recover=recover)
    results = Recorded(read=ResultReader(journal, outputs=outputs).read)
    history = History(reader.header, results)
    take = history.take
    for _, record in reader:
        take(record)
        if isinstance(record, Ended):
            results.leave((record.step, record.host), reader.at)
    history.torn, history.damaged = reader.torn, tuple(reader.damaged)
    return history
