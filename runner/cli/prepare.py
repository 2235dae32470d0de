"""The straight line up to the plan: playbook and inventory loaded, inputs checked, the plan made."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runner.cli.extras import read_extras
from runner.cli.limits import ResultsOf, named_sets
from runner.cli.options import words
from runner.credentials.certificates import CertificateStore
from runner.document.reader import noting_files, written_path
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
from runner.variables.inputs import Extra, resolve_inputs
from runner.variables.not_known import NOT_KNOWN
from runner.variables.scope import Variable


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan is made with so that it comes out the same again: the run's id, its instant, its shuffling seed.

    ``seed`` None makes one of the id.
    """

    run: str
    now: datetime
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line gives, as the options name it.

    ``recorded`` are ``-e`` values that a journal kept, below those of ``extra``. ``results_of`` looks runs up for
    ``-l @RUN:failed``; None where no run can be named. ``limited_to`` are the hosts such a limit meant when it was
    recorded; they take the place of ``limit``. ``can_approve``: gates have their answers already.
    """

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
    certificates: str | None = None
    check: bool = False
    no_input: bool = False
    can_approve: bool = False
    recorded: Mapping[str, Extra] = field(default_factory=dict)
    results_of: ResultsOf | None = None
    limited_to: Sequence[str] | None = None


@dataclass(slots=True)
class Prepared:
    """What came of it; ``plan`` is None where there are errors among the problems.

    ``given`` has the inputs, defaults too, and other ``-e`` values. ``inventory_files`` are those that the inventory
    was read from, with their SHA-256 (:func:`noting_files`). ``limited_to`` has what ``-l`` meant where it named runs,
    which may mean something else tomorrow.
    """

    problems: Problems
    playbook: Playbook | None = None
    inventory: Inventory | None = None
    plan: Plan | None = None
    extras: Mapping[str, Extra] = field(default_factory=dict)
    given: Mapping[str, Variable] = field(default_factory=dict)
    inventory_files: Mapping[str, str] = field(default_factory=dict)
    limited_to: Sequence[str] | None = None

    @property
    def sources(self) -> dict[str, str]:
        """Path to text of every file that was read, for showing lines."""
        documents = self.playbook.documents if self.playbook else ()
        return {document.source.path: document.source.text for document in documents}


def prepare(path: str, given: Given, *, validating: bool = False, origin: Origin | None = None) -> Prepared:
    """Load, check and plan a playbook; every problem of all files is in the result.

    ``origin`` is that of a run that is gone on with; None begins a new one.
    """
    problems = Problems()
    prepared = Prepared(problems, extras={**given.recorded, **read_extras(given.extra)})
    inventory_problems = Problems()
    if given.inventory:
        with noting_files() as files:
            prepared.inventory = load_inventory(
                list(given.inventory), inventory_problems, playbook_dir=Path(path).parent
            )
        prepared.inventory_files = files
    prepared.playbook = load_playbook(path, problems)
    problems.extend(inventory_problems)
    if prepared.playbook is not None:
        origin = origin or new_origin(datetime.now(UTC))
        prepared.plan = _plan(prepared.playbook, prepared, given, origin, validating=validating)
    return prepared


def _plan(
    playbook: Playbook, prepared: Prepared, given: Given, origin: Origin, *, validating: bool
) -> Plan | None:
    problems = prepared.problems
    inputs, extras = resolve_inputs(playbook.inputs, prepared.extras, problems, require=not validating)
    prepared.given = {**extras, **inputs}
    for name, declared in playbook.inputs.items():
        # A name is known even where its value is missing or refused.
        inputs.setdefault(name, Variable(NOT_KNOWN, f"input `{name}`", declared.span))
    problems.end_stage()
    request = PlanRequest(
        playbook=playbook,
        inventory=prepared.inventory,
        inputs=inputs,
        extras=extras,
        run=origin.run,
        now=origin.now,
        choice=Choice(
            words(tuple(given.tags)), words(tuple(given.skip_tags)), tuple(given.only), given.start_at
        ),
        overrides=_overrides(prepared, given),
        certificates=None if validating else CertificateStore(_folder(given.certificates), now=origin.now),
        throttle=given.throttle,
        timeout=given.timeout,
        validating=validating,
        check=given.check,
        seed=origin.seed,
        no_input=given.no_input,
        can_approve=given.can_approve,
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
        limit=_limit(prepared, given),
    )


def _folder(written: str | None) -> Path | None:
    return None if not written else written_path(written)


def _limit(prepared: Prepared, given: Given) -> frozenset[str] | None:
    if given.limited_to is not None:
        prepared.limited_to = given.limited_to
        return frozenset(given.limited_to)
    if given.limit is None:
        return None
    pattern, sets = given.limit, dict[str, Sequence[str]]()
    if "@" in pattern and given.results_of is not None:
        pattern, found = named_sets(pattern, given.results_of)
        sets.update(found)
    if prepared.inventory is None:
        names = words((pattern.replace(":", ","),))
        chosen = [host for name in names for host in sets.get(name.removeprefix("@"), (name,))]
    else:
        chosen = select(prepared.inventory, pattern, prepared.problems, sets=sets)
    if sets:
        prepared.limited_to = tuple(chosen)
    return frozenset(chosen)


def new_origin(now: datetime) -> Origin:
    """The origin of a run that begins now."""
    return Origin(run_id(now), now)


def run_id(now: datetime) -> str:
    """A run's id: the instant it began and four random hex digits, e.g. ``2026-11-21T015000Z-7f3a``."""
    return f"{now:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(2)}"
