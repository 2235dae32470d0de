"""What a step or a block inherits and cannot use: a word of ``defaults`` for fleets says nothing of a local step.

What an author writes on the step itself is refused there instead (:mod:`runner.playbook.check_control`).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingABC
from dataclasses import replace
from typing import Any

from runner.playbook.bodies import (
    AssertBody,
    CopyBody,
    EnsureBody,
    FailBody,
    GateBody,
    RebootBody,
    SetVarsBody,
    WaitForBody,
)
from runner.playbook.check import LOCAL
from runner.playbook.model import Block, Playbook, Session, Step, Target
from runner.playbook.read import flag_of

FLEET_KEYS = ("waves", "health", "max_fail", "max_unreachable")
"""Keys that count hosts, and say nothing where there is one."""
COUNTING_KEYS = ("health", "max_fail", "max_unreachable")
"""Those of them that are refused on local steps here; the plan tells of waves."""

ONE_HOST = "a local step has one host, this controller"

_THINKING = (SetVarsBody, FailBody, AssertBody)
"""Bodies that reach no host and come to the same each time."""

_REASONS: tuple[tuple[type | tuple[type, ...], tuple[str, ...], str], ...] = (
    (GateBody, (*FLEET_KEYS, "quarantine"), "a gate holds the run and is no work of hosts"),
    (GateBody, ("retry", "until", "loop"), "a gate is asked once, and waits by itself"),
    ((WaitForBody, RebootBody), ("until",), "it waits by itself"),
    (_THINKING, ("retry", "until"), "it would come to the same each time"),
    (FailBody, ("ignore_errors",), "it is there to fail the host, which nothing would notice then"),
    (
        GateBody,
        ("ignore_errors",),
        "a gate that lets everybody through is none; `default: go` is for nobody's answer",
    ),
    ((*_THINKING, GateBody), ("rerun",), "it changes nothing on a host"),
    ((CopyBody, EnsureBody, RebootBody), ("read_only",), "it changes the host"),
)
_NEUTRAL: MappingABC[str, tuple[str, Any]] = {
    "waves": ("waves", ()),
    "health": ("health", None),
    "max_fail": ("max_fail", None),
    "max_unreachable": ("max_unreachable", None),
    "quarantine": ("quarantine", False),
    "retry": ("retry", None),
    "until": ("until", ()),
    "loop": ("loop", None),
    "rerun": ("rerun", "ask"),
    "read_only": ("read_only", False),
    "lock": ("lock", None),
    "ignore_errors": ("ignore_errors", None),
    "on_loss": ("on_loss", None),
}


def is_local(step: Step, targets: MappingABC[str, Target], sessions: MappingABC[str, Session]) -> bool:
    """Whether a step can only run on this controller."""
    if step.hosts is not None:
        return False
    names = [target.text for target in step.targets]
    for session in step.sessions:
        known = sessions.get(session.text)
        if known is None:
            return False
        names += known.targets
    return all(_is_local_target(name, targets) for name in names)


def _is_local_target(name: str, targets: MappingABC[str, Target]) -> bool:
    return name == LOCAL or (name in targets and targets[name].kind == LOCAL)


def misfits(step: Step, *, local: bool) -> Iterator[tuple[str, str]]:
    """The control keys that have no meaning for a step, each with why; whether the step has them is not asked."""
    if local:
        yield from ((key, ONE_HOST) for key in FLEET_KEYS)
        if step.lock == "target":
            yield "lock", "`target` locks a host that is reached, and this controller is held by `lock: run`"
    for kinds, keys, reason in _REASONS:
        if isinstance(step.body, kinds):
            yield from ((key, reason) for key in keys)
    if step.run_once:
        yield from ((key, "`run_once` starts on one host") for key in ("waves", "health"))
    if not step.sessions:
        yield "on_loss", "only a step with `session` has a session to lose"


def has(step: Step, key: str) -> bool:
    """Whether a control key that a misfit may name asks for something on this step."""
    name, neutral = _NEUTRAL[key]
    if key == "ignore_errors":
        return step.ignore_errors is not None and flag_of(step.ignore_errors) is not False
    return bool(getattr(step, name) != neutral) or any(path[0] == key for path in step.computed)


def fitted_steps(
    steps: tuple[Step, ...], targets: MappingABC[str, Target], sessions: MappingABC[str, Session]
) -> tuple[Step, ...]:
    """The steps without what they inherit and cannot use."""
    return tuple(_fitted(step, local=is_local(step, targets, sessions)) for step in steps)


def _fitted(step: Step, *, local: bool) -> Step:
    dropped = {key for key, _ in misfits(step, local=local) if key not in step.node}
    changes = dict(_NEUTRAL[key] for key in dropped)
    if "waves" in dropped and "health" not in step.node:
        changes["health"] = None
    wanted = {name: value for name, value in changes.items() if getattr(step, name) != value}
    if any(path[0] in dropped for path in step.computed):
        wanted["computed"] = {path: node for path, node in step.computed.items() if path[0] not in dropped}
    return replace(step, **wanted) if wanted else step


def fitted_blocks(playbook: Playbook) -> dict[str, Block]:
    """The blocks, those of local steps alone without the words for fleets that they inherit."""
    remote: set[str] = set()
    for step in playbook.steps:
        place = None if is_local(step, playbook.targets, playbook.sessions) else step.place
        while place is not None and place.block not in remote:
            remote.add(place.block)
            outer = playbook.blocks.get(place.block)
            place = outer.place if outer is not None else None
    return {
        name: block if name in remote else _without_fleet_keys(block)
        for name, block in playbook.blocks.items()
    }


def _without_fleet_keys(block: Block) -> Block:
    dropped = [key for key in FLEET_KEYS if key not in block.node]
    computed = {path: node for path, node in block.computed.items() if path[0] not in dropped}
    return replace(block, **dict(_NEUTRAL[key] for key in dropped), computed=computed)
