"""The native inventory: ``version``, ``vars``, ``connection``, ``hosts``, ``groups`` (language.md, "Inventory")."""

from __future__ import annotations

from collections.abc import Iterator

from runner.document.nodes import AnyNode, Document, Mapping, Scalar, Sequence
from runner.inventory.builder import GroupDraft, InventoryBuilder
from runner.inventory.model import ALL, UNGROUPED, Host, Variable
from runner.inventory.names import RANGE_HINT, RangeError, expand
from runner.inventory.values import VariableMaker, settings_of
from runner.playbook.parse import parse_pool_uses, parse_pools
from runner.problems import Problems, suggestion


def read_native(document: Document, builder: InventoryBuilder, problems: Problems) -> None:
    """Add the hosts and groups of a native inventory whose shape was checked; what has a wrong type is passed over."""
    if isinstance(document.root, Mapping):
        _Reader(document, builder, problems).read(document.root)


class _Reader:
    def __init__(self, document: Document, builder: InventoryBuilder, problems: Problems) -> None:
        self._builder = builder
        self._problems = problems
        self._make = VariableMaker(document.source, problems)
        self._children: list[tuple[GroupDraft, Scalar]] = []

    def read(self, root: Mapping) -> None:
        self._builder.pools.update(parse_pools(root.get("pools")))
        everything = self._builder.group(ALL)
        self._group_values(everything, root, "the whole inventory")
        ungrouped = self._builder.group(UNGROUPED)
        for _ in self._hosts(root.get("hosts"), ungrouped):
            pass
        for name, entry in _entries(root.get("groups")):
            self._group(name, entry)
        for group, child in self._children:
            self._child(group, child)

    def _group(self, name: Scalar, entry: AnyNode) -> None:
        group = self._builder.group(name.text, name.span)
        if not isinstance(entry, Mapping):
            return
        self._group_values(group, entry, f"group `{group.name}`")
        for host in self._hosts(entry.get("hosts"), group):
            group.hosts[host.name] = None
        self._children += [(group, child) for child in _scalars(entry.get("groups"))]
        throttle = entry.get("throttle")
        if isinstance(throttle, Scalar):
            group.throttle = _limit(throttle.value)
        group.pools.update((use.name, use) for use in parse_pool_uses(entry.get("pool")))

    def _child(self, group: GroupDraft, child: Scalar) -> None:
        if child.text in self._builder.groups:
            group.children.setdefault(child.text, child.span)
            return
        self._problems.error(
            "unknown-group",
            f"group `{group.name}` holds the group `{child.text}`, which is not declared anywhere",
            child.span,
            *suggestion(child.text, self._builder.groups.keys() - {ALL, UNGROUPED, group.name}),
        )

    def _group_values(self, group: GroupDraft, entry: Mapping, owner: str) -> None:
        for name, node in _entries(entry.get("vars")):
            group.vars[name.text] = self._make.from_node(name.text, node, owner)
        connection = entry.get("connection")
        if isinstance(connection, Mapping):
            group.connection.update(settings_of(connection, owner))

    def _hosts(self, node: AnyNode | None, group: GroupDraft) -> Iterator[Host]:
        """The hosts of a mapping, each given what it says of them."""
        for name, entry in _entries(node):
            for host in self._named(name):
                if isinstance(entry, Mapping):
                    self._host_values(host, entry)
                yield host

    def _named(self, name: Scalar) -> Iterator[Host]:
        try:
            for text in expand(name.text):
                yield self._builder.host(text, name.span)
        except RangeError as error:
            self._problems.error("host-range", str(error), name.span, RANGE_HINT)

    def _host_values(self, host: Host, entry: Mapping) -> None:
        owner = f"host `{host.name}`"
        for name, node in _entries(entry.get("vars")):
            host.vars[name.text] = self._make.from_node(name.text, node, owner)
        connection = entry.get("connection")
        if isinstance(connection, Mapping):
            host.connection.update(settings_of(connection, owner))
        address = entry.get("address")
        if isinstance(address, Scalar) and address.value is not None:
            host.connection["address"] = Variable(address, owner, address.span)
        uses = parse_pool_uses(entry.get("pool"))
        if uses:
            self._builder.host_pools.setdefault(host.name, {}).update((use.name, use) for use in uses)


def _entries(node: AnyNode | None) -> list[tuple[Scalar, AnyNode]]:
    return list(node.entries.values()) if isinstance(node, Mapping) else []


def _scalars(node: AnyNode | None) -> list[Scalar]:
    items = node.items if isinstance(node, Sequence) else [node]
    return [item for item in items if isinstance(item, Scalar) and item.value is not None]


def _limit(value: object) -> int | None:
    """A throttle: None for ``unlimited`` and for 0, which is the default of none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
