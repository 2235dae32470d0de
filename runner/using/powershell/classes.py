"""PowerShell's blocks, parameters, hash tables, classes and enumerations."""

from __future__ import annotations

from abc import abstractmethod

from runner.using.powershell.attributes import Attributes
from runner.using.powershell.nodes import Expression
from runner.using.powershell.tokens import Kind, Mode, Token


class Classes(Attributes):
    """The rules of what holds statements and declarations."""

    @abstractmethod
    def statement_list(self) -> Expression | None:
        """Read statements as long as there are any."""

    def block(self) -> bool:
        """Read ``{ statements }``, or nothing where no brace is."""
        self.skip_newlines()
        if not self.accept("{"):
            return False
        with self.commas(separate=False), self.mode(Mode.COMMAND):
            self.statement_list()
            self.skip_newlines()
            self.accept("}")
        return True

    def label_or_key(self) -> Expression | None:
        """Read the label of ``break``, or the key of an entry of a hash table."""
        name = self.simple_name()
        if name is not None:
            return Expression(name.start, name.end)
        if self.peek().kind is Kind.NEWLINE or self.peek().is_mark(";"):
            return None
        with self.commas(separate=True):
            return self.unary()

    def hash_table(self, opening: Token) -> Expression:
        """Read the entries of a hash table from after ``@{``."""
        with self.commas(separate=False), self.mode(Mode.COMMAND):
            self.skip_newlines()
            while self._entry():
                if self.peek().kind is not Kind.NEWLINE and not self.peek().is_mark(";"):
                    break
                self.skip_newlines(semicolons=True)
            self.accept("}")
        return Expression(opening.start, self.offset)

    def _entry(self) -> bool:
        start = self.offset
        with self.mode(Mode.EXPRESSION):
            if self.label_or_key() is None:
                return False
            equals = self.accept("=")
        if equals:
            self.skip_newlines()
            self.statement()
        else:
            while self.peek().kind not in {Kind.END, Kind.NEWLINE} and not self.peek().is_mark(";", "}"):
                self.next()
        return self.offset > start

    def parameters(self) -> bool:
        """Read ``(parameters)`` of ``param``, a function or a method, or nothing where no parenthesis is."""
        if not self.accept("("):
            return False
        while self._parameter_declaration():
            self.skip_newlines()
            if not self.accept(","):
                break
        self.skip_newlines()
        self.accept(")")
        return True

    def _parameter_declaration(self) -> bool:
        with self.commas(separate=True), self.mode(Mode.EXPRESSION):
            self.skip_newlines()
            self.attributes()
            self.skip_newlines()
            if self.peek().kind is not Kind.VARIABLE:
                return False
            self.next()
            self.skip_newlines()
            if self.accept("="):
                self.skip_newlines()
                self.expression()
        return True

    def type_definition(self, *, enumeration: bool = False) -> None:
        """Read a class or an enumeration from after its keyword."""
        with self.mode(Mode.SIGNATURE):
            self.skip_newlines()
            while not self.accept("{"):
                if self.peek().kind is Kind.END or self.peek().is_mark(";", "}", ")"):
                    return
                self.next()
            self.skip_newlines(semicolons=True)
            while not self.accept("}") and self.peek().kind is not Kind.END:
                start = self.offset
                self._member_declaration(enumeration=enumeration)
                self.skip_newlines(semicolons=True)
                if self.offset == start:
                    self.next()

    def _member_declaration(self, *, enumeration: bool) -> None:
        self.attributes()
        while self.accept_keyword("static", "hidden"):
            self.skip_newlines()
            self.attributes()
        token = self.peek()
        if token.kind is Kind.VARIABLE:
            self.next()
            self._initial_value()
        elif token.kind in {Kind.IDENTIFIER, Kind.KEYWORD}:
            self.next()
            if enumeration:
                self._initial_value()
            else:
                self._method()

    def _initial_value(self) -> None:
        if self.accept("="):
            self.skip_newlines()
            self.expression()

    def _method(self) -> None:
        """Read a method from after its name; ``: base(...)`` comes before the body of a constructor."""
        self.skip_newlines()
        self.parameters()
        self.skip_newlines()
        if self.accept(":"):
            self.skip_newlines()
            if self.accept_keyword("base"):
                self.skip_newlines()
                if self.accept("("):
                    self.call_arguments()
                self.skip_newlines()
        opening = self.accept("{")
        if opening:
            self.script_block(opening)
