"""Node sets: folding and unfolding give the same names, whatever the names are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.present.folding import fold, natural_key


def split_sets(text: str) -> Iterator[str]:
    """The node sets between commas that stand in no bracket; written apart from the code that folds."""
    start = depth = position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == "[":
            depth += 1
        elif text[position] == "]":
            depth -= 1
        elif text[position] == "," and not depth:
            yield text[start:position]
            start = position + 1
        position += 1
    yield text[start:]


def expand(text: str) -> list[str]:
    """All names of a text of node sets."""
    names: list[str] = []
    for node_set in split_sets(text):
        match = re.fullmatch(r"((?:[^\[\]\\]|\\.)*)\[([0-9,-]+)\]((?:[^\[\]\\]|\\.)*)", node_set, re.DOTALL)
        inside = match[2] if match else ""
        before, after = (match[1], match[3]) if match else (node_set, "")
        for part in inside.split(","):
            first, _, last = part.partition("-")
            width = len(first) if first.startswith("0") else 1
            numbers = range(int(first), int(last or first) + 1) if part else [None]
            for number in numbers:
                middle = "" if number is None else str(number).zfill(width)
                names.append(re.sub(r"\\(.)", r"\1", before + middle + after, flags=re.DOTALL))
    return names


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["web01", "web02", "web03"], "web[01-03]"),
        (["web07", "web01", "web02", "web03"], "web[01-03,07]"),
        (["web1", "db1", "localhost"], "db1,localhost,web1"),
        (["web9", "web10", "web11"], "web[9-11]"),
        (["web09", "web10"], "web[09-10]"),
        (["web1", "web01", "web2", "web02"], "web[1-2,01-02]"),
        ([f"win{n:02d}.corp.example" for n in range(1, 6)], "win[01-05].corp.example"),
        ([f"web{n}.dc2.example" for n in (1, 2, 3)], "web[1-3].dc2.example"),
        ([f"10.0.0.{n}" for n in (7, 8, 20)], "10.0.0.[7-8,20]"),
        (["rack1-web1", "rack2-web1", "rack3-web1"], "rack[1-3]-web1"),
        (["web1", "web1"], "web1"),
        (["[::1]:22"], r"\[::1\]:22"),
        ([], ""),
    ],
)
def test_fold_writes_what_an_administrator_would(names: list[str], folded: str) -> None:
    """Names meet under the number that most of them share, padding is kept, each name stands once."""
    assert fold(names) == folded


NAMES = st.one_of(
    st.from_regex(r"[a-c]{0,2}[0-9]{1,3}(-[ab][0-9]{1,2})?(\.x[0-9])?", fullmatch=True),
    st.text(min_size=1, max_size=12),
    st.text(alphabet="0123456789", min_size=1, max_size=30),
)


@given(st.sets(NAMES, min_size=1, max_size=60))
def test_expanding_what_was_folded_gives_the_names(names: set[str]) -> None:
    """No name is lost, none is invented, none stands twice."""
    expanded = expand(fold(names))
    assert sorted(expanded) == sorted(names)


@given(st.sets(NAMES, min_size=1, max_size=20))
def test_the_order_of_names_does_not_matter(names: set[str]) -> None:
    """The text depends on the set of names alone."""
    assert fold(sorted(names)) == fold(sorted(names, reverse=True))


def test_ten_thousand_names_become_one_range() -> None:
    """A big fleet is one short text."""
    names = [f"web{number:05d}" for number in range(1, 10_001)]
    assert fold(reversed(names)) == "web[00001-10000]"


def test_natural_order_counts() -> None:
    """web2 comes before web10, and web02 after web2."""
    assert sorted(["web10", "web2", "web02", "db3"], key=natural_key) == ["db3", "web2", "web02", "web10"]
