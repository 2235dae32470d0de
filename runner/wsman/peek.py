"""The little a carrier must see of what it carries: that a pipeline ends, which protocol the peer speaks. Pure.

Only headers are read, and the body of the two messages in question; what is malformed is left to the pool to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct

# remoting.md 0: object, fragment, flags, length; then destination and type of the message a first fragment begins.
_FRAGMENT = Struct(">QQBI")
_MESSAGE = Struct("<II")
_START = 1
_MESSAGE_HEADER = 40

_SESSION_CAPABILITY = 0x00010002
_PIPELINE_STATE = 0x00041006

# Stopped, Completed, Failed; a server of psrpcore also tells of Running.
_TERMINAL = re.compile(rb'<I32 N="PipelineState">[345]</I32>')
_PROTOCOL = re.compile(rb'<Version N="protocolversion">(\d{1,4})\.(\d{1,4})</Version>')


def ends_pipeline(data: bytes) -> bool:
    """Whether the last message of a pipeline is in these whole fragments."""
    return any(
        kind == _PIPELINE_STATE and _TERMINAL.search(data, begin, end) for kind, begin, end in _messages(data)
    )


def protocol_version(data: bytes) -> tuple[int, int] | None:
    """The peer's protocol, where its SESSION_CAPABILITY is in these whole fragments."""
    for kind, begin, end in _messages(data):
        if kind == _SESSION_CAPABILITY and (found := _PROTOCOL.search(data, begin, end)):
            return int(found[1]), int(found[2])
    return None


def _messages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Type, and begin and end of the body, of each message that begins here (its first fragment's part of it)."""
    place = 0
    while place + _FRAGMENT.size <= len(data):
        _, _, flags, length = _FRAGMENT.unpack_from(data, place)
        begin = place + _FRAGMENT.size
        place = begin + length
        if flags & _START and length >= _MESSAGE_HEADER and place <= len(data):
            yield _MESSAGE.unpack_from(data, begin)[1], begin + _MESSAGE_HEADER, place
