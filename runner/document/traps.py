"""Traps that only show where it is known what a value is for: a pattern, a script, a path, a boolean.

The loader has told what YAML itself refuses; these look at values that YAML reads well and means otherwise.
"""

from __future__ import annotations

import re
from typing import Final

from runner.document.characters import describe
from runner.document.lines import Lines
from runner.document.mappings import is_nothing
from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence
from runner.document.positions import ScalarPlaces, offset_at
from runner.document.quoting import quoted, shortened, without_comment
from runner.problems import Problems

_GLUED_ANCHOR: Final = re.compile(r"&[\w-]+\Z")
_COMMENT: Final = re.compile(r"[ \t]+#")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHELL_GROUP: Final = re.compile(r"\{\s.*[;&]\s*\}", re.DOTALL)
_SCRIPT_FORMS: Final = frozenset(("ref", "sh", "bash", "powershell", "python"))
_BOOLEAN_WORDS: Final = {
    "yes": "true", "no": "false", "on": "true", "off": "false", "y": "true", "n": "false",
    "true": "true", "false": "false",
}  # fmt: skip
_LIKE_BOOLEANS: Final = frozenset(("yes", "no", "on", "off"))


def check_present(node: AnyNode, problems: Problems, *, key: str) -> bool:
    """Whether a value is written where one is due; a null is told, as an anchor without a value where it is one.

    Fit for what must not be null: a pattern, ``needs``, a script.
    """
    if not isinstance(node, Scalar) or node.value is not None:
        return True
    written = node.source.text[node.start : node.end]
    if written.startswith(("!", "*")):
        return False  # a tag or an alias that the loader has told of
    if written.startswith("&"):
        problems.error(
            "anchor-not-text",
            f"`{shortened(written)}` is an anchor in YAML and no value, so `{key}` is empty",
            node.span,
            f"quote it if it is meant as text: `{key}: {quoted(written)}`",
        )
        return False
    hint = (
        "write `needs: []` to start at once, or remove the key"
        if key == "needs"
        else "write the value, or remove the key"
    )
    what = f"`{written}` is null in YAML" if written else "nothing is written here, which is null in YAML"
    problems.error("missing-value", f"`{key}` needs a value: {what}", node.span, hint)
    return False


def check_pattern(node: AnyNode, problems: Problems, *, key: str = "hosts") -> None:
    """Tell of a pattern, or of patterns in a list, that YAML took for an anchor, a tag or nothing.

    ``hosts: &prod`` is an anchor of nothing, and ``hosts: &web:!db`` is the text ``:!db``.
    """
    if isinstance(node, Sequence):
        for item in node:
            check_pattern(item, problems, key=key)
        return
    if not check_present(node, problems, key=key) or not isinstance(node, Scalar) or node.style != "plain":
        return
    lines = Lines(node.source)
    match = _GLUED_ANCHOR.search(lines.text[lines.start(node.start) : node.start])
    if match is None:
        return
    whole = match.group() + node.text
    problems.error(
        "anchor-not-text",
        f"`{match.group()}` is an anchor in YAML, so only `{node.text}` is left of the pattern",
        lines.span(node.start - len(match.group()), node.end),
        f"quote the pattern: `{key}: {quoted(whole)}`",
    )


def check_script_style(node: AnyNode, problems: Problems, *, key: str) -> None:
    """Tell of a script whose lines or braces YAML does not keep.

    Errors: text folded by ``>``, by quotes or unquoted over several lines; braces that make it a mapping; nothing.
    Warnings: a comment that YAML cut off; braces inside quotes around the whole script.
    """
    if isinstance(node, Mapping):
        _check_script_mapping(node, problems, key)
        return
    if not check_present(node, problems, key=key) or not isinstance(node, Scalar):
        return
    if node.style == "folded" or (node.style != "literal" and node.line != node.end_line):
        how = {"folded": "`>` folds", "plain": "unquoted text folds"}.get(
            node.style, "a text in quotes folds"
        )
        problems.error(
            "script-folded",
            f"{how} the lines of a script into one",
            node.span,
            f"write the script as a block: `{key}: |`, its lines below and indented",
        )
    elif node.style == "plain":
        _check_comment(node, problems, key)
    text = node.text.strip()
    if (
        node.style != "literal"
        and text.startswith("{")
        and text.endswith("}")
        and not _SHELL_GROUP.fullmatch(text)
    ):
        problems.warning(
            "script-braces",
            "the braces around this script make it a script block that is shown and not run",
            node.span,
            f"drop the braces: `{key}: {shortened(text[1:-1].strip())}`",
        )


