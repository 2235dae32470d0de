"""Reading PowerShell's strings, here-strings, variables and comments, character by character."""

from __future__ import annotations

import re

from runner.using.powershell.characters import (
    DOUBLE_QUOTES,
    NEWLINES,
    NUL,
    SINGLE_QUOTES,
    begins_token,
    begins_variable,
    is_blank,
    is_letter_or_digit,
)
from runner.using.powershell.tokens import Subexpression, Variable
from runner.using.source import Source

Nested = list[Variable | Subexpression]
_ESCAPES = {
    "0": NUL,
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_CODE_POINT = re.compile(r"\{([0-9A-Fa-f]{1,6})\}")
_NAME_ENDS = frozenset("\0\t\r\n &(),;{}|.[=")


class Literals:
    """A place in the text, and what can be read there whatever the mode."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.end = len(source.text)
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        """The character at the place, or NUL after the last."""
        at = self.at + ahead
        return self.text[at] if at < self.end else NUL

    def take(self) -> str:
        """The character at the place, which moves on."""
        character = self.peek()
        self.at = min(self.at + 1, self.end)
        return character

    def skip_blanks(self) -> None:
        """Move over blanks."""
        while is_blank(self.peek()) and self.at < self.end:
            self.at += 1

    def skip_line(self) -> None:
        """Move to the end of the line, over a comment."""
        while self.at < self.end and self.text[self.at] not in NEWLINES:
            self.at += 1

    def skip_block_comment(self) -> None:
        """Move from after ``<#`` to after ``#>``."""
        close = self.text.find("#>", self.at)
        self.at = close + 2 if close >= 0 else self.end

    def single(self) -> str:
        """Read a literal string from after its opening quote; a doubled quote is one."""
        value: list[str] = []
        while self.at < self.end:
            character = self.take()
            if character in SINGLE_QUOTES:
                if self.peek() not in SINGLE_QUOTES:
                    break
                character = self.take()
            value.append(character)
        return "".join(value)

    def double(self, nested: Nested) -> str:
        """Read an expandable string from after its opening quote; what it expands is added to ``nested``."""
        value: list[str] = []
        while self.at < self.end:
            character = self.take()
            if character in DOUBLE_QUOTES:
                if self.peek() not in DOUBLE_QUOTES:
                    break
                character = self.take()
            elif character == "$" and self.dollar(nested, here=False):
                continue
            elif character == "`":
                character = self.escape()
            value.append(character)
        return "".join(value)

    def escape(self) -> str:
        """Read what a backtick makes of the next character."""
        if self.peek() == NUL:
            return "`"
        character = self.take()
        if character != "u":
            return _ESCAPES.get(character, character)
        match = _CODE_POINT.match(self.text, self.at)
        if not match or int(match[1], 16) > 0x10FFFF:
            return character
        self.at = match.end()
        return chr(int(match[1], 16))

    def dollar(self, nested: Nested, *, here: bool) -> bool:
        """Read a variable or subexpression after a dollar sign in a string; False, nothing read, where none is."""
        following = self.peek()
        if following == "(":
            self.at += 1
            nested.append(self._subexpression(here=here))
            return True
        if begins_variable(following) or following == "{":
            variable = self.variable(command=False, in_string=True)
            if variable is not None:
                nested.append(variable)
            return True
        return False

    def _subexpression(self, *, here: bool) -> Subexpression:
        """Read ``$(...)`` from after its parenthesis, counting parentheses only, as the language does."""
        kept = [self.at - 2, self.at - 1]
        level = 1
        while self.at < self.end and level:
            character = self.take()
            level += {"(": 1, ")": -1}.get(character, 0)
            if (character == "`" or character in DOUBLE_QUOTES) and not here and self.peek() in DOUBLE_QUOTES:
                self.at += 1
            kept.append(self.at - 1)
        return Subexpression(self.source.pick(kept, self.at))

    def here_single(self) -> str:
        """Read a literal here-string from after ``@'``."""
        return self._here(SINGLE_QUOTES, "'", None)

    def here_double(self, nested: Nested) -> str:
        """Read an expandable here-string from after ``@"``."""
        return self._here(DOUBLE_QUOTES, '"', nested)

    def _here(self, quotes: frozenset[str], plain: str, nested: Nested | None) -> str:
        self.skip_blanks()
        if self.peek() not in NEWLINES:
            self._skip_bad_header(plain)
            return ""
        self._newline()
        lines: list[str] = []
        value: list[str] = []
        while not self._footer(quotes):
            while self.at < self.end and self.peek() not in NEWLINES:
                character = self.take()
                if nested is not None and character == "$" and self.dollar(nested, here=True):
                    continue
                value.append(self.escape() if nested is not None and character == "`" else character)
            lines.append("".join(value))
            value = []
            if self.at >= self.end:
                break
            self._newline()
        return "\n".join(lines)

    def _newline(self) -> None:
        if self.take() == "\r" and self.peek() == "\n":
            self.at += 1

    def _footer(self, quotes: frozenset[str]) -> bool:
        """Whether the line begins with the footer, which is passed; an indented one is passed as text."""
        if self.peek() in quotes and self.peek(1) == "@":
            self.at += 2
            return True
        self.skip_blanks()
        if self.peek() in quotes and self.peek(1) == "@":
            self.at += 2
        return False

    def _skip_bad_header(self, quote: str) -> None:
        """Text after a here-string's header: skip it as the parser recovers, to a footer or the end of the line."""
        while self.at < self.end and self.peek() not in NEWLINES:
            if self.take() == quote and self.peek() == "@":
                self.at += 1
                return

    def variable(self, *, command: bool, in_string: bool = False, splat: bool = False) -> Variable | None:
        """Read a variable from after its dollar sign; None where in a command the word goes on after it."""
        start = self.at - 1
        if self.peek() == "{" and not splat:
            self.at += 1
            name = self._braced(in_string=in_string)
            following = self.peek()
            if command and not begins_token(following) and following not in ".[":
                return None
            return Variable(name, start, self.at)
        first = self.take()
        if first in "$?^":
            if command and not begins_token(self.peek()):
                return None
            return Variable(first, start, self.at, splat)
        while True:
            character = self.peek()
            if character == ":":
                if self.peek(1) == ":":
                    break
            elif character in _NAME_ENDS:
                break
            elif character not in "_?" and not is_letter_or_digit(character):
                if command and not begins_token(character):
                    return None
                break
            self.at += 1
        return Variable(self.text[start + 1 : self.at], start, self.at, splat)

    def _braced(self, *, in_string: bool) -> str:
        name: list[str] = []
        while self.at < self.end:
            character = self.take()
            if character == "}":
                break
            if character == "`" and self.at < self.end:
                character = self.escape()
            elif character in DOUBLE_QUOTES and in_string and self.peek() in DOUBLE_QUOTES:
                character = self.take()
            name.append(character)
        return "".join(name)
