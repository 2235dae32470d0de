"""How wide a text is on a terminal: wide characters take two cells, combining ones none."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, east_asian_width


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1


def cell_width(text: str) -> int:
    """Cells that ``text`` takes; it must hold no control characters."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def fit(text: str, width: int, mark: str = "…") -> str:
    """Cut ``text`` to at most ``width`` cells, the last of them ``mark`` where something is cut away.

    >>> fit("packages", 5)
    'pack…'
    """
    if cell_width(text) <= width:
        return text
    room, kept = max(width - cell_width(mark), 0), 0
    for position, character in enumerate(text):
        kept += _character_width(character)
        if kept > room:
            return (text[:position] + mark) if width >= cell_width(mark) else ""
    return text


def pad(text: str, width: int) -> str:
    """Fill ``text`` with blanks on the right to ``width`` cells."""
    return text + " " * (width - cell_width(text))
