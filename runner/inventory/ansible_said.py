"""A variable of Ansible's as an inventory says it, and the setting of ours that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.inventory.model import AnyVariable, Setting, Variable, VaultedVariable
from runner.inventory.values import is_template, plain, text_of

Convert = Callable[[str], Any]
Found = tuple[str, int, Setting]
"""A key of ours, how near it was written, and the setting."""

_TRUE = {"true", "yes", "on", "1", "t", "y"}


@dataclass(frozen=True, slots=True)
class Said:
    """A variable that is there, and how near to the host it was written (greater is nearer)."""

    variable: AnyVariable
    rank: int

    @property
    def text(self) -> str | None:
        """The value as text, None where it has none or is encrypted."""
        return None if isinstance(self.variable, VaultedVariable) else text_of(self.variable.value)


def is_true(text: str) -> bool:
    """What Ansible takes for true."""
    return text.strip().lower() in _TRUE


def nearest(found: Mapping[str, Said], names: tuple[str, ...]) -> Said | None:
    """The nearest of these variables; of those equally near the first."""
    said = [found[name] for name in names if name in found]
    return max(said, key=lambda one: one.rank) if said else None


def setting(key: str, said: Said, convert: Convert | None) -> Iterator[Found]:
    """The setting of a variable; what ``convert`` gives None for is none, a template stays one."""
    text = said.text
    if convert is None or text is None or is_template(text):
        if isinstance(said.variable, VaultedVariable) or plain(said.variable.value) is not None:
            yield key, said.rank, said.variable
        return
    value = convert(text)
    if value is not None:
        yield key, said.rank, made(value, said)


def made(value: Any, said: Said) -> Setting:
    """A value that was made of a variable, at the variable's place."""
    return Variable(value, said.variable.source, said.variable.span)
