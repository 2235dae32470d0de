"""What a run was made from, as digests, and what of it is another thing now. Pure.

Beside what was read, each step and each host has a digest of its own, so that a resumed run with ``--allow-changed``
knows which results still are those of the same script on the same machine. Secrets are in none of them: a digest of a
short one could be guessed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from runner.document.nodes import to_plain
from runner.journal.record import Digests
from runner.plan.model import Plan, PlannedStep
from runner.variables.filters import plain_json
from runner.variables.scope import Variable

_SHOWN = {"playbook": "playbook", "script": "script", "inventory": "inventory", "inputs": "input"}
"""Kinds that are told by name, with the word for it; steps and hosts are told where none of these says why."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed: ``named`` for a person, each as ``playbook `site.yml` ``; ids of steps, names of hosts."""

    named: tuple[str, ...] = ()
    steps: frozenset[str] = field(default_factory=frozenset)
    hosts: frozenset[str] = field(default_factory=frozenset)


def digests_of(
    plan: Plan, *, inventory_files: Mapping[str, str], given: Mapping[str, Variable]
) -> dict[str, dict[str, str]]:
    """The digests of a plan, by kind and name.

    Args:
        plan: the plan.
        inventory_files: files that the inventory was read from, with their digests.
        given: inputs and other ``-e`` values; secret inputs are left out here.

    """
    documents = plan.playbook.documents
    hidden = {name for name, one in plan.playbook.inputs.items() if one.secret or one.type == "secure_string"}
    return {
        "playbook": {d.source.path: d.source.digest for d in documents if d.root is not None},
        "script": {d.source.path: d.source.digest for d in documents if d.root is None},
        "inventory": dict(inventory_files),
        "inputs": {name: _digest(one.value) for name, one in given.items() if name not in hidden},
        "step": {planned.step.id: step_digest(planned) for planned in plan.steps},
        "host": _hosts(plan),
    }


def step_digest(planned: PlannedStep) -> str:
    """The digest of what a step says, and of the scripts it sends; where it stands in its file does not count."""
    scripts = [
        [place, str(shell), prepared.script.digest]
        for place, found in (("", planned.scripts), *sorted(planned.scripts_of.items()))
        for shell, prepared in sorted(found.items())
    ]
    return _digest([to_plain(planned.step.node), scripts])


def _hosts(plan: Plan) -> dict[str, str]:
    """How each host is reached and as whom; in any of its steps."""
    ways: dict[str, set[str]] = {}
    for planned in plan.steps:
        for placement in planned.placements:
            way = f"{placement.endpoint!r} {placement.shell} {placement.interpreter}"
            ways.setdefault(placement.host, set()).add(way)
    return {host: _digest(sorted(found)) for host, found in ways.items()}


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=plain_json)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def changes(then: Digests, now: Digests, *, same_plan: bool) -> Changes:
    """What has changed between two plans of one run; ``same_plan`` says that their own digests are equal."""
    steps, hosts = frozenset(_differing(then, now, "step")), frozenset(_differing(then, now, "host"))
    named = [f"{word} `{name}`" for kind, word in _SHOWN.items() for name in _differing(then, now, kind)]
    if not named:
        named += [f"step `{name}`" for name in sorted(steps)]
        named += [f"how `{name}` is reached" for name in sorted(hosts)]
    if not named and not same_plan:
        named = ["the plan, though nothing that it is made from"]
    return Changes(tuple(named), steps, hosts)


def _differing(then: Digests, now: Digests, kind: str) -> Iterator[str]:
    before, after = then.get(kind, {}), now.get(kind, {})
    names: Iterable[str] = dict.fromkeys((*before, *after))
    return (name for name in names if before.get(name) != after.get(name))
