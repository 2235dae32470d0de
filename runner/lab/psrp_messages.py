"""PSRP messages as bytes, without reading what is in them: fragments together and apart (MS-PSRP 2.2.1, 2.2.4).

For endpoints that answer as they were told and so need no protocol machine; standard library only, to start fast.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

#: Message types (MS-PSRP 2.2.1).
INIT_RUNSPACEPOOL = 0x00010004
PUBLIC_KEY = 0x00010005
ENCRYPTED_SESSION_KEY = 0x00010006
RUNSPACE_AVAILABILITY = 0x00021004
RUNSPACEPOOL_STATE = 0x00021005
CREATE_PIPELINE = 0x00021006
GET_AVAILABLE_RUNSPACES = 0x00021007
RESET_RUNSPACE_STATE = 0x0002100C
PIPELINE_INPUT = 0x00041002
END_OF_PIPELINE_INPUT = 0x00041003
PIPELINE_STATE = 0x00041006
PIPELINE_HOST_CALL = 0x00041100
PIPELINE_HOST_RESPONSE = 0x00041101

_FRAGMENT = struct.Struct(">QQBI")  # object, number, flags, length
_MESSAGE = struct.Struct("<II")  # destination, type; two GUIDs follow
_MESSAGE_HEAD = 40
_START, _END = 1, 2
_TO_CLIENT = 1
#: Bytes of a message in one fragment: what PowerShell sends at most (remoting.md 4.2).
_PAYLOAD = 32768


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its type, the runspace pool it names, and its CLIXML."""

    kind: int
    pool: bytes
    body: str


class Joiner:
    """Fragments of one stream of one target to messages.

    Raises:
        ValueError: a fragment is cut off, or a message is too short.

    """

    def __init__(self) -> None:
        self._parts: dict[int, bytearray] = {}

    def feed(self, data: bytes) -> list[Message]:
        """The messages that end in ``data``."""
        messages, at = [], 0
        while at < len(data):
            try:
                number, _, flags, length = _FRAGMENT.unpack_from(data, at)
            except struct.error:
                raise ValueError("a fragment's head is cut off") from None
            at += _FRAGMENT.size + length
            if at > len(data):
                raise ValueError("a fragment is cut off")
            self._parts.setdefault(number, bytearray()).extend(data[at - length : at])
            if flags & _END:
                messages.append(_message(bytes(self._parts.pop(number))))
        return messages


def _message(data: bytes) -> Message:
    if len(data) < _MESSAGE_HEAD:
        raise ValueError("a message is shorter than its head")
    _, kind = _MESSAGE.unpack_from(data)
    return Message(kind, data[8:24], data[_MESSAGE_HEAD:].decode("utf-8-sig"))


def fragments(number: int, message: Message, pipeline: UUID | None) -> Iterator[bytes]:
    """The fragments of a message to a client; ``number`` is the object's, one more for each."""
    target = pipeline.bytes_le if pipeline is not None else bytes(16)
    whole = _MESSAGE.pack(_TO_CLIENT, message.kind) + message.pool + target + message.body.encode()
    count = (len(whole) + _PAYLOAD - 1) // _PAYLOAD
    for index in range(count):
        piece = whole[index * _PAYLOAD : (index + 1) * _PAYLOAD]
        flags = (_START if index == 0 else 0) | (_END if index == count - 1 else 0)
        yield _FRAGMENT.pack(number, index, flags, len(piece)) + piece
