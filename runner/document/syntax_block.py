"""Mistakes between values: brackets, colons, dashes and indentation."""

from __future__ import annotations

import re
from typing import Final

from runner.document.lines import Lines
from runner.document.quoting import quoted, shortened, without_comment
from runner.document.stumble import Stumble
from runner.problems import Problem

_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7})(?: [^\r\n]*)?$", re.MULTILINE)
_GLUED: Final = re.compile(r"(?P<dashes>(?:-[ \t]+)*)(?P<key>[A-Za-z_][\w.-]*):(?P<value>[^\s:/\\][^\r\n]*)")


def bracket(stumble: Stumble) -> Problem | None:
    """A bracket that is not closed, has no partner, or holds what does not fit."""
    if "flow" in stumble.context:
        return _in_flow(stumble)
    if stumble.character in {"]", "}", ","} and "not allowed" not in stumble.complaint:
        hint = (
            "quote the text if it is meant to begin with a comma"
            if stumble.character == ","
            else "remove it, or write the opening bracket before it"
        )
        return Problem(
            "stray-bracket",
            f"`{stumble.character}` stands here without a list or mapping that it belongs to",
            stumble.lines.span(stumble.index, stumble.index + 1),
            hints=(hint,),
        )
    return None


def _in_flow(stumble: Stumble) -> Problem:
    begin = stumble.begin
    if stumble.text[begin : begin + 1] not in {
        "[",
        "{",
    }:  # only a value is missing: the nearest bracket is meant
        begin = max(stumble.text.rfind("[", 0, begin), stumble.text.rfind("{", 0, begin), 0)
    opening = stumble.text[begin : begin + 1]
    closing = "}" if opening == "{" else "]"
    script = stumble.lines.key(begin) == "script" and opening == "{"
    if stumble.character and stumble.lines.start(begin) == stumble.lines.start(stumble.index):
        hint = f"put a comma between the entries, or quote a text that holds `{stumble.character}`"
        if script:
            hint = "write a script without braces around it, as a block: `script: |`"
        return Problem(
            "unclosed-bracket",
            f"a comma or the closing `{closing}` is due here",
            stumble.lines.span(stumble.index, stumble.index + 1),
            hints=(hint,),
            related=((stumble.lines.span(begin, begin + 1), f"the `{opening}` that is still open"),),
        )
    hint = (
        "write a script without braces around it, as a block: `script: |`"
        if script
        else f"close it with `{closing}`"
    )
    return Problem(
        "unclosed-bracket",
        f"the `{opening}` that opens here is not closed",
        stumble.lines.span(begin, begin + 1),
        hints=(hint,),
    )


def missing_blank(stumble: Stumble) -> Problem | None:
    """``key:value``: a colon makes a key only before a blank."""
    offsets: list[int | None] = [stumble.begin, stumble.index]
    if "mapping values" in stumble.complaint:
        offsets = [stumble.lines.before(stumble.index)]
    for offset in offsets:
        if offset is not None and (problem := glued_key(stumble.lines, stumble.lines.first(offset))):
            return problem
    return None


def glued_key(lines: Lines, at: int) -> Problem | None:
    """The problem of ``key:value`` at ``at``; None where the line is something else."""
    match = _GLUED.match(lines.text, at, lines.end(at))
    if match is None or ": " in match["value"]:
        return None
    value = without_comment(match["value"])
    return Problem(
        "missing-blank",
        f"there is no blank after the colon of `{match['key']}:{shortened(value)}`, so it is no key",
        lines.span(match.start("key"), match.start("value")),
        hints=(f"write `{match['key']}: {shortened(value)}`",),
    )


def colon_in_text(stumble: Stumble) -> Problem | None:
    """``name: web: prod``: a colon and a blank inside an unquoted text."""
    if "mapping values" not in stumble.complaint:
        return None
    at = stumble.lines.value(stumble.index)
    key = stumble.lines.key(stumble.index)
    if key is None or at > stumble.index:
        return None
    value = without_comment(stumble.text[at : stumble.lines.end(at)])
    return Problem(
        "colon-in-text",
        "a colon with a blank after it would begin a second key on this line",
        stumble.lines.span(stumble.index, stumble.index + 1),
        hints=(
            f"quote the text: `{key}: {shortened(quoted(value))}`"
            if value[:1] not in {"'", '"'}
            else "put the second key on a line of its own",
        ),
    )


