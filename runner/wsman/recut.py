"""Fragments cut smaller on their way, for a server that takes less at once than its protocol lets one expect. Pure.

``MaxEnvelopeSizekb`` is 500 on every Windows since 2012, but an administrator may have set less, or a proxy may. Only
administrators may read the setting, so it is found out by the refusal: the server has taken nothing of the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

# Object, fragment, flags, length (MS-PSRP 2.2.4).
_HEAD = Struct(">QQBI")
_START, _END = 1, 2


class Recut:
    """What goes to one target from now on, in fragments of at most ``size`` bytes, heads included.

    Cutting one fragment into several moves the numbers of those after it in the same object.
    """

    __slots__ = ("_next", "_object", "_room")

    def __init__(self, size: int) -> None:
        self._room = size - _HEAD.size
        self._object = 0
        self._next = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The whole fragments of ``data``, each cut to size."""
        place = 0
        while place < len(data):
            object_id, number, flags, length = _HEAD.unpack_from(data, place)
            begin = place + _HEAD.size
            place = begin + length
            if flags & _START or object_id != self._object:
                self._object, self._next = object_id, number
            yield from self._pieces(data[begin:place], flags)

    def _pieces(self, content: bytes, flags: int) -> Iterator[bytes]:
        for begin in range(0, max(len(content), 1), self._room):
            piece = content[begin : begin + self._room]
            first, last = begin == 0, begin + self._room >= len(content)
            kept = flags & ((_START if first else 0) | (_END if last else 0))
            yield _HEAD.pack(self._object, self._next, kept, len(piece)) + piece
            self._next += 1
