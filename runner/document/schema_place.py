"""Where in a document an error is, in the author's words: "`timeout` of step `restart_iis`"."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from dataclasses import dataclass
from typing import TypeAlias

from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence

Path: TypeAlias = SequenceABC[str | int]

_PLAYBOOK_SECTIONS = {
    "credentials": "credential",
    "inputs": "input",
    "pools": "pool",
    "scripts": "script",
    "secrets": "secret",
    "session_options": "session option",
    "sessions": "session",
    "targets": "target",
}
STEP_LISTS = ("block", "rescue", "always")


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a document, cut where the thing with a name ends.

    Attributes:
        kind: ``playbook``, ``inventory``, ``steps``, ``step``, ``target``, ``session option``, ``host`` and so on.
        owner: the thing as a person says it: ``step `events```, ``a playbook``.
        keys: keys below the owner, list positions left out.
        entry: whether the path ends in an item of a list.

    """

    kind: str
    owner: str
    keys: tuple[str, ...] = ()
    entry: bool = False

    @property
    def subject(self) -> str:
        """The value at the path: "`copy.mode` of step `app`", "an entry of `needs` of step `app`"."""
        if not self.keys:
            return self.owner
        words = f"`{'.'.join(self.keys)}`"
        if self.kind not in {"playbook", "inventory", "steps"}:
            words = f"{words} of {self.owner}"
        return f"an entry of {words}" if self.entry else words

    @property
    def scope(self) -> str:
        """What unknown keys of the mapping at the path are looked up under: its key, else the owner's kind."""
        return self.keys[-1] if self.keys else self.kind


def node_at(root: AnyNode, path: Path) -> AnyNode:
    """The node at a path of keys and list positions."""
    node = root
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str):
            node = node.entries[part][1]
        elif isinstance(node, Sequence) and isinstance(part, int):
            node = node.items[part]
    return node


def place_of(schema: str, root: AnyNode, path: Path) -> Place:
    """Name the value at ``path`` of a document that is held against ``schema``."""
    if schema == "inventory":
        kind, owner, rest = _in_inventory(path)
    else:
        kind, owner, rest = _in_playbook(schema, root, path)
    keys = tuple(part for part in rest if isinstance(part, str))
    return Place(kind, owner, keys, entry=bool(rest) and isinstance(rest[-1], int))


def _in_playbook(schema: str, root: AnyNode, path: Path) -> tuple[str, str, Path]:
    whole = ("playbook", "a playbook") if schema == "playbook" else ("steps", "a steps file")
    if path and isinstance(path[0], int):
        return _in_steps(root, path, 0)
    if len(path) > 1 and path[0] == "steps":
        return _in_steps(root, path, 1)
    noun = _PLAYBOOK_SECTIONS.get(str(path[0])) if len(path) > 1 else None
    if noun is not None:
        return noun, f"{noun} `{path[1]}`", path[2:]
    return (*whole, path)


def _in_steps(root: AnyNode, path: Path, at: int) -> tuple[str, str, Path]:
    """``at`` is where the step's position in its list stands; steps inside a block are steps of their own."""
    while len(path) > at + 2 and path[at + 1] in STEP_LISTS and isinstance(path[at + 2], int):
        at += 2
    return "step", step_name(node_at(root, path[: at + 1]), int(path[at])), path[at + 1 :]


def step_name(node: AnyNode, index: int) -> str:
    """A step by its id, else its name, else its number in its list: ``step `events```, ``step 3``."""
    for key in ("id", "name"):
        value = node.get(key) if isinstance(node, Mapping) else None
        if isinstance(value, Scalar) and value.value is not None:
            return f"step `{value.text}`"
    return f"step {index + 1}"


def _in_inventory(path: Path) -> tuple[str, str, Path]:
    kind, owner, rest = "inventory", "an inventory", path
    if len(rest) > 1 and rest[0] == "groups":
        kind, owner, rest = "group", f"group `{rest[1]}`", rest[2:]
    if len(rest) > 1 and rest[0] == "hosts":
        kind, owner, rest = "host", f"host `{rest[1]}`", rest[2:]
    return kind, owner, rest
