"""What PowerShell says of an error beside its message: a picture of the place, id, category, inner errors, stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from runner.engine.result import ErrorRecord
from runner.present.paint import Line, Piece, Role, line

_MOST_FRAMES = 4
_FRAME = re.compile(r"at (?P<name>.+), (?P<file>[^,\n]+): line (?P<line>\d+)")
_SENT = "<No file>"


def error_details(error: ErrorRecord, told: Callable[[str], str]) -> Iterator[Line]:
    """Lines that follow the message; none for an error that has nothing but a message.

    Args:
        error: of a script.
        told: masks a text and makes it harmless.

    """
    for text in _picture(error):
        yield line("    ", Piece("| ", Role.FAINT), told(text))
    if error.category:
        yield line("    ", Piece(told(error.category), Role.FAINT))
    if error.fully_qualified_error_id:
        yield line("    ", Piece(told(f"id {error.fully_qualified_error_id}"), Role.FAINT))
    for inner in error.inner:
        message = inner.partition(": ")[2]
        if message and message not in error.message:
            yield line("    ", Piece("caused by ", Role.FAINT), told(inner.replace("\n", " ")))
    if (stack := _stack(error)) is not None:
        yield line("    ", Piece(told(stack), Role.FAINT))
    if error.recommended_action:
        yield line("    ", Piece("hint:", Role.NOTE), f" {told(error.recommended_action)}")


def _picture(error: ErrorRecord) -> Iterator[str]:
    """The line and the marks under what failed; parse errors have them in their message."""
    if error.position is None or error.message.startswith(error.position):
        return
    for text in error.position.splitlines():
        if text.startswith("+ "):
            yield text.removeprefix("+ ").rstrip()


def _stack(error: ErrorRecord) -> str | None:
    """The calls on one line, the innermost first; of a script without functions it says nothing that is not known."""
    frames = [match for text in (error.stack or "").splitlines() if (match := _FRAME.fullmatch(text.strip()))]
    if len(frames) < 2:
        return None
    words = [
        f"{frame['name']} line {frame['line']}" + ("" if frame["file"] == _SENT else f" of {frame['file']}")
        for frame in frames[:_MOST_FRAMES]
    ]
    more = ", called from ..." if len(frames) > _MOST_FRAMES else ""
    return f"in {', called from '.join(words)}{more}"
