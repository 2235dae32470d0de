"""Lines made of pieces with a role; a painter turns them into text, with colours or without.

Sixteen-colour codes only, so that the reader's own theme decides what red looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from runner.engine.result import Status
from runner.present.cells import cell_width, fit


class Role(Enum):
    """What a piece of text is; the value is its SGR code, empty for the terminal's own colour."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    GOOD = "32"
    CHANGED = "33"
    WARNING = "1;33"
    BAD = "1;31"
    NOTE = "36"
    HOSTS = "1;36"
    RED = "31"
    BLUE = "34"
    MAGENTA = "35"
    BRIGHT_RED = "91"
    BRIGHT_GREEN = "92"
    BRIGHT_YELLOW = "93"
    BRIGHT_BLUE = "94"
    BRIGHT_MAGENTA = "95"
    BRIGHT_CYAN = "96"


STATUS_ROLES: Mapping[Status, Role] = {
    Status.OK: Role.GOOD,
    Status.CHANGED: Role.CHANGED,
    Status.FAILED: Role.BAD,
    Status.UNREACHABLE: Role.BAD,
    Status.TIMED_OUT: Role.BAD,
    Status.UNKNOWN: Role.BAD,
    Status.CANCELLED: Role.WARNING,
    Status.SKIPPED: Role.FAINT,
    Status.DETACHED: Role.NOTE,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of one line, with its role."""

    text: str
    role: Role = Role.PLAIN


Line: TypeAlias = tuple[Piece, ...]

_WORDS = re.compile(r"\s*\S+\s*|\s+")


def line(*parts: str | Piece) -> Line:
    """A line of texts and pieces."""
    return tuple(Piece(part) if isinstance(part, str) else part for part in parts)


def text_of(pieces: Line) -> str:
    """The line without roles."""
    return "".join(piece.text for piece in pieces)


def fit_line(pieces: Line, width: int) -> Line:
    """Cut a line to ``width`` cells."""
    if cell_width(text_of(pieces)) <= width:
        return pieces
    kept: list[Piece] = []
    room = width
    for piece in pieces:
        size = cell_width(piece.text)
        if size >= room:
            # One cell beyond the room makes `fit` put the mark, also where the piece alone would just fit.
            kept.append(Piece(fit(piece.text + "  ", room), piece.role))
            break
        kept.append(piece)
        room -= size
    return tuple(kept)


def wrap_line(pieces: Line, width: int) -> list[Line]:
    """Break a line at blanks so that no part passes ``width`` cells; what follows stands two cells further in."""
    if cell_width(text_of(pieces)) <= width:
        return [pieces]
    text = text_of(pieces)
    indent = " " * min(len(text) - len(text.lstrip()) + 2, width // 2)
    lines: list[list[Piece]] = [[]]
    used = 0
    for piece in pieces:
        for word in _WORDS.findall(piece.text):
            size = cell_width(word)
            if used + len(word.rstrip()) > width and used > len(indent):
                lines[-1][-1] = Piece(lines[-1][-1].text.rstrip(), lines[-1][-1].role)
                lines.append([Piece(indent)])
                used, word = len(indent), word.lstrip()  # noqa: PLW2901 - the blank before it is the break
                size = cell_width(word)
            lines[-1].append(Piece(word, piece.role))
            used += size
    return [tuple(parts) for parts in lines]


@dataclass(frozen=True, slots=True)
class Painter:
    """Turns lines into text. ``colour`` False gives the bare text."""

    colour: bool

    def paint(self, pieces: Line) -> str:
        """One line as text, without a line feed."""
        if not self.colour:
            return text_of(pieces).rstrip()
        return "".join(
            f"\x1b[{piece.role.value}m{piece.text}\x1b[0m" if piece.role.value and piece.text else piece.text
            for piece in pieces
        )

    def paint_all(self, lines: Iterable[Line]) -> str:
        """Lines as text, each ended by a line feed."""
        return "".join(self.paint(pieces) + "\n" for pieces in lines)
