"""What a scan of script text finds: references with places, kinds of places, and problems of the text itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Shell(StrEnum):
    """The interpreters a script can be written for."""

    POWERSHELL = "powershell"
    SH = "sh"
    BASH = "bash"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Member:
    """``.Name`` or ``.'a name'`` in a chain."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """``[0]``, ``[-1]``, ``['key']``, ``[0,2]`` in a chain; always a constant."""

    value: int | str | float | bool | tuple[int | str | float | bool | None, ...] | None


Access: TypeAlias = Member | Index


@dataclass(frozen=True, slots=True)
class UsingReference:
    """One ``$Using:`` expression in a script.

    Attributes:
        text: the whole expression exactly as written, chain included.
        name: the variable's name without braces, drive and escapes (``x``; for ``$using:env:PATH`` it is ``env:PATH``).
        chain: accesses after the name, in order; empty for a bare reference.
        start: offset of the first character in the script text, in characters.
        end: offset after the last character.
        splat: written ``@Using:name``.
        array: bash's ``[@]`` or ``[*]`` after the name inside the braces (``"${Using:list[@]}"``), or a subscript the
            script computes (``[$i]``): the text of the suffix, else empty. Not part of ``chain``.

    """

    text: str
    name: str
    chain: tuple[Access, ...]
    start: int
    end: int
    splat: bool = False
    array: str = ""

    @property
    def bare(self) -> bool:
        """Whether there is no chain, as PowerShell's parser means it."""
        return not self.chain


@dataclass(frozen=True, slots=True)
class ScriptProblem:
    """A mistake or a trap in the script text itself; becomes a Problem at its place in the YAML file.

    ``code`` is a key of the codes; ``error`` False makes it a warning.
    """

    code: str
    message: str
    start: int
    end: int
    error: bool = True
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """References in the order written, and what is wrong with the text."""

    references: tuple[UsingReference, ...]
    problems: tuple[ScriptProblem, ...] = ()
