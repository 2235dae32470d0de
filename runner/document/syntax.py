"""Turns the parser's complaint into what the author did: the place of the cause, own words, and what to type.

libyaml and PyYAML say where they stopped, which is often not where the mistake is. Each reading below knows one
mistake that people make; the first that recognises the text around the complaint tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import yaml

from runner.document import syntax_block, syntax_text
from runner.document.nodes import Scalar, Source
from runner.document.stumble import Stumble
from runner.problems import Problem, Problems

_READINGS: Final[tuple[Callable[[Stumble], Problem | None], ...]] = (
    syntax_block.merge_conflict,
    syntax_text.bad_escape,
    syntax_text.unquoted_template,
    syntax_text.unclosed_quote,
    syntax_text.text_after_quote,
    syntax_text.tab,
    syntax_text.anchor_or_alias,
    syntax_text.reserved_start,
    syntax_text.tag,
    syntax_text.block_header,
    syntax_block.bracket,
    syntax_block.missing_blank,
    syntax_block.colon_in_text,
    syntax_block.missing_colon,
    syntax_block.list_on_key_line,
    syntax_block.indentation,
)


def note_syntax_error(
    source: Source, error: yaml.YAMLError, problems: Problems, last: Scalar | None = None
) -> None:
    """Note the problem behind an error of the parser.

    Args:
        source: the text that was parsed.
        error: what PyYAML or libyaml raised.
        problems: takes the problem.
        last: the last scalar that could be read before it.

    """
    stumble = Stumble.of(source, error, last)
    for reading in _READINGS:
        problem = reading(stumble)
        if problem is not None:
            problems.add(problem)
            return
    problems.error(
        "yaml-syntax",
        "this does not fit what stands before it, so the file cannot be read as YAML",
        stumble.lines.span(stumble.index, stumble.lines.end(stumble.index)),
        "check the indentation and the quotes of this line and of the one before it",
    )
