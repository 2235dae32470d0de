"""The lines of a source by offset, with the keys that stand on them."""

from __future__ import annotations

import re
from typing import Final

from runner.document.nodes import Source
from runner.document.positions import LINE_BREAK, span_in_text
from runner.values import Span

_LINE_END: Final = re.compile(r"[\r\n]|\Z")
_BLANKS: Final = re.compile(r"[ \t]*")
_DASHES: Final = re.compile(r"[ \t]*(?:-[ \t]+)*")
_KEY: Final = re.compile(
    r"""[ \t]*(?:-[ \t]+)*(?P<key>"[^"\r\n]*"|'[^'\r\n]*'|[^\s#:'"-][^:\r\n]*)[ \t]*:(?=[ \t\r\n]|\Z)"""
)


class Lines:
    """Answers questions about the line that an offset of a text is in."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.text = source.text

    def start(self, offset: int) -> int:
        """Offset of the first character of the line."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def first(self, offset: int) -> int:
        """Offset of the first character of the line that is no blank."""
        return self._after(_BLANKS, self.start(offset))

    def end(self, offset: int) -> int:
        """Offset after the last visible character of the line, at least ``offset``."""
        match = _LINE_END.search(self.text, offset)
        end = match.start() if match else len(self.text)
        return offset + len(self.text[offset:end].rstrip())

    def next(self, offset: int) -> int:
        """Offset of the first character of the next line, or the end of the text."""
        match = LINE_BREAK.search(self.text, offset)
        return match.end() if match else len(self.text)

    def line(self, offset: int) -> str:
        """The line without blanks and line break at its end."""
        start = self.start(offset)
        return self.text[start : self.end(start)]

    def before(self, offset: int) -> int | None:
        """Offset of the first visible character of the nearest line above that has more than a comment, or None."""
        at = self.start(offset)
        while at > 0:
            first = self.first(at - 1)
            if self.text[first : first + 1] not in {"#", "\r", "\n"}:
                return first
            at = self.start(at - 1)
        return None

    def key(self, offset: int) -> str | None:
        """The key at the beginning of the line, as written; None where there is none."""
        match = _KEY.match(self.text, self.start(offset))
        return match["key"] if match else None

    def value(self, offset: int) -> int:
        """Offset of the first character after the dashes and the key of the line."""
        start = self.start(offset)
        match = _KEY.match(self.text, start)
        return self._after(_BLANKS, match.end() if match else self._after(_DASHES, start))

    def column(self, offset: int) -> int:
        """The column of an offset, from 1."""
        return offset - self.start(offset) + 1

    def span(self, start: int, end: int) -> Span:
        """The span of the characters from ``start`` to ``end``, or to the end of the text."""
        return span_in_text(self._source.path, self.text, start, min(end, len(self.text)))

    def _after(self, pattern: re.Pattern[str], offset: int) -> int:
        match = pattern.match(self.text, offset)
        return match.end() if match else offset
