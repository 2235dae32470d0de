"""How to reach a host, as its inventory says: ``connection:`` of the native form, and Ansible's variables for it."""

from __future__ import annotations

from collections.abc import Mapping

from runner.inventory.ansible_connection import ANSIBLE_NAMES, ansible_settings
from runner.inventory.ansible_said import Said
from runner.inventory.inventory import Inventory
from runner.inventory.model import Setting
from runner.inventory.values import text_of


def connection_settings(inventory: Inventory, host_name: str) -> Mapping[str, Setting]:
    """How the inventory says to reach a host, each setting with where it came from.

    Keys are those of ``connection:`` (language.md, "Target"), and ``address``, ``password`` (a Secret), ``run_as``
    (``{user, method}``), ``certificate_pem`` and ``certificate_key_pem`` (paths of a login by certificate), and
    ``interpreter:python``, ``interpreter:sh``, ``interpreter:bash`` for programs that hold for one shell only. Values
    are nodes (which may hold templates) or plain values; the value of a setting that is encrypted with Ansible Vault
    raises when it is asked for. What the inventory does not say is not there.

    The nearest wins: the host, its groups from child to parent, then the whole inventory; at one place ``connection:``
    beats a variable.
    """
    chosen: dict[str, tuple[int, Setting]] = {}
    for rank, settings in inventory.ranked_connections(host_name):
        for key, setting in settings.items():
            chosen[key] = (rank, setting)
    found: dict[str, Said] = {}
    for rank, layer in inventory.ranked_layers(host_name):
        for name in ANSIBLE_NAMES & layer.keys():
            found[name] = Said(layer[name], rank)
    for key, rank, setting in ansible_settings(found, _transport(chosen)) if found else ():
        if key not in chosen or rank > chosen[key][0]:
            chosen[key] = (rank, setting)
    return {key: setting for key, (_, setting) in chosen.items()}


def _transport(chosen: Mapping[str, tuple[int, Setting]]) -> tuple[int, str] | None:
    """The transport that ``connection:`` says, and how near; None where it says none, or a template."""
    rank, setting = chosen.get("transport", (0, None))
    text = text_of(setting.value) if setting is not None else None
    return None if text is None else (rank, text.lower())
