"""Blocks as junctions: points that hosts pass, with the edges that make steps a body, a rescue and what always follows.

Each block has an entry, a rescue and an always (where it has steps in them) and an end. The edges:

- The entry waits for what the block needs, and in an outer block for that one's part.
- The first steps of a part wait for the part's junction; it decides who enters, so its edges carry no taint.
- The rescue looks at everything in the body, and is entered where something is bad.
- The always waits for body and rescue, whatever became of them.
- The end is bad where the entry was held back, where the body is bad and nothing rescues it, where the rescue is bad,
  or where something in the always is. What needs the block needs its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.plan.order import Unit
from runner.playbook.blocks import around
from runner.playbook.control import BlockPlace, Part, RunIf, Wait
from runner.playbook.model import Block, Step

_JOINT = "\0"
"""Between a block's id and the name of a junction: no id has it."""


@dataclass(frozen=True, slots=True)
class Link:
    """``needed`` must be over first; ``taints`` False is an order and nothing else."""

    needed: str
    wait: Wait = Wait.AUTO
    taints: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A step or a junction with what it waits for, by name: a step's id, or :func:`junction`'s.

    ``enter`` is the junction that a host must have passed; ``finally_`` is true in a block's always.
    """

    name: str
    links: tuple[Link, ...]
    run_if: RunIf = RunIf.SUCCESS
    enter: str | None = None
    judged: bool = False
    block: str | None = None
    finally_: bool = False


def junction(block: str, kind: str) -> str:
    """The name of a junction; ``kind`` is ``entry``, ``rescue``, ``always`` or ``end``."""
    return f"{block}{_JOINT}{kind}"


def points(steps: Sequence[Step], blocks: Mapping[str, Block]) -> list[Point]:
    """The steps in their order, then each block's junctions: entry, rescue, always, end."""
    return _Drawing(steps, blocks).points()


def in_always(place: BlockPlace | None, blocks: Mapping[str, Block]) -> bool:
    """Whether it stands in an always, at any depth."""
    return any(each.part is Part.ALWAYS for each in around(place, blocks))


class _Drawing:
    def __init__(self, steps: Sequence[Step], blocks: Mapping[str, Block]) -> None:
        self._steps = steps
        self._blocks = blocks
        units: list[Unit] = [*steps, *blocks.values()]
        self._places = {unit.id: unit.place for unit in units}
        self._shared = {step.id for step in steps if step.run_once}
        self._members: dict[str, dict[Part, list[str]]] = {n: {part: [] for part in Part} for n in blocks}
        """What stands directly in each part: steps, and the ends of inner blocks."""
        for unit in units:
            if unit.place is not None:
                self._members[unit.place.block][unit.place.part].append(self._end(unit.id))

    def points(self) -> list[Point]:
        found = [self._step(step) for step in self._steps]
        for block in self._blocks.values():
            found += self._junctions(block)
        return found

    def _end(self, unit: str) -> str:
        return junction(unit, "end") if unit in self._blocks else unit

    def _step(self, step: Step) -> Point:
        return Point(
            name=step.id,
            links=self._links(step),
            run_if=step.run_if,
            enter=self._gate(step.place),
            judged=bool(step.when) or step.loop is not None,
            finally_=in_always(step.place, self._blocks),
        )

    def _gate(self, place: BlockPlace | None) -> str | None:
        """The junction before a part."""
        if place is None:
            return None
        return junction(place.block, "entry" if place.part is Part.BODY else place.part.value)

    def _links(self, unit: Unit) -> tuple[Link, ...]:
        """What its needs say; within a block host by host, unless the author says ``all``."""
        needs = [need for need in unit.needs or () if need.step in self._places]
        around_it = self._blocks_around(unit.id)
        links = [
            Link(
                self._end(need.step),
                self._by_host(need.step)
                if need.wait is Wait.AUTO and self._blocks_around(need.step) & around_it
                else need.wait,
            )
            for need in needs
        ]
        gate = self._gate(unit.place)
        if gate is not None and not any(self._places[need.step] == unit.place for need in needs):
            links.insert(0, Link(gate, Wait.SAME, taints=False))
        return tuple(links)

    def _blocks_around(self, name: str) -> set[str]:
        return {place.block for place in around(self._places[name], self._blocks)}

    def _by_host(self, name: str) -> Wait:
        """A step that runs on one host for all of them is waited for by all of them, and its failure is theirs."""
        return Wait.AUTO if name in self._shared else Wait.SAME

    def _junctions(self, block: Block) -> list[Point]:
        members = self._members[block.id]
        body, rescue, always = (members[part] for part in (Part.BODY, Part.RESCUE, Part.ALWAYS))
        entry = junction(block.id, "entry")
        last = in_always(block.place, self._blocks)
        found = [
            Point(
                name=entry,
                links=self._links(block),
                run_if=block.run_if,
                enter=self._gate(block.place),
                judged=bool(block.when),
                block=block.id,
                finally_=last,
            )
        ]
        if rescue:
            wide = block.rescue_on == "block"
            links = tuple(Link(name, Wait.ALL if wide else self._by_host(name)) for name in body)
            name = junction(block.id, "rescue")
            found.append(
                Point(
                    name=name, links=links, run_if=RunIf.FAILURE, enter=entry, block=block.id, finally_=last
                )
            )
        if always:
            links = tuple(Link(name, self._by_host(name), taints=False) for name in (*body, *rescue))
            name = junction(block.id, "always")
            found.append(
                Point(name=name, links=links, run_if=RunIf.ALWAYS, enter=entry, block=block.id, finally_=True)
            )
        links = (
            Link(entry, Wait.SAME),
            *(Link(name, self._by_host(name), taints=not rescue) for name in body),
            *(Link(name, Wait.SAME) for name in rescue),
            *(Link(name, self._by_host(name)) for name in always),
        )
        found.append(
            Point(
                name=junction(block.id, "end"),
                links=links,
                run_if=RunIf.ALWAYS,
                block=block.id,
                finally_=last,
            )
        )
        return found
