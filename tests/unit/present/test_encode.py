"""Values as JSON has them, masked, whatever they are."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.result import Status
from runner.objects import iso_duration
from runner.present.encode import encode_time, encode_value, encode_words
from tests.support.fake_runs import keep, mask_hunter


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (datetime(2026, 11, 21, 1, 50, tzinfo=UTC), "2026-11-21T01:50:00Z"),
        (datetime(2026, 11, 21, 1, 50, 0, 125000, tzinfo=UTC), "2026-11-21T01:50:00.125000Z"),
        (datetime(2026, 11, 21, 1, 50, tzinfo=timezone(timedelta(hours=2))), "2026-11-21T01:50:00+02:00"),
        (date(2026, 11, 21), "2026-11-21"),
        (timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S"),
        (Decimal("1.10"), "1.10"),
        (b"\xff\x00", {"$bytes": "/wA="}),
        ("caf\udce9", {"$bytes": base64.b64encode(b"caf\xe9").decode()}),
        ({1: Status.OK, "x": (1, None, True)}, {"1": "ok", "x": [1, None, True]}),
        ({3, 1}, [1, 3]),
        (float("inf"), "inf"),
        ("\x1b[2J", "\x1b[2J"),
    ],
)
def test_a_value_has_its_form_of_the_contract(value: object, encoded: object) -> None:
    """ISO 8601, text for Decimal, base64 for bytes; control characters stay exact."""
    assert encode_value(value, keep) == encoded


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.timedeltas()
    | st.datetimes()
    | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters()) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANY)
def test_anything_becomes_strict_json(value: Any) -> None:
    """Any value can be written as JSON in UTF-8, without NaN, and read again as the same."""
    encoded = encode_value(value, keep)
    text = json.dumps(encoded, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert json.loads(text) == encoded


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9999)))
def test_a_duration_can_be_read_back(value: timedelta) -> None:
    """Days, hours, minutes and seconds of the text add up to the duration."""
    days, _, clock = iso_duration(value).removeprefix("P").partition("T")
    total = timedelta(days=int(days.removesuffix("D") or 0))
    for unit, name in (("H", "hours"), ("M", "minutes"), ("S", "seconds")):
        number, found, rest = clock.partition(unit)
        if found:
            whole, _, fraction = number.partition(".")
            total += timedelta(**{name: int(whole)}, microseconds=int(fraction.ljust(6, "0") or 0))
            clock = rest
    assert total == value


def test_a_negative_duration_has_a_sign() -> None:
    """Never a text that reads as a long positive one."""
    assert iso_duration(timedelta(seconds=-90)) == "-PT1M30S"
    assert iso_duration(timedelta(0)) == "PT0S"


def test_a_secret_is_masked_wherever_it_stands() -> None:
    """In texts, keys, bytes and texts that are not UTF-8."""
    value = {"hunter2": ["x hunter2", b"hunter2\xff", "hunter2\udcff"]}
    encoded = encode_value(value, mask_hunter)
    assert encoded == {
        "********": [
            "x ********",
            {"$bytes": base64.b64encode(b"********\xff").decode()},
            {"$bytes": base64.b64encode(b"********\xff").decode()},
        ]
    }


def test_words_are_always_text() -> None:
    """A message with a byte that was not UTF-8 stays a text."""
    assert encode_words("caf\udce9 日", keep) == "caf\\xe9 日"


def test_a_time_without_zone_stays_without() -> None:
    """No zone is invented."""
    assert encode_time(datetime(2026, 1, 2)) == "2026-01-02T00:00:00"  # noqa: DTZ001 - no zone is the point
