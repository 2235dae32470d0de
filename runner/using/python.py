"""The scanner of python: a small lexer of strings, f-strings and comments.

The text is no Python before its references are replaced, so the standard tokenizer cannot read it. A reference is found
in code and in the fields of f-strings (nested ones and those of format specs included); in any other string it is text
and gets a warning; in comments it is nothing. The chain is the longest run of members and constant indexes glued to the
name; a member that is called is not part of it: in ``$Using:host.name.upper()`` the value is ``host.name``, and Python
calls ``upper`` on it. ``($Using:when).year`` asks Python, not the chain, for an attribute.

Fields are read by the rules of Python 3.12 and later; whatever compiles under older ones reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runner.using.chain import read_chain
from runner.using.findings import MAX_NESTING, Findings
from runner.using.model import Access, Scan, ScriptProblem

_USING = "[Uu][Ss][Ii][Nn][Gg]:"
_UNBRACED = re.compile(rf"\${_USING}(\w*)")
_BRACED = re.compile(rf"\$\{{{_USING}([^\s{{}}.\[\]\"'`$\\][^{{}}.\[\]\"'`$\\\n]*)?")
_STRING = re.compile(r"([A-Za-z]{0,2})('''|\"\"\"|'|\")")
_PREFIXES = frozenset(["", "r", "u", "b", "f", "t", "rb", "br", "rf", "fr", "rt", "tr"])
_WORD = re.compile(r"\w+")
_DOLLAR_FIELD = re.compile(rf"\{{{_USING}\w[^{{}}\n]*\}}?")
_ASSIGNED = re.compile(r"[ \t]*(?:[-+*/%@&|^]|\*\*|//|>>|<<)?=(?!=)")
_HINT_STRING = 'make it an f-string, `f"{$Using:name}"`, or put the string together with `+`'


def scan(text: str) -> Scan:
    """Find the references of a Python script."""
    findings = Findings(text)
    _Lexer(text, findings).code()
    return findings.scan()


class _Lexer:
    """Reads code and strings; ``at`` is the next character."""

    def __init__(self, text: str, findings: Findings) -> None:
        self.text = text
        self.end = len(text)
        self.at = 0
        self.depth = 0
        self.findings = findings

    def code(self, *, field: bool = False) -> None:
        """Read code to the end; in a field up to what ends its expression: ``}``, ``!r`` or ``:``."""
        brackets = 0
        while self.at < self.end:
            character = self.text[self.at]
            if field and brackets == 0 and self._ends_expression(character):
                return
            if character == "#":
                newline = self.text.find("\n", self.at)
                self.at = newline if newline >= 0 else self.end
            elif character == "$":
                self._reference(statement=not field and brackets == 0)
            elif character == "\\":
                self.at += 2
            elif character in "([{":
                brackets += 1
                self.at += 1
            elif character in ")]}":
                brackets = max(0, brackets - 1)
                self.at += 1
            else:
                self._word_or_string()

    def _ends_expression(self, character: str) -> bool:
        return character in "}:" or (character == "!" and self.text[self.at + 1 : self.at + 2] != "=")

    def _word_or_string(self) -> None:
        string = _STRING.match(self.text, self.at)
        if string and string[1].lower() in _PREFIXES:
            self._string(string)
            return
        word = _WORD.match(self.text, self.at)
        self.at = word.end() if word else self.at + 1

    def _string(self, match: re.Match[str]) -> None:
        prefix, quote = match[1].lower(), match[2]
        self.at = match.end()
        if "f" in prefix or "t" in prefix:
            self._nested(lambda: self._formatted(quote, raw="r" in prefix))
        else:
            self._plain(quote)

    def _nested(self, read: Callable[[], None]) -> None:
        if self.depth >= MAX_NESTING:
            self.findings.too_deep(self.at)
            self.at = self.end
            return
        self.depth += 1
        read()
        self.depth -= 1

    def _plain(self, quote: str) -> None:
        """Read a string without fields from after its opening quote."""
        start = self.at
        while self.at < self.end and not self._closes(quote):
            self.at += 2 if self.text[self.at] == "\\" else 1
        self._text(start)
        self._pass(quote)

    def _formatted(self, quote: str, *, raw: bool) -> None:
        """Read an f-string or a t-string from after its opening quote."""
        self._literal(quote, raw=raw, spec=False)
        self._pass(quote)

    def _literal(self, quote: str, *, raw: bool, spec: bool) -> None:
        """Read text and fields up to the closing quote, in a format spec up to the brace that closes its field."""
        start = self.at
        while self.at < self.end and not self._closes(quote):
            character = self.text[self.at]
            if spec and character == "}":
                break
            if not spec and self.text.startswith(("{{", "}}"), self.at):
                self.at += 2
            elif character == "{":
                self._text(start)
                self._nested(lambda: self._field(quote, raw=raw))
                start = self.at
            elif character == "\\":
                self._escape(raw=raw)
            else:
                self.at += 1
        self._text(start)

    def _escape(self, *, raw: bool) -> None:
        named = None if raw else re.compile(r"\\N\{[^}\n]*\}").match(self.text, self.at)
        if named:
            self.at = named.end()
        else:
            self.at += 1 if self.text[self.at + 1 : self.at + 2] in {"{", "}"} else 2

    def _field(self, quote: str, *, raw: bool) -> None:
        """Read ``{expression!r:spec}`` from its opening brace."""
        if self.at and self.text[self.at - 1] == "$":
            self._dollar_field()
        self.at += 1
        self.code(field=True)
        if self.text.startswith("!", self.at):
            word = _WORD.match(self.text, self.at + 1)
            self.at = word.end() if word else self.at + 1
        if self.text.startswith(":", self.at):
            self.at += 1
            self._literal(quote, raw=raw, spec=True)
        if self.text.startswith("}", self.at):
            self.at += 1

    def _dollar_field(self) -> None:
        match = _DOLLAR_FIELD.match(self.text, self.at)
        if match:
            start, end = self.at - 1, match.end()
            message = (
                f"`{self.text[start:end]}` in an f-string is a dollar sign and the variable `Using` to Python"
            )
            hint = f"write `{{{self.text[start:end]}}}`"
            self.findings.problem(ScriptProblem("using-in-quotes", message, start, end, False, (hint,)))

    def _closes(self, quote: str) -> bool:
        """Whether the string ends here: its quote, or for a string of one line the end of the line."""
        return self.text.startswith(quote, self.at) or (len(quote) == 1 and self.text[self.at] == "\n")

    def _pass(self, quote: str) -> None:
        self.at = min(self.at, self.end)
        if self.text.startswith(quote, self.at):
            self.at += len(quote)

    def _text(self, start: int) -> None:
        self.findings.text_only(start, min(self.at, self.end), "in a string", _HINT_STRING)

    def _reference(self, *, statement: bool) -> None:
        start = self.at
        unbraced = _UNBRACED.match(self.text, start)
        braced = None if unbraced else _BRACED.match(self.text, start)
        name = ""
        chain: tuple[Access, ...] = ()
        if unbraced:
            name, self.at = unbraced[1], unbraced.end()
        elif braced:
            name, chain = self._braced(braced)
        else:
            self.at += 1
            return
        if not name:
            self._refuse(start, "has no name where one is due")
            return
        rest, self.at = read_chain(self.text, self.at, calls=True)
        if start and self.text[start - 1] == ".":
            self._refuse(start, "is a value and cannot be the name of an attribute")
        elif statement and _ASSIGNED.match(self.text, self.at):
            message = f"`{self.text[start : self.at]}` is a value that cannot be assigned to"
            hints = ("take a variable of the script: `value = $Using:name`",)
            self.findings.problem(ScriptProblem("using-assigned", message, start, self.at, hints=hints))
        self.findings.reference(name, chain + rest, start, self.at)

    def _braced(self, match: re.Match[str]) -> tuple[str, tuple[Access, ...]]:
        """The name and the chain inside braces; no name where the braces are not closed after them."""
        name = (match[1] or "").rstrip()
        chain, self.at = read_chain(self.text, match.end())
        if not self.text.startswith("}", self.at):
            return "", ()
        self.at += 1
        return name, chain

    def _refuse(self, start: int, why: str) -> None:
        hints = (
            ("write `$Using:name`, or `${Using:name with space}`",)
            if "no name" in why
            else ("take a variable of the script: `value = $Using:name`",)
        )
        self.findings.invalid(f"`{self.text[start : self.at]}` {why}", start, self.at, *hints)
