"""The scanner of sh and bash: follows commands as far as quoting, here-documents and parentheses need it.

``$Using:name`` is found wherever the shell would expand ``$name``: outside quotes, in double quotes, in unquoted
here-documents, in ``$(...)``, backquotes, ``$((...))`` and ``${x:-...}``. What it takes for text is text: single
quotes, ``$'...'`` and quoted here-documents, each with a warning, and comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.using.findings import Findings
from runner.using.model import Scan
from runner.using.posix_words import HINT_DOCUMENT, Words
from runner.using.source import Source

_BLANK = " \t"
_METACHARACTERS = frozenset(" \t\n;&|<>()")
# After these a command may begin, so that `case` is the reserved word.
_LEADING = frozenset(
    [
        "if",
        "then",
        "else",
        "elif",
        "while",
        "until",
        "do",
        "!",
        "{",
        "}",
        "time",
        "fi",
        "done",
        "esac",
        "coproc",
    ]
)
_HERE_DOCUMENT = re.compile(r"<<(-?)(?!<)")
_ASSIGNED_SUBSCRIPT = re.compile(r"\[[^\s'\"`]*?\]\+?=")
_PATTERN_PREFIX = "?*+@!="


@dataclass(frozen=True, slots=True)
class _Document:
    """A here-document whose body has not begun yet."""

    delimiter: str
    quoted: bool
    strip_tabs: bool


def scan(text: str, *, bash: bool) -> Scan:
    """Find the references of a script of sh, or of bash."""
    findings = Findings(text)
    _Commands(Source.script(text), findings, bash=bash, not_arithmetic=set()).commands()
    return findings.scan()


class _Commands(Words):
    """Reads commands: words, operators, comments, ``case`` patterns, here-documents."""

    def __init__(
        self, source: Source, findings: Findings, *, bash: bool, not_arithmetic: set[int], depth: int = 0
    ) -> None:
        super().__init__(source, findings, bash=bash, depth=depth)
        self._documents: list[_Document] = []
        self._not_arithmetic = not_arithmetic

    def substitution(self) -> None:
        """Read ``$(...)``; here-documents begun inside end inside."""
        outside, self._documents = self._documents, []
        self.commands(closed=True)
        self._documents = outside

    def inside_backquotes(self, source: Source) -> None:
        """Read the commands between two backquotes."""
        self._inner(source).commands()

    def is_arithmetic(self, start: int) -> bool:
        """Whether ``((`` at ``start`` may be arithmetic: each place fails once, so that nesting costs no 2 to the n."""
        return self.source.place(start) not in self._not_arithmetic

    def arithmetic(self) -> bool:
        """Read ``((...))``, remembering a place that is none."""
        start = self.source.place(self.at)
        found = super().arithmetic()
        if not found:
            self._not_arithmetic.add(start)
        return found

    def commands(self, *, closed: bool = False) -> None:
        """Read commands to the end, or up to and with the parenthesis that closes them."""
        cases = _Cases()
        while self.at < self.end:
            character = self.text[self.at]
            if character == ")":
                self.at += 1
                if not cases.end_pattern() and closed:
                    return
            elif character in _METACHARACTERS or character == "#" or self.text.startswith("\\\n", self.at):
                self._between_words(character, cases)
            else:
                cases.word(self._word())

    def _between_words(self, character: str, cases: _Cases) -> None:
        """Read blanks, a comment, an operator or a parenthesis that opens."""
        if character == "\n":
            self.at += 1
            self._read_documents()
            cases.begin_command()
        elif character == "\\":
            self.at += 2
        elif character == "#":
            newline = self.text.find("\n", self.at)
            self.at = newline if newline >= 0 else self.end
        elif character == "(":
            self._parenthesis(cases)
        elif character in "<>":
            self._redirection()
        else:
            self.at += 1
            if character == ";" and self.text[self.at : self.at + 1] in {";", "&"}:
                cases.end_clause()
            elif character not in _BLANK:
                cases.begin_command()

    def _parenthesis(self, cases: _Cases) -> None:
        if cases.in_pattern:
            self.at += 1
        elif not (self.bash and self.arithmetic()):
            self.at += 1
            self.nested(lambda: self.commands(closed=True))
            cases.begin_command()

    def _word(self) -> str:
        """Read one word; the word where it is free of quotes and expansions or not, as written."""
        start = self.at
        while self.at < self.end:
            character = self.text[self.at]
            if (
                character == "("
                and self.bash
                and self.at > start
                and self.text[self.at - 1] in _PATTERN_PREFIX
            ):
                self.at += 1
                self.nested(self._items)
            elif character in _METACHARACTERS:
                break
            elif character == "[" and self.bash:
                self._subscript()
            else:
                self.piece()
        return self.text[start : self.at]

    def _subscript(self) -> None:
        """Read the subscript of an assignment, ``a[1<<2]=``, in which nothing is an operator of commands."""
        match = _ASSIGNED_SUBSCRIPT.match(self.text, self.at)
        close = match.end() if match else self.at + 1
        while self.at < close:
            self.piece()

    def _items(self) -> None:
        """Read the words of an array or of an extended pattern up to and with the closing parenthesis."""
        while self.at < self.end:
            character = self.text[self.at]
            if character == ")":
                self.at += 1
                return
            if character == "(":
                self.at += 1
                self.nested(self._items)
            elif character == "#" and self.text[self.at - 1] in " \t\n(":
                newline = self.text.find("\n", self.at)
                self.at = newline if newline >= 0 else self.end
            else:
                self.piece()

    def _redirection(self) -> None:
        match = _HERE_DOCUMENT.match(self.text, self.at)
        if not match:
            self.at += 3 if self.text.startswith("<<<", self.at) else 1
            return
        self.at = match.end()
        while self.text[self.at : self.at + 1] in {" ", "\t"}:
            self.at += 1
        delimiter, quoted = self._delimiter()
        self._documents.append(_Document(delimiter, quoted, bool(match[1])))

    def _delimiter(self) -> tuple[str, bool]:
        """The word after ``<<`` without its quotes, and whether it had any."""
        pieces: list[str] = []
        quoted = False
        while self.at < self.end and self.text[self.at] not in _METACHARACTERS:
            character = self.text[self.at]
            self.at += 1
            if character in "'\"":
                close = self.text.find(character, self.at)
                close = close if close >= 0 else self.end
                pieces.append(self.text[self.at : close])
                self.at = close + 1
                quoted = True
            elif character == "\\":
                pieces.append(self.text[self.at : self.at + 1])
                self.at += 1
                quoted = True
            else:
                pieces.append(character)
        return "".join(pieces), quoted

    def _read_documents(self) -> None:
        """Read the bodies that begin at this line."""
        documents, self._documents = self._documents, []
        for document in documents:
            start = self.at
            body_end, self.at = self._body(document)
            if document.quoted:
                places = self.source.place(start), self.source.place(body_end)
                self.findings.text_only(*places, "in a quoted here-document", HINT_DOCUMENT)
            else:
                self._inner(self.source.part(start, body_end)).document()

    def _body(self, document: _Document) -> tuple[int, int]:
        """Where the body at the next character ends, and where the line after its delimiter begins."""
        at = self.at
        continued = False
        while at < self.end:
            newline = self.text.find("\n", at)
            line_end = newline if newline >= 0 else self.end
            line = self.text[at:line_end]
            shown = line.lstrip("\t") if document.strip_tabs else line
            if shown == document.delimiter and not continued:
                return at, min(line_end + 1, self.end)
            # A backslash at the end of a line joins the next one to it, so that it cannot be the delimiter.
            continued = not document.quoted and (len(line) - len(line.rstrip("\\"))) % 2 == 1
            at = line_end + 1
        return self.end, self.end

    def _inner(self, source: Source) -> _Commands:
        return _Commands(
            source, self.findings, bash=self.bash, not_arithmetic=self._not_arithmetic, depth=self.depth
        )


class _Cases:
    """Which ``case`` statements are open, and whether a command may begin: what ``)`` means depends on both."""

    def __init__(self) -> None:
        self._open: list[str] = []  # each `subject`, `in`, `pattern` or `body`
        self._first = True

    @property
    def in_pattern(self) -> bool:
        """Whether patterns of a clause are read, where a parenthesis groups nothing."""
        return self._open[-1:] == ["pattern"]

    def begin_command(self) -> None:
        """After a newline or an operator a reserved word is one."""
        self._first = True

    def end_clause(self) -> None:
        """``;;`` or ``;&``: patterns follow."""
        if self._open[-1:] == ["body"]:
            self._open[-1] = "pattern"
        self._first = True

    def end_pattern(self) -> bool:
        """Whether ``)`` ended the patterns of a clause."""
        if not self.in_pattern:
            return False
        self._open[-1] = "body"
        self._first = True
        return True

    def word(self, word: str) -> None:
        """Take the next word of a command or a pattern."""
        first, self._first = self._first, False
        stage = self._open[-1] if self._open else ""
        if stage == "subject":
            self._open[-1] = "in"
        elif stage == "in":
            if word == "in":
                self._open[-1] = "pattern"
                self._first = True
        elif first and word == "esac" and self._open:
            self._open.pop()
            self._first = True
        elif first and word == "case" and not self.in_pattern:
            self._open.append("subject")
        else:
            self._first = word == "{" or (first and word in _LEADING)
