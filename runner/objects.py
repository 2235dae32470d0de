"""Values that PowerShell has and Python has not, as the run keeps them: objects with properties, enum values, logins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from runner.values import Secret


class PSObject(dict[str, Any]):
    """An object's properties in the order they came; beside them its type and its text.

    A mapping, so that Jinja, JSON and tables read it as one. Names keep their case; ``in`` and ``[]`` are exact.

    Attributes:
        type_names: the chain of types, nearest first, as the peer sent it (``Deserialized.`` included).
        text: what ``ToString()`` gave, None where it was not sent.

    """

    __slots__ = ("text", "type_names")

    def __init__(
        self,
        properties: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        *,
        type_names: tuple[str, ...] = (),
        text: str | None = None,
    ) -> None:
        super().__init__(properties)
        self.type_names = type_names
        self.text = text


class EnumValue(str):
    """The value of an enumeration: its name as text, and its ``number``."""

    __slots__ = ("number",)

    number: int

    def __new__(cls, name: str, number: int) -> Self:
        """The value called ``name``; a combination of flags has no name of its own and comes as .NET writes it."""
        value = super().__new__(cls, name)
        value.number = number
        return value


@dataclass(frozen=True, slots=True)
class PSCredential:
    """A user name with its password; travels as PSCredential, its password as SecureString."""

    username: str
    password: Secret
