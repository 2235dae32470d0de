"""Scripts of sh, bash and python with each reference replaced by a fixed variable, never by a value.

The variable of the N-th distinct value is ``__runner_using_N`` in shells and ``__runner_using_N__`` in python, where
the closing underscores keep the compiler from mangling the name inside a class. No replacement has a newline and no
reference has one, so the remote interpreter's line numbers are the author's. PowerShell knows ``$using:`` itself: its
scripts are sent unchanged.
"""

from __future__ import annotations

from itertools import pairwise

from runner.using.model import Access, Index, Scan, Shell, UsingReference


def variable_name(index: int, shell: Shell) -> str:
    """The variable that holds the value of ``distinct(scan)[index]`` in a rewritten script."""
    return f"__runner_using_{index}__" if shell is Shell.PYTHON else f"__runner_using_{index}"


def distinct(scan: Scan) -> tuple[UsingReference, ...]:
    """The first reference to each value, in the order written.

    Names are one in any case; chains keep their case, as PowerShell's keys do.
    """
    first: dict[object, UsingReference] = {}
    for reference in scan.references:
        first.setdefault(_identity(reference), reference)
    return tuple(first.values())


def rewrite(text: str, scan: Scan, shell: Shell) -> str:
    """The script to send: references replaced, everything between them untouched.

    ``scan`` must be the scan of this very ``text``. In a shell unquoted stays unquoted and quoted stays quoted: the
    reference behaves as the variable would, in word splitting too.
    """
    if shell is Shell.POWERSHELL or not scan.references:
        return text
    numbers = {_identity(reference): index for index, reference in enumerate(distinct(scan))}
    pieces: list[str] = []
    at = 0
    for reference in scan.references:
        name = variable_name(numbers[_identity(reference)], shell)
        pieces += (text[at : reference.start], _replacement(reference, name, shell))
        at = reference.end
    pieces.append(text[at:])
    return _joined(pieces) if shell is Shell.PYTHON else "".join(pieces)


def _replacement(reference: UsingReference, name: str, shell: Shell) -> str:
    if shell is Shell.PYTHON or not reference.text.startswith("$"):
        return name  # in a shell: the parameter of a longer expansion, `${Using:x:-default}`
    return f"${{{name}{reference.array}}}"


def _joined(pieces: list[str]) -> str:
    """Python: a name must not grow together with a word beside it (``return$Using:x``)."""
    filled = [piece for piece in pieces if piece]
    result = filled[:1]
    for before, after in pairwise(filled):
        apart = (before[-1].isalnum() or before[-1] == "_") and (after[0].isalnum() or after[0] == "_")
        result += (" ", after) if apart else (after,)
    return "".join(result)


def _identity(reference: UsingReference) -> object:
    """Equal for references to one value; ``[1]`` and ``[True]`` differ though Python takes them for equal."""
    return reference.name.lower(), tuple((type(access), _typed(access)) for access in reference.chain)


def _typed(access: Access) -> object:
    if not isinstance(access, Index):
        return access.name
    values = access.value if isinstance(access.value, tuple) else (access.value,)
    return isinstance(access.value, tuple), tuple((type(value), value) for value in values)
