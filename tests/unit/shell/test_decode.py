"""Reading output as lines, text and JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ExecutionFailed
from runner.playbook.model import OutputFormat
from runner.shell.decode import JSON_LIMIT, Decoded, decode, stderr_lines
from runner.shell.output import Collected, OutputCollector
from runner.transport.port import Stream

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def collected(data: bytes, limit: int = 1 << 20) -> Collected:
    """A complete standard output."""
    collector = OutputCollector(limit=limit)
    if data:
        collector.data_received(Stream.STDOUT, data)
    collector.finish()
    return collector.stdout


def read(data: bytes, output: OutputFormat, limit: int = 1 << 20) -> Decoded:
    """``data`` read as a step's output."""
    stream = collected(data, limit)
    try:
        return decode(stream, output)
    finally:
        stream.close()


def failure(data: bytes, output: OutputFormat) -> ExecutionFailed:
    """The error of reading ``data``."""
    with pytest.raises(ExecutionFailed) as caught:
        read(data, output)
    assert (caught.value.phase, caught.value.may_have_run) == ("decode", True)
    return caught.value


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\r\nb\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        ("é\u2028x\n".encode(), ["é\u2028x"]),
        (b"ok\n\xff\xfe\n", ["ok", {"$bytes": base64.b64encode(b"\xff\xfe").decode()}]),
    ],
)
def test_lines(data: bytes, lines: list[Any]) -> None:
    """A newline ends a line, nothing else; bytes that are no UTF-8 are kept, line by line."""
    assert decode(collected(data), OutputFormat.LINES) == Decoded(lines)


def test_text() -> None:
    """Text is everything as printed, bytes where it is no UTF-8."""
    assert decode(collected(b"a\r\n\n"), OutputFormat.TEXT) == Decoded("a\r\n\n")
    assert decode(collected(b"\xff"), OutputFormat.TEXT) == Decoded({"$bytes": "/w=="})


def test_the_beginning_is_cut_where_it_can_be() -> None:
    """What does not fit in memory is cut at a line, or inside a text at a character, and says so."""
    assert read(b"aa\nbb\ncc\n", OutputFormat.LINES, limit=7) == Decoded(["aa", "bb"], truncated=True)
    assert read("aé𝄞".encode(), OutputFormat.TEXT, limit=6) == Decoded("aé", truncated=True)
    assert read("aé𝄞b".encode(), OutputFormat.TEXT, limit=7) == Decoded("aé𝄞", truncated=True)


@given(JSON)
def test_json_is_read_as_written(value: Any) -> None:
    """Any JSON document is read, spooled or not, and so is a list of them a line each."""
    document = json.dumps(value, ensure_ascii=False).encode()
    assert read(document, OutputFormat.JSON, limit=3) == Decoded(value)
    assert decode(collected(document + b"\n\n" + document), OutputFormat.JSONL) == Decoded([value, value])
    assert decode(collected(document + b"\r\n"), OutputFormat.OBJECTS) == Decoded([value])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b" \n", "the script printed nothing where `output: json` expects one JSON document"),
        (
            b'{"a": 1,\n "b": oops}',
            "the output is not one JSON document: expecting value at line 2, column 7, near `oops}`",
        ),
        (b"{}\n{}\n", "the output is not one JSON document: extra data at line 2, column 1, near `{}`"),
        (b"NaN", "the output is not one JSON document: `NaN` is no number that JSON can hold"),
        (b"[1e999]", "the output is not one JSON document: `1e999` is no number that JSON can hold"),
        (rb'["\ud800"]', "the output is not one JSON document: a text holds half of a surrogate pair"),
        (b"1\n\xff", "the output is no JSON: byte 0xFF in line 2 is not UTF-8"),
        (b"[" * 100_000, "the output is not one JSON document: it is nested too deeply"),
    ],
)
def test_what_is_no_json(data: bytes, message: str) -> None:
    """The error says where, and what stands there."""
    error = failure(data, OutputFormat.JSON)
    assert (error.code, error.message) == ("output-not-json", message)


def test_which_line_is_no_json() -> None:
    """In JSON lines the error names the line and the column in it."""
    error = failure(b'{"a": 1}\n\nreading...\n', OutputFormat.JSONL)
    assert error.message == (
        "line 3 of the output is no JSON value: expecting value at column 1, near `reading...`"
    )
    assert error.hints


def test_json_lines_may_be_none() -> None:
    """No output is an empty list of objects."""
    assert decode(collected(b""), OutputFormat.OBJECTS) == Decoded([])


def test_a_byte_order_mark_and_pairs_are_fine() -> None:
    """What Windows tools put before JSON, and escaped pairs, are read; of a key twice the last counts."""
    assert decode(collected(b"\xef\xbb\xbf1"), OutputFormat.JSON) == Decoded(1)
    assert decode(collected(rb'"\ud834\udd1e"'), OutputFormat.JSON) == Decoded("𝄞")
    assert decode(collected(b'{"a": 1, "a": 2}'), OutputFormat.JSON) == Decoded({"a": 2})


def test_too_much_json_is_refused() -> None:
    """More than the bound is not read at all."""
    stream = collected(b"x", limit=0)
    stream.size = JSON_LIMIT + 1
    with pytest.raises(ExecutionFailed) as caught:
        decode(stream, OutputFormat.JSON)
    assert caught.value.code == "output-too-large"
    stream.close()


def test_stderr_is_text() -> None:
    """Standard error is lines of text, whatever its bytes."""
    assert stderr_lines(collected(b"a\r\n\xff")) == ["a", "\\xff"]


@pytest.mark.parametrize("output", [OutputFormat.JSON, OutputFormat.JSONL])
def test_an_error_shows_nothing_of_a_line_with_a_secret(output: OutputFormat) -> None:
    """The words that an error shows may cut a secret in half, which no mask would find: then none are shown."""
    data = b"oops " + b"x" * 30 + b"hunter22"
    with pytest.raises(ExecutionFailed) as shown:
        decode(collected(data), output)
    assert "near `oops" in shown.value.message
    with pytest.raises(ExecutionFailed) as hidden:
        decode(collected(data), output, lambda text: "hunter22" in text)
    assert "near" not in hidden.value.message
