"""Which characters of the file each stretch of a scalar's text comes from.

The walks follow YAML 1.2's rules for quotes, escapes, folding and block scalars as libyaml applies them
(``yaml_parser_scan_*_scalar`` of its scanner.c), so that what they rebuild is what the parser read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from runner.document.nodes import Scalar


class Run(NamedTuple):
    """A stretch of a value: ``length`` characters from ``at`` come from ``width`` characters at ``start`` of the file.

    Equal length and width mean character for character; else the run is one character: an escape or a line break.
    """

    at: int
    length: int
    start: int
    width: int


class Piece(NamedTuple):
    """A text of the value, with where it stands in the file."""

    text: str
    start: int
    width: int


# Looks behind itself so that a long run of blanks is tried once and not from each of its characters.
_FOLD: Final = re.compile(r"(?:(?<![ \t])|(?<=\\[ \t]))[ \t]*(?:\r\n|\r|\n)(?:[ \t]|\r\n|\r|\n)*")
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_BLOCK_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_SINGLE: Final = re.compile(rf"''|{_FOLD.pattern}")
_DOUBLE: Final = re.compile(
    r"\\(?:(?P<join>\r\n|\r|\n)(?P<blank>(?:[ \t]|\r\n|\r|\n)*)"
    r"|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<letter>.))"
    rf"|(?P<fold>{_FOLD.pattern})"
)
_LETTERS: Final = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def runs_of(scalar: Scalar) -> list[Run]:
    """The runs of a scalar, in the order of its text; together they cover it whole."""
    text, start, end = scalar.source.text, scalar.start, scalar.end
    if not scalar.text:
        return []
    if scalar.style == "plain" and end - start == len(scalar.text):
        # Nothing is folded; a script file is such a scalar too.
        return [Run(0, end - start, start, end - start)]
    if scalar.style in {"literal", "folded"}:
        return _block_runs(scalar)
    if scalar.style == "plain":
        return _runs(_pieces(text, start, end, _FOLD, _folded))
    if scalar.style == "single":
        return _runs(_pieces(text, start + 1, end - 1, _SINGLE, _single_quoted))
    return _runs(_pieces(text, start + 1, end - 1, _DOUBLE, _double_quoted))


def _runs(pieces: Iterable[Piece]) -> list[Run]:
    runs: list[Run] = []
    at = 0
    for text, start, width in pieces:
        if text:
            runs.append(Run(at, len(text), start, width))
            at += len(text)
    return runs


def _pieces(
    text: str,
    start: int,
    end: int,
    special: re.Pattern[str],
    read: Callable[[re.Match[str]], Iterable[Piece]],
) -> Iterator[Piece]:
    """Stretches that stand as they are, and between them what ``read`` makes of each match of ``special``."""
    for match in special.finditer(text, start, end):
        yield Piece(text[start : match.start()], start, match.start() - start)
        yield from read(match)
        start = match.end()
    yield Piece(text[start:end], start, end - start)


def _folded(match: re.Match[str]) -> Iterator[Piece]:
    """One line break between words is a blank; of several the first is dropped and the others stay."""
    breaks = list(_BREAK.finditer(match.string, match.start(), match.end()))
    if len(breaks) == 1:
        yield Piece(" ", breaks[0].start(), len(breaks[0].group()))
    yield from _breaks(breaks[1:])


def _breaks(breaks: Iterable[re.Match[str]]) -> Iterator[Piece]:
    return (Piece("\n", each.start(), len(each.group())) for each in breaks)


def _single_quoted(match: re.Match[str]) -> Iterable[Piece]:
    if match.group() == "''":
        return (Piece("'", match.start(), 2),)
    return _folded(match)


def _double_quoted(match: re.Match[str]) -> Iterable[Piece]:
    if match["fold"]:
        return _folded(match)
    if match["join"]:
        return _breaks(_BREAK.finditer(match.string, *match.span("blank")))
    digits = match["x"] or match["u"] or match["U"]
    character = chr(int(digits, 16)) if digits else _LETTERS.get(match["letter"], match["letter"])
    return (Piece(character, match.start(), match.end() - match.start()),)


def _block_runs(scalar: Scalar) -> list[Run]:
    """The runs of ``|`` or ``>``.

    The indentation of a block with a number in its header hangs on where its parent stands, which a scalar does not
    know; so the likely indentation is tried first, then the others, until the text comes out as the parser read it.
    """
    text = scalar.source.text
    header = _BLOCK_LINE.match(text, scalar.start, scalar.end)
    lines = [
        m for m in _BLOCK_LINE.finditer(text, header.end() if header else scalar.end, scalar.end) if m.group()
    ]
    widths = [len(m.group()) - len(m.group().lstrip(" ")) for m in lines]
    likely = next((w for m, w in zip(lines, widths, strict=True) if m.group().strip()), 0)
    for indent in chain((likely,), range(max(widths, default=0) + 1)):
        pieces = list(_block_pieces(lines, indent, fold=scalar.style == "folded"))
        if "".join(piece.text for piece in pieces).startswith(scalar.text):
            return _runs(pieces)
    return []


def _block_pieces(lines: list[re.Match[str]], indent: int, *, fold: bool) -> Iterator[Piece]:
    """The text of a block's lines, final line breaks included whatever the chomping."""
    waiting: list[Piece] = []  # line breaks since the last line with content
    after_blank = False
    begun = False
    for line in lines:
        written = line.group()
        content = written.rstrip("\r\n")
        end_of_line = Piece("\n", line.start() + len(content), len(written) - len(content))
        if not content[indent:]:
            waiting.append(end_of_line)
            continue
        blank = content[indent] in " \t"
        if fold and begun and not blank and not after_blank:
            first = waiting.pop(0)
            if not waiting:
                yield Piece(" ", first.start, first.width)
        yield from waiting
        yield Piece(content[indent:], line.start() + indent, len(content) - indent)
        waiting, after_blank, begun = [end_of_line], blank, True
    yield from waiting
