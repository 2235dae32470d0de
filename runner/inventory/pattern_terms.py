"""Splits a host pattern into its terms: ``web:&prod:!canary`` is a union, an intersection and an exclusion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from runner.inventory.names import is_ipv6

_SUBSCRIPT = re.compile(r"(?P<base>.+)\[(?:(?P<index>-?\d{1,9})|(?P<first>\d{1,9})[:-](?P<last>\d{0,9}))\]")
_RANGE = re.compile(r"\[(?:\w*:\w+)(?::\d+)?\]")
_PAIRS = {"[": "]", "(": ")", "{": "}"}


class Operation(IntEnum):
    """How a term joins the others; unions are taken first, then intersections, then exclusions, as in Ansible."""

    UNION = 0
    INTERSECTION = 1
    EXCLUSION = 2


@dataclass(frozen=True, slots=True)
class Subscript:
    """``[2]``, ``[-1]`` (``last`` None) or ``[1:3]``, both ends included, without a number the end."""

    first: int
    last: int | None
    single: bool
    padded: bool

    def __str__(self) -> str:
        return (
            f"[{self.first}]" if self.single else f"[{self.first}:{'' if self.last is None else self.last}]"
        )


@dataclass(frozen=True, slots=True)
class Term:
    """One name, glob, regular expression, range or file of a pattern.

    ``start`` and ``end`` are the place of ``body`` in the pattern's text.
    """

    operation: Operation
    body: str
    start: int
    end: int

    @property
    def regex(self) -> str | None:
        """The expression after ``~``."""
        return self.body[1:] if self.body.startswith("~") else None

    @property
    def file(self) -> str | None:
        """The path after ``@``."""
        return self.body[1:] if self.body.startswith("@") else None

    @property
    def is_glob(self) -> bool:
        """Whether ``*``, ``?`` or ``[`` may match several names."""
        return any(character in self.body for character in "*?[")

    @property
    def has_range(self) -> bool:
        """Whether a part in brackets can be a range of names (``web[01:20]``, ``db[a:f].example``)."""
        return _RANGE.search(self.body) is not None

    @property
    def subscript(self) -> tuple[str, Subscript] | None:
        """The text before a subscript at the end, with the subscript."""
        match = _SUBSCRIPT.fullmatch(self.body)
        if match is None:
            return None
        if match["index"] is not None:
            return match["base"], Subscript(int(match["index"]), None, single=True, padded=False)
        first, last = match["first"], match["last"]
        padded = len(first) > 1 and first[0] == "0"
        return match["base"], Subscript(int(first), int(last) if last else None, single=False, padded=padded)


class PatternError(ValueError):
    """A pattern cannot be read; ``start`` and ``end`` are the place in its text."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


def parse_pattern(text: str) -> tuple[Term, ...]:
    """The terms of a pattern in the order written.

    Commas and colons separate terms outside brackets; in a regular expression outside ``()``, ``[]`` and ``{}``. A
    colon does not split an IPv6 address.

    Raises:
        PatternError: a bracket is not closed, or there is no name after ``&`` or ``!``.

    """
    return tuple(_term(text, start, end) for start, end in _pieces(text))


def _pieces(text: str) -> list[tuple[int, int]]:
    pieces = []
    for start, end in _split(text, 0, len(text), ","):
        if is_ipv6(text[start:end].lstrip("&!")):
            pieces.append((start, end))
        else:
            pieces += _split(text, start, end, ":")
    return pieces


def _split(text: str, start: int, end: int, separator: str) -> list[tuple[int, int]]:
    """Places of the trimmed, non-empty parts between separators."""
    parts = []
    begin = at = start
    while at <= end:
        if at == end or text[at] == separator:
            left, right = begin, at
            while left < right and text[left].isspace():
                left += 1
            while right > left and text[right - 1].isspace():
                right -= 1
            if left < right:
                parts.append((left, right))
            begin = at + 1
        elif text[at] == "\\":
            at += 1
        elif text[at] == "[" or (text[at] in "({" and "~" in text[begin:at]):
            at = _closing(text, at, end)
        at += 1
    return parts


def _closing(text: str, opening: int, end: int) -> int:
    """Where the bracket at ``opening`` closes; in ``[...]`` other brackets are plain characters.

    Raises:
        PatternError: nowhere.

    """
    wanted = [_PAIRS[text[opening]]]
    at = opening + 1
    while at < end:
        character = text[at]
        if character == "\\":
            at += 1
        elif character == wanted[-1]:
            wanted.pop()
            if not wanted:
                return at
        elif wanted[-1] != "]" and character in _PAIRS:
            wanted.append(_PAIRS[character])
        at += 1
    raise PatternError(f"the bracket `{text[opening]}` is not closed", opening, opening + 1)


def _term(text: str, start: int, end: int) -> Term:
    operation = {"&": Operation.INTERSECTION, "!": Operation.EXCLUSION}.get(text[start], Operation.UNION)
    begin = start if operation is Operation.UNION else start + 1
    while begin < end and text[begin].isspace():
        begin += 1
    body = text[begin:end]
    if not body or body in {"~", "@"}:
        raise PatternError(f"there is no name after `{text[start:end]}`", start, end)
    if body.startswith("[") and body.endswith("]") and is_ipv6(body[1:-1]):
        body = body[1:-1]
    return Term(operation, body, begin, end)
