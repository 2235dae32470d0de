"""``runner explain ssh --host HOST``: what a host will be reached with over SSH, and where each word came from."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from runner.cli.prepare import Given, prepare
from runner.errors import DocumentError, UsageError
from runner.inventory.inventory import Inventory
from runner.transport.endpoint import Endpoint
from runner.transport.ssh_config import ConfigError
from runner.transport.ssh_explain import effective

_PLAYBOOK = "version: 1\nname: Explain\nsteps: [{id: explain, hosts: all, script: ':'}]\n"


def ssh_rows(host: str, given: Given) -> list[tuple[str, str, str]]:
    """Rows of word, value and source, from the inventory over ``~/.ssh/config`` to ssh's defaults.

    Raises:
        DocumentError: the inventory is wrong, or has no such host.
        UsageError: the host is not reached over SSH, or a configuration file cannot be read.

    """
    endpoint, _ = planned_host(host, given)
    if endpoint.transport != "ssh":
        raise UsageError("nothing-to-explain", f"`{host}` is reached over {endpoint.transport}, not over SSH")
    try:
        return effective(endpoint, Path.home())
    except ConfigError as error:
        raise UsageError("ssh-option-invalid", str(error)) from error


def planned_host(host: str, given: Given) -> tuple[Endpoint, Inventory]:
    """How a step on a host of the inventory will reach it.

    Raises:
        DocumentError: the inventory is wrong, or has no such host.

    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "explain.yml"
        path.write_text(_PLAYBOOK, encoding="utf-8")
        prepared = prepare(str(path), Given(inventory=given.inventory, limit=host))
    if prepared.plan is None or prepared.inventory is None:
        raise DocumentError(prepared.problems.sorted())
    return prepared.plan.steps[0].placements[0].endpoint, prepared.inventory
