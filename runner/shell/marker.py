"""An unguessable word found in a stream of bytes, also where it comes in pieces."""

from __future__ import annotations


class Marker:
    """Looks for one word that ends a stream, and for a fixed number of bytes that follow it.

    Attributes:
        found: whether the word and all of its tail have come.
        tail: the bytes after the word, once ``found``.

    """

    __slots__ = ("_held", "_tail_size", "_word", "found", "tail")

    def __init__(self, word: bytes, tail_size: int = 0) -> None:
        self._word = word
        self._tail_size = tail_size
        self._held = b""
        self.found = False
        self.tail = b""

    def feed(self, data: bytes) -> bytes:
        """Take a piece; gives what is surely no part of the word. What comes after the word is dropped."""
        if self.found:
            return b""
        data = self._held + data
        at = data.find(self._word)
        if at < 0:
            keep = self._begun(data)
            self._held = data[len(data) - keep :]
            return data[: len(data) - keep]
        end = at + len(self._word)
        self._held = data[at:]
        if len(data) >= end + self._tail_size:
            self.found, self.tail, self._held = True, data[end : end + self._tail_size], b""
        return data[:at]

    def rest(self) -> bytes:
        """At the end of the stream: what was held back because the word might have begun in it."""
        held, self._held = self._held, b""
        return held

    def _begun(self, data: bytes) -> int:
        """How many of the last bytes may be the beginning of the word."""
        start = data.find(self._word[:1], max(0, len(data) - len(self._word) + 1))
        while start >= 0:
            if self._word.startswith(data[start:]):
                return len(data) - start
            start = data.find(self._word[:1], start + 1)
        return 0
