"""Who takes part, and in which order: hosts of every step and block, ordered, in waves, once where that is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.document.nodes import Mapping as MappingNode
from runner.document.nodes import Scalar
from runner.inventory.inventory import Inventory
from runner.plan.delegates import delegated
from runner.plan.host_order import HostOrder
from runner.plan.hosts import hosts_of_pattern
from runner.plan.place import Placed, Placer
from runner.plan.waves import ResolvedWave, resolve_waves
from runner.playbook.blocks import around
from runner.playbook.bodies import AssertBody
from runner.playbook.model import Block, Playbook, Step
from runner.playbook.read import scalars_of
from runner.problems import Problems

WHO = ("target", "session", "hosts")


@dataclass(slots=True)
class Arranged:
    """By the id of a step or block.

    Attributes:
        placed: where each step runs, in the order its hosts start; of ``run_once`` the first host alone.
        seen_by: the hosts that see the result of a ``run_once`` step.
        hosts: the hosts of each block in the order they start.
        waves: of steps and blocks that have some.

    """

    placed: dict[str, tuple[Placed, ...]] = field(default_factory=dict)
    seen_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hosts: dict[str, tuple[Placed, ...]] = field(default_factory=dict)
    waves: dict[str, list[ResolvedWave]] = field(default_factory=dict)

    def of(self, unit: str) -> tuple[Placed, ...]:
        """The hosts of a step or block."""
        return self.placed[unit] if unit in self.placed else self.hosts[unit]

    def names(self) -> dict[str, frozenset[str]]:
        """The names of the hosts of each step and block."""
        both: Iterable[tuple[str, tuple[Placed, ...]]] = (*self.placed.items(), *self.hosts.items())
        return {name: frozenset(item.placement.host for item in placed) for name, placed in both}

    def seeing(self) -> dict[str, frozenset[str]]:
        """The names of the hosts that have the result of each step."""
        return self.names() | {name: frozenset(hosts) for name, hosts in self.seen_by.items()}


class Arranger:
    """Arranges the steps of one plan."""

    def __init__(
        self,
        playbook: Playbook,
        inventory: Inventory | None,
        placer: Placer,
        order: HostOrder,
        problems: Problems,
        *,
        limited: bool,
    ) -> None:
        self._playbook = playbook
        self._directory = Path(playbook.path).parent
        self._inventory = inventory
        self._placer = placer
        self._order = order
        self._problems = problems
        self._limited = limited

    def arrange(self, steps: Sequence[Step], blocks: Mapping[str, Block]) -> Arranged:
        """The hosts of all steps and blocks; ``blocks`` with the outer before the inner."""
        arranged = Arranged()
        every = {step.id: self._placer.place(step) for step in steps}
        for block in blocks.values():
            inner = [step for step in steps if any(p.block == block.id for p in around(step.place, blocks))]
            arranged.hosts[block.id] = self._block(block, inner, every, blocks, arranged)
        for step in steps:
            placed = self._step(step, every[step.id], arranged)
            if step.run_once and placed:
                arranged.seen_by[step.id] = tuple(item.placement.host for item in placed)
                placed = placed[:1]
            arranged.placed[step.id] = delegated(step, placed, self._playbook, self._placer, self._problems)
        return arranged

    def _block(
        self,
        block: Block,
        inner: Sequence[Step],
        every: Mapping[str, tuple[Placed, ...]],
        blocks: Mapping[str, Block],
        arranged: Arranged,
    ) -> tuple[Placed, ...]:
        reached: dict[str, Placed] = {}
        for step in inner:
            for item in every[step.id]:
                reached.setdefault(item.placement.host, item)
        said = self._said(block, blocks)
        if said is not None:
            own = {item.placement.host: item for item in self._placer.place(said)}
            self._refuse_others(block, inner, every, own)
            names = list(own)
            reached = {**own, **{host: item for host, item in reached.items() if host in own}}
        else:
            names = list(reached)
            if any(item.placement.host not in {p.placement.host for p in every[inner[0].id]}
                   for step in inner for item in every[step.id]):  # fmt: skip
                names = self._order.inventory(names)
        names = self._like_outer(names, block, arranged)
        names = self._in_waves("block", block, self._order.sort(names, block.order_by), arranged)
        return tuple(reached[name] for name in names)

    def _said(self, block: Block, blocks: Mapping[str, Block]) -> Step | None:
        """A step on the hosts that the block itself names, or one around it; None where none does."""
        nodes = [block.node, *(blocks[place.block].node for place in around(block.place, blocks))]
        node = next((node for node in nodes if any(key in node for key in WHO)), None)
        if node is None:
            return None
        return Step(
            id=block.id,
            span=block.span,
            node=MappingNode(block.node.source, block.node.line, block.node.column, 0, 0, entries={}),
            body=AssertBody(()),
            targets=scalars_of(node.get("target")),
            sessions=scalars_of(node.get("session")),
            hosts=node.get("hosts"),
        )

    def _refuse_others(
        self,
        block: Block,
        inner: Sequence[Step],
        every: Mapping[str, tuple[Placed, ...]],
        own: Mapping[str, Placed],
    ) -> None:
        for step in inner:
            host = next((i.placement.host for i in every[step.id] if i.placement.host not in own), None)
            if host is not None:
                who = next((node.span for key in WHO if (node := step.node.get(key)) is not None), step.span)
                self._problems.error(
                    "block-other-hosts",
                    f"step `{step.id}` is on host `{host}`, which block `{block.id}` does not have",
                    who,
                    "a host goes through the whole block: name all of its hosts at the block",
                    "or say `delegate_to` where the step is about another host",
                )

    def _step(self, step: Step, placed: tuple[Placed, ...], arranged: Arranged) -> tuple[Placed, ...]:
        by_name = {item.placement.host: item for item in placed}
        names = self._like_outer(list(by_name), step, arranged)
        names = self._in_waves("step", step, self._order.sort(names, step.order_by), arranged)
        return tuple(by_name[name] for name in names)

    def _like_outer(self, names: list[str], unit: Step | Block, arranged: Arranged) -> list[str]:
        """In the order of the block it stands in."""
        if unit.place is None or unit.place.block not in arranged.hosts:
            return names
        outer = arranged.hosts[unit.place.block]
        positions = {item.placement.host: number for number, item in enumerate(outer)}
        return sorted(names, key=lambda name: positions.get(name, len(positions)))

    def _in_waves(self, kind: str, unit: Step | Block, names: list[str], arranged: Arranged) -> list[str]:
        if not unit.waves or not names:
            return names
        waves = resolve_waves(
            f"{kind} `{unit.id}`",
            unit.waves,
            names,
            self._hosts_of_pattern,
            self._problems,
            limited=self._limited,
        )
        arranged.waves[unit.id] = waves
        ordered = [host for wave in waves for host in wave.hosts]
        return [*ordered, *(name for name in names if name not in set(ordered))]

    def _hosts_of_pattern(self, pattern: Scalar) -> set[str]:
        found = hosts_of_pattern(pattern, self._inventory, self._directory, self._problems)
        return {host.name for host in found}
