"""Names of hosts as inventories write them: ranges (``web[01:20]``), and a port after the name (``web1:2222``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from itertools import product
from string import ascii_letters

LARGEST_RANGE = 1_000_000
"""Most names that one entry may stand for: twenty times the largest inventory the benchmarks load."""

RANGE_HINT = "write a range as `web[01:20]`, `db[a:f]` or `app[0:10:2]`, both ends included"

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_PORT = re.compile(r"(?P<name>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>\d{1,5})")
_BRACKETED_PORT = re.compile(r"\[(?P<name>[^\[\]]+)\]:(?P<port>\d{1,5})")


class RangeError(ValueError):
    """A range in a name cannot be read; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a name: the texts it may be."""

    texts: tuple[str, ...] | range
    width: int = 0

    def __iter__(self) -> Iterator[str]:
        if isinstance(self.texts, range):
            return (str(number).zfill(self.width) for number in self.texts)
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address, with a zone (``fe80::1%eth0``) or without."""
    if text.count(":") < 2:
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def split_port(text: str) -> tuple[str, int | None]:
    """The name and the port of ``web1:2222`` or ``[2001:db8::1]:22``; an IPv6 address without brackets has none.

    >>> split_port("db[1:3].example:5022")
    ('db[1:3].example', 5022)
    """
    if ":" not in text or is_ipv6(text):
        return text, None
    match = _BRACKETED_PORT.fullmatch(text) or _PORT.fullmatch(text)
    if match is None:
        return text, None
    return match["name"], int(match["port"])


def expand(text: str) -> Iterator[str]:
    """All names that a name with ranges stands for, in order; the last range moves fastest.

    A range is ``[first:last]`` or ``[first:last:step]``, both ends included: numbers, padded with zeros where
    ``first`` is, or single letters. ``first`` may be left out for 0, as in Ansible.

    Raises:
        RangeError: brackets or bounds cannot be read, or it is more than :data:`LARGEST_RANGE` names.

    """
    if "[" not in text and "]" not in text:
        return iter((text,))
    return _expand_ranges(text)


def count(text: str) -> int:
    """How many names :func:`expand` gives.

    Raises:
        RangeError: as :func:`expand`.

    """
    total = 1
    for piece in _pieces(text):
        total *= len(piece)
    if total > LARGEST_RANGE:
        raise RangeError(f"`{text}` stands for {total:,} names, more than {LARGEST_RANGE:,}")
    return total


def _expand_ranges(text: str) -> Iterator[str]:
    count(text)  # refuses an explosion before the first name is made
    return map("".join, product(*_pieces(text)))


def _pieces(text: str) -> list[_Piece]:
    parts = _BRACKETS.split(text)
    fixed, ranges = parts[::2], parts[1::2]
    if any("[" in part or "]" in part for part in fixed):
        raise RangeError(f"the brackets in `{text}` do not pair")
    pieces = [_Piece((fixed[0],))]
    for inside, after in zip(ranges, fixed[1:], strict=True):
        pieces += [_range(inside, text), _Piece((after,))]
    return pieces


def _range(inside: str, text: str) -> _Piece:
    bounds = inside.split(":")
    if len(bounds) not in {2, 3}:
        raise RangeError(
            f"`[{inside}]` in `{text}` is no range, which is `[first:last]` or `[first:last:step]`"
        )
    first, last, step = bounds[0] or "0", bounds[1], bounds[2] if len(bounds) == 3 else "1"
    if not (step.isascii() and step.isdigit() and len(step) < 19) or int(step) == 0:
        raise RangeError(f"the step of `[{inside}]` in `{text}` is not a number from 1")
    if len(first) == len(last) == 1 and first in ascii_letters and last in ascii_letters:
        letters = tuple(ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : int(step)])
        if not letters:
            raise RangeError(f"`[{inside}]` in `{text}` ends before it begins")
        return _Piece(letters)
    if not all(bound.isascii() and bound.isdigit() and len(bound) < 19 for bound in (first, last)):
        raise RangeError(f"the ends of `[{inside}]` in `{text}` are neither numbers nor single letters")
    width = len(first) if first[0] == "0" and len(first) > 1 else 0
    if width and len(last) != width:
        raise RangeError(f"the ends of `[{inside}]` in `{text}` are padded to different widths")
    numbers = range(int(first), int(last) + 1, int(step))
    if not numbers:
        raise RangeError(f"`[{inside}]` in `{text}` ends before it begins")
    return _Piece(numbers, width)
