"""Times with the seventh digit that .NET has and Python has not."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from runner.objects import PreciseDatetime, PreciseTimedelta, iso_duration, ticks_of

MOMENT = PreciseDatetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC, tick=7)


def test_the_tick_stands_in_the_text() -> None:
    """In ISO 8601 and in str, with a zone behind it; another precision leaves it out."""
    assert MOMENT.isoformat() == "2026-01-02T03:04:05.0000067+00:00"
    assert str(MOMENT) == "2026-01-02 03:04:05.0000067+00:00"
    assert MOMENT.isoformat(" ", "seconds") == "2026-01-02 03:04:05+00:00"
    assert repr(MOMENT).endswith("tick=7)")


def test_it_is_a_datetime_like_any_other() -> None:
    """It compares without its tick, and what is computed from it has none."""
    plain = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)

    assert plain == MOMENT
    assert hash(plain) == hash(MOMENT)
    assert (MOMENT + timedelta(1)).isoformat() == "2026-01-03T03:04:05.000006+00:00"
    assert MOMENT.replace(year=2027) == plain.replace(year=2027)
    assert MOMENT.astimezone(timezone(timedelta(hours=1))) == plain


def test_copies_keep_the_tick() -> None:
    """Also through pickle."""
    length = PreciseTimedelta(seconds=-1, tick=3)

    assert pickle.loads(pickle.dumps(MOMENT)).isoformat() == MOMENT.isoformat()
    assert ticks_of(pickle.loads(pickle.dumps(length))) == ticks_of(length) == -9_999_997
    assert repr(length).endswith("tick=3)")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "PT0S"),
        (PreciseTimedelta(tick=1), "PT0.0000001S"),
        (PreciseTimedelta(microseconds=-1, tick=9), "-PT0.0000001S"),
        (timedelta(days=-2), "-P2D"),
        (timedelta(hours=36, minutes=1), "P1DT12H1M"),
    ],
)
def test_a_duration_has_one_text(duration: timedelta, text: str) -> None:
    """ISO 8601, to 100 ns, the sign before all of it."""
    assert iso_duration(duration) == text
