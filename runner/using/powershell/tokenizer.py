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
from runner.using.powershell.literals import Literals, Nested
from runner.using.powershell.tokens import KEYWORDS, OPERATOR_WORDS, Kind, Mode, Token
from runner.using.source import Source

_NUMBER = re.compile(
    r"(?:0[xX](?P<hex>[0-9A-Fa-f]*)|0[bB](?P<bits>[01]*)"
    r"|(?P<decimal>(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][-+\u2013\u2014\u2015]?\d+)?))"
    r"(?P<suffix>[uU][lsyLSY]?|[sldynSLDYN])?(?:(?P<multiplier>[kmgtpKMGTP])[bB])?",
    re.ASCII,
)
_REDIRECTION = re.compile(r"[1-6*]?>>?|<")
_MERGING = re.compile(r"[1-6]>&[12]|\*>&1")
_SIGNS = re.compile(r"\+\+|\+=|\*=|/=|%=|\+|\*|/|%|=")


class Tokenizer(Literals):
    """Reads the next token in :attr:`mode`."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.mode = Mode.COMMAND
        self.simple_name = False
        self.signed_numbers = False
        self.ternary = False
        self._start = 0

    @property
    def _command(self) -> bool:
        return self.mode is Mode.COMMAND

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

    def _skip_to_token(self) -> None:
        """Move over blanks, comments and continued lines."""
        while self.at < self.end:
            character = self.text[self.at]
            if is_blank(character):
                self.skip_blanks()
            elif character == "#":
                self.skip_line()
            elif self.text.startswith("<#", self.at):
                self.at += 2
                self.skip_block_comment()
            elif character == "`" and self.at + 1 < self.end and self.text[self.at + 1].isspace():
                self.at += 3 if self.text.startswith("\r\n", self.at + 1) else 2
            elif character == "`" and self.at + 1 == self.end:
                self.at += 1
            else:
                return

    def skip_newlines(self, *, semicolons: bool = False) -> None:
        """Move over blanks, comments and ends of lines, and semicolons where asked."""
        while True:
            self._skip_to_token()
            if self.at >= self.end or not (self.peek() in NEWLINES or (semicolons and self.peek() == ";")):
                return
            self.at += 1

    def verbatim(self) -> None:
        """Move over what follows ``--%``: to a pipe, ``&&`` or the end of the line, quotes minded."""
        quoted = False
        while self.at < self.end and self.peek() not in NEWLINES:
            character = self.peek()
            if character in DOUBLE_QUOTES:
                quoted = not quoted
            elif not quoted and (character == "|" or self.text.startswith("&&", self.at)):
                return
            self.at += 1

    def member_operator(self, *, bracket: bool = True) -> Token | None:
        """A member or index operator glued to what was read (comments may stand between), or None."""
        while self.text.startswith("<#", self.at):
            self.at += 2
            self.skip_block_comment()
        self._start = self.at
        for mark in ("?.", "?[", "::", ".", "["):
            if self.text.startswith(mark, self.at):
                return self._member_mark(mark, bracket=bracket)
        return None

    def _member_mark(self, mark: str, *, bracket: bool) -> Token | None:
        following = self.peek(len(mark))
        ends = is_blank(following) or following in NEWLINES or following == NUL
        if mark.endswith("[") and not bracket:
            return None
        if mark == "." and following == ".":
            return None
        if mark in {".", "::"} and self._command and ends:
            return None
        self.at += len(mark)
        return self._mark(mark)

    def open_call(self) -> Token | None:
        """The parenthesis or brace of a call glued to a member's name, or None."""
        self._start = self.at
        return self._mark(self.take()) if self.peek() in "({" and self.at < self.end else None

    def left_bracket(self) -> Token | None:
        """The next ``[`` after blanks and comments, or None; before a member operator the blanks count."""
        begin = self.at
        only_blocks = True
        while True:
            if is_blank(self.peek()) and self.at < self.end:
                only_blocks = False
                self.skip_blanks()
            elif self.peek() == "#":
                only_blocks = False
                self.skip_line()
            elif self.text.startswith("<#", self.at):
                only_blocks = True
                self.at += 2
                self.skip_block_comment()
            else:
                break
        self._start = self.at
        if self.peek() == "[":
            self.at += 1
            return self._mark("[")
        if self.peek() in ".:" and not only_blocks:
            self.at = begin
        return None

    def _token(self, kind: Kind, text: str = "") -> Token:
        return Token(kind, self._start, self.at, text)

    def _mark(self, text: str) -> Token:
        return self._token(Kind.PUNCTUATION, text)

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
        match = _NUMBER.match(self.text, self._start + signed)
        following = NUL
        if match:
            self.at = match.end()
            following = self.peek()
        loose = self.mode is Mode.EXPRESSION and ends_number(following, ternary=self.ternary)
        if not match or not (begins_token(following) or loose):
            return self._word_again()
        value = _number_value(match)
        if value is not None and signed and self.text[self._start] in DASHES:
            value = -value
        return Token(Kind.NUMBER, self._start, self.at, match.group(), value)


def _number_value(match: re.Match[str]) -> int | float | None:
    """The number as Python has it; None for one of a .NET type that Python would spell otherwise."""
    if match["suffix"] or match["hex"] == "" or match["bits"] == "":
        return None
    factor = 1024 ** ("kmgtp".index(match["multiplier"].lower()) + 1) if match["multiplier"] else 1
    if match["hex"]:
        return int(match["hex"], 16) * factor if len(match["hex"]) < 8 else None
    if match["bits"]:
        return int(match["bits"], 2) * factor if len(match["bits"]) < 32 else None
    written = re.sub("[\u2013\u2014\u2015]", "-", match["decimal"])
    return int(written) * factor if written.isdecimal() and len(written) < 19 else float(written) * factor
