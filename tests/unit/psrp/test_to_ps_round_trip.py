"""What is sent and comes back as it was is the same value, through psrpcore's own serializer."""

from __future__ import annotations

import copy
import string
from collections import OrderedDict
from datetime import UTC
from decimal import Decimal
from math import isnan
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.objects import PreciseDatetime, PreciseTimedelta, PSCredential, PSObject, ticks_of
from runner.values import Secret
from tests.support.clixml import there_and_back

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=20)
TICKS = st.integers(1, 9)
DECIMALS = st.builds(
    lambda digits, scale: Decimal(digits).scaleb(-scale),
    st.integers(-(10**27), 10**27),
    st.integers(0, 28),
)
DURATIONS = st.timedeltas().filter(lambda value: abs(ticks_of(value)) < 2**63)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False)
    | TEXT
    | st.binary(max_size=20)
    | st.uuids()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | DURATIONS
    | DECIMALS
    | TEXT.map(Secret)
    | st.builds(PSCredential, TEXT, TEXT.map(Secret))
)
KEYS = TEXT | st.integers(-(2**40), 2**40)
NAMES = st.text(string.ascii_letters + " -_$", min_size=1, max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4).map(OrderedDict)
        | st.dictionaries(NAMES, inner, max_size=4).map(PSObject)
    ),
    max_leaves=12,
)


def plain(value: Any) -> Any:
    """The value with integers that no Int64 or UInt64 holds as the Decimal they arrive as."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return Decimal(value)
    return value


@given(VALUES)
def test_every_value_of_the_table_comes_back(value: Any) -> None:
    """Equal in value, and of the same type for containers: an ordered dictionary stays one, an object too."""
    back = there_and_back(value)

    assert back == value
    assert type(back) is type(plain(value))
    if isinstance(value, dict):
        assert list(back) == list(value)


@given(st.datetimes(timezones=st.just(UTC)), DURATIONS, TICKS)
def test_seven_digits_come_back(moment: Any, duration: Any, tick: int) -> None:
    """The digit that Python does not count in is kept, on the way and in copies."""
    precise = PreciseDatetime.of(moment, tick)
    length = PreciseTimedelta(duration.days, duration.seconds, duration.microseconds, tick=tick)

    assert (there_and_back(precise), there_and_back(precise).tick) == (moment, tick)
    assert copy.deepcopy(precise).isoformat() == precise.isoformat()
    if abs(ticks_of(length)) < 2**63:
        assert ticks_of(there_and_back(length)) == ticks_of(length)
    assert ticks_of(copy.deepcopy(length)) == ticks_of(length)


def test_nan_comes_back() -> None:
    """It equals nothing, so it has a test of its own."""
    assert isnan(there_and_back(float("nan")))
