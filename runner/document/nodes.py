"""The tree of a YAML document: plain values, each with the place where a person wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from runner.values import Span

ScalarValue: TypeAlias = bool | int | float | str | None
Style: TypeAlias = Literal["plain", "single", "double", "literal", "folded"]


@dataclass(slots=True, eq=False)
class Source:
    """A file as it was read: its path as shown to the author, its text and the digest of its bytes (SHA-256, hex)."""

    path: str
    text: str
    digest: str = ""


class Node:
    """A place in a source; positions count characters from 1, the end is exclusive."""

    __slots__ = ("column", "end_column", "end_line", "line", "source")

    def __init__(self, source: Source, line: int, column: int, end_line: int, end_column: int) -> None:
        self.source = source
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column

    @property
    def span(self) -> Span:
        """Where the node stands."""
        return Span(self.source.path, self.line, self.column, self.end_line, self.end_column)


class Scalar(Node):
    """One value.

    Attributes:
        value: what YAML 1.2 core makes of it: None, bool, int, float or text.
        text: the text as written, after quotes, escapes, indentation and folding are taken away.
        style: how it was written; ``plain`` is unquoted, ``literal`` is ``|``, ``folded`` is ``>``.
        start: offset of the node's first character in ``source.text``.
        end: offset after its last character.
        tag: ``!vault`` or ``!unsafe`` in Ansible's own files, else None.

    """

    __slots__ = ("end", "start", "style", "tag", "text", "value")

    def __init__(  # noqa: PLR0913 - a leaf of the tree, made in one place
        self,
        source: Source,
        line: int,
        column: int,
        end_line: int,
        end_column: int,
        *,
        value: ScalarValue,
        text: str,
        style: Style,
        start: int,
        end: int,
        tag: str | None = None,
    ) -> None:
        super().__init__(source, line, column, end_line, end_column)
        self.value = value
        self.text = text
        self.style: Style = style
        self.start = start
        self.end = end
        self.tag = tag

    @property
    def is_text(self) -> bool:
        """Whether the value is text."""
        return isinstance(self.value, str)


class Sequence(Node):
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(
        self, source: Source, line: int, column: int, end_line: int, end_column: int, *, items: list[AnyNode]
    ) -> None:
        super().__init__(source, line, column, end_line, end_column)
        self.items = items

    def __iter__(self) -> Iterator[AnyNode]:
        return iter(self.items)


class Mapping(Node):
    """Keys with values in the order written; keys are held as text (``80: http`` has the key ``80``)."""

    __slots__ = ("entries",)

    def __init__(
        self,
        source: Source,
        line: int,
        column: int,
        end_line: int,
        end_column: int,
        *,
        entries: dict[str, tuple[Scalar, AnyNode]],
    ) -> None:
        super().__init__(source, line, column, end_line, end_column)
        self.entries = entries

    def get(self, key: str) -> AnyNode | None:
        """The value of ``key``, or None where it is absent."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar:
        """The node of the key itself, for its position.

        Raises:
            KeyError: there is no such key.

        """
        return self.entries[key][0]

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def items(self) -> Iterator[tuple[str, AnyNode]]:
        """Keys as text, with their values."""
        return ((key, value) for key, (_, value) in self.entries.items())

    def values(self) -> Iterator[AnyNode]:
        """The values alone."""
        return (value for _, value in self.entries.values())


AnyNode: TypeAlias = Scalar | Sequence | Mapping


@dataclass(slots=True, eq=False)
class Document:
    """A loaded YAML file: its source and its tree (None where the file is empty or could not be read)."""

    source: Source
    root: AnyNode | None
    anchors: dict[str, AnyNode] = field(default_factory=dict)


PlainValue: TypeAlias = "ScalarValue | list[PlainValue] | dict[str, PlainValue]"


def to_plain(node: AnyNode | None) -> PlainValue:
    """The node as plain Python values: dict, list, str, int, float, bool, None."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    return {key: to_plain(value) for key, value in node.items()}
