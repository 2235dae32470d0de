"""A plan as the document of a plan file (schemas/plan.schema.json). Pure; no secret is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from runner import __version__
from runner.credentials.redact import Redactor
from runner.document.nodes import to_plain
from runner.inventory.inventory import Inventory
from runner.journal.lines import written_options
from runner.journal.record import RunHeader
from runner.plan.model import Placement, Plan, PlannedStep, PreparedScript
from runner.present.encode import encode_time
from runner.present.plan_document import plan_document
from runner.problems import Problem
from runner.transport.endpoint import Endpoint
from runner.variables.filters import plain_json

KIND: Final = "runner-plan"
"""What a file says that it is."""

VERSION: Final = 1
"""Version of the format; a reader takes no other. Every change that an older reader would get wrong raises it."""

_FILES: Final = ("playbook", "script", "inventory")
_OF_RUN: Final = ("run", "digest", "playbook", "now", "seed", "hosts", "steps")
"""Keys of the plan's own document that stand elsewhere in a plan file, or belong to a run."""


def build_document(
    plan: Plan,
    header: RunHeader,
    *,
    inventory: Inventory | None,
    redactor: Redactor,
    copied: Mapping[str, str],
    warnings: Iterable[Problem] = (),
) -> dict[str, Any]:
    """The document of a plan file.

    Args:
        plan: the plan.
        header: what a run of it would record first: its options, and the digests of what was read.
        inventory: for the groups of hosts; None where there is none.
        redactor: knows the secrets that are known before anything is connected; masked in all texts.
        copied: digests of the files that `copy` steps name.
        warnings: what was told when the plan was made.

    """
    shown = plan_document(plan)
    ways = _Ways(header.options.cwd)
    steps = [
        _step(planned, written, ways) for planned, written in zip(plan.steps, shown["steps"], strict=True)
    ]
    known = inventory.hosts if inventory is not None else {}
    hosts = [
        {"name": host, "groups": _groups(inventory, host) if host in known else [], "reached": ways.of(host)}
        for host in (*plan.hosts, *(each for each in ways.hosts if each not in plan.hosts))
    ]
    masked: dict[str, Any] = redactor.mask_value(
        {
            "hosts": hosts,
            **{key: value for key, value in shown.items() if key not in _OF_RUN},
            "steps": steps,
            "warnings": [_warning(problem) for problem in warnings],
        }
    )
    document = {
        "kind": KIND,
        "version": VERSION,
        "runner": __version__,
        "now": encode_time(plan.now),
        "seed": plan.seed,
        "playbook": {"name": plan.playbook.name, "path": header.path},
        "root": header.options.cwd,
        "options": written_options(header.options),
        "files": [
            {"kind": kind, "path": path, "sha256": digest}
            for kind, found in {
                **{kind: header.digests.get(kind, {}) for kind in _FILES},
                "copy": copied,
            }.items()
            for path, digest in found.items()
        ],
        "inputs": dict(header.digests.get("inputs", {})),
        **masked,
        "plan": plan.digest,
    }
    plain: dict[str, Any] = json.loads(json.dumps(document, default=plain_json))
    return {**plain, "digest": digest_of(plain)}


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 over a document without its own ``digest``, in hex."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return _sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _groups(inventory: Inventory | None, host: str) -> list[str]:
    return [] if inventory is None else [group.name for group in inventory.lineage(host)]


def _warning(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "place": str(problem.span or "")}


class _Ways:
    """The ways in which each host is reached, each once; steps name them by number."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"
        self._numbers: dict[str, dict[str, int]] = {}
        self._ways: dict[str, list[dict[str, Any]]] = {}
        self._known: dict[int, tuple[Placement, int]] = {}

    @property
    def hosts(self) -> Iterator[str]:
        """Every host that was met."""
        return iter(self._ways)

    def of(self, host: str) -> list[dict[str, Any]]:
        """A host's ways."""
        return self._ways.get(host, [])

    def number(self, placement: Placement, shown: Mapping[str, Any]) -> int:
        """The number of a way; ``shown`` is the placement as a plan shows it."""
        if id(placement) in self._known:  # steps share placements; kept, so that no other gets its id
            return self._known[id(placement)][1]
        way = {key: value for key, value in shown.items() if key not in {"host", "delegates", "limits"}}
        endpoint = placement.endpoint
        way["jump"] = None if endpoint.jump is None else [_jump(each) for each in endpoint.jump]
        way["sha256"] = self._digest(placement)
        numbers = self._numbers.setdefault(placement.host, {})
        number = numbers.setdefault(json.dumps(way, default=str), len(numbers))
        ways = self._ways.setdefault(placement.host, [])
        if number == len(ways):
            ways.append(way)
        self._known[id(placement)] = (placement, number)
        return number

    def _digest(self, placement: Placement) -> str:
        """Over everything that says how a host is reached and spoken to; paths as they are seen from the root."""
        words = [repr(placement.endpoint), placement.shell, placement.interpreter, placement.session]
        words += [placement.session_on_loss, placement.session_reset, placement.session_label]
        return _sha256(json.dumps(words).replace(self._root, ""))


def _jump(endpoint: Endpoint) -> dict[str, Any]:
    return {"address": endpoint.address, "port": endpoint.port, "user": endpoint.user}


def _step(planned: PlannedStep, written: Mapping[str, Any], ways: _Ways) -> dict[str, Any]:
    assignments = []
    for placement, shown in zip(planned.placements, written["assignments"], strict=True):
        assignment: dict[str, Any] = {"host": placement.host, "reached": ways.number(placement, shown)}
        if "limits" in shown:
            assignment["limits"] = shown["limits"]
        if placement.delegates:
            assignment["delegates"] = [
                {"host": each.host, "reached": ways.number(each, told)}
                for each, told in zip(placement.delegates, shown["delegates"], strict=True)
            ]
        assignments.append(assignment)
    return {
        **written,
        "says": to_plain(planned.step.node),
        "scripts": [
            {**told, "text": prepared.script.text}
            for told, prepared in zip(written["scripts"], _scripts(planned), strict=True)
        ],
        "assignments": assignments,
        "sha256": _says(planned),
    }


def _scripts(planned: PlannedStep) -> Iterator[PreparedScript]:
    """In the order of the plan's own document."""
    yield from planned.scripts.values()
    for scripts in planned.scripts_of.values():
        yield from scripts.values()


def _says(planned: PlannedStep) -> str:
    from runner.runs.digests import step_digest  # noqa: PLC0415 - beside this package

    return step_digest(planned)
