"""Fragments, in which messages travel (MS-PSRP 2.2.4): cut here, and put together again with every field checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct

#: Object id, fragment id, flags, length of what follows; big-endian.
_HEAD = Struct(">QQBI")
HEAD_SIZE = _HEAD.size
_START, _END = 1, 2


class BadFragment(Exception):
    """What came is not what the stream must go on with; nothing after it can be trusted."""


class TooMuch(Exception):
    """A limit on what may be received was passed; ``limit`` in bytes, ``of_object`` or else of the whole pipeline."""

    def __init__(self, limit: int, *, of_object: bool) -> None:
        super().__init__(limit, of_object)
        self.limit = limit
        self.of_object = of_object


def cut(object_id: int, data: bytes, size: int) -> Iterator[bytes]:
    """``data`` as fragments of at most ``size`` bytes, heads included.

    >>> [len(fragment) for fragment in cut(7, b"x" * 10, 25)]
    [25, 25, 23]
    """
    room = size - HEAD_SIZE
    if room < 1:
        raise ValueError(f"a fragment of {size} bytes has no room for data")
    pieces = range(0, max(len(data), 1), room)
    for number, begin in enumerate(pieces):
        piece = data[begin : begin + room]
        flags = (_START if number == 0 else 0) | (_END if begin + room >= len(data) else 0)
        yield _HEAD.pack(object_id, number, flags, len(piece)) + piece


def gather(fragments: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Whole fragments put together, as many as ``size`` bytes hold; one that is larger stays alone.

    >>> [len(piece) for piece in gather([b"x" * 10, b"y" * 20, b"z" * 5], 25)]
    [10, 25]
    """
    waiting: list[bytes] = []
    length = 0
    for fragment in fragments:
        if waiting and length + len(fragment) > size:
            yield b"".join(waiting)
            waiting, length = [], 0
        waiting.append(fragment)
        length += len(fragment)
    if waiting:
        yield b"".join(waiting)


def objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Id and content of objects that are one fragment each, as psrpcore makes them when no size is asked for."""
    place = 0
    while place < len(data):
        object_id, _, _, length = _HEAD.unpack_from(data, place)
        begin = place + HEAD_SIZE
        place = begin + length
        yield object_id, data[begin:place]


class Assembler:
    """Puts the fragments of one stream together. The limits are in bytes of content; None is no limit.

    They hold before anything is kept: what is too large never fills the memory.
    """

    __slots__ = ("_data_limit", "_next", "_object", "_object_id", "_object_limit", "received")

    def __init__(self, object_limit: int | None = None, data_limit: int | None = None) -> None:
        self._object_limit = object_limit
        self._data_limit = data_limit
        self._object: bytearray | None = None
        self._object_id = 0
        self._next = 0
        #: Bytes of content that have come.
        self.received = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The contents of the objects that end in these whole fragments, in order.

        Raises:
            BadFragment: a part of a fragment, one of another object, or one out of its turn.
            TooMuch: more than a limit.

        """
        place = 0
        while place < len(data):
            if len(data) - place < HEAD_SIZE:
                raise BadFragment(f"a fragment ends after {len(data) - place} bytes of its head")
            object_id, number, flags, length = _HEAD.unpack_from(data, place)
            begin = place + HEAD_SIZE
            place = begin + length
            if place > len(data):
                raise BadFragment(f"a fragment should have {length} bytes and has {len(data) - begin}")
            whole = self._take(object_id, number, flags, length, data[begin:place])
            if whole is not None:
                yield whole

    def _take(self, object_id: int, number: int, flags: int, length: int, piece: bytes) -> bytes | None:
        if self._object is None:
            if number != 0 or not flags & _START:
                raise BadFragment(f"object {object_id} begins with fragment {number}, not with its first")
            if object_id == 0:
                raise BadFragment("an object has the number 0")
        elif object_id != self._object_id:
            raise BadFragment(
                f"a fragment of object {object_id} came in the midst of object {self._object_id}"
            )
        elif number != self._next or flags & _START:
            raise BadFragment(f"fragment {number} of object {object_id} came in place of {self._next}")
        self._count(length)
        if self._object is None and flags & _END:
            return piece
        if self._object is None:
            self._object, self._object_id = bytearray(), object_id
        self._object += piece
        self._next = number + 1
        if not flags & _END:
            return None
        whole, self._object = bytes(self._object), None
        return whole

    def _count(self, length: int) -> None:
        size = length if self._object is None else len(self._object) + length
        if self._object_limit is not None and size > self._object_limit:
            raise TooMuch(self._object_limit, of_object=True)
        self.received += length
        if self._data_limit is not None and self.received > self._data_limit:
            raise TooMuch(self._data_limit, of_object=False)
