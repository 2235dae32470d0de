"""Fragments for a server that takes less at once than its protocol lets one expect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConnectionLost
from runner.psrp.fragments import HEAD_SIZE, Assembler, cut
from runner.wsman.port import Answer
from runner.wsman.recut import Recut
from tests.unit.wsman.scripted_wire import PIPELINE, ScriptedWire, Taken, fault, fragment, opened

CAPABILITY = 0x00010002
LARGE, SMALL = 382464, 113664
TOO_LARGE = (fault(0x80338047), fault(None, subcode="EncodingLimit"), Answer(413, b""))


@given(
    st.lists(st.binary(max_size=400), min_size=1, max_size=5),
    st.integers(HEAD_SIZE + 1, 120),
    st.integers(HEAD_SIZE + 1, 120),
    st.integers(0, 8),
)
def test_what_is_cut_again_is_still_the_same(
    objects: list[bytes], size: int, smaller: int, taken_before: int
) -> None:
    """From whatever fragment on: the objects arrive whole, in fragments of the size."""
    fragments = [piece for number, data in enumerate(objects, 1) for piece in cut(number, data, size)]
    before, after = fragments[:taken_before], fragments[taken_before:]
    recut = Recut(smaller)
    pieces = [piece for each in after for piece in recut.feed(each)]
    assert all(len(piece) <= smaller for piece in pieces)
    assembler = Assembler()
    assert [whole for piece in [*before, *pieces] for whole in assembler.feed(piece)] == objects


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(HEAD_SIZE + 1, 400))
def test_several_fragments_at_once_are_taken_apart(objects: list[bytes], smaller: int) -> None:
    """As many as came together."""
    together = b"".join(piece for number, data in enumerate(objects, 1) for piece in cut(number, data, 60))
    assembler = Assembler()
    assert [whole for piece in Recut(smaller).feed(together) for whole in assembler.feed(piece)] == objects


def large(seed: bytes = b"abcdefgh") -> list[bytes]:
    """An object in fragments for a server that takes 500 KiB."""
    return list(cut(7, seed * 100_000, LARGE))


@pytest.mark.parametrize("refusal", TOO_LARGE)
@pytest.mark.parametrize("action", ["Command", "Send"])
async def test_a_server_that_takes_less_gets_less(action: str, refusal: Answer) -> None:
    """One refusal, by which the server has taken nothing; then the same in smaller pieces, and all that follows."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.say(fragment(CAPABILITY, b'<Obj><MS><Version N="protocolversion">2.3</Version></MS></Obj>'))
    async with made.listening():
        await taken.until(lambda: taken.fragments)
    wire.next[action].append(refusal)
    first, *rest = large()
    await made.command(PIPELINE, first)
    for piece in rest:
        await made.send(piece, pipeline=PIPELINE)

    assert made.fragment_size == SMALL
    accepted = [asked.data("rsp:CommandLine/rsp:Arguments") for asked in wire.asked("Command")]
    accepted += [asked.data("rsp:Send/rsp:Stream") for asked in wire.asked("Send")]
    refused = first if action == "Command" else rest[0]
    accepted.remove(refused)
    assembler = Assembler()
    assert [whole for piece in accepted for whole in assembler.feed(piece)] == [b"abcdefgh" * 100_000]
    assert taken.lost == []
    await made.close()


async def test_a_server_that_takes_even_less_is_told_of() -> None:
    """Less than any Windows ever took: the error says what to set, and nothing is tried for ever."""
    wire, taken = ScriptedWire(), Taken()
    made = await opened(wire, taken)
    wire.next["Command"].append(fault(0x80338047))
    with pytest.raises(ConnectionLost) as caught:
        await made.command(PIPELINE, next(cut(7, b"x" * 1000, SMALL)))
    assert caught.value.code == "envelope-too-large"
    assert "MaxEnvelopeSizekb" in caught.value.hints[0]
    assert len(wire.asked("Command")) == 1
    await made.close()
