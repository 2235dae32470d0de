"""Where the JSON Schemas are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_SUFFIX = ".schema.json"


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted: ``inventory``, ``playbook``, ``steps``, ``vars`` ..."""
    return tuple(
        sorted(file.name.removesuffix(_SUFFIX) for file in _folder().iterdir() if file.name.endswith(_SUFFIX))
    )


def schema_text(name: str) -> str:
    """The text of a schema, JSON Schema draft 2020-12.

    Raises:
        KeyError: there is no schema of that name.

    """
    if name not in schema_names():
        raise KeyError(name)
    return (_folder() / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


@cache
def _folder() -> Traversable:
    """The wheel carries the schemas in the package; an editable install and a checkout have them one level up."""
    packaged = files("runner") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "schemas"
