"""Numbers, durations and switches that are templates: computed for all hosts, or for each where hosts differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from runner.document.nodes import AnyNode
from runner.errors import RunnerError
from runner.playbook.computed import (
    BLOCK_KEYS,
    ORDERED,
    PLAYBOOK_KEYS,
    STEP_KEYS,
    Computable,
    KeyPath,
    value_at,
    with_value,
)
from runner.playbook.model import Block, Playbook, Step
from runner.problems import Problems
from runner.units import format_duration
from runner.variables.scope import HostScopes, Scope, Variable

_KNOWN = "it is computed when the plan is made: inputs, `vars` and variables of the inventory are known then"
_KNOWN_OF_ALL = "inputs and playbook vars are known here"

_Holder = TypeVar("_Holder", Playbook, Block, Step)


def compute_playbook(playbook: Playbook, scope: Scope, problems: Problems) -> Playbook:
    """The playbook with what it and its blocks compute filled in; ``scope`` knows inputs, ``-e`` and playbook vars."""
    for path, node in playbook.computed.items():
        playbook = _common(playbook, path, node, PLAYBOOK_KEYS, scope, "the playbook", problems)
    return replace(
        playbook, blocks={name: _block(block, scope, problems) for name, block in playbook.blocks.items()}
    )


def _block(block: Block, scope: Scope, problems: Problems) -> Block:
    for path, node in block.computed.items():
        block = _common(block, path, node, BLOCK_KEYS, scope, f"block `{block.id}`", problems)
    return block


def compute_keys(steps: Sequence[Step], scope: Scope, problems: Problems) -> list[Step]:
    """The steps with what is the same for all hosts filled in; ``computed`` keeps what is asked of each host."""
    return [_step(step, scope, problems) if step.computed else step for step in steps]


def _step(step: Step, scope: Scope, problems: Problems) -> Step:
    computed, scope, told = step.computed, _with_vars(scope, step), len(problems)
    left = {
        path: node
        for path, node in computed.items()
        if STEP_KEYS[path].by_host and not _same_for_all(scope, node)
    }
    for path, node in computed.items():
        if path not in left:
            step = _common(step, path, node, STEP_KEYS, scope, f"step `{step.id}`", problems)
    if not left and len(problems) == told:
        _check_together(step, computed, f"step `{step.id}`", problems)
    return replace(step, computed=left)


def steps_by_host(
    step: Step, hosts: Iterable[str], scopes: HostScopes, problems: Problems, *, lenient: bool
) -> dict[str, Step]:
    """The step as it is on each host, where it computes something of the host's own variables; else nothing.

    The first host on which that fails is told. ``lenient``: no inventory is given, which may define what is unknown.
    """
    found: dict[str, Step] = {}
    for host in hosts if step.computed else ():
        told = len(problems)
        found[host] = _on_host(step, host, scopes, problems, lenient=lenient)
        if len(problems) > told:
            break
    return found


def _on_host(step: Step, host: str, scopes: HostScopes, problems: Problems, *, lenient: bool) -> Step:
    scope, subject, told = _with_vars(scopes.of(host), step), f"step `{step.id}` on `{host}`", len(problems)
    own = replace(step, computed={})
    for path, node in step.computed.items():
        try:
            own = with_value(own, path, _read(path, node, STEP_KEYS, scope, subject, problems))
        except RunnerError as error:
            if not (lenient and error.code == "unknown-variable"):
                _tell(error, f"{_named(path)} of {subject}", node, _KNOWN, problems)
    if len(problems) == told:
        _check_together(own, step.computed, subject, problems)
    return own


def _with_vars(scope: Scope, step: Step) -> Scope:
    variables = {name: Variable(node, "step vars", node.span) for name, node in step.variables.items()}
    return scope.child([variables], {})


def _same_for_all(scope: Scope, node: AnyNode) -> bool:
    """Whether no host is asked; a value that is missing at an input is told there, and is missing for all."""
    try:
        scope.render(node)
    except RunnerError as error:
        return not error.problems
    return True


def _common(
    holder: _Holder,
    path: KeyPath,
    node: AnyNode,
    keys: Mapping[KeyPath, Computable],
    scope: Scope,
    subject: str,
    problems: Problems,
) -> _Holder:
    try:
        return with_value(holder, path, _read(path, node, keys, scope, subject, problems))
    except RunnerError as error:
        _tell(error, f"{_named(path)} of {subject} is the same for all hosts", node, _KNOWN_OF_ALL, problems)
    return holder


def _tell(error: RunnerError, what: str, node: AnyNode, known: str, problems: Problems) -> None:
    for each in error.problems:  # none where an input has no value yet
        problems.error(each.code, f"{what}: {each.message}", each.span or node.span, known, *each.hints)


def _named(path: KeyPath) -> str:
    return f"`{'.'.join(path)}`"


def _read(
    path: KeyPath,
    node: AnyNode,
    keys: Mapping[KeyPath, Computable],
    scope: Scope,
    subject: str,
    problems: Problems,
) -> Any:
    """The value; one that is none of what the key takes is told, and nothing comes back."""
    try:
        return keys[path].read(scope.render(node), node.span)
    except ValueError as error:
        text = getattr(node, "text", None)
        words = f"{_named(path)} of {subject} must be {error}" + (f": `{text}`" if text else "")
        problems.error("setting-value", words, node.span)
    return None


def _check_together(
    step: Step, computed: Mapping[KeyPath, AnyNode], subject: str, problems: Problems
) -> None:
    """Note computed times that contradict each other; those that are written out are told when the file is read."""
    for key, first, second in ORDERED:
        node = computed.get((key, second)) or computed.get((key, first))
        begin, end = value_at(step, (key, first)), value_at(step, (key, second))
        if node is None or begin is None or end is None or begin <= end:
            continue
        words = f"`{key}.{second}` of {subject} is {format_duration(end)}, which is shorter than `{first}`"
        problems.error("wrong-value", words, node.span, f"`{first}` is {format_duration(begin)}")
