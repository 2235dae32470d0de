"""`-e` values that are no inputs: each must set something that is declared somewhere (language.md, "Precedence")."""

from __future__ import annotations

from collections.abc import Mapping

from runner.inventory.inventory import Inventory
from runner.playbook.check import RESERVED
from runner.playbook.model import Playbook
from runner.problems import Problems, suggestion
from runner.variables.scope import Variable


def check_extras(
    extras: Mapping[str, Variable], playbook: Playbook, inventory: Inventory | None, problems: Problems
) -> None:
    """Note reserved names, and where the playbook has inputs those that nobody declares."""
    for name, extra in extras.items():
        if name in RESERVED:
            words = f"`{name}` is a reserved name and cannot be given with {extra.source}"
            problems.error("reserved-name", words, extra.span, "choose another name")
        elif playbook.inputs and not _is_declared(name, playbook, inventory):
            words = f"`{name}` is given with {extra.source} but is declared nowhere"
            problems.error("unknown-input", words, extra.span, *suggestion(name, playbook.inputs))


def _is_declared(name: str, playbook: Playbook, inventory: Inventory | None) -> bool:
    return (
        name in playbook.variables
        or any(name in step.variables or name in step.using for step in playbook.steps)
        or (inventory is not None and any(name in inventory.variables(host) for host in inventory.hosts))
    )
