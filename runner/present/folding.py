"""Node sets: many host names as one short text, ``web[01-40]``; and equal things of many hosts told once.

The notation is ClusterShell's. A name is cut at one of its numbers: the one under which most names come together, so
``win01.dc2.example`` and ``win02.dc2.example`` meet in ``win[01-02].dc2.example``. A range keeps its padding:
a first number with leading zeros gives the width of all of them, ``[08-11]`` is 08, 09, 10, 11.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

_NUMBER = re.compile(r"[0-9]+")
_SPECIAL = re.compile(r"([\[\],\\])")
_MOST_DIGITS = 18  # a longer run of digits is an identifier, not a count
_MOST_NUMBERS = 8  # of one name; container ids and the like have many

_Frame: TypeAlias = tuple[str, str]  # what stands before and after the number


def fold(names: Iterable[str]) -> str:
    """Host names as one node set, in natural order, each name once.

    A bracket, comma or backslash in a name is written with a backslash before it.

    >>> fold(["web07", "web01", "web02", "web03", "db1"])
    'db1,web[01-03,07]'
    """
    unique = set(names)
    sets: list[tuple[tuple[object, ...], str]] = []
    for (before, after), numbers in _gather(unique).items():
        first = min(numbers, key=lambda digits: (int(digits), len(digits)))
        head, tail = _escape(before), _escape(after)
        inside = first if len(numbers) == 1 else f"[{','.join(_ranges(numbers))}]"
        sets.append((natural_key(before + first + after), head + inside + tail))
    sets += [(natural_key(name), _escape(name)) for name in unique if not _cuts(name)]
    return ",".join(text for _, text in sorted(sets))


def natural_key(name: str) -> tuple[object, ...]:
    """Sorts ``web2`` before ``web10``."""
    parts = _NUMBER.split(name)
    digits = _NUMBER.findall(name)
    key: list[object] = []
    for text, number in zip(parts, [*digits, ""], strict=True):
        # The length is compared first, so that no run of digits, however long, has to become a number.
        key += [text, len(number.lstrip("0")), number.lstrip("0"), len(number)]
    return tuple(key)


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _cuts(name: str) -> list[tuple[_Frame, str]]:
    runs = [match for match in _NUMBER.finditer(name) if len(match[0]) <= _MOST_DIGITS]
    return [((name[: run.start()], name[run.end() :]), run[0]) for run in runs[-_MOST_NUMBERS:]]


def _gather(names: set[str]) -> dict[_Frame, set[str]]:
    """Names with a number by their best frame: the one that most names share, the last number where it is even."""
    cuts = {name: found for name in names if (found := _cuts(name))}
    shared = Counter(frame for found in cuts.values() for frame, _ in found)
    gathered: defaultdict[_Frame, set[str]] = defaultdict(set)
    for found in cuts.values():
        frame, digits = max(enumerate(found), key=lambda cut: (shared[cut[1][0]], cut[0]))[1]
        gathered[frame].add(digits)
    return gathered


def _ranges(numbers: set[str]) -> Iterator[str]:
    """``{01, 02, 03, 07}`` -> ``01-03``, ``07``."""
    widths = {len(digits) for digits in numbers if digits.startswith("0") and len(digits) > 1}
    by_width: defaultdict[int, list[int]] = defaultdict(list)
    for digits in numbers:
        # A number without leading zeros belongs to the widest padding that it fills: 10 to that of 09.
        width = max((w for w in widths if w <= len(digits)), default=1)
        by_width[len(digits) if digits.startswith("0") else width].append(int(digits))
    parts = [
        (start, width, end) for width, values in by_width.items() for start, end in _runs(sorted(values))
    ]
    for start, width, end in sorted(parts):
        first, last = str(start).zfill(width), str(end).zfill(width)
        yield first if start == end else f"{first}-{last}"


def _runs(values: list[int]) -> Iterator[tuple[int, int]]:
    start = end = values[0]
    for value in values[1:]:
        if value != end + 1:
            yield start, end
            start = value
        end = value
    yield start, end
