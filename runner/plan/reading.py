"""Which results a step may read: those of steps upstream of it, all hosts' only behind an edge that waits for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.playbook.model import Step, Wait


@dataclass(frozen=True, slots=True)
class Readable:
    """Step ids: ``upstream`` has every step that must end first on this host, ``complete`` those over on all hosts."""

    upstream: frozenset[str]
    complete: frozenset[str]


def readable_results(steps: Sequence[Step], hosts: Mapping[str, frozenset[str]]) -> dict[str, Readable]:
    """For each step (in an order where needs come first is not required) what it may read.

    ``hosts`` are the hosts of each step. An edge is complete where it waits for all hosts for every host of the step;
    what the needed step covers host by host is complete with it.
    """
    by_id = {step.id: step for step in steps}
    covered: dict[str, frozenset[str]] = {}
    readable: dict[str, Readable] = {}

    def waits_for_all(step: Step, needed: str, wait: Wait) -> bool:
        mine, theirs = hosts[step.id], hosts[needed]
        if wait is Wait.SAME:
            return theirs <= mine and len(mine) <= 1
        return wait is Wait.ALL or not (mine & theirs) or (len(mine) == 1 and theirs <= mine)

    def over_with(name: str) -> frozenset[str]:
        """Steps over on all their hosts once ``name`` is over on all its hosts."""
        if name not in covered:
            found = {name}
            for need in by_id[name].needs or ():
                if need.step in by_id and (
                    hosts[need.step] <= hosts[name]
                    or (
                        hosts[name]
                        and need.wait is not Wait.SAME
                        and _any_waits(hosts, name, need.step, need.wait)
                    )
                ):
                    found |= over_with(need.step)
            covered[name] = frozenset(found)
        return covered[name]

    def of(name: str) -> Readable:
        if name not in readable:
            upstream: set[str] = set()
            complete: set[str] = set()
            step = by_id[name]
            for need in step.needs or ():
                if need.step not in by_id:
                    continue
                inner = of(need.step)
                upstream |= {need.step} | inner.upstream
                complete |= inner.complete if hosts[need.step] else frozenset()
                if waits_for_all(step, need.step, need.wait):
                    complete |= over_with(need.step)
            readable[name] = Readable(frozenset(upstream), frozenset(complete))
        return readable[name]

    return {step.id: of(step.id) for step in steps}


def _any_waits(hosts: Mapping[str, frozenset[str]], name: str, needed: str, wait: Wait) -> bool:
    return wait is Wait.ALL or bool(hosts[name] - hosts[needed])
