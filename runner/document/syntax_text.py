"""Mistakes inside one value: quotes, escapes, and characters that no unquoted text may begin with."""

from __future__ import annotations

import re
from typing import Final

from runner.document.lines import Lines
from runner.document.nodes import Scalar, Source
from runner.document.quoting import quoted, shortened, without_comment
from runner.document.stumble import Stumble
from runner.problems import Problem

_TEMPLATE: Final = re.compile(r"(?:^|[:\-,\[{(][ \t]+|\[)(\{[{%])")

_FAR: Final = 200
"""Columns beyond which no hint repeats the key of a line: it would not be read, and such lines are not for people."""


def bad_escape(stumble: Stumble) -> Problem | None:
    r"""``"C:\Users"``: a backslash in double quotes begins an escape."""
    if "quoted scalar" not in stumble.context and "double-quoted" not in stumble.context:
        return None
    if not any(word in stumble.complaint for word in ("escape", "hexdecimal", "hexadecimal", "Unicode")):
        return None
    at = stumble.text.rfind("\\", stumble.begin, stumble.index + 1)
    letter = stumble.text[at + 1 : at + 2]
    line_end = stumble.lines.end(at)
    closing = stumble.text.find('"', at, line_end)
    inside = stumble.text[stumble.begin + 1 : closing] if closing > 0 else ""
    single = f": `{quoted(inside)}`" if inside and "\n" not in inside else ""
    if letter in {"u", "U", "x"}:
        digits = {"x": 2, "u": 4, "U": 8}[letter]
        what = f"`\\{letter}` in double quotes begins a character's number of {digits} hexadecimal digits"
    else:
        what = f"`\\{letter}` in double quotes is no escape that YAML knows"
    return Problem(
        "bad-escape",
        what,
        stumble.lines.span(at, at + 2),
        hints=(
            f"use single quotes, which keep a backslash as it is{single}",
            "or write each backslash twice",
        ),
    )


def unquoted_template(stumble: Stumble) -> Problem | None:
    """``msg: {{ x }} there``: a brace begins a mapping in YAML."""
    for offset in (stumble.index, stumble.begin):
        start = stumble.lines.start(offset)
        for match in _TEMPLATE.finditer(stumble.lines.line(offset)):
            at = start + match.start(1)
            if at <= stumble.index and "scalar" not in stumble.context:
                return template_problem(stumble.source, at)
    return None


def template_problem(source: Source, at: int, end: int | None = None) -> Problem:
    """The problem of a text that begins with ``{{`` or ``{%`` at ``at`` without quotes, up to ``end`` or its line's."""
    lines = Lines(source)
    text = source.text[at:end] if end is not None else without_comment(source.text[at : lines.end(at)])
    return Problem(
        "unquoted-template",
        f"a text that begins with `{text[:2]}` must be quoted, a brace begins a mapping in YAML",
        lines.span(at, at + len(text)),
        hints=(f"write `{shortened(with_key(lines, at, quoted(text)))}`",),
    )


def unclosed_quote(stumble: Stumble) -> Problem | None:
    """A quote that is never closed, or that only the opening quote of a later text closes."""
    at = None
    if "quoted scalar" in stumble.context or "double-quoted" in stumble.context:
        at = stumble.begin
    elif (
        stumble.last is not None and stumble.last.style in {"single", "double"} and _many_lines(stumble.last)
    ):
        at = stumble.last.start
    if at is None:
        return None
    quote = stumble.text[at : at + 1]
    return Problem(
        "unclosed-quote",
        "the quote that opens here is not closed on its line",
        stumble.lines.span(at, at + 1),
        hints=(f"close it with `{quote}`; a text of many lines is better written with `|`",),
    )


def _many_lines(scalar: Scalar) -> bool:
    return scalar.line != scalar.end_line


def text_after_quote(stumble: Stumble) -> Problem | None:
    """``when: 'a' in b``: text after the quotes that begin a value."""
    last = stumble.last
    if last is None or last.style not in {"single", "double"}:
        return None
    at = stumble.begin if stumble.begin >= last.end else stumble.index  # `&&` is stumbled over in its middle
    rest = without_comment(stumble.text[at : stumble.lines.end(at)])
    if not rest:
        return None
    written = stumble.text[last.start : last.end]
    if at == last.end and rest[0].isalnum():
        quote = written[0]
        twice = "''" if quote == "'" else '\\"'
        hint = f"write a `{quote}` inside the text as `{twice}`, or use the other quotes around it"
    else:
        whole = stumble.text[last.start : at] + rest
        hint = f"quote the whole value: `{shortened(with_key(stumble.lines, last.start, quoted(whole)))}`"
    return Problem(
        "text-after-quote",
        f"the value ends with its quotes, `{shortened(written)}`, and `{shortened(rest)}` follows",
        stumble.lines.span(at, at + len(rest)),
        hints=(hint,),
    )


