"""What the reference says about one code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodePage:
    """The page of one code.

    Attributes:
        summary: one sentence, no full stop: what the code means.
        explanation: why it is refused or told, a few sentences of Markdown.
        wrong: an example that gets it (YAML or a command line), or empty where no text of an author can cause it.
        right: the same, mended.

    """

    summary: str
    explanation: str
    wrong: str = ""
    right: str = ""
