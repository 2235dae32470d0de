"""Parts of the language that this version knows and does not run: they are valid, and a plan refuses them by name."""

from __future__ import annotations

from collections.abc import Iterator

from runner.document.nodes import AnyNode, Mapping, Scalar
from runner.playbook.control import Later

PLAYBOOK_KEYS = frozenset({"secrets"})

STEP_KEYS = frozenset({"run_as", "collect", "background", "job_name", "disconnected", "session_name"})

BODIES = frozenset({"receive"})

TARGET_KEYS = frozenset({"where", "max_age", "run_as"})

SECRET_SOURCES = frozenset({"keyring", "vault", "age", "ansible_vault"})


def later_keys(mapping: AnyNode | None, keys: frozenset[str]) -> Iterator[Later]:
    """The keys of ``mapping`` that are among ``keys`` and ask for something; none where it is no mapping."""
    if not isinstance(mapping, Mapping):
        return
    for key, (key_node, value) in mapping.entries.items():
        asks = not (isinstance(value, Scalar) and value.value in (None, False))
        if key in keys and asks:
            yield Later(key, key_node.span)
