"""How the streams of a script look: what stands before a line of each, and in which colour. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.present.paint import Piece, Role

_ROLES: Mapping[str, Role] = {
    "stderr": Role.CHANGED,
    "error": Role.BAD,
    "warning": Role.WARNING,
    "verbose": Role.FAINT,
    "debug": Role.FAINT,
}
_NAMED = frozenset({"error", "warning", "verbose", "debug"})

_CONSOLE: Mapping[str, Role] = {
    "Black": Role.FAINT,  # on the usual dark ground its own code would not be seen
    "DarkBlue": Role.BLUE,
    "DarkGreen": Role.GOOD,
    "DarkCyan": Role.NOTE,
    "DarkRed": Role.RED,
    "DarkMagenta": Role.MAGENTA,
    "DarkYellow": Role.CHANGED,
    "Gray": Role.PLAIN,
    "DarkGray": Role.FAINT,
    "Blue": Role.BRIGHT_BLUE,
    "Green": Role.BRIGHT_GREEN,
    "Cyan": Role.BRIGHT_CYAN,
    "Red": Role.BRIGHT_RED,
    "Magenta": Role.BRIGHT_MAGENTA,
    "Yellow": Role.BRIGHT_YELLOW,
    "White": Role.STRONG,
}
"""The sixteen of ConsoleColor. Grounds are not shown: a line of ours has the terminal's own."""


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One line of a stream; ``color`` is the name of a ConsoleColor."""

    stream: str
    text: str
    color: str | None = None

    @property
    def sign(self) -> str:
        """``!`` where a person should look, ``|`` before the rest."""
        return "!" if self.stream in {"stderr", "error", "warning"} else "|"

    @property
    def words(self) -> str:
        """The text, after the name of a stream that PowerShell names too: ``warning: low disk``."""
        return f"{self.stream}: {self.text}" if self.stream in _NAMED else self.text

    @property
    def piece(self) -> Piece:
        """The words in their colour."""
        role = _CONSOLE.get(self.color) if self.color is not None else None
        return Piece(self.words, role or _ROLES.get(self.stream, Role.PLAIN))
