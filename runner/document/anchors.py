"""Anchors and aliases: what a name stands for, and how much an alias may repeat."""

from __future__ import annotations

from typing import Final

from runner.document.nodes import AnyNode
from runner.problems import Problem, Problems, did_you_mean
from runner.values import Span

ALIASED_AT_MOST: Final = 100_000
"""Nodes that aliases may repeat before their share is looked at."""

ALIASED_SHARE: Final = 10
"""Times what is written that aliases may always repeat.

50,000 hosts that each take over five variables with ``<<: *defaults`` stay below it, a bomb of a few lines does not.
Go's YAML package tells bombs by such a share too (decode.go, ``allowedAliasRatio``).
"""


class Anchored:
    """A node with a name, None while it is still open; how many nodes it stands for and how deep it is."""

    __slots__ = ("height", "node", "size", "span")

    def __init__(self, span: Span, node: AnyNode | None, size: int, height: int) -> None:
        self.span = span
        self.node = node
        self.size = size
        self.height = height


class Anchors:
    """The anchors of a file so far, by name; a later one of the same name takes its place, as YAML has it."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._by_name: dict[str, Anchored] = {}
        self.repeated = 0
        """Nodes that aliases have repeated so far."""

    def begin(self, name: str, span: Span) -> None:
        """An anchored list or mapping begins."""
        self._by_name[name] = Anchored(span, None, 0, 0)

    def end(self, name: str, span: Span, node: AnyNode, *, size: int = 1, height: int = 0) -> None:
        """An anchored node is complete."""
        self._by_name[name] = Anchored(span, node, size, height)

    def follow(self, name: str, span: Span) -> Anchored | None:
        """What the alias ``*name`` at ``span`` stands for; None where a problem was noted."""
        anchored = self._by_name.get(name)
        if anchored is None:
            self._note_unknown(name, span)
            return None
        if anchored.node is None:
            self._note_recursive(name, span, anchored.span)
            return None
        self.repeated += anchored.size
        return anchored

    def exploded(self, *, written: int) -> bool:
        """Whether aliases repeat more than a file of ``written`` nodes may have."""
        return self.repeated > max(ALIASED_AT_MOST, ALIASED_SHARE * written)

    def by_name(self) -> dict[str, AnyNode]:
        """The nodes by the names of their anchors."""
        return {name: anchored.node for name, anchored in self._by_name.items() if anchored.node is not None}

    def _note_unknown(self, name: str, span: Span) -> None:
        near = did_you_mean(name, self._by_name)
        self._problems.error(
            "unknown-anchor",
            f"`*{name}` is an alias in YAML, and no `&{name}` stands before it",
            span,
            *((f"did you mean `*{near}`?",) if near else ()),
            f'if a text is meant (a pattern, say), quote it: `"*{name}"`',
        )

    def _note_recursive(self, name: str, span: Span, begin: Span) -> None:
        self._problems.add(
            Problem(
                "recursive-alias",
                f"`*{name}` stands inside `&{name}`, so it would contain itself",
                span,
                hints=("name another anchor, or write the value out",),
                related=((begin, f"`&{name}` begins here"),),
            )
        )
