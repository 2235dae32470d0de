"""Events as JSON has them, a line each (schemas/events)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
    ProgressReceived,
    RunEnded,
    RunEvent,
    RunStarted,
    WaveStarted,
)
from runner.present.encode import (
    encode_optional,
    encode_result,
    encode_summary,
    encode_text,
    encode_time,
    encode_words,
)
from runner.present.port import Mask

_NAMES: Mapping[type[RunEvent], str] = {
    RunStarted: "run_started",
    AssignmentStarted: "assignment_started",
    AssignmentWaits: "assignment_waits",
    DeadlineSet: "deadline_set",
    OutputReceived: "output_received",
    ProgressReceived: "progress_received",
    AssignmentEnded: "assignment_ended",
    WaveStarted: "wave_started",
    GateOpened: "gate_opened",
    PolicyStopped: "policy_stopped",
    BlockRescued: "block_rescued",
    Notice: "notice",
    RunEnded: "run_ended",
}


def encode_event(run: str, event: RunEvent, mask: Mask) -> dict[str, Any]:
    """One line of ``-o jsonl``: ``event`` names its kind, ``run`` the run, ``at`` when, where that is known."""
    head: dict[str, Any] = {"event": _NAMES[type(event)], "run": run}
    if not isinstance(event, OutputReceived | ProgressReceived):
        head["at"] = encode_time(event.at)
    return {**head, **_fields(run, event, mask)}


def encode_start(event: RunStarted, mask: Mask) -> dict[str, Any]:
    """What is known of a run when it starts: playbook, path, number of hosts and the steps."""
    return {
        "playbook": encode_words(event.playbook, mask),
        "path": encode_words(event.path, mask),
        "hosts": event.hosts,
        "steps": [
            {
                "id": step.id,
                "name": encode_optional(step.name, mask),
                "hosts": step.hosts,
                "hide_computer_name": step.hide_computer_name,
            }
            for step in event.steps
        ],
    }


def _fields(run: str, event: RunEvent, mask: Mask) -> dict[str, Any]:
    """What is told of an event beside its kind, its run and its time."""
    match event:
        case RunStarted():
            return encode_start(event, mask)
        case AssignmentEnded():
            return {"result": encode_result(run, event.result, mask), "restored": event.restored}
        case WaveStarted():
            return {"step": event.step, "number": event.number, "of": event.of, "hosts": event.hosts}
        case GateOpened():
            message = encode_words(event.message, mask)
            return {
                "step": event.step,
                "message": message,
                "until": _until(event.until),
                "default": event.default,
            }
        case PolicyStopped():
            return {"step": event.step, "reason": encode_words(event.reason, mask), "running": event.running}
        case BlockRescued():
            steps = list(event.steps)
            return {"block": event.block, "host": encode_words(event.host, mask), "steps": steps}
        case Notice():
            return {"message": encode_words(event.message, mask), "host": encode_optional(event.host, mask)}
        case RunEnded():
            return {"summary": encode_summary(event.summary, mask)}
        case _:
            place = {"step": event.step, "host": encode_words(event.host, mask)}
            return {**place, **_fields_of_a_place(event, mask)}


def _fields_of_a_place(
    event: AssignmentStarted | AssignmentWaits | DeadlineSet | OutputReceived | ProgressReceived, mask: Mask
) -> dict[str, Any]:
    """What is told of an event of one step on one host beside those two."""
    match event:
        case AssignmentStarted():
            return {}
        case AssignmentWaits():
            return {
                "what": event.what.value,
                "reason": encode_words(event.reason, mask),
                "attempt": event.attempt,
                "until": _until(event.until),
            }
        case DeadlineSet():
            return {"phase": event.phase, "until": _until(event.until)}
        case OutputReceived():
            return {"stream": event.stream, "text": encode_text(event.text, mask), "color": event.color}
        case ProgressReceived():
            return {
                "activity": encode_words(event.activity, mask),
                "status": encode_words(event.status, mask),
                "percent": event.percent,
                "seconds_left": event.seconds_left,
                "completed": event.completed,
            }


def _until(moment: datetime | None) -> str | None:
    return None if moment is None else encode_time(moment)
