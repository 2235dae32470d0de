"""Parts of the language that this version knows and does not run: they are valid, and a plan refuses them by name."""

from __future__ import annotations

from collections.abc import Iterator

from runner.document.nodes import AnyNode, Mapping, Scalar
from runner.playbook.control import Later

PLAYBOOK_KEYS = frozenset({"secrets", "pools", "max_fail", "max_unreachable", "lock"})

STEP_KEYS = frozenset(
    {
        *("run_once", "delegate_to", "order_by", "run_as", "read_only"),
        *("until", "retry", "pool", "waves", "health", "max_fail", "max_unreachable", "unreachable"),
        *("quarantine", "lock", "any_errors", "collect", "background", "job_name", "disconnected"),
        *("session_name", "rerun", "on_loss", "rescue", "always", "rescue_on"),
    }
)

BODIES = frozenset({"ensure", "block", "receive", "set_vars", "http", "fail", "gate", "wait_for", "reboot"})

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
