"""Ansible's ``--list`` JSON: what an inventory executable prints, or a file that holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runner.document.nodes import Source
from runner.inventory.builder import GroupDraft, InventoryBuilder
from runner.inventory.values import VariableMaker
from runner.problems import Problems
from runner.values import Span

META = "_meta"
HostVariables = Callable[[str], Mapping[str, Any]]


def is_listing(data: Mapping[str, Any]) -> bool:
    """Whether JSON is in the form of ``--list``: hosts of groups are lists, ``_meta`` holds the hosts' variables."""
    if META in data:
        return True
    groups = [group for group in data.values() if not isinstance(group, dict) or group]
    return bool(groups) and all(
        isinstance(group, list)
        or (
            isinstance(group, dict) and any(isinstance(group.get(key), list) for key in ("hosts", "children"))
        )
        for group in groups
    )


def read_listing(
    data: Mapping[str, Any],
    source: Source,
    builder: InventoryBuilder,
    problems: Problems,
    *,
    ask_host: HostVariables | None = None,
) -> None:
    """Add the hosts and groups of a listing.

    Args:
        data: the JSON object: group name -> ``{hosts, children, vars}`` or a list of hosts, and ``_meta``.
        source: where it came from; problems and variables name its path, since JSON has no places.
        builder: takes hosts and groups.
        problems: takes what has a wrong type.
        ask_host: gives a host's variables where there is no ``_meta`` (the executable's ``--host``).

    """
    _Reader(source, builder, problems).read(data, ask_host)


class _Reader:
    def __init__(self, source: Source, builder: InventoryBuilder, problems: Problems) -> None:
        self._builder = builder
        self._problems = problems
        self._make = VariableMaker(source, problems)
        self._span = Span(source.path)
        self._named: dict[str, None] = {}

    def read(self, data: Mapping[str, Any], ask_host: HostVariables | None) -> None:
        for name, entry in data.items():
            if name != META:
                self._group(name, entry)
        meta = data.get(META)
        known = meta.get("hostvars") if isinstance(meta, dict) else None
        if isinstance(known, dict):
            self._host_variables(known)
        elif META in data and known is not None:
            self._wrong("`_meta.hostvars` must be an object of hosts")
        elif ask_host is not None:
            for name in self._named:
                self._variables_of(name, ask_host(name))

    def _group(self, name: str, entry: Any) -> None:
        group = self._builder.group(name, self._span)
        if isinstance(entry, list):
            self._hosts(group, entry)
        elif not isinstance(entry, dict):
            self._wrong(
                f"group `{name}` must be an object with `hosts`, `children` or `vars`, or a list of hosts"
            )
        elif entry and not entry.keys() & {"hosts", "children", "vars"}:
            self._hosts(group, [name])  # Ansible's oldest form: a lone host with its variables
            self._variables_of(name, entry)
        else:
            self._members(group, entry)

    def _members(self, group: GroupDraft, entry: dict[str, Any]) -> None:
        hosts, children, variables = entry.get("hosts", []), entry.get("children", []), entry.get("vars", {})
        if not isinstance(hosts, list) or not isinstance(children, list):
            self._wrong(f"`hosts` and `children` of group `{group.name}` must be lists of names")
            return
        if not isinstance(variables, dict):
            self._wrong(f"`vars` of group `{group.name}` must be an object")
            return
        self._hosts(group, hosts)
        for child in children:
            self._builder.group(str(child), self._span)
            group.children.setdefault(str(child), self._span)
        owner = f"group `{group.name}`"
        for key, value in variables.items():
            group.vars[key] = self._make.from_plain(key, value, owner, self._span)

    def _hosts(self, group: GroupDraft, names: list[Any]) -> None:
        for name in names:
            if not isinstance(name, str) or not name:
                self._wrong(f"a host of group `{group.name}` is no text: `{name}`")
                continue
            self._builder.host(name, self._span)
            group.hosts[name] = None
            self._named[name] = None

    def _host_variables(self, known: dict[str, Any]) -> None:
        for name, values in known.items():
            if name in self._named:
                self._variables_of(name, values)

    def _variables_of(self, name: str, values: Any) -> None:
        if not isinstance(values, Mapping):
            self._wrong(f"the variables of host `{name}` must be an object")
            return
        owner = f"host `{name}`"
        variables = self._builder.host(name, self._span).vars
        for key, value in values.items():
            variables[key] = self._make.from_plain(key, value, owner, self._span)

    def _wrong(self, message: str) -> None:
        self._problems.error("inventory-shape", f"{message} (`{self._span.path}`)", self._span)
