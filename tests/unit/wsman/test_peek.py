"""What the carrier sees of the fragments it carries: an end, a version, and nothing in what is malformed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.wsman.peek import ends_pipeline, protocol_version
from tests.unit.wsman.scripted_wire import fragment, state

OUTPUT = 0x00041004


@pytest.mark.parametrize(
    ("number", "ends"), [(0, False), (1, False), (2, False), (3, True), (4, True), (5, True)]
)
def test_only_a_terminal_state_ends_a_pipeline(number: int, ends: bool) -> None:
    """Stopped, Completed and Failed; a server of psrpcore also tells of Running."""
    assert ends_pipeline(fragment(OUTPUT, b"<S>x</S>") + state(number)) is ends


def test_output_that_looks_like_a_state_is_none() -> None:
    """The type of the message counts, not what a script prints."""
    assert not ends_pipeline(fragment(OUTPUT, b'<I32 N="PipelineState">4</I32>'))
    assert protocol_version(fragment(OUTPUT, b'<Version N="protocolversion">2.3</Version>')) is None


def test_a_later_part_of_an_object_is_not_looked_at() -> None:
    """Only a first fragment has a message's head."""
    later = bytearray(state(4))
    later[16] = 2

    assert not ends_pipeline(bytes(later))


def test_the_version_is_two_numbers() -> None:
    """2.10 comes after 2.9."""
    capability = fragment(0x00010002, b'<Version N="protocolversion">2.10</Version>')

    assert protocol_version(fragment(OUTPUT, b"") + capability) == (2, 10)


@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_bytes_break_it(data: bytes, cut: int) -> None:
    """Truncated and foreign fragments are the pool's to refuse."""
    assert ends_pipeline(data) in {True, False}
    assert not ends_pipeline(state(4)[: min(cut, len(state(4)) - 1)])
    assert protocol_version(data) is None or isinstance(protocol_version(data), tuple)
