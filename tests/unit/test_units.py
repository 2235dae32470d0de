"""Sizes as people read and write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.units import format_size, parse_size


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0B"),
        (1, "1B"),
        (1000, "1KB"),
        (1024, "1KiB"),
        (200 << 20, "200MiB"),
        (1_500_000_000, "1500MB"),
        (1 << 30, "1GiB"),
    ],
)
def test_sizes_are_shown_in_their_own_unit(size: int, shown: str) -> None:
    """The largest unit that says it exactly: what was written as `200MiB` is shown so."""
    assert format_size(size) == shown


@given(st.integers(0, 2**52))
def test_a_shown_size_is_read_again(size: int) -> None:
    """Nothing is lost on the way to a message and back into a playbook."""
    assert parse_size(format_size(size)) == size
