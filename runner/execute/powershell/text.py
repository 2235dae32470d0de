"""Values of PowerShell as a person reads them on one line; near what PowerShell itself makes of them in a string."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runner.objects import PSCredential, PSObject
from runner.values import Secret

_LONGEST = 1000
_MOST = 20


def text_of(value: Any) -> str:
    """A value as text: strings as they are, objects by their own text or else their properties.

    >>> text_of(PSObject({"Name": "spooler", "Id": 4}))
    '@{Name=spooler; Id=4}'
    >>> text_of([1, None, True])
    '1  True'
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, PSCredential):
        return value.username
    if isinstance(value, PSObject) and value.text and value.text not in _plain_types(value):
        return value.text
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return _cut(" ".join(text_of(item) for item in value[:_MOST]), more=len(value) > _MOST)
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _mapping(value: Mapping[Any, Any]) -> str:
    shown = [f"{key}={text_of(item)}" for key, item in list(value.items())[:_MOST]]
    return _cut("@{" + "; ".join(shown) + "}", more=len(value) > _MOST)


def _plain_types(value: PSObject) -> set[str]:
    """The names of its types, which are what ``ToString`` gives where a type says nothing of its own."""
    names = {name.removeprefix("Deserialized.") for name in value.type_names}
    return names | {name.partition("[")[0] for name in names}


def _cut(text: str, *, more: bool) -> str:
    if len(text) > _LONGEST:
        return text[:_LONGEST] + "..."
    return text + " ..." if more else text
