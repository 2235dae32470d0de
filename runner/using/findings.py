"""What a scan collects while it reads: references, and problems in the words of the author."""

from __future__ import annotations

import re

from runner.using.model import Access, Scan, ScriptProblem, UsingReference

MAX_NESTING = 60
"""Levels of substitutions, quotes and fields in one another; far beyond any script, and safe for the stack."""

_WRITTEN = re.compile(r"(?<![\\`])\$(?:\{[#!]?)?[Uu][Ss][Ii][Nn][Gg]:\w")


class Findings:
    """Collects references and problems of one script; offsets are characters of that script."""

    def __init__(self, script: str) -> None:
        self.script = script
        self._references: dict[int, UsingReference] = {}
        self._problems: dict[tuple[str, int], ScriptProblem] = {}

    def reference(
        self,
        name: str,
        chain: tuple[Access, ...],
        start: int,
        end: int,
        *,
        splat: bool = False,
        array: str = "",
    ) -> None:
        """Note a reference; a place that is read twice counts once."""
        text = self.script[start:end]
        self._references[start] = UsingReference(text, name, chain, start, end, splat, array)

    def problem(self, problem: ScriptProblem) -> None:
        """Note a problem; the same code at the same place counts once."""
        self._problems.setdefault((problem.code, problem.start), problem)

    def invalid(self, message: str, start: int, end: int, *hints: str) -> None:
        """Note a using expression that is none."""
        self.problem(ScriptProblem("invalid-using-expression", message, start, end, hints=hints))

    def text_only(self, start: int, end: int, where: str, hint: str) -> None:
        """Warn of each reference written in a stretch of text that the interpreter takes literally."""
        for match in _WRITTEN.finditer(self.script, start, end):
            written = _whole(self.script, match.start(), end)
            message = f"`{written}` {where} is text, no value is put there"
            stop = match.start() + len(written)
            self.problem(ScriptProblem("using-in-quotes", message, match.start(), stop, False, (hint,)))

    def too_deep(self, start: int) -> None:
        """Note that the rest of the script is not read because of its nesting."""
        message = f"the script nests quotes and substitutions more than {MAX_NESTING} levels deep"
        end = min(start + 1, len(self.script))
        hints = ("put the inner commands into variables or functions",)
        self.problem(ScriptProblem("script-nested-too-deep", message, start, end, hints=hints))

    def scan(self) -> Scan:
        """Everything found, by place."""
        references = tuple(self._references[start] for start in sorted(self._references))
        problems = sorted(self._problems.values(), key=lambda problem: (problem.start, problem.code))
        return Scan(references, tuple(problems))


def _whole(script: str, start: int, limit: int) -> str:
    """The reference as written from ``start``, as far as a message should quote it."""
    match = re.compile(r"\$\w+:\w+|\$\{[^}\n]*\}?").match(script, start, limit)
    return match.group() if match else script[start : start + 1]
