"""Fragments are put together only where every field is what the stream must go on with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.psrp.fragments import HEAD_SIZE, Assembler, BadFragment, TooMuch, cut, objects

CONTENTS = st.lists(st.binary(max_size=200), min_size=1, max_size=5)
SIZES = st.integers(HEAD_SIZE + 1, 120)


def fragments_of(contents: list[bytes], size: int) -> list[bytes]:
    """The fragments of objects numbered from 1."""
    return [piece for number, content in enumerate(contents, 1) for piece in cut(number, content, size)]


def put_together(pieces: list[bytes], **limits: int) -> list[bytes]:
    """The objects in what comes piece by piece."""
    assembler = Assembler(**limits)
    return [whole for piece in pieces for whole in assembler.feed(piece)]


@given(CONTENTS, SIZES, st.data())
def test_what_is_cut_is_put_together(contents: list[bytes], size: int, data: st.DataObject) -> None:
    """However many whole fragments come at once, the objects are what they were."""
    fragments = fragments_of(contents, size)
    assert all(len(fragment) <= size for fragment in fragments)
    pieces, at = [], 0
    while at < len(fragments):
        count = data.draw(st.integers(1, len(fragments) - at))
        pieces.append(b"".join(fragments[at : at + count]))
        at += count
    assert put_together(pieces) == contents


@given(CONTENTS, SIZES, st.data())
def test_a_cut_inside_a_fragment_is_refused(contents: list[bytes], size: int, data: st.DataObject) -> None:
    """A part of a fragment is never taken for a whole one."""
    fragments = fragments_of(contents, size)
    last = fragments[-1]
    kept = data.draw(st.integers(1, len(last) - 1))
    with pytest.raises(BadFragment):
        put_together([*fragments[:-1], last[:kept]])


@given(st.binary(min_size=300, max_size=400), SIZES, st.data())
def test_a_gap_is_refused(content: bytes, size: int, data: st.DataObject) -> None:
    """A fragment that is left out, comes twice or belongs to another object is noticed."""
    fragments = list(cut(7, content, size))
    place = data.draw(st.integers(0, len(fragments) - 2))
    left_out = fragments[:place] + fragments[place + 1 :]
    twice = fragments[: place + 1] + fragments[place:]
    foreign = fragments[: place + 1] + list(cut(8, content, size))[place + 1 :]
    for damaged in (left_out, twice, foreign):
        with pytest.raises(BadFragment):
            put_together(damaged)


@pytest.mark.parametrize("head", [b"", b"\0" * 8 + b"\0" * 8 + b"\3" + b"\0" * 4])
def test_an_object_has_a_number(head: bytes) -> None:
    """Object 0 is none (MS-PSRP 2.2.4); nothing at all is nothing."""
    assembler = Assembler()
    if head:
        with pytest.raises(BadFragment):
            list(assembler.feed(head))
    else:
        assert list(assembler.feed(head)) == []


@given(st.integers(0, 300), st.integers(0, 300), SIZES)
def test_the_object_limit_is_to_the_byte(length: int, limit: int, size: int) -> None:
    """An object of the limit passes, one byte more does not."""
    pieces = list(cut(1, b"x" * length, size))
    if length <= limit:
        assert put_together(pieces, object_limit=limit) == [b"x" * length]
    else:
        with pytest.raises(TooMuch) as caught:
            put_together(pieces, object_limit=limit)
        assert caught.value.of_object


@given(CONTENTS, st.integers(0, 1000), SIZES)
def test_the_data_limit_counts_all_objects(contents: list[bytes], limit: int, size: int) -> None:
    """All that came for a stream counts, whatever it was part of."""
    pieces = fragments_of(contents, size)
    if sum(map(len, contents)) <= limit:
        assert put_together(pieces, data_limit=limit) == contents
    else:
        with pytest.raises(TooMuch) as caught:
            put_together(pieces, data_limit=limit)
        assert not caught.value.of_object


@given(CONTENTS)
def test_objects_of_one_fragment_are_split(contents: list[bytes]) -> None:
    """What psrpcore writes uncut is taken apart by number."""
    data = b"".join(fragments_of(contents, 1000))
    assert list(objects(data)) == list(enumerate(contents, 1))


def test_a_fragment_needs_room() -> None:
    """A size that holds no data is a mistake of the carrier."""
    with pytest.raises(ValueError, match="no room"):
        list(cut(1, b"x", HEAD_SIZE))
