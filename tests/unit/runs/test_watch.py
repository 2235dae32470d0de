"""A resumed run that is watched is shown as it is now."""

from __future__ import annotations

from pathlib import Path

from runner.cli.runs_watch import watch
from runner.engine.observe import AssignmentEnded, Notice, PolicyStopped, RunEvent
from runner.engine.result import Status
from runner.journal import record as rec
from runner.journal.control import WaitingGate
from runner.journal.lines import line_of
from runner.journal.store import RunStore
from tests.unit.journal.samples import MOMENT, header, result, summary

STORY: tuple[rec.Record, ...] = (
    rec.Ended(result("a", "web1"), MOMENT),
    rec.Ended(result("a", "web2", Status.FAILED), MOMENT),
    rec.PolicyBroke("a", "too many failed", MOMENT),
    rec.Ended(result("b", "web1", Status.CANCELLED), MOMENT),
    rec.Finished(summary(exit_code=4), MOMENT),
    rec.Resumed(at=MOMENT),
    rec.Ended(result("a", "web2"), MOMENT),
)
END: tuple[rec.Record, ...] = (
    rec.Ended(result("b", "web1"), MOMENT),
    rec.Finished(summary(), MOMENT),
)


class Seen:
    """What an observer was told."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []

    def on_event(self, event: RunEvent) -> None:
        """Keep it."""
        self.events.append(event)

    def ended(self) -> list[tuple[str, str, Status]]:
        """Every result, as step, host and status."""
        results = [event.result for event in self.events if isinstance(event, AssignmentEnded)]
        return [(found.step, found.host, found.status) for found in results]


def test_each_result_of_a_resumed_run_is_told_once(tmp_path: Path) -> None:
    """What the resume made anew takes the place of what was there, and limits of the part before it are over."""
    directory = RunStore(tmp_path).create(header())
    with directory.journal.open("ab") as file:
        file.writelines(line_of(record).data for record in (*STORY, *END))
    seen = Seen()

    watch(directory, seen)

    assert seen.ended() == [("a", "web1", Status.OK), ("a", "web2", Status.OK), ("b", "web1", Status.OK)]
    assert not any(isinstance(event, PolicyStopped) for event in seen.events)


def test_a_gate_that_waits_is_told_once(tmp_path: Path) -> None:
    """Who watches learns what to type, again where the same gate is asked again; an answered one is none."""
    directory = RunStore(tmp_path).create(header())
    seen, looks = Seen(), 0
    gate = WaitingGate("go_live", "roll on?", MOMENT)

    def goes_on(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            directory.control.open_gate(gate)
        elif looks == 3:
            directory.control.close_gate("go_live")
        elif looks == 4:
            with directory.journal.open("ab") as file:
                file.writelines(line_of(record).data for record in END)

    with directory.lock():
        watch(directory, seen, sleep=goes_on)

    (notice,) = [event for event in seen.events if isinstance(event, Notice)]
    answer = f"answer with `runner runs approve {header().run} go_live`"
    assert notice == Notice(f"gate `go_live` waits: roll on?; {answer}", MOMENT)


def test_while_it_goes_on_what_will_be_made_anew_is_left_out(tmp_path: Path) -> None:
    """Its old result would be counted beside the new one, which comes while it is watched."""
    directory = RunStore(tmp_path).create(header())
    with directory.journal.open("ab") as file:
        file.writelines(line_of(record).data for record in STORY)
    seen = Seen()
    lock = directory.lock()

    def goes_on(_: float) -> None:
        with directory.journal.open("ab") as file:
            file.writelines(line_of(record).data for record in END)

    try:
        watch(directory, seen, sleep=goes_on)
    finally:
        lock.release()

    assert seen.ended() == [("a", "web1", Status.OK), ("a", "web2", Status.OK), ("b", "web1", Status.OK)]
