"""Reading nodes tolerantly: what has the wrong type reads as absent, because the schema check has told it already."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import TypeGuard

from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence
from runner.units import parse_duration, parse_size

Entries = MappingABC[str, AnyNode]

UNLIMITED = 0


def is_template(node: AnyNode | None) -> TypeGuard[Scalar]:
    """Whether a value is text with ``{{`` in it."""
    return isinstance(node, Scalar) and isinstance(node.value, str) and "{{" in node.value


def entries_of(node: AnyNode | None) -> dict[str, AnyNode]:
    """The entries of a mapping; none for anything else."""
    return dict(node.items()) if isinstance(node, Mapping) else {}


def items_of(node: AnyNode | None) -> list[AnyNode]:
    """The items of a list; a lone value stands for a list of one; an absent or null one for an empty list."""
    if isinstance(node, Sequence):
        return list(node.items)
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return []
    return [node]


def scalars_of(node: AnyNode | None) -> tuple[Scalar, ...]:
    """The scalar items of a list or a lone scalar."""
    return tuple(item for item in items_of(node) if isinstance(item, Scalar) and item.value is not None)


def text_of(node: AnyNode | None) -> str | None:
    """Text, a number or a boolean as written (``mode: 0644`` is ``0644``)."""
    return node.text if isinstance(node, Scalar) and node.value is not None else None


def word_of(node: AnyNode | None) -> str | None:
    """A word of an enumeration, in lower case: such words are read in any case."""
    text = text_of(node)
    return text.lower() if text is not None else None


def flag_of(node: AnyNode | None, *, default: bool = False) -> bool:
    """A boolean."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, bool) else default


def seconds_of(node: AnyNode | None) -> float | None:
    """A duration in seconds, None where there is none."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    try:
        return parse_duration(node.value).total_seconds()
    except ValueError:
        return None


def bytes_of(node: AnyNode | None) -> int | None:
    """A size in bytes, None where there is none."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    try:
        return parse_size(node.value)
    except ValueError:
        return None


def throttle_of(node: AnyNode | None) -> int | None:
    """A throttle: None is the default (absent or 0), :data:`UNLIMITED` is none at all."""
    if word_of(node) == "unlimited":
        return UNLIMITED
    if isinstance(node, Scalar) and isinstance(node.value, int) and node.value > 0:
        return node.value
    return None
