"""Messages that are read at once are read as psrpcore reads them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psrpcore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psrpcore.types import PSRPMessageType

from runner.psrp.from_ps import from_ps
from runner.psrp.protocol import Protocol, Unreadable, read_head
from runner.psrp.request import Command, PipelineRequest, PoolSettings, Statement

PIPELINE = UUID(int=7)


def message(kind: PSRPMessageType, body: bytes) -> bytes:
    """A whole message of the pipeline."""
    head = (1).to_bytes(4, "little") + kind.value.to_bytes(4, "little")
    return head + bytes(16) + PIPELINE.bytes_le + body


def by_psrpcore(kind: PSRPMessageType, body: bytes) -> Any:
    """What psrpcore makes of a message, by itself; None where it refuses."""
    pool = psrpcore.ClientRunspacePool()
    psrpcore.ClientPowerShell(pool, pipeline_id=PIPELINE)
    whole = message(kind, body)
    head = (1).to_bytes(8, "big") + bytes(8) + b"\x03" + len(whole).to_bytes(4, "big")
    pool.receive_data(psrpcore.PSRPPayload(head + whole, psrpcore.StreamType.default, PIPELINE))
    try:
        return pool.next_event()
    except Exception:  # noqa: BLE001 - it refuses in many ways
        return None


def by_us(kind: PSRPMessageType, body: bytes) -> Any:
    """What a pool's protocol makes of it; None where it refuses."""
    protocol = Protocol(PoolSettings())
    protocol.create(PipelineRequest(statements=(Statement((Command("x", is_script=True),)),)), PIPELINE)
    try:
        return protocol.read(read_head(message(kind, body)))
    except Unreadable:
        return None


TEXTS = st.binary() | st.text(st.sampled_from("a_xX05F&<>;\t\n\r\0\x0b\x1f\x7fé𝄞]\ufffe")).map(str.encode)


@given(TEXTS.filter(lambda text: b"<" not in text))
@example(b"_x000A_ and _X000a_ and a_b")
@example(b"line\r\nline")
@example(b"")
def test_texts_are_what_psrpcore_reads(text: bytes) -> None:
    """Also with escapes, references, line ends and what XML forbids."""
    body = b"<S>" + text + b"</S>"
    expected, found = (read(PSRPMessageType.PipelineOutput, body) for read in (by_psrpcore, by_us))
    if expected is None:
        assert found is None
    else:
        assert from_ps(found.data) == from_ps(expected.data)
        assert (found.pipeline_id, type(found)) == (PIPELINE, psrpcore.PipelineOutputEvent)


@pytest.mark.parametrize("number", range(7))
def test_ends_are_what_psrpcore_reads(number: int) -> None:
    """Each state, those that are no end and those that do not exist among them."""
    body = b'<Obj RefId="0"><MS><I32 N="PipelineState">%d</I32></MS></Obj>' % number
    expected, found = (read(PSRPMessageType.PipelineState, body) for read in (by_psrpcore, by_us))
    if expected is None:
        assert found is None
    else:
        assert (found.state, found.reason, type(found)) == (expected.state, None, type(expected))
