"""What parsing a step needs from around it, and what a block and ``defaults`` hand down to the steps below them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.document.nodes import AnyNode, Mapping, Scalar, Source
from runner.playbook.control import BlockPlace, Later, Part
from runner.playbook.later import STEP_KEYS, TARGET_KEYS, later_keys
from runner.playbook.parse import connection_of
from runner.playbook.read import Entries, entries_of, scalars_of
from runner.problems import Problems

WHO_KEYS = ("target", "session", "hosts")
MERGED_KEYS = ("using", "vars")
BLOCK_PARTS = ("block", "rescue", "always")
BLOCK_KEYS = frozenset(
    {
        *("when", "run_if", "waves", "health", "max_fail", "max_unreachable", "any_errors"),
        "order_by",
    }
)
"""What a block keeps for itself, so that ``defaults`` do not say it again of each step in it."""

_OWN_KEYS = BLOCK_KEYS | {
    *("id", "name", "description", "needs", "throttle", "rescue_on", "connection", "tags", "register"),
    *("loop", *BLOCK_PARTS),
}


@dataclass(frozen=True, slots=True)
class StepContext:
    """What is around a step.

    ``read`` reads a script file once (path as shown, place to blame) and notes problems itself; ``directory`` is where
    relative paths start: the folder of the file that holds the step. ``place``, ``prefix`` (of made ids),
    ``connection``, ``tags`` and ``later`` come from the block around it.
    """

    problems: Problems
    directory: Path
    read: Callable[[Path, Scalar], Source | None]
    scripts: MappingABC[str, Scalar]
    defaults: Entries = field(default_factory=dict)
    place: BlockPlace | None = None
    prefix: str = "step_"
    connection: MappingABC[str, AnyNode] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    later: tuple[Later, ...] = ()

    def inside(self, node: Mapping, block: str, part: Part) -> StepContext:
        """What is around the steps of one part of a block: what the block says stands above ``defaults``."""
        own = entries_of(node)
        handed_down = {key: value for key, value in own.items() if key not in _OWN_KEYS}
        kept = {key: value for key, value in self.defaults.items() if key not in BLOCK_KEYS}
        later = (*later_keys(node, STEP_KEYS), *later_keys(own.get("connection"), TARGET_KEYS))
        return replace(
            self,
            defaults=merged(kept, handed_down),
            place=BlockPlace(block, part),
            prefix=f"{block}_" if part is Part.BODY else f"{block}_{part}_",
            connection={**self.connection, **connection_of(own.get("connection"), self.problems)},
            tags=self.tags | {tag.text for tag in scalars_of(own.get("tags"))},
            later=(*self.later, *later),
        )


def merged(defaults: Entries, own: Entries) -> dict[str, AnyNode]:
    """The keys of a step with what ``defaults`` say of the others; a step that says who says all of it.

    The mappings of :data:`MERGED_KEYS` are merged name by name, all other values are taken whole.
    """
    if any(key in own for key in WHO_KEYS):
        defaults = {key: value for key, value in defaults.items() if key not in WHO_KEYS}
    entries = {**defaults, **own}
    for key in MERGED_KEYS:
        below, above = defaults.get(key), own.get(key)
        if isinstance(below, Mapping) and isinstance(above, Mapping):
            entries[key] = _joined(below, above)
    return entries


def _joined(below: Mapping, above: Mapping) -> Mapping:
    """One mapping of two, at the place of the nearer."""
    return Mapping(
        above.source,
        above.line,
        above.column,
        above.end_line,
        above.end_column,
        entries={**below.entries, **above.entries},
    )
