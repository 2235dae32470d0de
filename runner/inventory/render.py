"""An inventory as plain data and as lines of text, for ``runner inventory``; secrets are masked."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from runner.inventory.connection import connection_settings
from runner.inventory.inventory import Inventory
from runner.inventory.model import ALL, AnyVariable, VaultedVariable
from runner.inventory.values import plain
from runner.values import JsonValue, Secret

_VAULTED = "(encrypted with Ansible Vault)"


def shown_value(variable: AnyVariable) -> JsonValue:
    """A variable's value as JSON: templates as written, a secret as stars, what is encrypted as words."""
    return _VAULTED if isinstance(variable, VaultedVariable) else _json(plain(variable.value))


def listing(inventory: Inventory, hosts: Collection[str] | None = None) -> dict[str, JsonValue]:
    """The inventory in the form of Ansible's ``--list``, so that what reads that can read this.

    Args:
        inventory: the inventory.
        hosts: the hosts to show (a selection of :func:`runner.inventory.patterns.select`); None shows all.

    """
    wanted = inventory.hosts if hosts is None else frozenset(hosts)
    groups: dict[str, JsonValue] = {}
    for name in inventory.descendants(ALL):
        group = inventory.groups[name]
        members: list[JsonValue] = [host for host in group.hosts if host in wanted] if name != ALL else []
        entry: dict[str, JsonValue] = {}
        if members:
            entry["hosts"] = members
        if group.children:
            entry["children"] = list(group.children)
        if entry:
            groups[name] = entry
    variables: dict[str, JsonValue] = {
        host: {name: shown_value(value) for name, value in inventory.variables(host).items()}
        for host in inventory.hosts
        if host in wanted
    }
    return {**groups, "_meta": {"hostvars": {host: shown for host, shown in variables.items() if shown}}}


def listing_lines(inventory: Inventory, hosts: Collection[str] | None = None) -> list[str]:
    """One line a host in inventory order: its name, its address where that differs, its groups."""
    wanted = inventory.hosts if hosts is None else frozenset(hosts)
    names = [name for name in inventory.hosts if name in wanted]
    rows = [(name, _address(inventory, name), _groups(inventory, name)) for name in names]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [
        "  ".join(
            cell for cell in (row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2]) if cell
        ).rstrip()
        for row in rows
    ]


def graph_lines(inventory: Inventory, group: str = ALL) -> list[str]:
    """The group and what is below it as a tree, in the form of ``ansible-inventory --graph``.

    Raises:
        KeyError: there is no such group.

    """
    return list(_tree(inventory, group, 0))


def host_details(inventory: Inventory, host_name: str) -> dict[str, JsonValue]:
    """All the inventory says of a host, for JSON: groups, variables and settings with where they came from."""
    settings = connection_settings(inventory, host_name)
    return {
        "host": host_name,
        "groups": [group.name for group in inventory.lineage(host_name)],
        "variables": {
            name: _details(value) for name, value in sorted(inventory.variables(host_name).items())
        },
        "connection": {key: _details(setting) for key, setting in sorted(settings.items())},
        "throttles": dict(inventory.group_throttles(host_name)),
    }


def host_lines(inventory: Inventory, host_name: str) -> list[str]:
    """The same for a person to read."""
    settings = connection_settings(inventory, host_name)
    lines = [f"host {host_name}", f"groups {_groups(inventory, host_name)}".rstrip()]
    for title, values in (("variables", inventory.variables(host_name)), ("connection", settings)):
        if values:
            lines.append(title)
            lines += [_line(name, value) for name, value in sorted(values.items())]
    throttles = inventory.group_throttles(host_name)
    if throttles:
        lines.append("throttles")
        lines += [f"  {name}: {limit}" for name, limit in throttles.items()]
    return lines


def _json(value: object) -> JsonValue:
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _details(variable: AnyVariable) -> dict[str, JsonValue]:
    span = variable.span
    place: dict[str, JsonValue] = (
        {} if span is None else {"path": span.path, "line": span.line, "column": span.column}
    )
    return {"value": shown_value(variable), "source": variable.source, **place}


def _line(name: str, variable: AnyVariable) -> str:
    value = shown_value(variable)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    place = variable.source if variable.span is None else f"{variable.source}, {variable.span}"
    return f"  {name}: {text}  ({place})"


def _groups(inventory: Inventory, host_name: str) -> str:
    return ", ".join(group.name for group in reversed(inventory.lineage(host_name)) if group.name != ALL)


def _address(inventory: Inventory, host_name: str) -> str:
    address = connection_settings(inventory, host_name).get("address")
    return str(shown_value(address)) if address is not None else ""


def _tree(inventory: Inventory, name: str, depth: int) -> Iterator[str]:
    def line(text: str, depth: int) -> str:
        return f"{'  |' * depth}--{text}" if depth else text

    group = inventory.groups[name]
    yield line(f"@{name}:", depth)
    for child in group.children:
        yield from _tree(inventory, child, depth + 1)
    for host in group.hosts if name != ALL else ():
        yield line(host, depth + 1)
