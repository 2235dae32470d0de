"""What the junctions of a shape are to each other, read from its edges once. Pure.

::

    ENTRY ──> body ──> RESCUE ──> rescue ──> ALWAYS ──> always ──> END
      └────────────────────────────────────────────────────────────^

An end is a junction with a tainting edge to a junction that others enter by: that one is its entry. What else enters by
the entry and is a junction is the block's rescue (``run_if: failure``) or its always (``run_if: always``), unless it is
the entry of a block inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runner.engine.shape import RunShape


@dataclass(slots=True)
class BlockShape:
    """A block: the numbers of its junctions, and what is inside of it at any depth, junctions and its end included.

    ``body`` are the steps that the rescue looks at: those the end has edges to which do not taint it.
    """

    entry: int
    end: int
    rescue: int | None = None
    always: int | None = None
    body: frozenset[int] = frozenset()
    inside: set[int] = field(default_factory=set)
    places: dict[int, int] = field(default_factory=dict)
    """Position of each host in the junctions; filled when it is first asked for."""


class Blocks:
    """The blocks of a shape, by the numbers of their junctions.

    Raises:
        ValueError: junctions of one block have different hosts, or a junction belongs to no block.

    """

    def __init__(self, shape: RunShape) -> None:
        self._shape = shape
        entered = {step.enter for step in shape.steps if step.enter is not None}
        self.of_entry: dict[int, BlockShape] = {}
        self.of_end: dict[int, BlockShape] = {}
        self.rescues: set[int] = set()
        for number, step in enumerate(shape.steps):
            if step.junction:
                for edge in step.edges:
                    if edge.taints and edge.step in entered and shape.steps[edge.step].junction:
                        block = BlockShape(edge.step, number)
                        self.of_entry[edge.step] = self.of_end[number] = block
        for number, step in enumerate(shape.steps):
            if step.junction and number not in self.of_entry and number not in self.of_end:
                self._part(number)
        for number in range(len(shape.steps)):
            for outer in self.around(number):
                if outer in self.of_entry:
                    self.of_entry[outer].inside.add(number)
        for block in self.of_end.values():
            self._complete(block)
        self.entry_of = {number: number for number in self.of_entry} | {
            part: block.entry
            for block in self.of_end.values()
            for part in (block.rescue, block.always)
            if part is not None
        }
        """The entry of each junction that others enter by."""
        self.outer_first = sorted(self.of_end.values(), key=lambda block: len([*self.around(block.end)]))
        self.anchors = [tuple(self._anchors(number)) for number in range(len(shape.steps))]
        """For each step the entries of which one must be passed for it to go on after a stop."""

    def around(self, step: int) -> Iterator[int]:
        """The junctions a host passed to be there, the nearest first; those of an end are its entry and its."""
        junction = self.of_end[step].entry if step in self.of_end else self._shape.steps[step].enter
        while junction is not None:
            yield junction
            junction = self._shape.steps[junction].enter

    def place(self, block: BlockShape, host: int) -> int | None:
        """The host's position in the block's junctions."""
        if not block.places:
            hosts = self._shape.steps[block.entry].hosts
            block.places = {host: position for position, host in enumerate(hosts)}
        return block.places.get(host)

    def spared(self) -> frozenset[int]:
        """What goes on where the run's own limit is exceeded: ends, rescues, alwayses, blocks that run then as well."""
        parts = self.rescues | {block.always for block in self.of_end.values()}
        parts |= {entry for entry in self.of_entry if self._shape.steps[entry].run_if != "success"}
        spared = {
            number for number in range(len(self._shape.steps)) if parts & {number, *self.around(number)}
        }
        return frozenset(spared | set(self.of_end))

    def _part(self, number: int) -> None:
        step = self._shape.steps[number]
        block = self.of_entry.get(-1 if step.enter is None else step.enter)
        if block is None:
            raise ValueError(f"junction {number} belongs to no block")
        if step.run_if == "failure":
            block.rescue = number
            self.rescues.add(number)
        else:
            block.always = number

    def _complete(self, block: BlockShape) -> None:
        block.inside.add(block.entry)
        steps = self._shape.steps
        for number in (block.rescue, block.always, block.end):
            if number is not None and list(steps[number].hosts) != list(steps[block.entry].hosts):
                raise ValueError(f"junctions {block.entry} and {number} of a block have different hosts")
        edges = [edge for edge in steps[block.end].edges if edge.step != block.entry]
        block.body = frozenset(edge.step for edge in edges if block.rescue is None or not edge.taints)

    def _anchors(self, number: int) -> Iterator[int]:
        if number in self.of_end:
            yield self.of_end[number].entry
        for junction in (number, *self.around(number)):
            entry = self._shape.steps[junction].enter
            if entry is not None and entry in self.of_entry and self.of_entry[entry].always == junction:
                yield entry
