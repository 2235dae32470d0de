"""What waits to be received: nothing is lost, nothing comes twice, and the end of a pipeline is known."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.lab.psrp_messages import PIPELINE_STATE, Message, fragments
from runner.lab.wsman_faults import ABORTED, NO_SHELL
from runner.lab.wsman_output import Output, split_fragments
from runner.lab.wsman_soap import Faulted

_OUTPUT = 0x00041004
_PIPELINE = UUID("4675b324-11a4-598f-8b62-0fb0994dec7c")


def sent(number: int, kind: int, body: str) -> bytes:
    """The fragments of one message, joined."""
    return b"".join(fragments(number, Message(kind, bytes(16), body), _PIPELINE))


def state(number: int, value: int, text: str = "") -> bytes:
    """A PIPELINE_STATE, perhaps a long one."""
    body = f'<Obj RefId="0"><MS><I32 N="PipelineState">{value}</I32><S N="Text">{text}</S></MS></Obj>'
    return sent(number, PIPELINE_STATE, body)


@given(st.lists(st.integers(0, 80_000), max_size=6), st.integers(50_000, 600_000))
def test_all_comes_once_and_in_order(sizes: list[int], room: int) -> None:
    """Whatever the sizes of messages and envelopes, and no answer is larger than its room."""
    output = Output()
    whole = b"".join(sent(number, _OUTPUT, "x" * size) for number, size in enumerate(sizes, 1))
    output.put(whole)
    received = b""
    while taken := output.take(room):
        assert sum((len(each) + 2) // 3 * 4 for each in taken) <= room
        received += b"".join(taken)
    assert received == whole
    assert not output.done


@given(st.integers(0, 6), st.integers(0, 70_000))
def test_a_pipeline_is_done_with_its_last_state(value: int, length: int) -> None:
    """Stopped, completed and failed end it, however long the record in it is; running does not."""
    output = Output()
    output.put(sent(1, _OUTPUT, "<I32>1</I32>") + state(2, value, "x" * length))
    output.take(1_000_000)
    assert output.done == (value in {3, 4, 5})


def test_nothing_is_given_after_the_last_state() -> None:
    """What an engine sends all the same stays where it is."""
    output = Output()
    output.put(state(1, 4) + sent(2, _OUTPUT, "<I32>1</I32>"))
    assert b"".join(output.take(1_000_000)) == state(1, 4)
    assert output.take(1_000_000) == []


def test_output_that_speaks_of_states_is_no_state() -> None:
    """Only the type of a message says what it is."""
    output = Output()
    output.put(sent(1, _OUTPUT, '<I32 N="PipelineState">4</I32>'))
    output.take(1_000_000)
    assert not output.done


async def test_what_has_come_is_given_before_the_end_is_told() -> None:
    """The first reason holds."""
    output = Output()
    output.put(sent(1, _OUTPUT, "<I32>1</I32>"))
    output.end(ABORTED)
    output.end(NO_SHELL)
    assert await output.wait(0)
    assert output.take(1_000_000)
    with pytest.raises(Faulted) as told:
        await output.wait(0)
    assert told.value.fault is ABORTED


async def test_a_poll_without_output_is_over_in_time() -> None:
    """It says that nothing came."""
    assert not await Output().wait(0.01)


@given(st.binary(max_size=60))
def test_whatever_comes_is_split_or_refused(data: bytes) -> None:
    """No bytes get lost in splitting, and nothing but ValueError is raised."""
    try:
        parts = list(split_fragments(data))
    except ValueError:
        return
    assert b"".join(parts) == data
