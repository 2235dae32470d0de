"""What waits to be received: fragments of one target, in order, and the mark of the one that ends its pipeline."""

from __future__ import annotations

import asyncio
import re
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from runner.lab.wsman_soap import Fault, Faulted

_FRAGMENT = struct.Struct(">QQBI")  # object, number, flags, length (MS-PSRP 2.2.4)
_START, _END = 1, 2
_MESSAGE_HEAD = 40
_PIPELINE_STATE = 0x00041006
_STATE = re.compile(rb'N="PipelineState"[^>]*>(\d+)<')
_ELEMENT = len('<rsp:Stream Name="stdout" CommandId="00000000-0000-0000-0000-000000000000"></rsp:Stream>')
_TERMINAL = frozenset({b"3", b"4", b"5"})  # Stopped, Completed, Failed


def split_fragments(data: bytes) -> Iterator[bytes]:
    """The fragments of one buffer, heads included.

    Raises:
        ValueError: the last one is cut off.

    """
    at = 0
    while at < len(data):
        if at + _FRAGMENT.size > len(data):
            raise ValueError("a fragment's head is cut off")
        end = at + _FRAGMENT.size + _FRAGMENT.unpack_from(data, at)[3]
        if end > len(data):
            raise ValueError("a fragment is cut off")
        yield data[at:end]
        at = end


def _encoded(fragment: bytes) -> int:
    """Bytes of an envelope that a fragment takes: base64, and its element with the id of a command."""
    return (len(fragment) + 2) // 3 * 4 + _ELEMENT


class Output:
    """A queue with one reader at a time. ``kept`` is the last answer, by the id of the message that it answers.

    Windows gives it again to who asks again with the same id, so that an answer which was lost on its way can be had.
    """

    def __init__(self) -> None:
        self.kept: tuple[str, str] | None = None
        #: Bytes of fragments that nobody has received yet.
        self.size = 0
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._changed = asyncio.Event()
        self._state: bytearray | None = None
        self._end: Fault | None = None
        self.done = False

    def put(self, data: bytes) -> None:
        """Take fragments from the engine; what is no whole one is for the client to find, as with WinRM."""
        taken = 0
        with suppress(ValueError):
            for fragment in split_fragments(data):
                taken += len(fragment)
                self._waiting.append((fragment, self._ends_pipeline(fragment)))
        if taken < len(data):
            self._waiting.append((data[taken:], False))
        self.size += len(data)
        self._changed.set()

    def end(self, fault: Fault) -> None:
        """Nothing comes any more; who waits, and who comes later, is told so once all else was taken."""
        self._end = self._end or fault
        self._changed.set()

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self.size = 0

    async def wait(self, limit: float) -> bool:
        """Whether something came within ``limit`` seconds.

        Raises:
            Faulted: it has ended.

        """
        try:
            async with asyncio.timeout(limit):
                while not self._waiting and self._end is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        if not self._waiting and self._end is not None:
            raise Faulted(self._end)
        return True

    def take(self, room: int) -> list[bytes]:
        """Fragments that fit into ``room`` bytes of an envelope, and not beyond the one that ends the pipeline.

        ``done`` is set where that one is among them. Nothing comes where the first one alone is larger.
        """
        taken: list[bytes] = []
        while self._waiting and not self.done and (size := _encoded(self._waiting[0][0])) <= room:
            fragment, self.done = self._waiting.popleft()
            taken.append(fragment)
            self.size -= len(fragment)
            room -= size
        return taken

    def _ends_pipeline(self, fragment: bytes) -> bool:
        """Whether a PIPELINE_STATE ends here that says stopped, completed or failed (remoting.md 8.1)."""
        _, _, flags, _ = _FRAGMENT.unpack_from(fragment)
        payload = fragment[_FRAGMENT.size :]
        if flags & _START:
            kind = struct.unpack_from("<I", payload, 4)[0] if len(payload) >= _MESSAGE_HEAD else 0
            self._state = bytearray() if kind == _PIPELINE_STATE else None
        if self._state is None:
            return False
        self._state += payload
        if not flags & _END:
            return False
        found = _STATE.search(self._state)
        self._state = None
        return found is not None and found[1] in _TERMINAL
