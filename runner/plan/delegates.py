"""``delegate_to``: the body of a host's step runs on others in its place (language.md, "Values of the short keys")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from runner.document.nodes import Node, Scalar
from runner.errors import RunnerError
from runner.plan.place import Placed, Placer
from runner.playbook.check import LOCAL
from runner.playbook.model import Playbook, Step
from runner.problems import Problems
from runner.values import Span
from runner.variables.scope import HostScopes, Variable


class Delegation:
    """Finds the delegates of hosts; what hosts have in common is placed once."""

    def __init__(self, playbook: Playbook, placer: Placer, scopes: HostScopes, problems: Problems) -> None:
        self._playbook = playbook
        self._placer = placer
        self._scopes = scopes
        self._problems = problems
        self._written: dict[tuple[str, Span], Scalar] = {}

    def delegated(self, step: Step, placed: Sequence[Placed]) -> tuple[Placed, ...]:
        """The hosts of the step, each with its delegates; as they are where nobody is delegated to."""
        if step.delegate_to is None:
            return tuple(placed)
        span = step.delegate_to.span
        if step.sessions:
            self._problems.error(
                "delegate-session",
                f"step `{step.id}`: `delegate_to` does not go with `session`: the session is kept on the host itself",
                span,
                "write `target:` in the place of `session:`, or leave `delegate_to` out",
            )
            return tuple(placed)
        return tuple(self._with_delegates(step, item, span) for item in placed)

    def _with_delegates(self, step: Step, item: Placed, span: Span) -> Placed:
        try:
            texts = self._texts(step, item.placement.host)
        except RunnerError as error:
            self._problems.extend(error.problems)
            return item
        found: dict[str, Placed] = {}
        for text in texts:
            for delegate in self._placed(step, text, span):
                found.setdefault(delegate.placement.host, delegate)
        if not found:
            self._problems.error(
                "delegate-without-hosts",
                f"step `{step.id}`: `delegate_to` names no host for `{item.placement.host}`",
                span,
                "write a target of the playbook, a host or a pattern that holds a host",
            )
            return item
        delegates = tuple(found.values())
        placement = replace(item.placement, delegates=tuple(each.placement for each in delegates))
        return replace(item, placement=placement, delegates=delegates)

    def _texts(self, step: Step, host: str) -> list[str]:
        layer = {name: Variable(node, "step vars", node.span) for name, node in step.variables.items()}
        value = self._scopes.of(host).child([layer], {}).render(step.delegate_to)
        return [str(each) for each in _flat(value) if each not in (None, "")]

    def _placed(self, step: Step, text: str, span: Span) -> tuple[Placed, ...]:
        written = self._scalar(step, text, span)
        named = text == LOCAL or text in self._playbook.targets
        who = replace(
            step,
            targets=(written,) if named else (),
            hosts=None if named else written,
            connection={},  # the delegate is reached as it says itself
            delegate_to=None,
        )
        return self._placer.place(who, unlimited=True)

    def _scalar(self, step: Step, text: str, span: Span) -> Scalar:
        """The text as if it were written out; one for each, because placing goes by who is written where."""
        key = (text, span)
        if key not in self._written:
            place = step.delegate_to or step.node
            self._written[key] = Scalar(
                place.source, place.line, place.column, place.end_line, place.end_column,
                value=text, text=text, style="plain", start=0, end=0,
            )  # fmt: skip
        return self._written[key]


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    elif not isinstance(value, Node):
        yield value
