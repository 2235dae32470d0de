"""Hosts, groups and variables as an inventory says them; every value keeps the place it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from runner.document.vault import VAULT_HINTS
from runner.errors import RunnerError
from runner.playbook.control import PoolUse
from runner.values import Span

ALL = "all"
UNGROUPED = "ungrouped"
IMPLICIT_HOSTS = ("localhost", "127.0.0.1", "::1")
"""Names that a pattern may use without an inventory: this machine (as in Ansible)."""


@dataclass(slots=True, eq=False)
class Variable:
    """A variable or a connection setting, as somebody wrote it; never changed once made.

    Not frozen, because an inventory has one for each value of 50,000 hosts and freezing triples the time to make it.

    Attributes:
        value: a node of a document (which may hold templates), or a plain value that is taken as it is.
        source: where from, in words: ``group `web` ``, ``host `web01` ``.
        span: the place, where there is one (an executable's output has none).

    """

    value: Any
    source: str
    span: Span | None = None


class UnreadVariableError(RunnerError):
    """A variable is needed whose value is encrypted with Ansible Vault, which is not read yet."""


@dataclass(frozen=True, slots=True)
class VaultedVariable:
    """A variable whose value, or a part of it, is encrypted: its name is known, asking for the value is an error."""

    name: str
    source: str
    span: Span | None = None

    @property
    def value(self) -> Any:
        """Nothing.

        Raises:
            UnreadVariableError: always, at the place of the value.

        """
        raise UnreadVariableError(
            "vaulted-value",
            f"`{self.name}` of {self.source} is encrypted with Ansible Vault, which is not read yet",
            self.span,
            hints=VAULT_HINTS,
        )


AnyVariable: TypeAlias = Variable | VaultedVariable
Setting: TypeAlias = AnyVariable
Layer: TypeAlias = Mapping[str, AnyVariable]

NOTHING: Layer = MappingProxyType({})
NO_SETTINGS: Mapping[str, Setting] = MappingProxyType({})
NO_POOLS: Mapping[str, PoolUse] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """A host of the inventory.

    ``vars`` stand beside the host, ``inventory_vars`` and ``playbook_vars`` come from ``host_vars/`` beside the
    inventory and beside the playbook; the later beats the earlier. ``connection`` holds the keys of ``connection:``
    and ``address``.
    """

    name: str
    span: Span | None = None
    vars: dict[str, AnyVariable] = field(default_factory=dict)
    connection: dict[str, Setting] = field(default_factory=dict)
    inventory_vars: Layer = field(default_factory=lambda: NOTHING)
    playbook_vars: Layer = field(default_factory=lambda: NOTHING)

    @property
    def own_layers(self) -> tuple[Layer, ...]:
        """The host's own variables, low to high, empty layers left out."""
        return tuple(layer for layer in (self.vars, self.inventory_vars, self.playbook_vars) if layer)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group: its own hosts and child groups in the order written, and what it says about all hosts below it.

    ``depth`` is the longest way from ``all`` (0), ``priority`` Ansible's ``ansible_group_priority`` (1 unless said).
    ``throttle`` None is no limit; ``pools`` is what is taken of each pool by all that runs on its hosts. The three
    layers of variables are those of :class:`Host`, from ``group_vars/``.
    """

    name: str
    span: Span | None
    hosts: tuple[str, ...]
    children: tuple[str, ...]
    vars: Layer = field(default_factory=lambda: NOTHING)
    connection: Mapping[str, Setting] = field(default_factory=lambda: NO_SETTINGS)
    throttle: int | None = None
    depth: int = 0
    priority: int = 1
    inventory_vars: Layer = field(default_factory=lambda: NOTHING)
    playbook_vars: Layer = field(default_factory=lambda: NOTHING)
    pools: Mapping[str, PoolUse] = field(default_factory=lambda: NO_POOLS)