def _check_comment(node: Scalar, problems: Problems, key: str) -> None:
    lines = Lines(node.source)
    end = lines.end(node.end)
    if _COMMENT.match(lines.text, node.end, end):
        whole = lines.text[node.start : end]
        problems.warning(
            "script-comment",
            "a blank and `#` end the unquoted text, what follows is a comment in YAML and not sent",
            lines.span(
                node.end + len(lines.text[node.end : end]) - len(lines.text[node.end : end].lstrip()), end
            ),
            f"if it belongs to the script, quote it: `{key}: {shortened(quoted(whole))}`",
        )


def _check_script_mapping(node: Mapping, problems: Problems, key: str) -> None:
    """``script: {Get-Culture}``: a mapping whose keys have no values."""
    start = offset_at(node.source.text, node.line, node.column)
    if (
        not node.source.text.startswith("{", start)
        or not node.entries
        or node.entries.keys() <= _SCRIPT_FORMS
    ):
        return
    if not all(is_nothing(value) for _, value in node.items()):
        return
    end = offset_at(node.source.text, node.end_line, node.end_column)
    inside = without_comment(node.source.text[start + 1 : end - 1])
    problems.error(
        "script-braces",
        "the braces around this script make it a mapping in YAML",
        node.span,
        f"drop the braces: `{key}: {shortened(inside)}`",
    )


def check_path(scalar: Scalar, problems: Problems) -> None:
    r"""Tell of control characters in a path, a user name or the like: ``"C:\temp"`` holds a tab."""
    places = None
    for match in _CONTROL.finditer(scalar.text):
        places = places or ScalarPlaces(scalar)
        span = places.span(match.start(), match.end())
        if scalar.style != "double":
            problems.error(
                "control-in-text",
                f"this holds {describe(match.group())}, which no path or name has",
                span,
                "write it on one line, without `|` or `>`",
            )
            return
        inside = scalar.source.text[scalar.start + 1 : scalar.end - 1]
        problems.error(
            "control-in-text",
            f"a backslash in double quotes begins an escape, here of {describe(match.group())}",
            span,
            f"use single quotes, which keep backslashes: `{shortened(quoted(inside))}`",
        )


def check_boolean(node: AnyNode, problems: Problems, *, key: str) -> None:
    """Tell of ``yes``, ``no``, ``on``, ``off``, ``y``, ``n`` and of ``"true"`` in quotes where a boolean is due."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return
    meant = _BOOLEAN_WORDS.get(node.text.lower())
    if meant is not None:
        quotes = " in quotes" if node.style in {"single", "double"} else ""
        problems.error(
            "yes-no",
            f"`{key}` is true or false, and `{node.text}`{quotes} is text in YAML 1.2",
            node.span,
            f"write `{key}: {meant}`",
        )


def check_variable_words(node: AnyNode, problems: Problems) -> None:
    """Warn of ``yes``, ``no``, ``on`` and ``off`` without quotes in variables, lists and mappings inside included."""
    if isinstance(node, Sequence):
        for item in node:
            check_variable_words(item, problems)
    elif isinstance(node, Mapping):
        for _, value in node.entries.values():
            check_variable_words(value, problems)
    elif node.style == "plain" and isinstance(node.value, str) and node.text.lower() in _LIKE_BOOLEANS:
        problems.warning(
            "yes-no-text",
            f"`{node.text}` is text in YAML 1.2, and text that is not empty counts as true",
            node.span,
            f"write `{_BOOLEAN_WORDS[node.text.lower()]}` for a boolean, or `{quoted(node.text)}` for text",
        )
