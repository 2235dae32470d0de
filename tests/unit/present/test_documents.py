"""``-o json``, ``-o jsonl`` and problems hold to their schemas, and to each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.engine.observe import BlockRescued
from runner.engine.result import Failure, Result, Status, Streams
from runner.present.json_document import JsonDocument
from runner.present.jsonl import JsonLines
from runner.present.problems import problems_document
from runner.present.sink import Nowhere, StreamSink, WholeStream
from runner.problems import Problem, Severity
from runner.values import Span
from tests.support.fake_runs import BEGIN, RUN, Pipe, events_of, failed, keep, mask_hunter, ok, unreachable

SCHEMAS = Path(__file__).parents[3] / "schemas"
RESULTS = [
    ok(
        "facts",
        "web01",
        [{"disk": 0.5, "at": datetime(2026, 1, 2, tzinfo=UTC)}],
        transport="ssh",
        session="warm",
    ),
    ok("facts", "web02", ["caf\udce9", "\x1b[2J", "password hunter2"], stderr=["\udcff"]),
    ok("facts", "web03", {"price": Decimal("1.10"), "raw": b"\x00"}, streams=Streams(warnings=("low disk",))),
    unreachable("facts", "web04"),
    failed(
        "restart",
        "web01",
        items=(failed("restart", "web01", item={"n": 1}), ok("restart", "web01", [], item=2)),
    ),
    Result(
        step="restart", host="web04", status=Status.SKIPPED, skip_reason="`facts` was bad", held_back=True
    ),
    Result(
        step="restart",
        host="web02",
        status=Status.TIMED_OUT,
        signal="KILL",
        failure=Failure("timeout", "too long"),
    ),
]


def schema(name: str) -> Draft202012Validator:
    """A validator of one of the shipped schemas."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def written_document(results: list[Result]) -> Any:
    """The document of a run that had these results."""
    out = Pipe()
    presenter = JsonDocument(WholeStream(StreamSink(out)), mask_hunter, Nowhere())
    for event in events_of(results):
        presenter.on_event(event)
    assert out.getvalue() == ""
    presenter.close()
    return json.loads(out.getvalue())


def written_lines(results: list[Result]) -> list[Any]:
    """The events of a run that had these results."""
    out = Pipe()
    presenter = JsonLines(StreamSink(out), mask_hunter)
    for count, event in enumerate(events_of(results)):
        presenter.on_event(event)
        assert out.getvalue().count("\n") == count + 1
    return [json.loads(text) for text in out.getvalue().splitlines()]


@pytest.mark.parametrize("name", ["result", "events", "problems"])
def test_the_schemas_are_sound(name: str) -> None:
    """Each is a schema of draft 2020-12, closed, described throughout, and its examples hold to it."""
    validator = schema(name)
    Draft202012Validator.check_schema(validator.schema)
    assert isinstance(validator.schema, dict)
    for example in validator.schema["examples"]:
        validator.validate(example)
    for definition in validator.schema["$defs"].values():
        assert "description" in definition
        assert definition.get("type") != "object" or definition["additionalProperties"] is False


def test_both_schemas_mean_the_same_result() -> None:
    """A result is one thing, in the document as in the events."""
    document, events = schema("result").schema, schema("events").schema
    assert isinstance(document, dict)
    assert isinstance(events, dict)
    assert {name: events["$defs"][name] for name in document["$defs"]} == document["$defs"]


def test_the_document_holds_to_its_schema() -> None:
    """Every status, value and kind of failure has its form."""
    document = written_document(RESULTS)
    schema("result").validate(document)
    assert [(r["step"], r["host"], r["status"]) for r in document["results"]] == [
        (r.step, r.host, r.status.value) for r in RESULTS
    ]
    assert document["run"] == RUN
    assert document["summary"]["hosts"]["unreachable"] == 1
    assert document["summary"]["results"]["skipped"] == 1
    assert document["summary"]["exit_code"] == 1


def test_a_run_without_results_is_a_document() -> None:
    """Nothing to do is no error."""
    document = written_document([])
    schema("result").validate(document)
    assert document["results"] == []


def test_the_schema_refuses_what_is_not_in_it() -> None:
    """Closed means closed: an unknown key, a missing key, a wrong status."""
    spoilers: list[Callable[[dict[str, Any]], object]] = [
        lambda result: result.update(x=1),
        lambda result: result.pop("host"),
        lambda result: result.update(status="fine"),
    ]
    for spoil in spoilers:
        document = written_document(RESULTS[:1])
        spoil(document["results"][0])
        assert not schema("result").is_valid(document)


def test_every_line_holds_to_the_schema() -> None:
    """A line is written and flushed with each event; the last one is the end."""
    lines = written_lines(RESULTS)
    for event in lines:
        schema("events").validate(event)
    assert lines[0]["event"] == "run_started"
    assert lines[-1]["event"] == "run_ended"
    assert {event["run"] for event in lines} == {RUN}


def test_lines_and_document_tell_the_same_results() -> None:
    """Two forms, one truth."""
    ended = [event["result"] for event in written_lines(RESULTS) if event["event"] == "assignment_ended"]
    assert ended == written_document(RESULTS)["results"]


def test_output_of_hosts_is_exact_and_secrets_are_not_in_it() -> None:
    """Escape sequences come through as they were, masked texts do not."""
    document = written_document(RESULTS)
    assert document["results"][1]["output"] == [{"$bytes": "Y2Fm6Q=="}, "\x1b[2J", "password ********"]
    assert document["results"][2]["output"] == {"price": "1.10", "raw": {"$bytes": "AA=="}}


def test_a_run_that_broke_off_leaves_no_half_document() -> None:
    """Without an end nothing is printed."""
    out = Pipe()
    presenter = JsonDocument(WholeStream(StreamSink(out)), keep, Nowhere())
    for event in events_of(RESULTS)[:-1]:
        presenter.on_event(event)
    presenter.close()
    assert out.getvalue() == ""


def test_what_a_rescue_mended_says_so() -> None:
    """Known after the result: bad ones of those steps on that host do, in their place, and nothing else changes."""
    results = [
        failed("put", "web1", output=[{"rescued": False}]),
        failed("put", "web2"),
        ok("start", "web1", []),
    ]
    out = Pipe()
    presenter = JsonDocument(WholeStream(StreamSink(out)), keep, Nowhere())
    *before, end = events_of(results)
    for event in [*before, BlockRescued("deploy", "web1", BEGIN, ("put", "start")), end]:
        presenter.on_event(event)
    presenter.close()
    document = json.loads(out.getvalue())
    schema("result").validate(document)
    told = [(one["step"], one["host"], one["rescued"]) for one in document["results"]]
    assert told == [("put", "web1", True), ("put", "web2", False), ("start", "web1", False)]
    plain = written_document(results)["results"][0]
    assert document["results"][0] == plain | {"rescued": True}


def test_notices_are_not_lost() -> None:
    """The document has no place for them, so they go to standard error."""
    out, err = Pipe(), Pipe()
    presenter = JsonDocument(WholeStream(StreamSink(out)), keep, StreamSink(err))
    for event in events_of(RESULTS):
        presenter.on_event(event)
    presenter.close()
    assert err.getvalue() == "note: web01: the connection was opened again\n"


def test_problems_hold_to_their_schema() -> None:
    """With and without a place."""
    problems = [
        Problem("a-code", "m", Span("a.yml", 1, 2, 1, 3), hints=("h",)),
        Problem("b", "n", None, Severity.WARNING),
    ]
    schema("problems").validate(problems_document(problems))
    schema("problems").validate(problems_document([]))
