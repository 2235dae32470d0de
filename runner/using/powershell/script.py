"""PowerShell's statements and script blocks, and the scan of a whole script."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from runner.using.findings import Findings
from runner.using.model import Scan
from runner.using.powershell.classes import Classes
from runner.using.powershell.nodes import Expression
from runner.using.powershell.parser import TooDeepError
from runner.using.powershell.tokens import Kind, Mode, Subexpression, Token
from runner.using.source import Source

_BLOCKS = ("begin", "process", "end", "clean", "dynamicparam")
_ATTRIBUTED = frozenset(["class", "enum", "configuration", "function", "filter", "workflow"])
_RESERVED = ("from", "define", "var")
_LOOPS = ("switch", "foreach", "for", "while", "do")


def scan(text: str) -> Scan:
    """Find the using expressions of a PowerShell script as the engine's own parser finds them.

    Of a script with syntax errors what is readable is read, with the parser's own recovery where it matters. Offsets
    count characters, where the engine counts UTF-16 units.
    """
    findings = Findings(text)
    with suppress(TooDeepError):  # noted as a problem where it happened
        _Statements(Source.script(text), findings).script_body(None)
    return findings.scan()


class _Statements(Classes):
    """The rules of statements, by their keywords."""

    def inside(self, source: Subexpression) -> None:
        """Read ``$(...)`` in a string, whose text may have lost doubled quotes."""
        with self.nested():
            inner = _Statements(
                source.source, self.findings, depth=self.depth, attributes=self.attributes_memory
            )
            inner.primary()

    def parenthesized(self) -> Expression | None:
        """Read the pipeline of ``(...)`` from after its parenthesis."""
        with self.commas(separate=False), self.mode(Mode.COMMAND):
            self.skip_newlines()
            pipeline = self.pipeline()
            self.skip_newlines()
            self.accept(")")
        return pipeline

    def statements(self, close: str) -> Expression | None:
        """Read statements up to and with ``close``; the expression where they are one alone."""
        with self.commas(separate=False), self.mode(Mode.COMMAND):
            only = self.statement_list()
            self.skip_newlines()
            self.accept(close)
        return only

    def statement_list(self) -> Expression | None:
        """Read statements as long as there are any; the expression where there is one alone."""
        found: list[Expression] = []
        self.skip_newlines(semicolons=True)
        while not self.peek().is_mark(")", "}"):
            start = self.offset
            statement = self.statement()
            if statement is None or self.offset == start:
                break
            found.append(statement)
            self.skip_newlines(semicolons=True)
        return found[0] if len(found) == 1 else None

    def script_block(self, opening: Token) -> Expression:
        """Read a script block from after its brace."""
        with self.commas(separate=False), self.mode(Mode.COMMAND):
            self.script_body(opening)
        return Expression(opening.start, self.offset, constant=True)

    def script_body(self, opening: Token | None) -> None:
        """Read parameters and statements to the closing brace, or of a whole script to the end."""
        self.skip_newlines()
        while opening is None and self.accept_keyword("using"):
            self.using_statement()
            self.skip_newlines(semicolons=True)
        self._param_block()
        self.skip_newlines(semicolons=True)
        if self._named_blocks():
            self.accept("}")
            return  # the engine reads nothing after blocks with names but more of them
        while True:
            self.statement_list()
            token = self.next()
            if token.kind is Kind.END or (opening is not None and token.is_mark("}")):
                return
            if opening is not None:
                self.back(token)
                return

    def _named_blocks(self) -> bool:
        """Whether blocks with names were there, and are read now."""
        found = False
        while self.accept_keyword(*_BLOCKS):
            found = True
            self.block()
            self.skip_newlines(semicolons=True)
        return found

    def using_statement(self) -> None:
        """Pass ``using namespace ...`` and its like, in which nothing is evaluated."""
        while self.peek().kind not in {Kind.END, Kind.NEWLINE} and not self.peek().is_mark(";", "}", ")"):
            self.next()

    def _param_block(self) -> None:
        start = self.offset
        if self.keyword_after_attributes() != "param":
            return
        self.attributes()
        self.accept_keyword("param")
        self.skip_newlines()
        if not self.parameters():
            self.resync(start)

    def statement(self) -> Expression | None:
        """Read a statement; the expression where it is one, None where none begins."""
        with self.nested():
            token = self.peek()
            if token.kind is Kind.WORD and token.text.startswith("["):
                keyword = self.keyword_after_attributes()
                if keyword in _ATTRIBUTED:
                    self.attributes()
                    token = self.peek()
            if token.kind is Kind.LABEL:
                self.next()
                self.skip_newlines()
                if not self.peek().is_keyword(*_LOOPS):
                    self.resync(token.start)
                    return self.pipeline()
                token = self.peek()
            if token.kind is not Kind.KEYWORD:
                return None if token.kind is Kind.END else self.pipeline()
            return self._keyword(self.next())

    def _keyword(self, token: Token) -> Expression | None:
        """Read the statement of a keyword; a keyword that begins none is the name of a command."""
        if token.text == "configuration":
            self._configuration()
            return None
        rules: dict[str, Callable[[], object]] = {
            "if": self._if,
            "switch": self._switch,
            "foreach": self._foreach,
            "for": self._for,
            "while": self._condition_and_block,
            "do": self._do,
            "try": self._try,
            "trap": self._catch,
            "data": self._data,
            "using": self.using_statement,
            "class": self.type_definition,
            "enum": partial(self.type_definition, enumeration=True),
        }
        rules |= dict.fromkeys(("function", "filter", "workflow"), self._function)
        rules |= dict.fromkeys(("return", "throw", "exit"), self.pipeline)
        rules |= dict.fromkeys(("break", "continue"), self.label_or_key)
        rules |= dict.fromkeys(("parallel", "sequence"), self.block)
        rules |= dict.fromkeys(_RESERVED, lambda: None)
        rule = rules.get(token.text)
        if rule is None:
            self.back(token)
            return self.pipeline()
        rule()
        return Expression(token.start, self.offset)

    def _condition(self) -> None:
        """Read ``(pipeline)`` after a keyword."""
        self.skip_newlines()
        if self.accept("("):
            self.parenthesized()

    def _condition_and_block(self) -> None:
        self._condition()
        self.block()

    def _if(self) -> None:
        self._condition_and_block()
        while self._accept_on_next_line("elseif"):
            self._condition_and_block()
        if self._accept_on_next_line("else"):
            self.block()

    def _accept_on_next_line(self, *words: str) -> bool:
        """Take a keyword of the statement, which may stand on a later line."""
        self.skip_newlines()
        return self.accept_keyword(*words) is not None

    def _switch(self) -> None:
        self.skip_newlines()
        while self.peek().kind is Kind.PARAMETER:
            if "file".startswith(self.next().text):
                self.skip_newlines()
                self.single_argument()
        self._condition()
        self.skip_newlines()
        if not self.accept("{"):
            return
        self.skip_newlines()
        while not self.accept("}") and self.peek().kind is not Kind.END:
            start = self.offset
            if not self.accept_keyword("default") and self.single_argument() is None:
                self.accept("}")
                return
            self.block()
            self.skip_newlines(semicolons=True)
            if self.offset == start:
                return

    def _foreach(self) -> None:
        self.skip_newlines()
        while self.peek().kind is Kind.PARAMETER:
            if "throttlelimit".startswith(self.next().text):
                self.skip_newlines()
                self.single_argument()
            self.skip_newlines()
        if not self.accept("("):
            return
        self.skip_newlines()
        variable = self.peek().variable
        if variable is not None:
            self.next()
            self.loop_variable(variable)
        self.skip_newlines()
        if self.accept_keyword("in"):
            self.skip_newlines()
            self.pipeline()
        self.skip_newlines()
        if self.accept(")"):
            self.block()

    def _for(self) -> None:
        self.skip_newlines()
        if not self.accept("("):
            return
        for _ in range(3):
            self.skip_newlines()
            self.pipeline()
            self.skip_newlines()
            self.accept(";")
        self.skip_newlines()
        self.accept(")")
        self.block()

    def _do(self) -> None:
        self.block()
        if self._accept_on_next_line("while", "until"):
            self._condition()

    def _function(self) -> None:
        self.skip_newlines()
        name = self.next()
        if name.kind in {Kind.PUNCTUATION, Kind.VARIABLE, Kind.STRING, Kind.END}:
            self.back(name)
            return
        self.skip_newlines()
        self.parameters()
        self.skip_newlines()
        opening = self.accept("{")
        if opening:
            self.script_block(opening)

    def _configuration(self) -> None:
        """Read ``configuration name {``: without the store of its schemas the engine gives up here.

        The list of statements ends; what stands inside is read as statements of the script, after the next token.
        """
        self.skip_newlines()
        self.next()
        self.skip_newlines()
        self.accept("{")

    def _try(self) -> None:
        self.block()
        while self._accept_on_next_line("catch"):
            self._catch()
        if self._accept_on_next_line("finally"):
            self.block()

    def _catch(self) -> None:
        """Read the types and the block of ``catch`` and ``trap``."""
        self.skip_newlines()
        while self.attribute() is not None:
            self.skip_newlines()
            self.accept(",")
            self.skip_newlines()
        self.block()

    def _data(self) -> None:
        self.skip_newlines()
        self.simple_name()
        self.skip_newlines()
        if self.peek().kind is Kind.PARAMETER:
            self.next()
            self.skip_newlines()
            while self.single_argument() is not None and self.accept(","):
                self.skip_newlines()
        self.block()
