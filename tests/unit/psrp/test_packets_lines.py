"""Lines out of pieces, and a bound on what has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.psrp.packet_lines import LineSplitter, LineTooLong


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.data())
def test_pieces_mean_nothing(lines: list[bytes], data: st.DataObject) -> None:
    """However a stream is cut, the same lines come out, and what has no end yet stays."""
    stream = b"".join(line + b"\n" for line in lines) + b"rest"
    splitter, found = LineSplitter(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == lines
    assert splitter.rest() == b"rest"
    assert splitter.rest() == b""


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_an_endless_line_is_refused_before_it_is_kept(sizes: list[int]) -> None:
    """A line is refused when it passes the bound, and never before."""
    splitter, size = LineSplitter(100), 0
    for each in sizes:
        size += each
        if size <= 100:
            assert splitter.feed(b"x" * each) == []
            continue
        with pytest.raises(LineTooLong):
            splitter.feed(b"x" * each)
        return
    assert splitter.feed(b"\n") == [b"x" * size]


def test_the_bound_is_for_each_line() -> None:
    """Many lines within the bound pass in one piece; an unended one over it does not, whatever led it."""
    splitter = LineSplitter(10)
    assert len(splitter.feed(b"123456789\n" * 50)) == 50
    with pytest.raises(LineTooLong):
        splitter.feed(b"ok\n" + b"x" * 11)
