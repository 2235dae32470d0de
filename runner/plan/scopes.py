"""What is known of every host when a plan is made: the variables of all layers and the reserved names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from runner.inventory.inventory import Inventory
from runner.playbook.model import Playbook
from runner.variables.compile import Compiler
from runner.variables.environment import LanguageEnvironment
from runner.variables.scope import HostScopes, Layer, Variable


def plan_scopes(
    playbook: Playbook,
    inventory: Inventory | None,
    *,
    inputs: Mapping[str, Variable],
    extras: Mapping[str, Variable],
    run: str,
    now: datetime,
) -> HostScopes:
    """The scopes of a plan; ``run`` is the run's id, ``now`` its one instant."""
    variables: Layer = {
        name: Variable(node, "playbook vars", node.span) for name, node in playbook.variables.items()
    }
    values = {name: variable.value for name, variable in inputs.items()}

    common: Mapping[str, Callable[[], Any]] = {
        "hosts": lambda: list(inventory.hosts) if inventory is not None else [],
        "groups": lambda: _groups(inventory),
        "inputs": lambda: values,
        "run": lambda: {"id": run, "started_at": now, "playbook": playbook.name},
    }

    def specials_of(host: str) -> Mapping[str, Callable[[], Any]]:
        return {
            **common,
            "inventory_hostname": lambda: host,
            "group_names": lambda: _host_facts(inventory, host)["groups"],
            "host": lambda: _host_facts(inventory, host),
        }

    return HostScopes(
        Compiler(LanguageEnvironment(now)),
        layers_of=lambda host: [inventory.variables(host)] if inventory is not None else [],
        playbook=variables,
        inputs=dict(inputs),
        extras=dict(extras),
        specials_of=specials_of,
        common_specials=common,
    )


def _host_facts(inventory: Inventory | None, host: str) -> dict[str, Any]:
    groups = [group.name for group in inventory.lineage(host)] if inventory is not None else []
    return {"name": host, "groups": [name for name in groups if name != "all"]}


def _groups(inventory: Inventory | None) -> dict[str, list[str]]:
    if inventory is None:
        return {}
    return {name: list(inventory.group_hosts(name)) for name in inventory.groups}
