"""What an inventory answers: who is in a group, and which variables and limits a host has, nearest first."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from runner.inventory.model import ALL, IMPLICIT_HOSTS, AnyVariable, Group, Host, Layer, Setting
from runner.playbook.control import Pool, PoolUse

_NO_GROUPS: tuple[str, ...] = ()
_NONE: Mapping[str, Any] = MappingProxyType({})


class Inventory:
    """Hosts in inventory order (as the sources first name them) and groups, ``all`` and ``ungrouped`` among them.

    Not changed once made. What hosts with the same groups have in common is computed once and shared by them, so that
    50,000 hosts in 200 groups cost 200 merges.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        groups: Mapping[str, Group],
        memberships: Mapping[str, tuple[str, ...]],
        *,
        pools: Mapping[str, Pool] = _NONE,
        host_pools: Mapping[str, Mapping[str, PoolUse]] = _NONE,
    ) -> None:
        self.pools: Mapping[str, Pool] = MappingProxyType(dict(pools))
        self._host_pools = host_pools
        self.hosts: Mapping[str, Host] = MappingProxyType(dict(hosts))
        self.groups: Mapping[str, Group] = MappingProxyType(dict(groups))
        self._memberships = memberships
        self._parents = _parents(self.groups)
        self._lineages: dict[tuple[str, ...], tuple[Group, ...]] = {_NO_GROUPS: ()}
        self._group_layers: dict[tuple[str, ...], tuple[tuple[int, Layer], ...]] = {}
        self._merged: dict[tuple[str, ...], Layer] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._group_pools: dict[tuple[str, ...], Mapping[str, PoolUse]] = {}

    def direct_groups(self, host_name: str) -> tuple[str, ...]:
        """The groups that list the host themselves. A name that is not in the inventory has none.

        This machine's own names are in ``all`` alone where the inventory does not have them, as in Ansible.
        """
        direct = self._memberships.get(host_name)
        if direct is None:
            return (ALL,) if host_name in IMPLICIT_HOSTS else _NO_GROUPS
        return direct

    def lineage(self, host_name: str) -> tuple[Group, ...]:
        """All groups of a host, the least to the most important: by depth, then priority, then name; ``all`` first."""
        direct = self.direct_groups(host_name)
        found = self._lineages.get(direct)
        if found is None:
            names: set[str] = {ALL}
            pending = list(direct)
            while pending:
                name = pending.pop()
                if name not in names:
                    names.add(name)
                    pending.extend(self._parents[name])
            groups = (self.groups[name] for name in names)
            ordered = sorted(groups, key=lambda group: (group.depth, group.priority, group.name))
            found = self._lineages[direct] = tuple(ordered)
        return found

    def layers(self, host_name: str) -> tuple[Layer, ...]:
        """The host's variables as layers, low to high, empty ones left out (Ansible's variable precedence 3 to 10).

        Groups beside the hosts, then ``group_vars/all``, then the ``group_vars/`` of the other groups, each beside the
        inventory before beside the playbook; then the host's own and its ``host_vars/``.
        """
        return tuple(layer for _, layer in self.ranked_layers(host_name))

    def ranked_layers(self, host_name: str) -> tuple[tuple[int, Layer], ...]:
        """The layers, each with how near to the host it was written: the place in the lineage, the host last."""
        direct = self.direct_groups(host_name)
        layers = self._group_layers.get(direct)
        if layers is None:
            layers = self._group_layers[direct] = _layers_of(self.lineage(host_name))
        host = self.hosts.get(host_name)
        if host is None:
            return layers
        rank = len(self.lineage(host_name))
        return (*layers, *((rank, layer) for layer in host.own_layers))

    def ranked_connections(self, host_name: str) -> Iterator[tuple[int, Mapping[str, Setting]]]:
        """What ``connection:`` says of the host, farthest first, ranked as the layers are."""
        lineage = self.lineage(host_name)
        for rank, group in enumerate(lineage):
            if group.connection:
                yield rank, group.connection
        host = self.hosts.get(host_name)
        if host is not None and host.connection:
            yield len(lineage), host.connection

    def variables(self, host_name: str) -> Mapping[str, AnyVariable]:
        """The host's variables, each the one that counts."""
        direct = self.direct_groups(host_name)
        merged = self._merged.get(direct)
        if merged is None:
            self.ranked_layers(host_name)
            combined: dict[str, AnyVariable] = {}
            for _, layer in self._group_layers[direct]:
                combined.update(layer)
            merged = self._merged[direct] = MappingProxyType(combined)
        host = self.hosts.get(host_name)
        own = host.own_layers if host is not None else ()
        if not own:
            return merged
        layers = cast("list[dict[str, AnyVariable]]", [*reversed(own), merged])  # only ever read
        return ChainMap(*layers)

    def signature(self, host_name: str) -> Hashable:
        """Equal for hosts that have variables of the same names: what holds of the names of one holds of the others."""
        host = self.hosts.get(host_name)
        own = tuple(tuple(layer) for layer in host.own_layers) if host is not None else ()
        return self.direct_groups(host_name), own

    def group_throttles(self, host_name: str) -> Mapping[str, int]:
        """The limits of the host's groups by group name; each is a counter of its own."""
        return {g.name: g.throttle for g in self.lineage(host_name) if g.throttle is not None}

    def pool_uses(self, host_name: str) -> tuple[PoolUse, ...]:
        """What is taken of which pool by all that runs on the host; of two weights of one pool the nearer counts."""
        direct = self.direct_groups(host_name)
        uses = self._group_pools.get(direct)
        if uses is None:
            uses = self._group_pools[direct] = {
                name: use for group in self.lineage(host_name) for name, use in group.pools.items()
            }
        own = self._host_pools.get(host_name)
        return tuple({**uses, **own}.values() if own else uses.values())

    def group_hosts(self, group_name: str) -> tuple[str, ...]:
        """All hosts of a group and the groups below it, its own first, then level by level (Ansible's order)."""
        found = self._members.get(group_name)
        if found is None:
            hosts: dict[str, None] = {}
            for name in self.descendants(group_name):
                hosts.update(dict.fromkeys(self.groups[name].hosts))
            found = self._members[group_name] = tuple(hosts)
        return found

    def descendants(self, group_name: str) -> tuple[str, ...]:
        """The group and all groups below it, level by level."""
        found = {group_name: None}
        level = [group_name]
        while level:
            level = list(
                dict.fromkeys(c for name in level for c in self.groups[name].children if c not in found)
            )
            found.update(dict.fromkeys(level))
        return tuple(found)


def _parents(groups: Mapping[str, Group]) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {name: [] for name in groups}
    for group in groups.values():
        for child in group.children:
            parents[child].append(group.name)
    return parents


def _layers_of(lineage: tuple[Group, ...]) -> tuple[tuple[int, Layer], ...]:
    """A lineage begins with ``all``, whose ``group_vars/`` yield to those of every other group."""
    ranked = list(enumerate(lineage))
    layers: list[tuple[int, Layer]] = [(rank, group.vars) for rank, group in ranked]
    for groups in (ranked[:1], ranked[1:]):
        layers += [(rank, group.inventory_vars) for rank, group in groups]
        layers += [(rank, group.playbook_vars) for rank, group in groups]
    return tuple((rank, layer) for rank, layer in layers if layer)
