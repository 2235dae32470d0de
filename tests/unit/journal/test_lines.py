"""Records as lines: nothing is lost, the schema describes all of it, and what is long is kept apart."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from runner.engine.result import ErrorRecord, Result, Status
from runner.journal.codec import SPOOL
from runner.journal.lines import LONG, Line, line_of, record_of, started_line
from runner.journal.record import Ended, Record, Started
from runner.journal.results import moment_to_json
from runner.objects import PSCredential
from runner.schema_files import schema_text
from runner.values import Secret
from tests.unit.journal.samples import MOMENT, header, moments, records, result, results, same

SCHEMA = Draft202012Validator(json.loads(schema_text("journal")))


def read(line: Line, *, outputs: bool = True) -> Record:
    """The record of a line, with its blobs for a spool."""
    contents = {blob.digest: json.loads(blob.data) for blob in line.blobs}

    def load(field: Any) -> Any:
        return contents[field[SPOOL]] if isinstance(field, dict) and SPOOL in field else field

    return record_of(line.data, load, outputs=outputs)


@given(records)
@settings(max_examples=60)
def test_every_record_comes_back_and_is_as_the_schema_says(record: Record) -> None:
    """One line of UTF-8 each, whatever names and values it holds."""
    line = line_of(record)

    assert line.data.count(b"\n") == 1
    assert line.data.endswith(b"\n")
    SCHEMA.validate(json.loads(line.data))
    assert same(read(line), record)


def test_the_schema_knows_every_kind_of_record_and_no_other() -> None:
    """A line of another kind, or with a key that is not described, is refused."""
    good = json.loads(line_of(Started("a", "web1", 1, None, MOMENT)).data)

    SCHEMA.validate(good)
    wrong: list[Any] = [{**good, "type": "begun"}, {**good, "more": 1}, {"type": "started"}, []]
    for bad in wrong:
        assert not SCHEMA.is_valid(bad)


def test_what_is_as_by_default_is_left_out() -> None:
    """A short result is a short line: below 300 bytes with its names."""
    line = line_of(Ended(result(output=["42"], exit_code=0, duration=0.4, started_at=MOMENT), MOMENT))

    assert json.loads(line.data)["result"] == {
        "status": "ok",
        "started_at": MOMENT.isoformat(),
        "duration": 0.4,
        "exit_code": 0,
        "output": ["42"],
    }
    assert len(line.data) < 300


def test_a_start_is_one_short_line() -> None:
    """Written without a record between, as half of all lines are starts."""
    assert started_line("a", "web1", 2, 0, MOMENT) == line_of(Started("a", "web1", 2, 0, MOMENT))
    assert len(started_line("a", "web1", 1, None, MOMENT).data) < 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("output", ["x" * 100] * 100),
        ("output", "größe " * 1_000),
        ("output", {"$spool": "x" * 5_000}),
        ("stderr", ["x" * 5_000]),
        ("errors", (ErrorRecord("x" * 5_000),)),
    ],
    ids=["lines", "text", "an author's own `$spool`", "stderr", "errors"],
)
def test_what_is_long_goes_to_the_spool_by_its_digest(name: str, value: Any) -> None:
    """Equal contents have equal digests, so that the same output of many hosts is there once."""
    one, two = (line_of(Ended(result(host=host, **{name: value}), MOMENT)) for host in ("web1", "web2"))

    assert len(one.data) < 300
    assert one.blobs == two.blobs
    assert len(one.blobs) == 1
    SCHEMA.validate(json.loads(one.data))
    assert same(read(one), Ended(result(host="web1", **{name: value}), MOMENT))


def test_the_items_of_a_loop_have_their_long_outputs_in_the_spool_too() -> None:
    """Their statuses stay in the line."""
    items = tuple(result(item=each, output="x" * LONG) for each in range(3))
    line = line_of(Ended(result(items=items), MOMENT))

    assert [item["status"] for item in json.loads(line.data)["result"]["items"]] == ["ok"] * 3
    assert len(line.blobs) == 3
    assert len(set(line.blobs)) == 1
    assert same(read(line), Ended(result(items=items), MOMENT))


@given(results())
def test_outputs_can_be_left_out(whole: Result) -> None:
    """Then nothing of the spool is read for them, and how it ended is as it was."""
    line = line_of(Ended(whole, MOMENT))

    found = record_of(line.data, lambda field: field, outputs=False)

    assert isinstance(found, Ended)
    assert (found.result.status, found.result.exit_code) == (whole.status, whole.exit_code)
    assert (found.result.output, found.result.stderr, found.result.difference) == ([], [], None)


@pytest.mark.parametrize("value", [Secret("hunter2"), PSCredential("ops", Secret("hunter2"))], ids=type)
def test_a_result_with_a_secret_is_marked(value: object) -> None:
    """It comes back without it, and says that it is incomplete; in the output of an item too."""
    for kept in (
        result(output=[value]),
        result(items=(result(output={"a": value}),)),
        result(output=[value] * 200),
    ):
        line = line_of(Ended(kept, MOMENT))
        found = read(line)

        assert b"hunter2" not in line.data + b"".join(blob.data for blob in line.blobs)
        assert isinstance(found, Ended)
        assert found.result.secret


def test_text_that_looks_like_a_secret_of_the_codec_is_none() -> None:
    """Only what the codec left out marks a result, not what a script printed."""
    found = read(line_of(Ended(result(output=['{"$type":"secret"}', b"\x00"]), MOMENT)))

    assert isinstance(found, Ended)
    assert not found.result.secret


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"null",
        b"\x00\x00",
        b"\xff",
        b'{"type":"begun"}',
        b'{"type":[]}',
        b'{"type":"started","at":"2026","step":"a"}',
        b'{"type":"started","at":3,"step":"a","host":"b"}',
        b'{"type":"started","at":"2026-11-21T00:00:00+00:00","step":1,"host":"b"}',
        b'{"type":"ended","at":"2026-11-21T00:00:00+00:00","step":"a","host":"b","result":{"status":"good"}}',
        b'{"type":"ended","at":"2026-11-21T00:00:00+00:00","step":"a","host":"b","result":{"status":"ok","x":1}}',
        b'{"type":"ended","at":"2026-11-21T00:00:00+00:00","step":"a","host":"b","result":[]}',
        b'{"type":"ended","at":"2026-11-21T00:00:00+00:00","step":"a","host":"b","result":{}}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    """As a ValueError, so that one place decides whether it is torn or damaged."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of many parsers
        record_of(line, lambda field: field)


def test_a_header_says_its_format() -> None:
    """It is the first thing that a reader of another version looks at."""
    written = json.loads(line_of(header()).data)

    assert (written["type"], written["format"], written["version"]) == ("run", 1, header().version)


def test_every_status_is_in_the_schema() -> None:
    """A new one must not make journals that no reader takes."""
    for status in Status:
        SCHEMA.validate(json.loads(line_of(Ended(result(status=status), MOMENT)).data))


@given(moments)
def test_a_moment_is_written_as_iso_8601_with_its_offset(at: datetime) -> None:
    """To the microsecond where it has some, and never as ``Z``: so the schema says."""
    assert moment_to_json(at) == at.isoformat()


def test_a_kind_of_text_of_its_own_is_written_as_text() -> None:
    """A name or a message can be of a subclass of str, which a line must not fail for."""

    class Name(str):
        __slots__ = ()

    line = line_of(Started(Name("größe"), "web1", 1, None, MOMENT))

    assert read(line) == Started("größe", "web1", 1, None, MOMENT)
