"""PowerShell's commands and pipelines: words, parameters, arguments, redirections, assignments."""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum, auto

from runner.using.powershell.expressions import Expressions
from runner.using.powershell.nodes import Expression
from runner.using.powershell.tokens import ASSIGNMENTS, Kind, Mode, Token


class Place(Enum):
    """What a word of a command is there for."""

    NAME = auto()
    NAME_AFTER_OPERATOR = auto()
    ARGUMENT = auto()
    SINGLE = auto()


_ENDS = ("|", "}", ")", ";", "&&", "||", "&")
_NEVER_ARGUMENTS = (*_ENDS, "--", ",")
_VALUES = ("(", "$(", "@(", "@{", "{")


class Commands(Expressions):
    """The rules of pipelines; statements are the subclass's."""

    @abstractmethod
    def statement(self) -> Expression | None:
        """Read a statement."""

    def pipeline(self) -> Expression | None:
        """Read an assignment or pipelines chained by ``&&`` and ``||``; the expression where it is one alone."""
        first = self.expression()
        if first is not None:
            with self.mode(Mode.EXPRESSION):
                token = self.peek()
                assignment = token.kind is Kind.PUNCTUATION and token.text in ASSIGNMENTS
                if assignment:
                    self.next()
            if assignment:
                self.assigned(first)
                self.skip_newlines()
                self.statement()
                return Expression(first.start, self.offset)
        result = self._elements(first)
        while result is not None:
            if self.accept("&"):
                if self.accept("&&", "||"):
                    return result
                return Expression(result.start, self.offset)
            if not self.accept("&&", "||"):
                return result
            self.skip_newlines()
            result = Expression(result.start, self.offset) if self._elements(self.expression()) else None
        return result

    def _elements(self, first: Expression | None) -> Expression | None:
        """Read the commands of one pipeline, of which the first may be an expression that was read."""
        start = self.offset
        element = self._element_after(first)
        count = int(element is not None)
        while self.accept("|"):
            self.skip_newlines()
            count += self._element_after(self.expression()) is not None
            element = None
        if not count:
            return None
        return element or Expression(start, self.offset)

    def _element_after(self, expression: Expression | None) -> Expression | None:
        if expression is None:
            return self.command()
        redirected = False
        while self.peek().kind in {Kind.REDIRECTION, Kind.MERGING}:
            self.redirection(self.next())
            redirected = True
        return Expression(expression.start, self.offset) if redirected else expression

    def redirection(self, token: Token) -> None:
        """Read where a redirection goes."""
        if token.kind is Kind.REDIRECTION:
            self.single_argument()

    def single_argument(self) -> Expression | None:
        """Read one argument: a file's name, a condition of ``switch``."""
        if self.peek().is_mark(",") or self.peek().kind is Kind.END:
            return None
        with self.mode(Mode.COMMAND):
            return self._argument(Place.SINGLE, self.next())

    def command(self) -> Expression | None:
        """Read a command with its words, or nothing where none begins."""
        with self.mode(Mode.COMMAND):
            token = self.next()
            start = token.start
            place = Place.NAME
            if token.is_mark(".", "&"):
                place = Place.NAME_AFTER_OPERATOR
                token = self.next()
            words = 0
            dashes = False
            while not self._ends_command(token):
                words += 1
                if token.is_mark("--"):
                    dashes = True
                elif token.is_mark(","):
                    self.skip_newlines()
                elif token.kind is Kind.PARAMETER and place is Place.ARGUMENT and not dashes:
                    self._parameter(token)
                elif token.kind in {Kind.REDIRECTION, Kind.MERGING} and place is Place.ARGUMENT:
                    self.redirection(token)
                elif token.kind is not Kind.PARAMETER:
                    self._argument(place, token)
                    if (
                        token.kind in {Kind.WORD, Kind.STRING}
                        and token.text == "--%"
                        and not self.looked_ahead
                    ):
                        self.tokenizer.verbatim()
                place = Place.ARGUMENT
                token = self.next()
            self.back(token)
        return Expression(start, self.offset) if words else None

    @staticmethod
    def _ends_command(token: Token) -> bool:
        return token.kind in {Kind.END, Kind.NEWLINE} or token.is_mark(*_ENDS)

    def _parameter(self, token: Token) -> None:
        if token.colon and not self.peek().is_mark(","):
            self._argument(Place.ARGUMENT, self.next())

    def _argument(self, place: Place, token: Token) -> Expression | None:
        """Read an argument that begins with ``token``; in the place of arguments a list of them."""
        argument: Expression | None = None
        while not (self._never_argument(token)):
            argument = self._one_argument(place, token)
            if place is not Place.ARGUMENT or (token.kind is Kind.WORD and token.text == "--%"):
                return argument
            if not self.accept(","):
                return argument
            self.skip_newlines()
            token = self.next()
        self.back(token)
        return argument

    @staticmethod
    def _never_argument(token: Token) -> bool:
        if token.kind in {Kind.END, Kind.NEWLINE, Kind.REDIRECTION, Kind.MERGING}:
            return True
        return token.is_mark(*_NEVER_ARGUMENTS)

    def _one_argument(self, place: Place, token: Token) -> Expression | None:
        if token.kind in {Kind.VARIABLE, Kind.NUMBER, Kind.STRING} or token.is_mark(*_VALUES):
            self.back(token)
            return self.primary()
        if token.kind is Kind.WORD and place is not Place.NAME:
            # The name of a command is not expanded unless `&` or `.` stands before it.
            return self.string(token)
        return Expression(token.start, token.end, constant=True, value=token.text, word=True)
