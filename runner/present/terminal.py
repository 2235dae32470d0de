"""What standard output and standard error are: terminals or not, how wide, with colours or without."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

_DEFAULT_SIZE = (80, 24)
_LEAST_SIZE = (40, 8)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The process's two streams and what its environment says of them.

    Attributes:
        stdout: for results.
        stderr: for everything else.
        environ: NO_COLOR (any value: no colours), FORCE_COLOR (colours also into a pipe), TERM and COLUMNS are read.
        no_color: the option ``--no-color``.
        now: the time, aware.

    """

    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    no_color: bool = False
    now: Callable[[], datetime] = _utc_now

    def colour(self, stream: TextIO) -> bool:
        """Whether to colour what goes to ``stream`` (https://no-color.org, https://force-color.org)."""
        if self.no_color or self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("FORCE_COLOR"):
            return True
        return is_terminal(stream) and self.environ.get("TERM") != "dumb"

    def moves_cursor(self, stream: TextIO) -> bool:
        """Whether lines on ``stream`` can be drawn over."""
        return is_terminal(stream) and self.environ.get("TERM") != "dumb"

    def size(self) -> tuple[int, int]:
        """Width and height in cells, of whichever stream is a terminal; never absurdly small."""
        columns = self.environ.get("COLUMNS", "")
        width, height = self._asked_size()
        if columns.isdecimal() and int(columns) and not is_terminal(self.stdout):
            width = int(columns)
        return max(width, _LEAST_SIZE[0]), max(height, _LEAST_SIZE[1])

    def _asked_size(self) -> tuple[int, int]:
        for stream in (self.stderr, self.stdout):
            if is_terminal(stream):
                try:
                    size = os.get_terminal_size(stream.fileno())
                except (OSError, ValueError):
                    continue
                if size.columns and size.lines:
                    return size.columns, size.lines
        return _DEFAULT_SIZE


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sees the stream; a closed one nobody sees."""
    try:
        return stream.isatty()
    except ValueError:
        return False
