"""Steps, blocks and includes of a playbook as one flat list in file order, with what each of them needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.document.nodes import AnyNode, Document, Mapping, Scalar
from runner.document.reader import written_path
from runner.playbook.context import StepContext
from runner.playbook.control import Need, Part, Wait
from runner.playbook.model import Block, Step
from runner.playbook.read import entries_of, items_of
from runner.playbook.step_parse import parse_block, parse_step
from runner.values import Span

_DEEPEST_INCLUDE = 20


@dataclass(slots=True)
class Flat:
    """What comes of a list of steps: all of them, and all blocks, an outer one before those in it.

    ``units`` are what stands in the list itself (a block is one), each with the ids that it needs.
    """

    steps: list[Step] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    units: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, other: Flat) -> None:
        """Append what stands behind."""
        self.steps += other.steps
        self.blocks += other.blocks
        self.units |= other.units

    def ends(self) -> tuple[str, ...]:
        """The units that no other one needs."""
        needed = frozenset().union(*self.units.values())
        return tuple(unit for unit in self.units if unit not in needed)


class Flattener:
    """Makes one list of steps; included files are read by ``read_steps(path, place to blame)``.

    ``read_steps`` gives the document of a steps file and notes problems itself.
    """

    def __init__(self, read_steps: Callable[[Path, Span], Document | None]) -> None:
        self._read_steps = read_steps
        self._includes: dict[str, tuple[str, ...]] = {}

    def flatten(self, node: AnyNode | None, context: StepContext) -> Flat:
        """The steps of a playbook, each with its needs told."""
        flat = self._list(node, context)
        steps = [replace(step, needs=self._resolved(step.needs or ())) for step in flat.steps]
        blocks = [replace(block, needs=self._resolved(block.needs)) for block in flat.blocks]
        return Flat(steps, blocks, flat.units)

    def _list(
        self, node: AnyNode | None, context: StepContext, entry: tuple[Need, ...] = (), depth: int = 0
    ) -> Flat:
        """One list. ``entry`` is what the first of it waits for; in a part of a block that is nothing."""
        flat = Flat()
        before = entry
        for number, item in enumerate(items_of(node), 1):
            if not isinstance(item, Mapping):
                continue
            if "block" in item:
                block = parse_block(item, number, context)
                needs = self._needs("needs" in item, block.needs, before, entry)
                flat.add(self._block(item, replace(block, needs=needs), context, depth))
                before = (Need(block.id, Wait.AUTO, block.span),)
                continue
            step = parse_step(item, number, context)
            needs = self._needs(step.needs is not None, step.needs or (), before, entry)
            if "include" in item:
                included = self._included(item, replace(step, needs=needs), context, depth)
                flat.add(included)
                ends = included.ends()
                self._includes[step.id] = ends
                before = tuple(Need(end, Wait.AUTO, step.span) for end in ends) or needs
            else:
                flat.add(Flat([replace(step, needs=needs)], [], {step.id: _ids(needs)}))
                before = (Need(step.id, Wait.AUTO, step.span),)
        return flat

    @staticmethod
    def _needs(
        said: bool, own: tuple[Need, ...], before: tuple[Need, ...], entry: tuple[Need, ...]
    ) -> tuple[Need, ...]:
        """Those written; without any the thing before, and ``[]`` is what the list itself waits for."""
        return (own or entry) if said else before

    def _block(self, node: Mapping, block: Block, context: StepContext, depth: int) -> Flat:
        """A block and its steps, those of ``rescue`` and ``always`` after its own."""
        flat = Flat([], [block])
        for part in Part:
            inner = self._list(node.get(part), context.inside(node, block.id, part), (), depth)
            flat.add(inner)
        return Flat(flat.steps, flat.blocks, {block.id: _ids(block.needs)})

    def _included(self, item: Mapping, outer: Step, context: StepContext, depth: int) -> Flat:
        """The steps of an included file in the place of the step that includes them.

        They take its ``vars`` below their own, its ``when``, ``tags`` and needs on top of their own; for what is in a
        block of the file the ``when`` is asked at the block.
        """
        named = item.get("include")
        parts = entries_of(named)
        file = parts.get("file") if isinstance(named, Mapping) else named
        if not isinstance(file, Scalar) or file.value is None:
            return Flat()
        if depth >= _DEEPEST_INCLUDE:
            words = f"files include each other more than {_DEEPEST_INCLUDE} deep"
            context.problems.error("include-too-deep", words, file.span)
            return Flat()
        path = context.directory / written_path(file.text)
        document = self._read_steps(path, file.span)
        if document is None:
            return Flat()
        nodes = document.root.get("steps") if isinstance(document.root, Mapping) else document.root
        variables = {**outer.variables, **entries_of(parts.get("vars"))}
        flat = self._list(nodes, replace(context, directory=path.parent), outer.needs or (), depth + 1)
        steps = [
            replace(
                step,
                when=(*outer.when, *step.when) if step.place == context.place else step.when,
                tags=step.tags | outer.tags,
                variables={**variables, **step.variables},
                later=(*outer.later, *step.later),
            )
            for step in flat.steps
        ]
        blocks = [
            replace(
                block,
                when=(*outer.when, *block.when) if block.place == context.place else block.when,
                variables={**variables, **block.variables},
            )
            for block in flat.blocks
        ]
        return Flat(steps, blocks, flat.units)

    def _resolved(self, needs: Iterable[Need]) -> tuple[Need, ...]:
        """A need of an include by its id is one of what it ends with."""
        return tuple(
            Need(end, need.wait, need.span)
            for need in needs
            for end in self._includes.get(need.step, (need.step,))
        )


def _ids(needs: Iterable[Need]) -> frozenset[str]:
    return frozenset(need.step for need in needs)
