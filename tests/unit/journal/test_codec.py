"""Values keep their types on the way through JSON."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given

from runner.journal.codec import STARS, decode, encode
from runner.objects import PSCredential, PSObject
from runner.values import Secret
from tests.unit.journal.samples import same, values


def through_json(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False).encode()))


@given(values)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    """Types, keys, order, ticks, folds and lone surrogates included."""
    assert same(through_json(value), value)


@given(values)
def test_what_is_written_is_json_that_any_reader_takes(value: Any) -> None:
    """Only finite numbers, and text that UTF-8 can write."""
    json.dumps(encode(value), ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "größe", [1, "a"], {"a": {"b": []}}])
def test_what_json_has_stays_plain(value: Any) -> None:
    """A person and jq read it as it is."""
    assert encode(value) == value


def test_a_key_of_ours_in_a_mapping_of_the_author_is_escaped() -> None:
    """Nobody's output can pass for a reference into the spool or for a type."""
    for key in ("$type", "$spool"):
        value = {key: "bytes", "value": "AAAA"}

        assert key not in encode(value) or encode(value)["$type"] == "dict"
        assert through_json(value) == value


def test_a_secret_does_not_get_in() -> None:
    """Of a secret and of a login's password only their place is kept."""
    written = json.dumps(encode([Secret("hunter2"), PSCredential("ops", Secret("hunter2"))]))

    assert "hunter2" not in written
    assert decode(json.loads(written)) == [Secret(STARS), PSCredential("ops", Secret(STARS))]


@pytest.mark.parametrize("depth", [59, 60, 61, 62, 1_000, 50_000])
def test_depth_is_no_limit(depth: int) -> None:
    """A host can nest its output as deep as it likes, of any kind of container."""
    value: Any = [b"the end"]
    for level in range(depth):
        value = [
            [value, level],
            {"a": value, 1: level},
            PSObject({"$type": value}, type_names=("T",), text="t"),
            (value,),
        ][level % 4]

    found = through_json(value)

    for _ in range(depth):
        assert type(found) is type(value)
        if isinstance(value, dict):
            assert list(found) == list(value)
            found, value = next(iter(found.values())), next(iter(value.values()))
        else:
            found, value = found[0], value[0]
    assert found == [b"the end"]


def test_a_class_of_its_own_is_kept_as_what_it_is_nearest_to() -> None:
    """What no table names must not end a run: a subclass as its base, anything else as its text."""

    class Colour(StrEnum):
        RED = "red"

    class Path:
        def __str__(self) -> str:
            return "/etc"

    assert through_json([Colour.RED, Path(), {3}, bytearray(b"x")]) == ["red", "/etc", [3], b"x"]


@pytest.mark.parametrize(
    "written",
    [
        {"$type": "nonsense"},
        {"$type": "bytes"},
        {"$type": "bytes", "value": "***"},
        {"$type": "decimal", "value": "x"},
        {"$type": "date", "value": 3},
        {"$type": "dict", "value": [[[], 1]]},
        {"$type": "deep", "value": []},
        {"$type": []},
    ],
)
def test_what_encode_does_not_write_is_refused(written: Any) -> None:
    """As a ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of many parsers
        decode(written)
