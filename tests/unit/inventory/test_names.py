"""Ranges and ports in names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.inventory.names import LARGEST_RANGE, RangeError, count, expand, is_ipv6, split_port


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("web1", ["web1"]),
        ("web[01:03]", ["web01", "web02", "web03"]),
        ("web[1:3].corp", ["web1.corp", "web2.corp", "web3.corp"]),
        ("db-[a:c]", ["db-a", "db-b", "db-c"]),
        ("n[0:10:5]", ["n0", "n5", "n10"]),
        ("n[:2]", ["n0", "n1", "n2"]),
        ("r[1:2]n[a:b]", ["r1na", "r1nb", "r2na", "r2nb"]),
        ("x[099:101]", ["x099", "x100", "x101"]),
        ("2001:db8::[1:2]", ["2001:db8::1", "2001:db8::2"]),
    ],
)
def test_ranges_stand_for_their_names(text: str, names: list[str]) -> None:
    """A name with ranges stands for every combination, the last range moving fastest."""
    assert list(expand(text)) == names


@pytest.mark.parametrize(
    "text",
    [
        "web[1:",
        "web1]",
        "web[[1:2]]",
        "web[3]",
        "web[1-3]",
        "web[3:1]",
        "web[c:a]",
        "web[01:100]",
        "web[1:9:0]",
        "web[1:9:x]",
        "web[1:]",
        "web[a:10]",
        f"web[0:{LARGEST_RANGE}]",
        "a[1:99999]b[1:99999]c[1:99999]",
        "web[1:99999999999999999999]",
        "web[1:2:" + "9" * 5000 + "]",
    ],
)
def test_bad_ranges_are_refused(text: str) -> None:
    """What is no range, is empty or would explode is an error before the first name is made."""
    with pytest.raises(RangeError):
        expand(text)


@given(
    first=st.integers(0, 500),
    length=st.integers(0, 60),
    step=st.integers(1, 9),
    width=st.integers(1, 4),
    data=st.data(),
)
def test_numbers_keep_count_and_padding(
    first: int, length: int, step: int, width: int, data: st.DataObject
) -> None:
    """A numeric range has one name a step, padded to the first bound's width where that begins with a zero."""
    low, high = str(first).zfill(width), str(first + length).zfill(width)
    padded = low[0] == "0" and len(low) > 1
    if padded and len(low) != len(high):
        return
    names = list(expand(f"h[{low}:{high}:{step}]"))
    assert [int(name[1:]) for name in names] == list(range(first, first + length + 1, step))
    assert count(f"h[{low}:{high}:{step}]") == len(names) == len(set(names))
    if padded:
        assert {len(name) for name in names} == {len(low) + 1}


@given(st.text(alphabet="web[]:019af-", max_size=14))
def test_any_text_expands_or_is_refused(text: str) -> None:
    """No text makes anything but names without brackets, or a RangeError."""
    try:
        names = list(expand(text))
    except RangeError:
        return
    assert names
    assert not any("[" in name or "]" in name for name in names)


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("web1", "web1", None),
        ("web1:2222", "web1", 2222),
        ("web[1:3]:22", "web[1:3]", 22),
        ("web[1:3]", "web[1:3]", None),
        ("[2001:db8::1]:22", "2001:db8::1", 22),
        ("2001:db8::22", "2001:db8::22", None),
        ("fe80::1%eth0", "fe80::1%eth0", None),
        ("web1:", "web1:", None),
    ],
)
def test_ports_are_told_from_addresses(text: str, name: str, port: int | None) -> None:
    """A port follows a name or a bracketed address, never a bare IPv6 address."""
    assert split_port(text) == (name, port)


def test_ipv6_addresses_are_known() -> None:
    """Only whole IPv6 addresses count as such."""
    assert is_ipv6("::1")
    assert is_ipv6("fe80::1%eth0")
    assert not is_ipv6("web:db:app")
