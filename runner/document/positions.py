"""From a place in a value to the place in the file where a person wrote it."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from runner.document.nodes import Scalar
from runner.document.offsets import Run, runs_of
from runner.values import Span

LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


def offset_at(text: str, line: int, column: int) -> int:
    """The offset of a line and column, both from 1; the end of the text where there is no such line."""
    start = 0
    for _ in range(line - 1):
        match = LINE_BREAK.search(text, start)
        if match is None:
            return len(text)
        start = match.end()
    return min(start + column - 1, len(text))


def advance(text: str, start: int, end: int, line: int = 1, column: int = 1) -> tuple[int, int]:
    """Line and column of offset ``end``, given those of offset ``start`` before it."""
    if text.find("\r", start, end) < 0:  # nearly always; counting is a hundred times as fast as matching
        count = text.count("\n", start, end)
        return line + count, end - text.rfind("\n", start, end) if count else column + end - start
    breaks = list(LINE_BREAK.finditer(text, start, end))
    if breaks and breaks[-1].group() == "\r" and text[breaks[-1].end() : breaks[-1].end() + 1] == "\n":
        breaks.pop()  # the window ended inside \r\n, which is one break
    if not breaks:
        return line, column + end - start
    return line + len(breaks), end - breaks[-1].end() + 1


def span_in_text(path: str, text: str, start: int, end: int) -> Span:
    """The span of the characters ``start`` to ``end`` (exclusive) of a file's text."""
    line, column = advance(text, 0, start)
    return Span(path, line, column, *advance(text, start, end, line, column))


class ScalarPlaces:
    """Where each character of a scalar's text stands in its file; make it once for many look-ups in one scalar."""

    def __init__(self, scalar: Scalar) -> None:
        self._scalar = scalar
        self._runs = runs_of(scalar)
        self._starts = [run.at for run in self._runs]

    def span(self, start: int, end: int) -> Span:
        """The span of the characters ``start`` to ``end`` (exclusive) of ``scalar.text``.

        Offsets beyond the text are taken as its end. An escape or a folded line break is covered whole.
        """
        scalar = self._scalar
        first = self._place(start)
        last = max(first, self._place_after(end - 1)) if end > start else first
        text = scalar.source.text
        line, column = advance(text, scalar.start, first, scalar.line, scalar.column)
        return Span(scalar.source.path, line, column, *advance(text, first, last, line, column))

    def _run(self, index: int) -> Run | None:
        found = bisect_right(self._starts, index) - 1
        return self._runs[found] if found >= 0 else None

    def _place(self, index: int) -> int:
        """Offset in the source of the character at ``index``."""
        run = self._run(max(index, 0))
        if run is None:
            return self._scalar.start
        inside = index - run.at
        if inside >= run.length:
            return run.start + run.width
        return run.start + inside if run.width == run.length else run.start

    def _place_after(self, index: int) -> int:
        """Offset in the source after the character at ``index``."""
        run = self._run(max(index, 0))
        if run is None:
            return self._scalar.start
        inside = min(index - run.at + 1, run.length)
        return run.start + inside if run.width == run.length else run.start + run.width


def span_in_scalar(scalar: Scalar, start: int, end: int) -> Span:
    """The place in the file of the characters ``start`` to ``end`` (exclusive) of ``scalar.text``, for every style."""
    return ScalarPlaces(scalar).span(start, end)
