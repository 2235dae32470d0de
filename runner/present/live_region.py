"""A few lines at the bottom of a terminal that are drawn again and again, under everything that is printed.

Each redraw is one write that overwrites line by line, and happens only where a line has changed: nothing flickers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from runner.present.cells import cell_width
from runner.present.paint import Line, Painter, fit_line, text_of

_HIDE_CURSOR = "\x1b[?25l"
_SHOW_CURSOR = "\x1b[?25h"
_ERASE_TO_LINE_END = "\x1b[K"
_ERASE_TO_SCREEN_END = "\x1b[J"


class LiveRegion:
    """Owns the bottom lines of ``terminal``. Not for use by several threads at once.

    A terminal that went away is not told here: who prints results will meet it.
    """

    def __init__(self, terminal: TextIO, painter: Painter) -> None:
        self._terminal = terminal
        self._painter = painter
        self._drawn: list[Line] = []
        self._hidden = False

    def draw(self, lines: Sequence[Line], width: int) -> None:
        """Show ``lines``, each cut to ``width`` cells, in the place of those shown before."""
        fitted = [fit_line(pieces, width - 1) for pieces in lines]
        if fitted == self._drawn:
            return
        text = "" if self._hidden else _HIDE_CURSOR
        text += self._to_first_line(self._drawn, width)
        text += "\n".join(self._painter.paint(pieces) + _ERASE_TO_LINE_END for pieces in fitted)
        self._write(text + _ERASE_TO_SCREEN_END)
        self._drawn, self._hidden = fitted, True

    def erase(self, width: int) -> list[Line]:
        """Take the lines away and give them back; the cursor stands where the first one was."""
        drawn, self._drawn = self._drawn, []
        if drawn:
            self._write(self._to_first_line(drawn, width) + _ERASE_TO_SCREEN_END)
        return drawn

    def close(self, width: int) -> None:
        """Take the lines away and give the cursor back; may be called again."""
        self.erase(width)
        if self._hidden:
            self._write(_SHOW_CURSOR)
            self._hidden = False

    def _to_first_line(self, drawn: Sequence[Line], width: int) -> str:
        """A terminal that was made narrower has wrapped the drawn lines, so rows are counted, not lines."""
        rows = sum(max(-(-cell_width(text_of(pieces)) // width), 1) for pieces in drawn)
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._terminal.write(text)
            self._terminal.flush()
