"""What a plan needs of the world: hosts, credentials, locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.inventory.inventory import Inventory
from runner.plan.hosts import LOCALHOST
from runner.plan.model import Placement, PlannedBlock, PlannedPolicy, PlannedStep, PreparedScript
from runner.playbook.model import Playbook
from runner.using.model import Member


def scripts_of(planned: PlannedStep) -> Iterator[PreparedScript]:
    """Every script of a step, wherever it stands."""
    yield from planned.scripts.values()
    for scripts in planned.scripts_of.values():
        yield from scripts.values()


def reached(planned: PlannedStep) -> Iterator[Placement]:
    """The placements that something is run on: the delegates where there are some."""
    for placement in planned.placements:
        yield from placement.delegates or (placement,)


def credentials_needed(
    playbook: Playbook, planned: Sequence[PlannedStep], policies: Sequence[PlannedPolicy]
) -> frozenset[str]:
    """Names of the credentials that endpoints log in with and scripts read."""
    placements = {id(placement): placement for item in planned for placement in reached(item)}
    endpoints = {placement.endpoint for placement in placements.values()}
    needed = {
        e.credential for endpoint in endpoints for e in (endpoint, *(endpoint.jump or ())) if e.credential
    }
    proxies = {endpoint.session_options.proxy for endpoint in endpoints}
    needed |= {proxy.credential for proxy in proxies if proxy is not None and proxy.credential}
    scripts = [script for item in planned for script in scripts_of(item)]
    scripts += [script for policy in policies for script in policy.health_scripts.values()]
    read = {
        reference.chain[0].name.lower()
        for script in scripts
        for reference in script.scan.references
        if reference.name.lower() == "credentials"
        and reference.chain
        and isinstance(reference.chain[0], Member)
    }
    return frozenset(needed | {name for name in playbook.credentials if name.lower() in read})


def hosts_in_order(
    inventory: Inventory | None, planned: Sequence[PlannedStep], blocks: Sequence[PlannedBlock]
) -> tuple[str, ...]:
    """The hosts of all steps and blocks, in inventory order; those that are not in it come last."""
    everywhere = [*(item.placements for item in planned), *(item.placements for item in blocks)]
    named = dict.fromkeys(placement.host for placements in everywhere for placement in placements)
    if inventory is None:
        return tuple(named)
    order = {name: number for number, name in enumerate(inventory.hosts)}
    return tuple(sorted(named, key=lambda name: order.get(name, len(order))))


def locked_hosts(playbook: Playbook, planned: Sequence[PlannedStep]) -> frozenset[str]:
    """The hosts that ``lock: run`` holds: those that the steps act on.

    The playbook's own word holds its hosts and not the controller, which every run has steps on.
    """
    return frozenset(
        placement.host
        for item in planned
        for placement in reached(item)
        if item.step.lock == "run"
        or (playbook.lock == "run" and item.step.lock is None and placement.host != LOCALHOST)
    )
