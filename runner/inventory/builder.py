"""Collects hosts and groups from all sources of an inventory, then makes the :class:`Inventory` of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from runner.inventory.inventory import Inventory
from runner.inventory.model import (
    ALL,
    NOTHING,
    UNGROUPED,
    AnyVariable,
    Group,
    Host,
    Layer,
    Setting,
    Variable,
)
from runner.inventory.values import plain
from runner.playbook.control import Pool, PoolUse
from runner.problems import Problems
from runner.values import Span

_PRIORITY = "ansible_group_priority"


@dataclass(slots=True)
class GroupDraft:
    """A group while sources are read."""

    name: str
    span: Span | None = None
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Span | None] = field(default_factory=dict)
    vars: dict[str, AnyVariable] = field(default_factory=dict)
    connection: dict[str, Setting] = field(default_factory=dict)
    throttle: int | None = None
    pools: dict[str, PoolUse] = field(default_factory=dict)
    inventory_vars: Layer = field(default_factory=lambda: NOTHING)
    playbook_vars: Layer = field(default_factory=lambda: NOTHING)


class InventoryBuilder:
    """Sources are added one after another; a later one adds to what an earlier one said, as in Ansible."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.groups: dict[str, GroupDraft] = {}
        self.pools: dict[str, Pool] = {}
        self.host_pools: dict[str, dict[str, PoolUse]] = {}
        self.group(ALL)
        self.group(UNGROUPED)

    def host(self, name: str, span: Span | None = None) -> Host:
        """The host of this name, made where it is new."""
        host = self.hosts.get(name)
        if host is None:
            host = self.hosts[name] = Host(name, span)
        return host

    def group(self, name: str, span: Span | None = None) -> GroupDraft:
        """The group of this name, made where it is new."""
        draft = self.groups.get(name)
        if draft is None:
            draft = self.groups[name] = GroupDraft(name, span)
        elif draft.span is None:
            draft.span = span
        return draft

    def set_host_files(self, name: str, layer: Layer, *, playbook: bool) -> None:
        """Give a host the variables of its ``host_vars/``; a later source beats an earlier one."""
        host = self.hosts[name]
        if playbook:
            self.hosts[name] = replace(host, playbook_vars={**host.playbook_vars, **layer})
        else:
            self.hosts[name] = replace(host, inventory_vars={**host.inventory_vars, **layer})

    def build(self, problems: Problems) -> Inventory:
        """The inventory; groups that contain each other and names of two kinds are problems."""
        self._break_cycles(problems)
        self._tell_same_names(problems)
        memberships = self._memberships()
        self._sort_out_ungrouped(memberships)
        self._adopt_orphans()
        depths = self._depths()
        groups = {name: _finished(draft, depths[name]) for name, draft in self.groups.items()}
        return Inventory(self.hosts, groups, memberships, pools=self.pools, host_pools=self.host_pools)

    def _memberships(self) -> dict[str, tuple[str, ...]]:
        """The groups that list each host themselves; hosts with the same groups share one tuple."""
        direct: dict[str, tuple[str, ...]] = {}
        joined: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}
        for draft in self.groups.values():
            if draft.name in {ALL, UNGROUPED}:
                continue
            alone = (draft.name,)
            for host in draft.hosts:
                before = direct.get(host)
                if before is None:
                    direct[host] = alone
                else:
                    direct[host] = joined.setdefault((before, draft.name), (*before, draft.name))
        return direct

    def _sort_out_ungrouped(self, memberships: dict[str, tuple[str, ...]]) -> None:
        lonely = (UNGROUPED,)
        ungrouped = {name: None for name in self.hosts if name not in memberships}
        self.groups[UNGROUPED].hosts = ungrouped
        memberships.update(dict.fromkeys(ungrouped, lonely))

    def _adopt_orphans(self) -> None:
        """Every group without a parent is a child of ``all``."""
        with_parent = {child for draft in self.groups.values() for child in draft.children}
        everything = self.groups[ALL]
        written = everything.children
        everything.children = {UNGROUPED: None, **written}
        for name in self.groups:
            if name != ALL and name not in with_parent:
                everything.children.setdefault(name)

    def _break_cycles(self, problems: Problems) -> None:
        for name, draft in self.groups.items():
            if ALL in draft.children:
                self._drop_edge([ALL, name], ALL, problems)  # every group is below `all`
        finished: set[str] = set()
        for name in self.groups:
            self._visit(name, [], finished, problems)

    def _visit(self, root: str, path: list[str], finished: set[str], problems: Problems) -> None:
        """Walk down from ``root`` without recursion, for groups nested a thousand deep; drop edges that lead back."""
        if root in finished:
            return
        path.append(root)
        pending: list[Iterator[str]] = [iter(list(self.groups[root].children))]
        while path:
            child = next(pending[-1], None)
            if child is None:
                finished.add(path.pop())
                pending.pop()
            elif child in path:
                self._drop_edge(path, child, problems)
            elif child not in finished:
                path.append(child)
                pending.append(iter(list(self.groups[child].children)))

    def _drop_edge(self, path: list[str], child: str, problems: Problems) -> None:
        circle = " -> ".join(f"`{name}`" for name in [*path[path.index(child) :], child])
        span = self.groups[path[-1]].children.pop(child)
        problems.error("group-cycle", f"groups contain each other: {circle}", span, "take one of them out")

    def _tell_same_names(self, problems: Problems) -> None:
        for name in self.groups.keys() & self.hosts.keys():
            problems.warning(
                "host-and-group",
                f"`{name}` is both a host and a group; in a pattern it means the host",
                self.groups[name].span or self.hosts[name].span,
                "rename one of the two",
            )

    def _depths(self) -> dict[str, int]:
        depths = dict.fromkeys(self.groups, 0)
        waiting = dict.fromkeys(self.groups, 0)
        for draft in self.groups.values():
            for child in draft.children:
                waiting[child] += 1
        ready = [name for name, count in waiting.items() if count == 0]
        while ready:
            name = ready.pop()
            for child in self.groups[name].children:
                depths[child] = max(depths[child], depths[name] + 1)
                waiting[child] -= 1
                if waiting[child] == 0:
                    ready.append(child)
        return depths


def _finished(draft: GroupDraft, depth: int) -> Group:
    variables = {name: value for name, value in draft.vars.items() if name != _PRIORITY}
    return Group(
        name=draft.name,
        span=draft.span,
        hosts=tuple(draft.hosts),
        children=tuple(draft.children),
        vars=variables,
        connection=draft.connection,
        throttle=draft.throttle,
        pools=draft.pools,
        depth=depth,
        priority=_priority(draft.vars.get(_PRIORITY)),
        inventory_vars=draft.inventory_vars,
        playbook_vars=draft.playbook_vars,
    )


def _priority(variable: AnyVariable | None) -> int:
    """A group's weight among equally deep ones; as in Ansible one in ``group_vars/`` does not count."""
    value = plain(variable.value) if isinstance(variable, Variable) else None
    if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
        return int(value)
    return 1
