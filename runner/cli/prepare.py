"""The straight line up to the plan: playbook and inventory loaded, inputs checked, the plan made."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.cli.options import words
from runner.document.nodes import Mapping as MappingNode
from runner.document.nodes import to_plain
from runner.document.reader import PLAYBOOK_LIMIT, read_source
from runner.document.yaml import load
from runner.errors import DocumentError, UsageError
from runner.inventory.inventory import Inventory
from runner.inventory.load import load_inventory
from runner.inventory.patterns import select
from runner.plan.build import PlanRequest, build_plan
from runner.plan.choose import Choice
from runner.plan.model import Plan
from runner.plan.place import Overrides
from runner.playbook.load import load_playbook
from runner.playbook.model import Playbook
from runner.problems import Problems, suggestion
from runner.transport.port import Login
from runner.using.model import Shell
from runner.values import Secret
from runner.variables.inputs import Extra, parse_yaml_text, resolve_inputs
from runner.variables.not_known import NOT_KNOWN
from runner.variables.scope import Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line gives, as the options name it."""

    inventory: Sequence[str] = ()
    extra: Sequence[str] = ()
    limit: str | None = None
    tags: Sequence[str] = ()
    skip_tags: Sequence[str] = ()
    only: Sequence[str] = ()
    start_at: str | None = None
    credential: str | None = None
    user: str | None = None
    shell: str | None = None
    throttle: int | None = None
    timeout: float | None = None
    password: Secret | None = None


@dataclass(slots=True)
class Prepared:
    """What came of it; ``plan`` is None where there are errors among the problems."""

    problems: Problems
    playbook: Playbook | None = None
    inventory: Inventory | None = None
    plan: Plan | None = None
    extras: Mapping[str, Extra] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, str]:
        """Path to text of every file that was read, for showing lines."""
        documents = self.playbook.documents if self.playbook else ()
        return {document.source.path: document.source.text for document in documents}


def prepare(path: str, given: Given, *, validating: bool = False) -> Prepared:
    """Load, check and plan a playbook; every problem of all files is in the result."""
    problems = Problems()
    prepared = Prepared(problems, extras=read_extras(given.extra))
    inventory_problems = Problems()
    if given.inventory:
        prepared.inventory = load_inventory(
            list(given.inventory), inventory_problems, playbook_dir=Path(path).parent
        )
    prepared.playbook = load_playbook(path, problems)
    problems.extend(inventory_problems)
    if prepared.playbook is not None:
        prepared.plan = _plan(prepared.playbook, prepared, given, validating=validating)
    return prepared


def _plan(playbook: Playbook, prepared: Prepared, given: Given, *, validating: bool) -> Plan | None:
    problems, now = prepared.problems, datetime.now(UTC)
    inputs, extras = resolve_inputs(playbook.inputs, prepared.extras, problems, require=not validating)
    for (
        name,
        declared,
    ) in playbook.inputs.items():  # a name is known even where its value is missing or refused
        inputs.setdefault(name, Variable(NOT_KNOWN, f"input `{name}`", declared.span))
    problems.end_stage()
    request = PlanRequest(
        playbook=playbook,
        inventory=prepared.inventory,
        inputs=inputs,
        extras=extras,
        run=run_id(now),
        now=now,
        choice=Choice(
            words(tuple(given.tags)), words(tuple(given.skip_tags)), tuple(given.only), given.start_at
        ),
        overrides=_overrides(prepared, given),
        throttle=given.throttle,
        timeout=given.timeout,
        validating=validating,
    )
    return build_plan(request, problems)


def _overrides(prepared: Prepared, given: Given) -> Overrides:
    playbook, problems = prepared.playbook, prepared.problems
    if given.credential and playbook and given.credential not in playbook.credentials:
        hints = suggestion(given.credential, playbook.credentials)
        problems.error("unknown-credential", f"no credential is named `{given.credential}`", None, *hints)
    asked = "password asked for"
    return Overrides(
        user=given.user,
        credential=asked if given.password is not None else given.credential,
        logins={asked: Login(password=given.password)} if given.password is not None else {},
        shell=Shell(given.shell.lower()) if given.shell else None,
        limit=_limit(given.limit, prepared),
    )


def _limit(pattern: str | None, prepared: Prepared) -> frozenset[str] | None:
    if pattern is None:
        return None
    if prepared.inventory is None:
        return frozenset(words((pattern.replace(":", ","),)))
    return frozenset(select(prepared.inventory, pattern, prepared.problems))


def run_id(now: datetime) -> str:
    """A run's id: the instant it began and four random hex digits, e.g. ``2026-11-21T015000Z-7f3a``."""
    return f"{now:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(2)}"


def read_extras(given: Sequence[str]) -> dict[str, Extra]:
    """``-e`` values: ``name=value`` is text, ``@file`` and ``{...}`` are typed; later ones win.

    Raises:
        UsageError: one is neither.
        DocumentError: a file has problems.

    """
    extras: dict[str, Extra] = {}
    for text in given:
        if text.startswith("@"):
            extras.update(_extras_of_file(text))
        elif text.lstrip().startswith("{"):
            extras.update({name: Extra(value, "-e") for name, value in _mapping_of(text).items()})
        else:
            name, equals, value = text.partition("=")
            if not equals or not name.strip().isidentifier():
                given_name = f"{name}=..." if equals else text  # the value may be a secret
                message = f"`-e` takes `name=value`, `{{...}}` or `@file`: `{given_name}`"
                raise UsageError("extra-form", message, hints=("e.g. `-e version=2.1`",))
            extras[name.strip()] = Extra(value, "-e")
    return extras


def _mapping_of(text: str) -> dict[str, Any]:
    try:
        value = to_plain(parse_yaml_text(text))
    except ValueError as error:
        raise UsageError("extra-form", f"`-e`: {error}") from error
    if not isinstance(value, dict):
        raise UsageError("extra-form", "`-e` takes a mapping in braces, as in `-e '{version: 2.1}'`")
    return value


def _extras_of_file(text: str) -> dict[str, Extra]:
    problems = Problems()
    source = read_source(text[1:], problems, limit=PLAYBOOK_LIMIT)
    document = load(source, problems) if source is not None else None
    if document is not None and document.root is not None and not isinstance(document.root, MappingNode):
        problems.error(
            "vars-file", "a file for `-e` must be a mapping of names to values", document.root.span
        )
    if problems.has_errors:
        raise DocumentError(problems.sorted())
    root = document.root if document is not None else None
    if not isinstance(root, MappingNode):
        return {}
    return {name: Extra(to_plain(node), f"-e {text}", node.span) for name, node in root.items()}
