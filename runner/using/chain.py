"""The chain after a name in sh, bash and python: members and constant indexes, glued to one another.

PowerShell has rules of its own (``runner.using.powershell``); this is the part the other languages share::

    .name   .'any text'   ."any text"   [0]   [-1]   ['key']   ["key"]   [0, 2]
"""

from __future__ import annotations

import re

from runner.using.model import Access, Index, Member

_MEMBER = re.compile(r"""\.(?:([^\W\d]\w*)|'([^'\n]*)'|"([^"\n]*)")""")
_CONSTANT = r"""-?\d+|'[^'\\\n]*'|"[^"\\$`\n]*\""""
_INDEX = re.compile(rf"\[ *((?:{_CONSTANT})(?: *, *(?:{_CONSTANT}))*) *\]")
_CALL = re.compile(r"[ \t]*\(")
_ONE = re.compile(_CONSTANT)


def read_chain(text: str, at: int, *, calls: bool = False) -> tuple[tuple[Access, ...], int]:
    """The longest chain of constants at ``at`` and the offset after it.

    With ``calls`` a member that is called (``.upper(``) is not taken: the script calls it on the value.
    """
    chain: list[Access] = []
    while True:
        member = _MEMBER.match(text, at)
        if member:
            if calls and _CALL.match(text, member.end()):
                break
            chain.append(Member(next(group for group in member.groups() if group is not None)))
            at = member.end()
            continue
        index = _INDEX.match(text, at)
        if not index:
            break
        values = tuple(_constant(found.group()) for found in _ONE.finditer(index[1]))
        chain.append(Index(values if len(values) > 1 else values[0]))
        at = index.end()
    return tuple(chain), at


def _constant(written: str) -> int | str:
    return written[1:-1] if written[0] in "'\"" else int(written)
