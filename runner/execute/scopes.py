"""The variables of one assignment: what the plan decided, registered results, the step's own, the loop item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.execute.control.blocks import BlockFailures
from runner.execute.registry import Registry, View
from runner.plan.model import Plan, PlannedStep
from runner.playbook.model import Block
from runner.variables.scope import Layer, Scope, Variable


@dataclass(frozen=True, slots=True)
class Item:
    """One turn of a loop: its value, its place counted from 0, and how many there are."""

    value: Any
    index: int
    length: int

    def loop(self) -> Mapping[str, Any]:
        """``loop`` as templates know it from Jinja."""
        return {
            "index": self.index + 1,
            "index0": self.index,
            "first": self.index == 0,
            "last": self.index == self.length - 1,
            "length": self.length,
        }


class StepScopes:
    """Makes the scope of a step on a host; the layers that all hosts of a step share are made once."""

    def __init__(self, plan: Plan, registry: Registry, blocks: BlockFailures) -> None:
        self._scopes = plan.scopes
        self._registry = registry
        self._blocks = blocks
        self._layers = [_layers_of(planned) for planned in plan.steps]

    def scope(self, planned: PlannedStep, host: str, item: Item | None = None) -> Scope:
        """The scope of a step on a host, within a loop that of one item."""
        specials: dict[str, Callable[[], Any]] = {"results": self._registry.results}
        variables, using = self._layers[planned.index]
        named: Layer = {}
        if item is not None:
            specials |= {"item": lambda: item.value, "loop": item.loop}
            named = _names_of(planned, item)
        if self._blocks.tells(planned.step.place):
            specials["failure"] = lambda: self._blocks.failure(planned.step.place, host)
        return self._scopes.of(host).child([self._registry.layer(host), variables, named, using], specials)

    def of_block(self, block: Block, host: str) -> Scope:
        """The scope in which a block's ``when`` is asked: its own ``vars``, what is registered, no item."""
        specials: dict[str, Callable[[], Any]] = {"results": self._registry.results}
        if self._blocks.tells(block.place):
            specials["failure"] = lambda: self._blocks.failure(block.place, host)
        variables = {name: Variable(node, "block vars", node.span) for name, node in block.variables.items()}
        return self._scopes.of(host).child([self._registry.layer(host), variables], specials)


def with_result(scope: Scope, result: View) -> Scope:
    """The scope of ``failed_when`` and its kin, where ``result`` is the step's own."""
    return scope.child([], {"result": lambda: result})


def _names_of(planned: PlannedStep, item: Item) -> Layer:
    """The item and its place under the names that ``loop`` gives them."""
    loop = planned.step.loop
    given = () if loop is None else ((loop.item, item.value), (loop.index, item.index))
    return {name: Variable(value, "loop") for name, value in given if name is not None}


def _layers_of(planned: PlannedStep) -> tuple[Layer, Layer]:
    step = planned.step
    variables = {name: Variable(node, "step vars", node.span) for name, node in step.variables.items()}
    return variables, {name: Variable(node, "using", node.span) for name, node in step.using.items()}
