"""What changed or would change, as a unified diff: a text by its lines, other values by those of their YAML. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from runner.engine.result import Difference
from runner.present.encode import encode_value
from runner.present.harmless import harmless
from runner.present.paint import Line, Piece, Role, fit_line
from runner.present.port import Mask

MOST_LINES = 200
"""Lines of one difference that are shown; the result has all of it."""

CONTEXT = 3
"""Equal lines around what differs, as ``diff -u`` shows them."""

_MOST_COMPARED = 4000
"""Lines on either side, without those that both begin and end with, that are compared: more takes minutes."""

_NO_END = "\\ No newline at end of file"
_ROLES = {"-": Role.RED, "+": Role.GOOD, "@": Role.NOTE, "\\": Role.FAINT}


@dataclass(frozen=True, slots=True)
class _Side:
    """One state: its lines with their ends, and what it is called."""

    label: str
    lines: list[str]


def difference_lines(
    difference: Difference, mask: Mask, *, width: int | None = None, most: int = MOST_LINES
) -> list[Line]:
    """The lines of a unified diff, each with its role; empty where the two states look the same.

    ``width`` is the most cells of a line, None for no limit; past ``most`` lines the rest is counted in one.
    """
    before, after = _side("before", difference.before, mask), _side("after", difference.after, mask)
    if before.lines == after.lines and (difference.before is None) == (difference.after is None):
        return []
    name = "" if difference.path is None else f"{harmless(mask(difference.path))} "
    shown = [
        Piece(f"--- {name}({before.label})", Role.STRONG),
        Piece(f"+++ {name}({after.label})", Role.STRONG),
    ]
    rest = 0
    for text in _compared(before, after):
        if len(shown) < most + 2:
            shown.append(Piece(text, _ROLES.get(text[:1], Role.PLAIN)))
        else:
            rest += 1
    if rest:
        shown.append(Piece(f"... {rest} more lines", Role.FAINT))
    return [(piece,) if width is None else fit_line((piece,), width) for piece in shown]


def _side(label: str, state: object, mask: Mask) -> _Side:
    if state is None:
        return _Side(f"{label}: not there", [])
    if isinstance(state, str):
        return _Side(label, _lines(mask(state)))
    plain = encode_value(state, mask)
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=1 << 20)
    return _Side(label, _lines(text.removesuffix("...\n")))


def _lines(text: str) -> list[str]:
    """Lines with their ends, by line feeds alone: nothing else ends a line of a file."""
    parts = text.split("\n")
    lines = [f"{part}\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _compared(before: _Side, after: _Side) -> Iterator[str]:
    old, new = before.lines, after.lines
    changes = _Changes(old, new)
    if changes.size > _MOST_COMPARED:
        yield f"@@ too much differs to be shown: {len(old)} lines before, {len(new)} after @@"
        return
    for group in changes.get_grouped_opcodes(CONTEXT):
        yield _place(group)
        for kind, old_from, old_to, new_from, new_to in group:
            if kind == "equal":
                yield from _marked(" ", old[old_from:old_to])
            else:
                yield from _marked("-", old[old_from:old_to])
                yield from _marked("+", new[new_from:new_to])


class _Changes(difflib.SequenceMatcher[str]):
    """Compares only what is between the lines that both begin with and those that both end with."""

    def __init__(self, old: list[str], new: list[str]) -> None:
        super().__init__(None, autojunk=False)
        self._old, self._new = old, new
        self._head = _equal_before(old, new)
        self._tail = _equal_before(old[self._head :][::-1], new[self._head :][::-1])
        self.size = max(len(old), len(new)) - self._head - self._tail

    def get_opcodes(self) -> list[Any]:
        """See ``difflib``; of the whole texts."""
        old_end, new_end = len(self._old) - self._tail, len(self._new) - self._tail
        self.set_seqs(self._old[self._head : old_end], self._new[self._head : new_end])
        found = [(kind, *(place + self._head for place in places)) for kind, *places in super().get_opcodes()]
        if self._head:
            found.insert(0, ("equal", 0, self._head, 0, self._head))
        if self._tail:
            found.append(("equal", old_end, len(self._old), new_end, len(self._new)))
        return found


def _equal_before(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _place(group: list[Any]) -> str:
    (_, old_from, _, new_from, _), (_, _, old_to, _, new_to) = group[0], group[-1]
    return f"@@ -{_range(old_from, old_to)} +{_range(new_from, new_to)} @@"


def _range(begin: int, end: int) -> str:
    """Lines as ``diff -u`` counts them: from 1, and where there is none the line before."""
    count = end - begin
    return f"{begin + 1}" if count == 1 else f"{begin + 1 if count else begin},{count}"


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for text in lines:
        yield mark + harmless(text.removesuffix("\n"))
        if not text.endswith("\n"):
            yield _NO_END
