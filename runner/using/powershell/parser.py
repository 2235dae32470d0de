"""The parser's hold on the tokens: one token back, modes, and the depth that protects the stack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runner.using.findings import MAX_NESTING, Findings
from runner.using.powershell.nodes import Expression
from runner.using.powershell.tokenizer import Tokenizer
from runner.using.powershell.tokens import Kind, Mode, Token
from runner.using.source import Source


class TooDeepError(Exception):
    """The script nests deeper than is read."""


class Parser:
    """Gives the tokens of one text to the rules, which are the subclasses'."""

    def __init__(
        self, source: Source, findings: Findings, *, depth: int = 0, attributes: dict[int, str] | None = None
    ) -> None:
        self.source = source
        self.findings = findings
        self.tokenizer = Tokenizer(source)
        self.depth = depth
        self.no_comma = False
        # The keyword after the attributes at a place of the script, so that looking ahead costs no 2 to the n.
        self.attributes_memory: dict[int, str] = {} if attributes is None else attributes
        self._back: Token | None = None

    @property
    def looked_ahead(self) -> bool:
        """Whether a token was read and given back."""
        return self._back is not None

    def next(self) -> Token:
        """Take the next token."""
        token = self._back or self.tokenizer.next()
        self._back = None
        return token

    def peek(self) -> Token:
        """Look at the next token."""
        if self._back is None:
            self._back = self.tokenizer.next()
        return self._back

    def back(self, token: Token) -> None:
        """Give a token back."""
        self._back = token

    def accept(self, *marks: str) -> Token | None:
        """Take the next token where it is one of these marks."""
        return self.next() if self.peek().is_mark(*marks) else None

    def accept_keyword(self, *words: str) -> Token | None:
        """Take the next token where it is one of these keywords."""
        return self.next() if self.peek().is_keyword(*words) else None

    def resync(self, at: int) -> None:
        """Read again from an offset."""
        self._back = None
        self.tokenizer.at = at

    @property
    def offset(self) -> int:
        """Where the next token is read from."""
        return self._back.start if self._back is not None else self.tokenizer.at

    def skip_newlines(self, *, semicolons: bool = False) -> None:
        """Pass ends of lines, and semicolons where asked."""
        back = self._back
        if back is None or back.kind is Kind.NEWLINE or (semicolons and back.is_mark(";")):
            self._back = None
            self.tokenizer.skip_newlines(semicolons=semicolons)

    @contextmanager
    def mode(self, mode: Mode) -> Iterator[None]:
        """Read tokens in a mode; a token given back is read again where the mode changes."""
        before = self.tokenizer.mode
        self._set_mode(mode)
        yield
        self._set_mode(before)

    def _set_mode(self, mode: Mode) -> None:
        if mode is not self.tokenizer.mode:
            if self._back is not None and self._back.kind not in {Kind.END, Kind.NEWLINE}:
                self.resync(self._back.start)
            self.tokenizer.mode = mode

    @contextmanager
    def commas(self, *, separate: bool) -> Iterator[None]:
        """Read commas as separators of arguments, or as the array operator."""
        before = self.no_comma
        self.no_comma = separate
        yield
        self.no_comma = before

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level further in.

        Raises:
            TooDeepError: the levels are used up.

        """
        if self.depth >= MAX_NESTING:
            self.findings.too_deep(self.source.place(self.offset))
            raise TooDeepError
        self.depth += 1
        yield
        self.depth -= 1

    def place(self, expression: Expression) -> tuple[int, int]:
        """Where an expression stands in the script."""
        return self.source.place(expression.start), self.source.end_place(expression.end)
