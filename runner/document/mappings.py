"""The entries of a mapping: keys once each, merged ones below those written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from runner.document.characters import check_key_characters, check_value_characters
from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence
from runner.problems import Problem, Problems, Severity

Entries: TypeAlias = dict[str, tuple[Scalar, AnyNode]]

_GLUED: Final = re.compile(r"(?P<key>[A-Za-z_][\w.-]*):(?P<value>[^:/\\].*)")


def is_nothing(node: AnyNode) -> bool:
    """Whether nothing is written: a null that has no text."""
    return isinstance(node, Scalar) and node.style == "plain" and not node.text


def entries_of(values: list[AnyNode], problems: Problems, *, flow: bool, ansible: bool) -> Entries:
    """The entries made of keys and values in turn.

    Args:
        values: a key, its value, the next key, and so on.
        problems: takes keys that are no text, that stand twice or hold curly quotes, and ``<<`` of no mapping.
        flow: whether the mapping stands in braces.
        ansible: keys that stand twice and the like are told as warnings, and the last one wins.

    """
    entries: Entries = {}
    merged: list[tuple[Scalar, AnyNode]] = []
    severity = Severity.WARNING if ansible else Severity.ERROR
    pairs = iter(values)
    for key, value in zip(pairs, pairs, strict=True):
        if type(key) is not Scalar:
            _note_complex_key(key, problems)
            continue
        text = key.text
        if text == "<<" and key.style == "plain":
            merged.append((key, value))
            continue
        if not text.isascii():
            check_key_characters(key, problems, severity=severity)
        if text in entries:
            _note_duplicate(key, entries[text][0], problems, severity)
            if not ansible:
                continue
        entries[text] = (key, value)
        if type(value) is not Scalar:
            continue
        if not value.text.isascii():
            check_value_characters(value, problems)
        if not text or (flow and not value.text):
            _check_key(key, value, problems, severity)
    return _merge(merged, entries, problems) if merged else entries


def _merge(merged: list[tuple[Scalar, AnyNode]], entries: Entries, problems: Problems) -> Entries:
    """Add the entries of ``<<``: keys written here win, then those of the mapping named first.

    YAML 1.2 core has no ``<<``; Ansible's authors use it and would miss it without a word, so both modes know it.
    """
    result: Entries = {}
    for key, mapping in _flattened(merged):
        if isinstance(mapping, Mapping):
            for name, entry in mapping.entries.items():
                result.setdefault(name, entry)
        elif not is_nothing(mapping):
            problems.error(
                "merge-not-mapping",
                "`<<` takes the entries of a mapping, or of a list of mappings",
                max(key.span, mapping.span),  # an alias names what stands before it, at its anchor
                "name the anchor of a mapping: `<<: *NAME`",
            )
    return result | entries


def _flattened(merged: Iterable[tuple[Scalar, AnyNode]]) -> Iterator[tuple[Scalar, AnyNode]]:
    for key, value in merged:
        for item in value.items if isinstance(value, Sequence) else (value,):
            yield key, item


def _check_key(key: Scalar, value: Scalar, problems: Problems, severity: Severity) -> None:
    """Tell of a key with no text, and of one that swallowed its value for want of a blank: ``{a:1}``."""
    if not key.text and key.style == "plain":
        problems.add(
            Problem(
                "empty-key",
                "there is no key before the colon",
                key.span,
                severity,
                ("write the key before it",),
            )
        )
    match = _GLUED.fullmatch(key.text)
    if match is not None and key.style == "plain" and is_nothing(value) and key.end == value.start:
        problems.add(
            Problem(
                "missing-blank",
                f"there is no blank after the colon of `{key.text}`, so all of it is a key",
                key.span,
                severity,
                (f"write `{match['key']}: {match['value']}`",),
            )
        )


def _note_complex_key(key: AnyNode, problems: Problems) -> None:
    problems.error(
        "complex-key",
        "a list or a mapping cannot be a key",
        key.span,
        "write the key as text; quote it where it begins with a bracket",
    )


def _note_duplicate(key: Scalar, first: Scalar, problems: Problems, severity: Severity) -> None:
    taken = "" if severity is Severity.ERROR else "; the last one counts, as in Ansible"
    problems.add(
        Problem(
            "duplicate-key",
            f"the key `{key.text}` stands twice in the same mapping{taken}",
            key.span,
            severity,
            (f"remove one of the two, the first is in line {first.line}",),
            ((first.span, "first written here"),),
        )
    )
