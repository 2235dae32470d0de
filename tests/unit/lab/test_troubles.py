"""Faults on demand: when they befall a request, and what spoilt fragments are."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.lab.psrp_messages import Message, fragments
from runner.lab.troubles import ANY, Kind, Trouble, Troubles, foreign, truncated


def pieces(size: int) -> list[bytes]:
    """The fragments of a message of so many bytes."""
    return list(fragments(7, Message(0x00041004, bytes(16), "x" * size), None))


@given(st.integers(0, 5), st.integers(1, 5), st.integers(0, 12))
def test_a_trouble_spares_then_befalls_then_is_over(skip: int, times: int, asked: int) -> None:
    """In this order, and only what it is for."""
    troubles = Troubles()
    troubles.add(Trouble(kind=Kind.DELAY, on="Receive", skip=skip, times=times))
    met = []
    for _ in range(asked):
        assert troubles.take("Send") is None
        met.append(troubles.take("receive") is not None)
    assert met == [skip <= number < skip + times for number in range(asked)]
    assert len(troubles.met) == sum(met)


def test_a_trouble_without_end_goes_on() -> None:
    """Until all are cleared."""
    troubles = Troubles()
    troubles.add(Trouble(kind=Kind.UNAUTHORIZED, times=None))
    assert all(troubles.take(ANY) for _ in range(10))
    troubles.clear()
    assert troubles.take(ANY) is None


@pytest.mark.parametrize("kind", [Kind.FAULT, Kind.KILL, Kind.TRUNCATED_FRAGMENT, Kind.FOREIGN_FRAGMENT])
def test_what_befalls_operations_must_name_one(kind: Kind) -> None:
    """A fragment cannot be spoilt before anybody knows what is asked."""
    with pytest.raises(ValueError, match="say which one"):
        Troubles().add(Trouble(kind=kind))


@given(st.integers(1, 70_000))
def test_a_truncated_fragment_says_more_than_it_has(size: int) -> None:
    """The last one alone, and its head stays."""
    good, bad = pieces(size), truncated(pieces(size))
    assert bad[:-1] == good[:-1]
    assert good[-1].startswith(bad[-1])
    assert 21 <= len(bad[-1]) < len(good[-1])


@given(st.integers(1, 70_000))
def test_the_rest_of_an_object_is_of_another(size: int) -> None:
    """It bears another id and ends what never began; no byte of the data is lost."""
    good, bad = pieces(size), foreign(pieces(size))
    heads = [struct.unpack_from(">QQBI", each) for each in bad[:2]]
    assert heads[0][0] != heads[1][0]
    assert heads[0][2] & 2 == 0
    assert heads[1][2] == 2
    assert bad[0][21:] + bad[1][21:] == good[0][21:]
    assert bad[2:] == good[1:]
