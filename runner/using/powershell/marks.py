"""What the parser asks of PowerShell's text between tokens: blanks to pass, marks glued to what was read."""

from __future__ import annotations

from runner.using.powershell.characters import DOUBLE_QUOTES, NEWLINES, NUL, is_blank
from runner.using.powershell.literals import Literals
from runner.using.powershell.tokens import Kind, Mode, Token
from runner.using.source import Source


class Marks(Literals):
    """Reads what is no token of its own accord; :attr:`mode` is how the next token will be read."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.mode = Mode.COMMAND
        self._start = 0

    @property
    def _command(self) -> bool:
        return self.mode is Mode.COMMAND

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
