"""Reads what a program writes without being woken by each line, which would slow the program that is measured."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import IO

_PAUSE = 0.005  # seconds between two looks, which is how exact the times of lines are
_MOST = 1 << 20


def timed_lines(stream: IO[bytes]) -> Iterator[tuple[float, str]]:
    """Each whole line with when it was seen, on the monotonic clock, until the writer closes."""
    rest = b""
    while True:
        data = os.read(stream.fileno(), _MOST)
        seen = time.monotonic()
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield seen, line.decode("utf-8", "replace")
        if not data:
            return
        time.sleep(_PAUSE)
