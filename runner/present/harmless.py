"""Text of hosts made safe for a terminal: what could move a cursor or set a title becomes visible characters."""

from __future__ import annotations

import re

# Controls, and what reorders or hides text: bidirectional marks and overrides, line and paragraph separators,
# zero width marks, and lone surrogates, which stand for bytes that were not UTF-8.
_DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_TAB_STOP = 8


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20 or code == 0x7F:
        return "^" + chr(code ^ 0x40)  # as `cat -v` writes it: ESC is ^[
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # the byte that surrogateescape stands for
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def harmless(text: str) -> str:
    r"""One line or several, without control characters other than the line feed; tabs become blanks.

    >>> harmless("\x1b[2Jgone")
    '^[[2Jgone'
    """
    if text.isascii() and text.isprintable():
        return text
    return _DANGEROUS.sub(_visible, text.replace("\r\n", "\n")).expandtabs(_TAB_STOP)


def harmless_lines(text: str) -> list[str]:
    """The lines of ``text``, each harmless; a line feed at the end starts no further line."""
    return harmless(text.removesuffix("\n").removesuffix("\r")).split("\n")
