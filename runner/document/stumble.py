"""Where a parser stopped, with the text around it."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from runner.document.lines import Lines
from runner.document.nodes import Scalar, Source


@dataclass(frozen=True, slots=True)
class Stumble:
    """An error of the parser as offsets into the text.

    Attributes:
        source: the text.
        lines: its lines.
        context: what the parser was doing, in its words; only to tell the cases apart.
        complaint: what it complained about, in its words; likewise.
        begin: offset where that doing began (an opening quote, the first key of a mapping); ``index`` where unknown.
        index: offset where it stopped.
        last: the last scalar read, where nothing but blanks stands between it and the stumble.

    """

    source: Source
    lines: Lines
    context: str
    complaint: str
    begin: int
    index: int
    last: Scalar | None

    @classmethod
    def of(cls, source: Source, error: yaml.YAMLError, last: Scalar | None) -> Stumble:
        """The stumble an error tells of; offsets are kept inside the text."""
        lines, length = Lines(source), len(source.text)
        if not isinstance(error, yaml.MarkedYAMLError):
            return cls(source, lines, "", str(error), 0, 0, None)
        index = min(error.problem_mark.index if error.problem_mark else 0, length)
        begin = min(error.context_mark.index if error.context_mark else index, length)
        if last is not None and source.text[last.end : begin if begin >= last.end else index].strip(" "):
            last = None
        return cls(source, lines, error.context or "", error.problem or "", begin, index, last)

    @property
    def text(self) -> str:
        """The whole text."""
        return self.source.text

    @property
    def character(self) -> str:
        """The character at the stumble; empty at the end of the text."""
        return self.text[self.index : self.index + 1]
