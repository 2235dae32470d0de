"""How a text is written so that YAML reads it back: the forms that hints propose."""

from __future__ import annotations

import re
from typing import Final

_COMMENT: Final = re.compile(r"[ \t]#")


def quoted(text: str) -> str:
    r"""The text in quotes: double ones, or single ones where it holds a backslash or a double quote.

    >>> print(quoted("'a' in b"), quoted(r"C:\temp"), quoted('say "it\'s"'))
    "'a' in b" 'C:\temp' 'say "it''s"'
    """
    if "\\" in text or '"' in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def without_comment(line: str) -> str:
    """A line, or the rest of one, without its comment and the blanks around it."""
    return _COMMENT.split(line, maxsplit=1)[0].strip()


def shortened(text: str, limit: int = 60) -> str:
    """A text as messages show it: its first line, cut at ``limit`` characters."""
    first, *more = text.split("\n", 1)
    return first[: limit - 3] + "..." if len(first) > limit or more else first
