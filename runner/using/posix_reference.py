"""One ``$Using:`` reference of sh and bash, read at its dollar sign."""

from __future__ import annotations

import re

from runner.using.chain import read_chain
from runner.using.findings import Findings
from runner.using.model import ScriptProblem
from runner.using.source import Source

_USING = "[Uu][Ss][Ii][Nn][Gg]:"
_UNBRACED = re.compile(rf"\${_USING}(\w*)")
_BRACED = re.compile(rf"\$\{{([#!]?){_USING}")
_NAME = re.compile(r"\w+(?: +\w+)*")
# After `${using:` these begin an operator: the script's own variable `using` with a default or a substring.
_OWN_VARIABLE = re.compile(r"[-=?+ ]")
_ALL_ITEMS = re.compile(r"\[[@*]\]")
_SUBSCRIPT = re.compile(r"\[[^]\n]*\]")
_OPERATOR = re.compile(r"[}:\-=?+#%/^,@~]")
_PATTERN = re.compile("[#%/^,]")
_BRACES_HINT = "write `${Using:name}`, or `${Using:name.member[0]}` for a part of the value"


class ParameterReader:
    """Reads ``$Using:name`` and ``${Using:name.chain}``; ``inside_braces`` says that more of ``${...}`` follows.

    A reference that is a whole expansion spans all of it. Where an operator follows (``${Using:x:-default}``), before
    it (``${#Using:x}``) or bash subscripts it by a computed index (``${Using:list[$i]}``), the reference is only the
    parameter, ``Using:x``, and the rest stays the shell's.
    """

    def __init__(self, source: Source, findings: Findings, *, bash: bool) -> None:
        self._source = source
        self._text = source.text
        self._findings = findings
        self._bash = bash
        self.inside_braces = False
        self.pattern = False

    def read(self, at: int) -> int | None:
        """The offset after the reference at ``at``, or None where there is none."""
        unbraced = _UNBRACED.match(self._text, at)
        if unbraced:
            return self._unbraced(unbraced)
        braced = _BRACED.match(self._text, at)
        if braced and not _OWN_VARIABLE.match(self._text, braced.end()):
            return self._braced(braced)
        return None

    def _unbraced(self, match: re.Match[str]) -> int:
        start, end = self._source.place(match.start()), self._source.end_place(match.end())
        if match[1]:
            self._findings.reference(match[1], (), start, end)
        else:
            written = match.group()
            message = f"`{written}` has no name after the colon and is text to the shell"
            own = f"write `${{{written[1:-1]}}}:` where a variable of the script followed by a colon is meant"
            self._findings.problem(ScriptProblem("using-without-name", message, start, end, False, (own,)))
        return match.end()

    def _braced(self, match: re.Match[str]) -> int:
        self.inside_braces = True
        name = _NAME.match(self._text, match.end())
        if not name:
            return self._refuse(match, match.end(), "has no name of letters, digits and `_` after the colon")
        chain, after = read_chain(self._text, name.end())
        subscript = self._subscript(after)
        follows = self._text[after : after + 1]
        if follows == "[" and not subscript:
            return self._refuse(match, after, self._bad_subscript(after))
        if follows and follows != "[" and not _OPERATOR.match(follows):
            return self._refuse(
                match, after, f"has `{follows}` where the name or a constant index should end"
            )
        all_items = bool(_ALL_ITEMS.fullmatch(subscript))
        close = after + (len(subscript) if all_items else 0)
        whole = not match[1] and self._text[close : close + 1] == "}"
        start, end = (match.start(), close + 1) if whole else (match.start() + 2 + len(match[1]), after)
        self._findings.reference(
            name.group(), chain, self._source.place(start), self._source.end_place(end), array=subscript
        )
        self.inside_braces = not whole
        self.pattern = bool(_PATTERN.match(self._text, after + len(subscript)))
        return end

    def _subscript(self, at: int) -> str:
        """Bash's ``[@]`` or computed subscript at ``at``, as written."""
        match = _SUBSCRIPT.match(self._text, at) if self._bash else None
        return match.group() if match else ""

    def _bad_subscript(self, at: int) -> str:
        if not self._bash and _ALL_ITEMS.match(self._text, at):
            return "asks for a whole array, which sh does not have"
        return "has an index that is no whole number and no quoted text"

    def _refuse(self, match: re.Match[str], at: int, why: str) -> int:
        close = re.compile(r"[^}\n]*\}?").match(self._text, at)
        shown_end = close.end() if close else at
        start, end = self._source.place(match.start()), self._source.end_place(shown_end)
        arrays = ("set `shell: bash`, or join the items in `using:` with Jinja's `join`",)
        hints = arrays if "whole array" in why else (_BRACES_HINT,)
        self._findings.invalid(f"`{self._findings.script[start:end]}` {why}", start, end, *hints)
        return at
