"""Which results a step may read: those of steps upstream of it, all hosts' only behind an edge that waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from runner.playbook.control import Need, Wait
from runner.playbook.model import Step


@dataclass(frozen=True, slots=True)
class Readable:
    """Step ids: ``upstream`` has every step that must end first on this host, ``complete`` those over on all hosts."""

    upstream: frozenset[str]
    complete: frozenset[str]


def readable_results(steps: Sequence[Step], hosts: Mapping[str, frozenset[str]]) -> dict[str, Readable]:
    """For each step what it may read; the needs of ``steps`` must hold no circle.

    ``hosts`` are the hosts of each step. An edge is complete where it waits for all hosts for every host of the step;
    what the needed step covers host by host is complete with it.
    """
    by_id = {step.id: step for step in steps}
    needs = {s.id: [need for need in s.needs or () if need.step in by_id] for s in steps}
    order = TopologicalSorter({name: [need.step for need in found] for name, found in needs.items()})
    over_with: dict[str, frozenset[str]] = {}
    readable: dict[str, Readable] = {}
    for name in order.static_order():
        upstream: set[str] = set()
        complete: set[str] = set()
        over = {name}  # over on all their hosts once this step is
        for need in needs[name]:
            upstream |= {need.step} | readable[need.step].upstream
            if _always_waits(hosts, name, need):
                complete |= readable[need.step].complete
            if _waits_for_all(hosts, name, need):
                complete |= over_with[need.step]
            if hosts[name] and (
                hosts[need.step] <= hosts[name] or _sometimes_waits_for_all(hosts, name, need)
            ):
                over |= over_with[need.step]
        readable[name] = Readable(frozenset(upstream), frozenset(complete))
        over_with[name] = frozenset(over)
    return readable


def _waits_for_all(hosts: Mapping[str, frozenset[str]], name: str, need: Need) -> bool:
    """Whether every host of ``name`` waits for all hosts of the needed step."""
    mine, theirs = hosts[name], hosts[need.step]
    if need.wait is Wait.SAME:
        return theirs <= mine and len(mine) <= 1
    return need.wait is Wait.ALL or not (mine & theirs) or (len(mine) == 1 and theirs <= mine)


def _always_waits(hosts: Mapping[str, frozenset[str]], name: str, need: Need) -> bool:
    """Whether every host of ``name`` waits for at least one host of the needed step, which waited in its turn."""
    return hosts[name] <= hosts[need.step] if need.wait is Wait.SAME else bool(hosts[need.step])


def _sometimes_waits_for_all(hosts: Mapping[str, frozenset[str]], name: str, need: Need) -> bool:
    """Whether some host of ``name`` waits for all hosts of the needed step."""
    return need.wait is Wait.ALL or (need.wait is Wait.AUTO and bool(hosts[name] - hosts[need.step]))
