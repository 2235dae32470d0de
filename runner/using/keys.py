"""The keys under which PowerShell looks a script's ``$Using:`` values up (remoting.md 1.4).

The value of each expression rides beside a script's arguments in one dictionary named ``--%``; the key is made of the
expression's own text, so scanner and engine must agree on every character of it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from runner.using.model import Scan, UsingReference

VALUES_PARAMETER = "--%"
"""The name of the argument that holds the dictionary (remoting.md 1.5)."""


def keys_of(reference: UsingReference) -> tuple[str, ...]:
    """The keys of one expression: base64 of its text in UTF-16LE, in lower case where it has no chain.

    With a chain the text keeps its case. A bare name with characters beyond ASCII gets a second key of its text as
    written: versions of .NET lower some of them differently, and a key that is not looked up does no harm.

    >>> keys_of(UsingReference("$Using:X", "X", (), 0, 8))
    ('JAB1AHMAaQBuAGcAOgB4AA==',)
    """
    if not reference.bare:
        return (_encoded(reference.text),)
    lowered = _encoded(invariant_lower(reference.text))
    if reference.text.isascii():
        return (lowered,)
    return tuple(dict.fromkeys((lowered, _encoded(reference.text))))


def keyed(scan: Scan) -> Iterator[tuple[str, UsingReference]]:
    """Each key of a script once, in the order written, with the first reference that has it."""
    seen: set[str] = set()
    for reference in scan.references:
        for key in keys_of(reference):
            if key not in seen:
                seen.add(key)
                yield key, reference


def invariant_lower(text: str) -> str:
    """Lower case as .NET's invariant culture has it: each character alone, kept where that would make it longer.

    Python lowers a whole text: a capital sigma at the end of a word and a dotted capital I come out otherwise.

    >>> invariant_lower("ΟΔΟΣ İ")
    'οδοσ İ'
    """
    return "".join(lowered if len(lowered := character.lower()) == 1 else character for character in text)


def _encoded(text: str) -> str:
    """Base64 of UTF-16LE; half a surrogate pair, which no file can hold, stays what it is."""
    return base64.b64encode(text.encode("utf-16-le", "surrogatepass")).decode("ascii")