def merge_conflict(stumble: Stumble) -> Problem | None:
    """``<<<<<<< HEAD``: the first mark that git leaves where two changes meet; no value begins a line so."""
    match = _CONFLICT.search(stumble.text)
    if match is None:
        return None
    return Problem(
        "merge-conflict",
        f"a mark of an unfinished merge stands here: `{shortened(match[0])}`",
        stumble.lines.span(match.start(), match.end()),
        hints=("finish the merge: keep one of the two sides and take the marks out",),
    )


def missing_colon(stumble: Stumble) -> Problem | None:
    """A line that is neither a key nor part of the text above."""
    if "find expected ':'" not in stumble.complaint:
        return None
    at = stumble.begin
    text = without_comment(stumble.text[at : stumble.lines.end(at)])
    return Problem(
        "missing-colon",
        f"`{shortened(text)}` stands where a key is due and has no colon",
        stumble.lines.span(at, at + len(text)),
        hints=(
            f"write `{shortened(text)}: ...` for a key",
            "indent it further if it goes on with the text above",
        ),
    )


def list_on_key_line(stumble: Stumble) -> Problem | None:
    """``hosts: - web1``: a list that begins on the line of its key."""
    if stumble.character != "-" or stumble.lines.first(stumble.index) == stumble.index:
        return None
    rest = without_comment(stumble.text[stumble.index : stumble.lines.end(stumble.index)])
    item = rest[1:].strip()
    return Problem(
        "list-on-key-line",
        f"`{shortened(rest)}` would begin a list on the line of its key",
        stumble.lines.span(stumble.index, stumble.index + len(rest)),
        hints=(f"put `{shortened(rest)}` on the next line, or write `[{shortened(item)}]`",),
    )


def indentation(stumble: Stumble) -> Problem | None:
    """A line whose beginning fits no line above it."""
    at = stumble.lines.first(stumble.index)
    known = ("expected key", "'-' indicator", "block end", "mapping values", "not allowed", "document start")
    if not any(word in stumble.complaint for word in known) or (
        at != stumble.index and "mapping values" not in stumble.complaint
    ):
        return None
    span = stumble.lines.span(at, stumble.lines.end(at))
    if stumble.text[at : at + 1] == ":":
        return Problem(
            "empty-key", "there is no key before the colon", span, hints=("write the key before it",)
        )
    column = stumble.lines.column(at)
    outer = stumble.lines.column(stumble.begin)
    dash = stumble.text[at : at + 2].strip() == "-"
    in_list = stumble.text[stumble.begin : stumble.begin + 1] == "-" and stumble.begin < at
    if in_list and column == outer and not dash:
        return Problem(
            "missing-dash",
            "this line stands where the next `- ` of a list is due",
            span,
            hints=(
                f"begin it with `- ` for a new entry, or in column {outer + 2} if it belongs to the entry above",
            ),
            related=((stumble.lines.span(stumble.begin, stumble.begin + 1), "the list begins here"),),
        )
    if dash and column == outer:
        return Problem(
            "bad-indentation",
            "a list entry stands here among the keys of a mapping",
            span,
            hints=("put the list under a key of its own: `key:` and then the entries",),
        )
    return Problem(
        "bad-indentation",
        f"this line begins in column {column}, where nothing above it begins or goes on",
        span,
        hints=(_where_to_begin(stumble, at),),
    )


def _where_to_begin(stumble: Stumble, at: int) -> str:
    before = stumble.lines.before(at)
    if before is None:
        return "begin it in column 1"
    line = without_comment(stumble.lines.line(before))
    column = stumble.lines.column(before)
    item = re.match(r"(?:-[ \t]+)+", stumble.text[before : before + 80])
    if item:
        inside = column + item.end()
        return (
            f"begin it in column {inside} if it belongs to the entry of the line above: `{shortened(line)}`"
        )
    if line.endswith(":"):
        return f"begin it in column {column + 2} if it belongs to `{shortened(line)}`"
    return f"begin it in column {column} like the line above: `{shortened(line)}`"
