"""What stands inside the words of sh and bash: quotes, expansions, and the references among them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from runner.using.findings import MAX_NESTING, Findings
from runner.using.posix_reference import ParameterReader
from runner.using.source import Source

_HINT_DOUBLE = 'use double quotes around it, or leave the quotes and put `"$Using:name"` in between'
HINT_DOCUMENT = "take the quotes from the word after `<<`, and write `\\$` where a dollar sign is meant"
# ${name#pattern}, ${name%pattern}, ${name/pattern/text}, ${name^pattern}: quotes quote in a pattern, even inside double
# quotes; in `${name:-text}` inside double quotes a single quote is a character like any other.
_PATTERN = re.compile(r"(?:[A-Za-z_]\w*|[0-9]+|[@*#?$!-])(?:\[[^]]*\])?[#%/^,]")


class Words(ABC):
    """Reads the pieces of words; ``at`` is the next character. The commands around words are the subclass's."""

    def __init__(self, source: Source, findings: Findings, *, bash: bool, depth: int = 0) -> None:
        self.source = source
        self.text = source.text
        self.end = len(source.text)
        self.at = 0
        self.findings = findings
        self.bash = bash
        self.depth = depth

    @abstractmethod
    def substitution(self) -> None:
        """Read the commands of ``$(...)`` from after the parenthesis to after the closing one."""

    @abstractmethod
    def inside_backquotes(self, source: Source) -> None:
        """Read the commands between two backquotes."""

    @abstractmethod
    def is_arithmetic(self, start: int) -> bool:
        """Whether ``((`` at ``start`` may be arithmetic; False once it was found to be two parentheses."""

    def piece(self) -> None:
        """Read one character, escape, quotation or expansion of an unquoted word."""
        match self.text[self.at]:
            case "\\":
                self.at += 2
            case "'":
                self.single()
            case '"':
                self.nested(self.double)
            case "$":
                self.dollar(quoted=False)
            case "`":
                self.backquoted(quoted=False)
            case _:
                self.at += 1

    def nested(self, read: Callable[[], None]) -> None:
        """Read one level further in; too many levels end the reading of the script, with a problem."""
        if self.depth >= MAX_NESTING:
            self.findings.too_deep(self.source.place(self.at))
            self.at = self.end
            return
        self.depth += 1
        read()
        self.depth -= 1

    def single(self) -> None:
        """Read ``'...'``: text, whatever is in it."""
        close = self.text.find("'", self.at + 1)
        self.literal(close if close >= 0 else self.end)

    def ansi(self) -> None:
        """Read bash's ``$'...'``: text in which a backslash escapes the quote."""
        match = re.compile(r"\$'(?:[^'\\]|\\.)*", re.DOTALL).match(self.text, self.at)
        self.literal(match.end() if match else self.end)

    def literal(self, close: int) -> None:
        """Pass over text up to and with the quote at ``close``, warning of references in it."""
        start, end = self.source.place(self.at), self.source.place(close)
        self.findings.text_only(start, end, "in single quotes", _HINT_DOUBLE)
        self.at = close + 1

    def double(self) -> None:
        """Read ``"..."``."""
        self.at += 1
        while self.at < self.end and self.text[self.at] != '"':
            self.quoted_piece()
        self.at += 1

    def document(self) -> None:
        """Read the body of an unquoted here-document, which is the whole source."""
        while self.at < self.end:
            self.quoted_piece()

    def quoted_piece(self) -> None:
        """Read one character, escape or expansion of text in double quotes or in a here-document."""
        match self.text[self.at]:
            case "\\":
                self.at += 2
            case "$":
                self.dollar(quoted=True)
            case "`":
                self.backquoted(quoted=True)
            case _:
                self.at += 1

    def dollar(self, *, quoted: bool) -> None:
        """Read what a dollar sign begins: a reference, an expansion, or nothing special."""
        reader = ParameterReader(self.source, self.findings, bash=self.bash)
        after = reader.read(self.at)
        if after is not None:
            self.at = after
            if reader.inside_braces:
                self.nested(lambda: self.braces(quoted=quoted and not reader.pattern))
            return
        following = self.text[self.at + 1 : self.at + 2]
        if following == "(":
            self.at += 1
            if not self.arithmetic():
                self.at += 1
                self.nested(self.substitution)
        elif following == "{":
            self.at += 2
            pattern = _PATTERN.match(self.text, self.at)
            self.nested(lambda: self.braces(quoted=quoted and not pattern))
        elif following == "'" and self.bash and not quoted:
            self.ansi()
        elif following and following in "$#?!*@-":
            self.at += 2
        else:
            self.at += 1

    def braces(self, *, quoted: bool) -> None:
        """Read the rest of ``${...}`` up to and with the closing brace."""
        while self.at < self.end and self.text[self.at] != "}":
            if quoted and self.text[self.at] == "'":
                self.at += 1
            else:
                self.piece_of_braces(quoted=quoted)
        self.at += 1

    def piece_of_braces(self, *, quoted: bool) -> None:
        """Read one piece of the text after a parameter, which is quoted where the parameter is."""
        if quoted and self.text[self.at] in "$`":
            self.quoted_piece()
        else:
            self.piece()

    def arithmetic(self) -> bool:
        """Read ``((...))`` at the next character; False with nothing read where it is no arithmetic."""
        start = self.at
        if not self.text.startswith("((", start) or not self.is_arithmetic(start):
            return False
        self.at += 2
        self.nested(self._expression)
        if self.text.startswith("))", self.at):
            self.at += 2
            return True
        if self.at >= self.end:
            return True
        self.at = start
        return False

    def _expression(self) -> None:
        """Read arithmetic up to the parenthesis that closes it."""
        level = 0
        while self.at < self.end:
            match self.text[self.at]:
                case "(":
                    level += 1
                    self.at += 1
                case ")" if level == 0:
                    return
                case ")":
                    level -= 1
                    self.at += 1
                case '"':
                    self.nested(self.double)
                case _:
                    self.quoted_piece()

    def backquoted(self, *, quoted: bool) -> None:
        """Read the commands between backquotes, as they are once the shell took one level of backslashes away."""
        start = self.at + 1
        match = re.compile(r"(?:[^`\\]|\\.)*", re.DOTALL).match(self.text, start)
        close = match.end() if match else self.end
        inner = self.source.without_backslashes(start, close, '$`\\"' if quoted else "$`\\")
        self.at = close
        self.nested(lambda: self.inside_backquotes(inner))
        self.at += 1
