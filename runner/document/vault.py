"""Files that Ansible Vault has encrypted as a whole: named as not readable yet, wherever they are met."""

from __future__ import annotations

from typing import Final

from runner.document.nodes import Source
from runner.problems import Problems
from runner.values import Span

VAULT_HEADER: Final = "$ANSIBLE_VAULT;"

VAULT_HINTS: Final = (
    "name the secret under `credentials:` or as an input with `secret: true`, from `env`, `file` or `command`",
    "`ansible-vault view FILE` shows what it holds",
)


def is_vaulted(source: Source, problems: Problems) -> bool:
    """Whether the whole file is encrypted with Ansible Vault, which is noted: nobody can know what it changes."""
    if not source.text.startswith(VAULT_HEADER):
        return False
    problems.error(
        "vaulted-file",
        f"`{source.path}` is encrypted with Ansible Vault, which is not read yet",
        Span(source.path, 1, 1, 1, len(source.text.split("\n", 1)[0]) + 1),
        *VAULT_HINTS,
    )
    return True
