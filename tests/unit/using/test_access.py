"""Chains applied to values: the rules of remoting, on the controller."""

from __future__ import annotations

from typing import Any

import pytest

from runner.using.access import ChainError, apply_chain
from runner.using.model import Access, Index, Member

HOSTS = [{"Name": "a", "tags": [1, 2]}, {"name": "b", "tags": [3]}]


@pytest.mark.parametrize(
    ("value", "chain", "expected"),
    [
        (5, (), 5),
        ({"Name": 1}, (Member("name"),), 1),
        ({"name": 2, "Name": 1}, (Member("Name"),), 1),
        ({"a": {"b": [1, 2]}}, (Member("a"), Member("b"), Index(-1)), 2),
        ([1, 2, 3], (Member("Count"),), 3),
        ((1, 2), (Member("length"),), 2),
        ("abc", (Member("Length"),), 3),
        ("abc", (Member("Count"),), 1),
        ({"a": 1, "b": 2}, (Member("Count"),), 2),
        ({"count": 9}, (Member("Count"),), 9),
        (HOSTS, (Member("name"),), ["a", "b"]),
        (HOSTS, (Member("tags"),), [1, 2, 3]),
        ([{"a": 1}, {"b": 2}], (Member("a"),), [1]),
        ([1, 2], (Index(5),), None),
        ([1, 2], (Index(-3),), None),
        ([1, None, 3], (Index((0, 1, 9)),), [1, None]),
        ([1, 2], (Index("1"),), 2),
        ([1, 2], (Index(True),), 2),
        ("abc", (Index(1),), "b"),
        ({"K": 1}, (Index("k"),), 1),
        ({"K": 1}, (Index("x"),), None),
        ({1: "a", "1": "b"}, (Index(1),), "a"),
        ({"a": 1, "b": 2}, (Index(("a", "b")),), [1, 2]),
    ],
)
def test_a_chain_leads_to_its_value(value: Any, chain: tuple[Access, ...], expected: Any) -> None:
    """Keys in any case, indexes from both ends, nothing out of range, members of each element."""
    assert apply_chain(value, chain) == expected


@pytest.mark.parametrize(
    ("value", "chain", "message"),
    [
        (None, (Member("a"),), "`.a` is asked of null"),
        (None, (Index(0),), "`[0]` is asked of null"),
        ({"a": None}, (Member("a"), Index("k")), "`['k']` is asked of null"),
        ({"a": 1, "c": 2}, (Member("b"),), "a mapping has no key `b`; it has `a`, `c`"),
        ({}, (Member("b"),), "a mapping has no key `b`; it is empty"),
        (5, (Member("real"),), "an integer has no member `real`"),
        ("x", (Member("upper"),), "a text has no member `upper`"),
        ([1, 2], (Member("append"),), "no element of the list has a member `append`"),
        (5, (Index(0),), "an integer takes no index `[0]`"),
        ([1], (Index("x"),), "a list takes no index `['x']`: a whole number is needed"),
        ([1], (Index(None),), "a list takes no index `[null]`: a whole number is needed"),
    ],
)
def test_a_chain_that_leads_nowhere_says_why(value: Any, chain: tuple[Access, ...], message: str) -> None:
    """No attribute of a Python object is ever read, and the message names no value."""
    with pytest.raises(ChainError) as caught:
        apply_chain(value, chain)
    assert caught.value.message == message
