"""Fields of a step as the values a body works with: templates evaluated, types checked, errors where they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.document.nodes import AnyNode, Scalar, Sequence
from runner.document.nodes import Mapping as MappingNode
from runner.document.reader import written_path
from runner.errors import ExecutionFailed
from runner.shell.scalars import scalar_bytes
from runner.values import Secret
from runner.variables.filters import plain_json
from runner.variables.scope import Scope


def text(scope: Scope, node: AnyNode | None, what: str) -> str:
    """A scalar as text, a plain number as written (``mode: 0644``); empty where there is none.

    Raises:
        ExecutionFailed: the value is a list or a mapping (``value-type``).
        VariableError: a template fails.

    """
    if isinstance(node, Scalar) and not node.is_text:
        return "" if node.value is None else node.text
    return scalar_bytes(scope.render(node), what).decode(errors="surrogateescape")


def texts(scope: Scope, node: AnyNode | None, what: str) -> list[str]:
    """A list of scalars as texts; a lone scalar is a list of one.

    Raises:
        ExecutionFailed: an element is no scalar.
        VariableError: a template fails.

    """
    value = _as_written(scope, node)
    if not isinstance(value, list | tuple):
        return [text(scope, node, f"`{what}`")] if value is not None else []
    return [
        scalar_bytes(item, f"`{what}[{n}]`").decode(errors="surrogateescape") for n, item in enumerate(value)
    ]


def mapping_of_texts(scope: Scope, node: AnyNode | None, what: str) -> dict[str, str]:
    """A mapping of names to scalars (``environment``); null leaves a name out.

    Raises:
        ExecutionFailed: it is no mapping, or a value is no scalar.
        VariableError: a template fails.

    """
    value = _as_written(scope, node)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ExecutionFailed("value-type", f"`{what}` must be a mapping of names to values", phase="plan")
    return {
        str(name): scalar_bytes(item, f"`{what}.{name}`").decode(errors="surrogateescape")
        for name, item in value.items()
        if item is not None
    }


def arguments(scope: Scope, node: AnyNode | None, *, typed: bool) -> list[Any]:
    """``args``: values by position, plain numbers as written unless ``typed``; a lone scalar is one argument.

    Raises:
        VariableError: a template fails.

    """
    value = scope.render(node) if typed else _as_written(scope, node)
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _as_written(scope: Scope, node: AnyNode | None) -> Any:
    """The value of a node where text is due: its plain numbers stay as the author wrote them (``1.10``, ``0022``)."""
    if isinstance(node, Sequence):
        return [_as_written(scope, item) for item in node.items]
    if isinstance(node, MappingNode):
        return {key: _as_written(scope, item) for key, item in node.items()}
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.text
    return scope.render(node)


def input_bytes(scope: Scope, node: AnyNode | None) -> bytes | None:
    """``input_object`` as standard input: text items as lines, others as JSON lines; None where there is none.

    Raises:
        ExecutionFailed: an item has no JSON form.
        VariableError: a template fails.

    """
    if node is None:
        return None
    value = scope.render(node)
    if isinstance(value, bytes):
        return value
    items = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return b"".join(_line(item) for item in items)


def _line(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, Secret):
        item = item.reveal()
    if not isinstance(item, str):
        try:
            item = json.dumps(item, default=plain_json, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise ExecutionFailed(
                "value-type", f"an item of `input_object` has no JSON form: {error}"
            ) from error
    data: bytes = item.encode(errors="surrogateescape")
    return data if data.endswith(b"\n") else data + b"\n"


def controller_path(node: AnyNode, written: str) -> Path:
    """A path on the controller: ``~`` expanded, relative to the file it is written in."""
    path = written_path(written)
    return path if path.is_absolute() else Path(node.span.path).parent / path