def tab(stumble: Stumble) -> Problem | None:
    """A tab where indentation is due; YAML takes blanks only."""
    first = stumble.lines.start(stumble.index)
    indentation = stumble.text[first : stumble.lines.first(stumble.index)]
    if "\t" not in indentation or not (
        stumble.character == "\t" or stumble.index <= first + len(indentation)
    ):
        return None
    at = first + indentation.index("\t")
    return Problem(
        "tab-indentation",
        "a tab indents this line, YAML takes blanks only",
        stumble.lines.span(at, first + len(indentation)),
        hints=("replace the tab with blanks, two for each level; most editors can be told to do so",),
    )


def anchor_or_alias(stumble: Stumble) -> Problem | None:
    """``script: & 'x'`` and ``hosts: *.example.com``: marks of YAML where text is meant."""
    at = stumble.begin
    mark = stumble.text[at : at + 1]
    if mark not in {"&", "*"} or not ("anchor" in stumble.context or "alias" in stumble.context):
        return None
    rest = without_comment(stumble.text[at : stumble.lines.end(at)])
    code, name = ("anchor-not-text", "an anchor") if mark == "&" else ("alias-not-text", "an alias")
    key = stumble.lines.key(at)
    if mark == "&" and key is not None and rest[1:2] == " ":
        hint = f"write a script as a block: `{key}: |`, and on the next line, indented, `{shortened(rest)}`"
    else:
        hint = f"quote it: `{shortened(with_key(stumble.lines, at, quoted(rest)))}`"
    return Problem(
        code,
        f"`{mark}` begins {name} in YAML, so an unquoted text cannot begin with it",
        stumble.lines.span(at, at + len(rest)),
        hints=(hint,),
    )


def reserved_start(stumble: Stumble) -> Problem | None:
    """``hosts: @all``: characters that YAML keeps for itself."""
    at = stumble.index
    if "directive" in stumble.context:
        at = stumble.begin
    elif "document start" in stumble.complaint:  # a line with `%` was taken for a directive
        at = stumble.lines.before(at) or 0
    elif "cannot start" not in stumble.complaint:
        return None
    character = stumble.text[at : at + 1]
    if character not in {"@", "`", "%"}:
        return None
    rest = without_comment(stumble.text[at : stumble.lines.end(at)])
    backquoted = "`" in rest  # cannot be shown between backquotes
    return Problem(
        "reserved-start",
        f"an unquoted text cannot begin with {'a backquote' if character == '`' else f'`{character}`'}, "
        "YAML keeps it for itself",
        stumble.lines.span(at, at + len(rest)),
        hints=(
            "put quotes around the whole text"
            if backquoted
            else f"quote it: `{shortened(with_key(stumble.lines, at, quoted(rest)))}`",
        ),
    )


def tag(stumble: Stumble) -> Problem | None:
    """``hosts: !a!b``: a tag that is not one."""
    at = stumble.begin
    if stumble.text[at : at + 1] != "!":
        return None
    rest = without_comment(stumble.text[at : stumble.lines.end(at)])
    return Problem(
        "unknown-tag",
        f"`{shortened(rest)}` begins with `!`, which begins a tag in YAML",
        stumble.lines.span(at, at + len(rest)),
        hints=(f"quote it: `{shortened(with_key(stumble.lines, at, quoted(rest)))}`",),
    )


def block_header(stumble: Stumble) -> Problem | None:
    """``when: >5`` and ``script: | echo``: text on the line of ``|`` or ``>``."""
    at = stumble.begin
    mark = stumble.text[at : at + 1]
    if "block scalar" not in stumble.context or mark not in {"|", ">"}:
        return None
    rest = without_comment(stumble.text[at : stumble.lines.end(at)])
    whole = shortened(with_key(stumble.lines, at, quoted(rest)))
    return Problem(
        "block-header",
        f"`{mark}` begins a block of text, which starts on the next line",
        stumble.lines.span(at, at + len(rest)),
        hints=(f"put the text on the next line, indented, or quote it: `{whole}`",),
    )


def with_key(lines: Lines, at: int, value: str) -> str:
    """``key: value`` where ``at`` is the beginning of the key's value, else the value alone."""
    if at - lines.start(at) > _FAR:
        return value
    key = lines.key(at)
    return f"{key}: {value}" if key is not None and lines.value(at) == at else value
