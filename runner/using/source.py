"""A stretch of script text that knows where each of its characters stands in the script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Text as its reader sees it; in a shell's backquotes that is the text with one level of backslashes taken away.

    ``places`` has one offset into the script for each character, and the offset of the end as its last.
    """

    text: str
    places: Sequence[int]

    @classmethod
    def script(cls, text: str) -> Source:
        """The whole of a script."""
        return cls(text, range(len(text) + 1))

    def part(self, start: int, end: int) -> Source:
        """The stretch between two offsets of this one."""
        return Source(self.text[start:end], self.places[start : end + 1])

    def without_backslashes(self, start: int, end: int, escapable: str) -> Source:
        """The stretch as the shell reads the inside of backquotes: a backslash before ``escapable`` is gone."""
        kept: list[int] = []
        at = start
        while at < end:
            if self.text[at] == "\\" and at + 1 < end:
                if self.text[at + 1] not in escapable:
                    kept.append(at)
                at += 1
            kept.append(at)
            at += 1
        return self.pick(kept, end)

    def pick(self, kept: Sequence[int], end: int) -> Source:
        """The characters at the offsets ``kept``, before ``end``."""
        text = "".join(self.text[index] for index in kept)
        return Source(text, [self.places[index] for index in (*kept, end)])

    def place(self, at: int) -> int:
        """The offset into the script of the character at ``at``, or of the end."""
        return self.places[min(at, len(self.text))]

    def end_place(self, at: int) -> int:
        """The offset into the script just after the character before ``at``."""
        at = min(at, len(self.text))
        return self.places[at - 1] + 1 if at else self.places[0]
