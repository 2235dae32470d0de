"""Ansible's YAML inventories: groups with ``hosts``, ``children`` and ``vars``, at any depth."""

from __future__ import annotations

from runner.document.nodes import AnyNode, Document, Mapping, Scalar
from runner.inventory.builder import GroupDraft, InventoryBuilder
from runner.inventory.names import RANGE_HINT, RangeError, expand, split_port
from runner.inventory.values import VariableMaker
from runner.problems import Problems, suggestion
from runner.values import Span

_KEYS = ("hosts", "children", "vars")


def read_ansible_yaml(document: Document, builder: InventoryBuilder, problems: Problems) -> None:
    """Add the hosts and groups of an inventory written for Ansible, loaded with ``ansible=True``."""
    root = document.root
    if root is None:
        return
    if not isinstance(root, Mapping):
        problems.error(
            "inventory-shape", "an inventory is a mapping of groups", root.span,
            "write `all:` with `hosts:` below it, or give a file with a name a line another ending than `.yml`",
        )  # fmt: skip
        return
    plugin = root.get("plugin")
    if isinstance(plugin, Scalar):
        problems.error(
            "inventory-plugin",
            f"this is the configuration of Ansible's inventory plugin `{plugin.text}`, no list of hosts",
            root.key("plugin").span,
            f"run `ansible-inventory -i {document.source.path} --list > inventory.json` and give that file",
        )
        return
    reader = _Reader(document, builder, problems)
    for name, entry in root.entries.values():
        reader.group(name, entry)


class _Reader:
    def __init__(self, document: Document, builder: InventoryBuilder, problems: Problems) -> None:
        self._builder = builder
        self._problems = problems
        self._make = VariableMaker(document.source, problems)

    def group(self, name: Scalar, entry: AnyNode) -> None:
        group = self._builder.group(name.text, name.span)
        if _is_null(entry):
            return
        if not isinstance(entry, Mapping):
            self._wrong(
                f"group `{name.text}` must be a mapping with `hosts`, `children` or `vars`", entry.span
            )
            return
        for key, _ in entry.entries.values():  # in the order written, which is the order of the hosts
            if key.text == "vars":
                self._vars(group, entry.get("vars"))
            elif key.text == "children":
                for child, node in self._section(group, entry, "children"):
                    self.group(child, node)
                    group.children.setdefault(child.text, child.span)
            elif key.text == "hosts":
                for host, node in self._section(group, entry, "hosts"):
                    self._host(group, host, node)
            else:
                self._problems.warning(
                    "unknown-inventory-key",
                    f"`{key.text}` in group `{name.text}` is passed over: a group has `hosts`, `children` and `vars`",
                    key.span,
                    *suggestion(key.text, _KEYS),
                )

    def _section(self, group: GroupDraft, entry: Mapping, key: str) -> list[tuple[Scalar, AnyNode]]:
        node = entry.get(key)
        if node is None or _is_null(node):
            return []
        if isinstance(node, Mapping):
            return list(node.entries.values())
        if isinstance(node, Scalar):
            return [
                (node, Scalar(node.source, *_place(node), value=None, text="", style="plain", start=0, end=0))
            ]
        self._wrong(
            f"`{key}` of group `{group.name}` is a list, where Ansible has a mapping", node.span, _LIST_HINT
        )
        return []

    def _vars(self, group: GroupDraft, node: AnyNode | None) -> None:
        if isinstance(node, Mapping):
            owner = f"group `{group.name}`"
            for name, value in node.entries.values():
                group.vars[name.text] = self._make.from_node(name.text, value, owner)
        elif node is not None and not _is_null(node):
            self._wrong(f"`vars` of group `{group.name}` must be a mapping of variables", node.span)

    def _host(self, group: GroupDraft, name: Scalar, node: AnyNode) -> None:
        spec, port = split_port(name.text)
        if not isinstance(node, Mapping) and not _is_null(node):
            self._wrong(f"host `{name.text}` must be a mapping of its variables", node.span)
            return
        try:
            names = expand(spec)
        except RangeError as error:
            self._problems.error("host-range", str(error), name.span, RANGE_HINT)
            return
        for text in names:
            host = self._builder.host(text, name.span)
            group.hosts[text] = None
            owner = f"host `{text}`"
            if port is not None:
                host.vars["ansible_port"] = self._make.from_plain("ansible_port", port, owner, name.span)
            if isinstance(node, Mapping):
                for key, value in node.entries.values():
                    host.vars[key.text] = self._make.from_node(key.text, value, owner)

    def _wrong(self, message: str, span: Span, *hints: str) -> None:
        self._problems.error("inventory-shape", message, span, *hints)


_LIST_HINT = "write each name as a key: `web1:` instead of `- web1`"


def _is_null(node: AnyNode) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _place(node: Scalar) -> tuple[int, int, int, int]:
    return node.line, node.column, node.end_line, node.end_column
