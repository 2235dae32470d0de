"""Public values as a playbook says them, and as text that is equal where they are the same in every respect."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from runner.objects import EnumValue, PSCredential, PSObject, iso_duration, ticks_of
from runner.values import Secret


@dataclass
class Sayer:
    """Turns values into what stands in YAML.

    YAML and templates have no bytes, Decimal, Guid, object or ordered dictionary of their own: such a value is what an
    earlier step of PowerShell gave. ``made`` are the scripts of those steps with the value; their ids are ``made_0``...
    """

    made: list[tuple[str, Any]] = field(default_factory=list)

    def say(self, value: Any) -> Any:
        """The value for a playbook."""
        if isinstance(value, PSObject | OrderedDict | bytes | Decimal | UUID):
            self.made.append((powershell(value), value))
            return f"{{{{ made_{len(self.made) - 1}.output[0] }}}}"
        if isinstance(value, Mapping):
            return {key: self.say(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.say(item) for item in value]
        if isinstance(value, datetime):
            text = value.isoformat()
            plain = "" if value.tzinfo else ".replace(tzinfo=none)"
            return f"{{{{ ('{text}' | to_datetime){plain} }}}}"
        if isinstance(value, timedelta):
            return f"{{{{ '{ticks_of(value) / 10_000}ms' | duration }}}}"
        assert value is None or isinstance(value, bool | int | float | str), value
        assert not isinstance(value, str) or "{{" not in value, "this would be a template"
        return value


def powershell(value: Any) -> str:
    """PowerShell's words for a value."""
    if isinstance(value, OrderedDict):
        return "[ordered]" + _table(value)
    if isinstance(value, PSObject):
        return "[pscustomobject]" + _table(value)
    if isinstance(value, bytes):
        return f",[byte[]]({','.join(map(str, value))})"
    if isinstance(value, Decimal):
        return f"{value}d"
    if isinstance(value, UUID):
        return f"[guid]'{value}'"
    if isinstance(value, list):
        return f"@({','.join(map(powershell, value))})"
    if isinstance(value, int):
        return str(value)
    assert isinstance(value, str), value
    return "'" + value.replace("'", "''") + "'"


def _table(value: Mapping[str, Any]) -> str:
    return "@{" + "; ".join(f"{name} = {powershell(item)}" for name, item in value.items()) + "}"


#: A secret of a recording was encrypted with a key that is gone: as an object it stands for itself.
_OF_SECRETS: dict[tuple[str, ...], Callable[[PSObject], Any]] = {
    ("System.Security.SecureString",): lambda value: ("Secret",),
    ("System.Management.Automation.PSCredential",): lambda value: ("PSCredential", value["UserName"]),
}


def exact(value: Any) -> Any:
    """The value with its type at every place, of an object all that it says: for comparing and for showing."""
    if isinstance(value, PSObject) and value.type_names[:1] in _OF_SECRETS:
        return _OF_SECRETS[value.type_names[:1]](value)
    if isinstance(value, PSObject):
        return (
            "PSObject",
            value.type_names,
            value.text,
            [(name, exact(item)) for name, item in value.items()],
        )
    if isinstance(value, Mapping):
        kind = "OrderedDict" if isinstance(value, OrderedDict) else "dict"
        return (kind, [(exact(key), exact(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    if isinstance(value, EnumValue):
        return ("EnumValue", str(value), value.number)
    if isinstance(value, Secret):
        return ("Secret",)
    if isinstance(value, PSCredential):
        return ("PSCredential", value.username)
    if isinstance(value, timedelta):
        return ("timedelta", iso_duration(value))
    if isinstance(value, datetime):
        return ("datetime", value.isoformat())
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: exact(getattr(value, each.name)) for each in fields(value)}
    return (type(value).__name__, repr(value))


def shape(value: Any) -> Any:
    """The types at every place and the names of properties, without the values; of a list the shapes that are in it."""
    if isinstance(value, PSObject):
        return ("PSObject", value.type_names, sorted(value))
    if isinstance(value, Mapping):
        return ("dict", sorted(map(str, value)))
    if isinstance(value, list | tuple):
        return sorted({json.dumps(shape(item), default=str) for item in value})
    return type(value).__name__
