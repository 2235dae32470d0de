"""Which results a step may read: those of steps upstream of it, all hosts' only behind an edge that waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from runner.plan.blocks import Link, points
from runner.playbook.control import Wait
from runner.playbook.model import Block, Step

_NO_BLOCKS: Mapping[str, Block] = {}


@dataclass(frozen=True, slots=True)
class Readable:
    """Step ids: ``upstream`` has every step that must end first on this host, ``complete`` those over on all hosts."""

    upstream: frozenset[str]
    complete: frozenset[str]


def readable_results(
    steps: Sequence[Step], hosts: Mapping[str, frozenset[str]], blocks: Mapping[str, Block] = _NO_BLOCKS
) -> dict[str, Readable]:
    """For each step and each junction (:func:`runner.plan.blocks.junction`) what may be read there.

    ``hosts`` are the hosts of each step and block; the needs must hold no circle. An edge is complete where it waits
    for all hosts for every host of the step; what the needed step covers host by host is complete with it.
    """
    named = points(steps, blocks)
    needs = {point.name: point.links for point in named}
    at = {point.name: hosts[point.block or point.name] for point in named}
    order = TopologicalSorter({name: [link.needed for link in found] for name, found in needs.items()})
    over_with: dict[str, frozenset[str]] = {}
    readable: dict[str, Readable] = {}
    for name in order.static_order():
        upstream: set[str] = set()
        complete: set[str] = set()
        over = {name}  # over on all their hosts once this step is
        for link in needs[name]:
            upstream |= {link.needed} | readable[link.needed].upstream
            if _always_waits(at, name, link):
                complete |= readable[link.needed].complete
            if _waits_for_all(at, name, link):
                complete |= over_with[link.needed]
            if at[name] and (at[link.needed] <= at[name] or _sometimes_waits_for_all(at, name, link)):
                over |= over_with[link.needed]
        readable[name] = Readable(frozenset(upstream), frozenset(complete))
        over_with[name] = frozenset(over)
    return readable


def _waits_for_all(hosts: Mapping[str, frozenset[str]], name: str, link: Link) -> bool:
    """Whether every host of ``name`` waits for all hosts of the needed step."""
    mine, theirs = hosts[name], hosts[link.needed]
    if link.wait is Wait.SAME:
        return theirs <= mine and len(mine) <= 1
    return link.wait is Wait.ALL or not (mine & theirs) or (len(mine) == 1 and theirs <= mine)


def _always_waits(hosts: Mapping[str, frozenset[str]], name: str, link: Link) -> bool:
    """Whether every host of ``name`` waits for at least one host of the needed step, which waited in its turn."""
    return hosts[name] <= hosts[link.needed] if link.wait is Wait.SAME else bool(hosts[link.needed])


def _sometimes_waits_for_all(hosts: Mapping[str, frozenset[str]], name: str, link: Link) -> bool:
    """Whether some host of ``name`` waits for all hosts of the needed step."""
    return link.wait is Wait.ALL or (link.wait is Wait.AUTO and bool(hosts[name] - hosts[link.needed]))
