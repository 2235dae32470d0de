"""What execution control tells, as documents: waves, waits, gates, limits, rescues, differences."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from runner.engine.observe import (
    AssignmentEnded,
    AssignmentStarted,
    AssignmentWaits,
    BlockRescued,
    DeadlineSet,
    GateOpened,
    PolicyStopped,
    RunEnded,
    RunEvent,
    Waits,
    WaveStarted,
)
from runner.engine.result import Difference, Status
from runner.present.encode_events import encode_event
from runner.present.jsonl import JsonLines
from runner.present.sink import StreamSink
from tests.support.fake_runs import BEGIN, RUN, Pipe, events_of, failed, mask_hunter, ok

EVENTS = Draft202012Validator(
    json.loads((Path(__file__).parents[3] / "schemas/events.schema.json").read_text(encoding="utf-8"))
)
LATER = BEGIN + timedelta(seconds=30)


def _encoded(event: RunEvent) -> Any:
    """The event as a reader of a line gets it, held to the schema."""
    document = json.loads(json.dumps(encode_event(RUN, event, mask_hunter)))
    EVENTS.validate(document)
    return document


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (
            AssignmentWaits("a", "web1", Waits.RETRY, "it said hunter2", BEGIN, 1, LATER),
            {
                "event": "assignment_waits",
                "step": "a",
                "host": "web1",
                "what": "retry",
                "reason": "it said ********",
                "attempt": 1,
                "until": "2026-11-21T01:50:30Z",
            },
        ),
        (
            DeadlineSet("a", "web1", "connect", BEGIN, LATER),
            {
                "event": "deadline_set",
                "step": "a",
                "host": "web1",
                "phase": "connect",
                "until": "2026-11-21T01:50:30Z",
            },
        ),
        (
            DeadlineSet("a", "web1", "step", BEGIN),
            {"event": "deadline_set", "step": "a", "host": "web1", "phase": "step", "until": None},
        ),
        (
            WaveStarted("a", 2, 3, 10, BEGIN),
            {"event": "wave_started", "step": "a", "number": 2, "of": 3, "hosts": 10},
        ),
        (
            GateOpened(RUN, "ask", "go on with hunter2?", BEGIN, LATER, "go"),
            {
                "event": "gate_opened",
                "step": "ask",
                "message": "go on with ********?",
                "until": "2026-11-21T01:50:30Z",
                "default": "go",
            },
        ),
        (
            PolicyStopped(None, "`max_fail` of the run is exceeded", 3, BEGIN),
            {
                "event": "policy_stopped",
                "step": None,
                "reason": "`max_fail` of the run is exceeded",
                "running": 3,
            },
        ),
        (
            BlockRescued("deploy", "web1", BEGIN, ("install", "start")),
            {"event": "block_rescued", "block": "deploy", "host": "web1", "steps": ["install", "start"]},
        ),
    ],
)
def test_each_event_of_control_is_told_whole(event: RunEvent, fields: dict[str, Any]) -> None:
    """Every field has its key, is masked, and holds to the schema; run and time come with each."""
    assert _encoded(event) == {"run": RUN, "at": "2026-11-21T01:50:00Z", **fields}


@pytest.mark.parametrize("what", list(Waits))
def test_whatever_is_waited_for_has_its_word(what: Waits) -> None:
    """The schema knows each kind of waiting."""
    assert _encoded(AssignmentWaits("a", "web1", what, "so it is", BEGIN))["what"] == what.value


def test_the_schema_knows_every_event() -> None:
    """An event that is added to the engine is added to the schema, and the other way round."""
    assert isinstance(EVENTS.schema, dict)
    names = set(EVENTS.schema["properties"]["event"]["enum"])
    written = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in _class_names())
    assert names == set(written.replace(" _", " ").removeprefix("_").split())


def _class_names() -> str:
    return " ".join(kind.__name__ for kind in get_args(RunEvent))


def test_a_result_tells_what_differs_and_what_it_waited() -> None:
    """The difference has both states, masked; whether it was restored stands beside the result."""
    result = replace(
        ok("a", "web1", []),
        status=Status.CHANGED,
        changed=True,
        would_change=True,
        difference=Difference({"key": "hunter2"}, None, "/etc/motd"),
        waited=1.5,
        rescued=True,
    )
    document = _encoded(AssignmentEnded(result, BEGIN, restored=True))
    assert document["restored"] is True
    told = document["result"]
    assert told["difference"] == {"before": {"key": "********"}, "after": None, "path": "/etc/motd"}
    assert (told["would_change"], told["rescued"], told["waited_s"]) == (True, True, 1.5)


def test_the_summary_tells_limits_rescues_and_what_was_restored() -> None:
    """A program asks the last line why a run ended."""
    ended = events_of([failed("a", "web1")])[-1]
    assert isinstance(ended, RunEnded)
    summary = replace(
        ended.summary, rescued=1, would_change=2, restored=3, policy="`max_fail` of `a` is exceeded"
    )
    told = _encoded(replace(ended, summary=summary))["summary"]
    assert (told["rescued"], told["would_change"], told["restored"]) == (1, 2, 3)
    assert told["policy"] == "`max_fail` of `a` is exceeded"


def test_a_look_of_what_waits_is_no_line() -> None:
    """It works again and again for a moment without a word of waiting anew: one line is enough."""
    out = Pipe()
    presenter = JsonLines(StreamSink(out), mask_hunter)
    begin = AssignmentStarted("a", "web1", BEGIN)
    wait = AssignmentWaits("a", "web1", Waits.CONDITION, "not yet", BEGIN)
    for event in (begin, wait, begin, begin, begin, AssignmentStarted("a", "web2", BEGIN)):
        presenter.on_event(event)
    told = [json.loads(text) for text in out.getvalue().splitlines()]
    assert [(one["event"], one["host"]) for one in told] == [
        ("assignment_started", "web1"),
        ("assignment_waits", "web1"),
        ("assignment_started", "web1"),
        ("assignment_started", "web2"),
    ]
