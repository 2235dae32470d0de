"""PowerShell's tokens, one at a time, read by the mode that the parser sets."""

from __future__ import annotations

import re

from runner.using.powershell.characters import (
    DASHES,
    DOUBLE_QUOTES,
    NEWLINES,
    NUL,
    SINGLE_QUOTES,
    begins_identifier,
    begins_token,
    begins_variable,
    continues_identifier,
    ends_number,
    is_blank,
    is_letter,
)
from runner.using.powershell.literals import Nested
from runner.using.powershell.marks import Marks
from runner.using.powershell.numbers import NUMBER, number_value
from runner.using.powershell.tokens import KEYWORDS, OPERATOR_WORDS, Kind, Mode, Token
from runner.using.source import Source

_REDIRECTION = re.compile(r"[1-6*]?>>?|<")
_MERGING = re.compile(r"[1-6]>&[12]|\*>&1")
_SIGNS = re.compile(r"\+\+|\+=|\*=|/=|%=|\+|\*|/|%|=")


class Tokenizer(Marks):
    """Reads the next token in :attr:`mode`."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.simple_name = False
        self.signed_numbers = False
        self.ternary = False

    def next(self) -> Token:
        """The next token; at the end of the text one of kind END."""
        self._skip_to_token()
        self._start = self.at
        if self.at >= self.end:
            return Token(Kind.END, self.at, self.at)
        character = self.take()
        if character in NEWLINES:
            if character == "\r" and self.peek() == "\n":
                self.at += 1
            return self._token(Kind.NEWLINE)
        if character in SINGLE_QUOTES:
            return self._token(Kind.STRING, self.single())
        if character in DOUBLE_QUOTES:
            return self._expandable(here=False)
        if character in "()]{};,":
            return self._mark(character)
        if character in DASHES:
            return self._dash()
        if begins_identifier(character):
            return self._identifier()
        return self._by_character(character)

    def _by_character(self, character: str) -> Token:
        match character:
            case "$":
                return self._dollar()
            case "@":
                return self._at_sign()
            case "`":
                return self._word(self.escape())
            case "<" | ">":
                return self._redirection()
            case "[":
                return self._word("[") if self._command and not begins_token(self.peek()) else self._mark("[")
            case "!" | ":" | "?" | "&" | "|":
                return self._rare_sign(character)
            case "." if not self.peek().isdecimal():
                return self._dot()
            case "." | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9":
                return self._redirection() if self._redirects() else self._number()
            case "+" | "*" | "/" | "%" | "=":
                return self._sign()
        return self._word(character)

    def _rare_sign(self, character: str) -> Token:
        match character:
            case "!":
                return self._exclamation()
            case ":":
                return self._colon()
            case "?":
                return self._question() if self.mode is Mode.EXPRESSION else self._word("?")
        double = self.peek() == character
        self.at += double
        return self._mark(character * (1 + double))

    def _mark_or_word(self, text: str) -> Token:
        """An operator; in a command, where something is glued to it, the begin of a word."""
        if self._command and not begins_token(self.peek()):
            return self._word(text)
        return self._mark(text)

    def _word(self, begin: str) -> Token:
        """Read a word of a command that began with ``begin``, quotes and expansions in it included."""
        value = [begin]
        nested: Nested = []
        while self.at < self.end and not begins_token(self.peek()):
            character = self.take()
            if character == "`":
                value.append(self.escape())
            elif character in SINGLE_QUOTES:
                value.append(self.single())
            elif character in DOUBLE_QUOTES:
                value.append(self.double(nested))
            elif character != "$" or not self.dollar(nested, here=False):
                value.append(character)
        return Token(Kind.WORD, self._start, self.at, "".join(value), nested=tuple(nested))

    def _word_again(self) -> Token:
        """Read what was begun as something else as a word."""
        self.at = self._start
        return self._word("")

    def _expandable(self, *, here: bool) -> Token:
        nested: Nested = []
        text = self.here_double(nested) if here else self.double(nested)
        return Token(Kind.STRING, self._start, self.at, text, nested=tuple(nested))

    def _dollar(self) -> Token:
        if self.peek() == "(":
            self.at += 1
            return self._mark("$(")
        if self.peek() != "{" and not begins_variable(self.peek()):
            return self._word("$")
        return self._variable(splat=False)

    def _variable(self, *, splat: bool) -> Token:
        variable = self.variable(command=self._command, splat=splat)
        if variable is None:
            return self._word_again()
        return Token(Kind.VARIABLE, variable.start, self.at, variable=variable)

    def _at_sign(self) -> Token:
        following = self.peek()
        if following in "({" and self.at < self.end:
            self.at += 1
            return self._mark("@" + following)
        if following in SINGLE_QUOTES:
            self.at += 1
            return self._token(Kind.STRING, self.here_single())
        if following in DOUBLE_QUOTES:
            self.at += 1
            return self._expandable(here=True)
        return self._variable(splat=True) if begins_variable(following) else self._mark("@")

    def _dot(self) -> Token:
        if self.peek() == ".":
            self.at += 1
            return self._mark_or_word("..")
        following = self.peek()
        if self._command and not begins_token(following) and following not in "$\"'":
            return self._word(".")
        return self._mark(".")

    def _dash(self) -> Token:
        following = self.peek()
        if following in DASHES or following == "=":
            self.at += 1
            return self._mark_or_word("--" if following in DASHES else "-=")
        if is_letter(following) or following in "_?":
            return self._parameter()
        if self.signed_numbers and (following.isdecimal() or following == "."):
            return self._number(signed=True)
        return self._mark_or_word("-")

    def _parameter(self) -> Token:
        colon = False
        while self.at < self.end:
            character = self.peek()
            if is_blank(character) or character in "{}();,|&.[\r\n\0":
                break
            if character == ":":
                colon = True
                break
            if character in SINGLE_QUOTES or character in DOUBLE_QUOTES:
                if self._command:
                    return self._word(self.text[self._start : self.at])
                break
            if not self._command and not (character.isascii() and character.isalpha()):
                break
            self.at += 1
        name = self.text[self._start + 1 : self.at].lower()
        self.at += colon and self._command
        if self.mode is Mode.EXPRESSION and name in OPERATOR_WORDS:
            return self._token(Kind.OPERATOR, name)
        if not name:
            return self._mark("-")
        return Token(Kind.PARAMETER, self._start, self.at, name, colon=colon)

    def _identifier(self) -> Token:
        while self.at < self.end and continues_identifier(self.peek()):
            self.at += 1
        text = self.text[self._start : self.at]
        if self.simple_name:
            return self._token(Kind.IDENTIFIER, text)
        if self._command and not begins_token(self.peek()):
            return self._word(text)
        if self.mode is not Mode.EXPRESSION and text.lower() in KEYWORDS:
            return self._token(Kind.KEYWORD, text.lower())
        return self._token(Kind.IDENTIFIER, text)

    def _sign(self) -> Token:
        self.at -= 1
        if self._redirects():
            return self._redirection()
        match = _SIGNS.match(self.text, self.at)
        sign = match.group() if match else self.peek()
        self.at += len(sign)
        if sign == "+" and self.signed_numbers and (self.peek().isdecimal() or self.peek() == "."):
            return self._number(signed=True)
        return self._mark_or_word(sign)

    def _redirects(self) -> bool:
        return _REDIRECTION.match(self.text, self._start) is not None

    def _redirection(self) -> Token:
        merging = _MERGING.match(self.text, self._start)
        match = merging or _REDIRECTION.match(self.text, self._start)
        self.at = match.end() if match else self.at
        return self._token(Kind.MERGING if merging else Kind.REDIRECTION)

    def _exclamation(self) -> Token:
        following = self.peek()
        if self._command and not begins_token(following):
            return self._word("!")
        if self.mode is Mode.EXPRESSION and begins_identifier(following):
            return self._word("!")
        return self._mark("!")

    def _colon(self) -> Token:
        if self.peek() == ":":
            self.at += 1
            glued = self._command and not self.simple_name and not begins_token(self.peek())
            return self._word("::") if glued else self._mark("::")
        if not self._command:
            return self._mark(":")
        if not begins_identifier(self.peek()):
            return self._word(":")
        while continues_identifier(self.peek()) and self.at < self.end:
            self.at += 1
        label = self.text[self._start : self.at]
        return self._token(Kind.LABEL, label) if begins_token(self.peek()) else self._word(label)

    def _question(self) -> Token:
        for mark in ("??=", "??"):
            if self.text.startswith(mark, self._start):
                self.at = self._start + len(mark)
                return self._mark(mark)
        return self._mark("?")

    def _number(self, *, signed: bool = False) -> Token:
        match = NUMBER.match(self.text, self._start + signed)
        following = NUL
        if match:
            self.at = match.end()
            following = self.peek()
        loose = self.mode is Mode.EXPRESSION and ends_number(following, ternary=self.ternary)
        if not match or not (begins_token(following) or loose):
            return self._word_again()
        value = number_value(match)
        if value is not None and signed and self.text[self._start] in DASHES:
            value = -value
        return Token(Kind.NUMBER, self._start, self.at, match.group(), value)
