"""PowerShell's square brackets before something: type literals, casts, attributes."""

from __future__ import annotations

import re

from runner.using.powershell.characters import continues_identifier
from runner.using.powershell.commands import Commands
from runner.using.powershell.tokens import Kind, Mode, Token

_TYPE_CHARACTERS = ".`_+#\\"
_ASSEMBLY = re.compile(r"[^\[\]()]*")


class Attributes(Commands):
    """The rules of what stands in square brackets."""

    def attribute(self) -> tuple[Token, str, int, bool] | None:
        """Read ``[type]`` or ``[attribute(...)]``: its bracket, name, end, and whether it has arguments."""
        bracket = self._left_bracket()
        if bracket is None:
            return None
        self.skip_newlines()
        name = self._type_name()
        if not name:
            self.resync(bracket.start)
            return None
        arguments = self.accept("(") is not None
        if arguments:
            with self.mode(Mode.EXPRESSION):
                self._attribute_arguments()
            self.skip_newlines()
            self.accept(")")
            self.skip_newlines()
        self.accept("]")
        return bracket, name, self.offset, arguments

    def _left_bracket(self) -> Token | None:
        if not self.looked_ahead:
            return self.tokenizer.left_bracket()
        return self.accept("[")

    def _type_name(self) -> str:
        """Read a type's name with its generic arguments, array ranks and assembly; empty where none begins."""
        tokenizer = self.tokenizer
        self.resync(self.offset)
        tokenizer.skip_blanks()
        start = tokenizer.at
        while continues_identifier(tokenizer.peek()) or (
            tokenizer.peek() in _TYPE_CHARACTERS and tokenizer.at > start
        ):
            tokenizer.at += 1
        name = tokenizer.text[start : tokenizer.at]
        if name:
            self._type_arguments()
        return name

    def _type_arguments(self) -> None:
        """Read ``[...]`` after a type's name, and ``, assembly`` after it."""
        tokenizer = self.tokenizer
        level = 0
        while True:
            tokenizer.skip_blanks()
            if tokenizer.peek() == "[":
                level += 1
            elif tokenizer.peek() == "]" and level:
                level -= 1
            elif not level and tokenizer.peek() != ",":
                return
            else:
                rest = _ASSEMBLY.match(tokenizer.text, tokenizer.at)
                if rest is None or rest.end() == tokenizer.at:
                    return
                tokenizer.at = rest.end() - 1
            tokenizer.at += 1

    def _attribute_arguments(self) -> None:
        """Read positional and named arguments of an attribute."""
        with self.commas(separate=True):
            while True:
                self.skip_newlines()
                start = self.offset
                name = self.simple_name()
                if name is not None:
                    if self.accept("="):
                        self.skip_newlines()
                        self.expression()
                elif self.expression() is None:
                    return
                self.skip_newlines()
                if not self.accept(",") or self.offset == start:
                    return

    def attributes(self) -> None:
        """Read attributes and types one after another, on lines of their own too."""
        while self.attribute() is not None:
            self.skip_newlines()

    def keyword_after_attributes(self) -> str:
        """The keyword that attributes at the next token stand before, or nothing; no token is taken."""
        start = self.offset
        known = self.attributes_memory.get(self.source.place(start))
        if known is None:
            self.resync(start)
            self.attributes()
            token = self.peek()
            known = token.text if token.kind is Kind.KEYWORD else ""
            self.attributes_memory[self.source.place(start)] = known
            self.resync(start)
        return known
