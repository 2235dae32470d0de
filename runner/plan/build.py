"""Playbook and inventory to a plan: the straight line from who and what to assignments, all problems noted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from runner.inventory.inventory import Inventory
from runner.plan.arrange import Arranged, Arranger
from runner.plan.choose import Choice, chosen_steps
from runner.plan.compute import compute_keys, compute_playbook, steps_by_host
from runner.plan.counters import Limits, uses_of
from runner.plan.digest import plan_digest
from runner.plan.extras import check_extras
from runner.plan.fill import filled
from runner.plan.host_order import HostOrder
from runner.plan.model import Plan, PlannedBlock, PlannedPolicy, PlannedStep
from runner.plan.needed import credentials_needed, hosts_in_order, locked_hosts
from runner.plan.order import check_cycles, passed_through
from runner.plan.place import Overrides, Placer, reached
from runner.plan.powershell_rules import check_powershell_rules
from runner.plan.reads import Reads, check_reads
from runner.plan.refuse import refuse_later, refuse_shells, refuse_transports, warn_of_network_access
from runner.plan.refuse_control import Asking, refuse_control
from runner.plan.scopes import plan_scopes
from runner.plan.scripts import health_scripts, prepare_scripts, scripts_elsewhere
from runner.plan.session_shells import check_session_shells
from runner.plan.shape import planned_blocks, policies, run_shape
from runner.plan.unfit import refuse_unfit_keys
from runner.plan.winrm import ClientCertificates
from runner.playbook.control import Pool
from runner.playbook.model import Block, Playbook, Step
from runner.problems import Problems
from runner.transport.port import Login
from runner.variables.scope import HostScopes, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Everything a plan is made from.

    ``inputs`` and ``extras`` are checked layers (``runner.variables.inputs``). ``throttle`` is ``-f``. ``certificates``
    is the store that thumbprints are looked up in; None looks none up. ``validating`` True finds problems only: what
    this version does not run is fine, and an absent inventory is forgiven. ``check`` is ``--check``. ``seed`` is that
    of the run that is gone on with; None makes one of the run's id. ``no_input``: nobody sits at a terminal, so that a
    gate needs a ``default`` unless ``can_approve`` says that ``runs approve`` can answer.
    """

    playbook: Playbook
    inventory: Inventory | None
    inputs: Mapping[str, Variable]
    extras: Mapping[str, Variable]
    run: str
    now: datetime
    choice: Choice = field(default_factory=Choice)
    overrides: Overrides = field(default_factory=Overrides)
    certificates: ClientCertificates | None = None
    throttle: int | None = None
    timeout: float | None = None
    validating: bool = False
    check: bool = False
    seed: int | None = None
    no_input: bool = False
    can_approve: bool = False

    @property
    def is_lenient(self) -> bool:
        """Whether what only an inventory can say is not asked for: there is none, and nothing is to be run."""
        return self.validating and self.inventory is None

    @property
    def seed_of_run(self) -> int:
        """The seed that is given, else one that no two runs share: 48 bits, which JSON carries everywhere."""
        if self.seed is not None:
            return self.seed
        return int.from_bytes(hashlib.sha256(self.run.encode()).digest()[:6])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What is known once all problems are found."""

    steps: tuple[PlannedStep, ...]
    arranged: Arranged
    blocks: Mapping[str, Block]
    planned_blocks: tuple[PlannedBlock, ...]
    policies: tuple[PlannedPolicy, ...]
    scopes: HostScopes
    logins: Mapping[str, Login]
    seed: int


def build_plan(request: PlanRequest, problems: Problems) -> Plan | None:
    """Make the plan, noting every problem; None where there is an error among them."""
    playbook, inventory = request.playbook, request.inventory
    if len({*(step.id for step in playbook.steps), *playbook.blocks}) < len(playbook.steps) + len(
        playbook.blocks
    ):
        return None  # told already; ids are what everything below goes by
    check_extras(request.extras, playbook, inventory, problems)
    if not check_cycles(playbook.steps, problems, playbook.blocks):
        return None
    kept = chosen_steps(playbook.steps, request.choice, problems, playbook.blocks)
    lenient = request.is_lenient
    scopes = plan_scopes(
        playbook,
        inventory,
        inputs=request.inputs,
        extras=request.extras,
        run=request.run,
        now=request.now,
    )
    playbook = compute_playbook(playbook, scopes.common, problems)
    request = replace(request, playbook=playbook)
    chosen, blocks = passed_through(playbook.steps, kept, playbook.blocks)
    steps = compute_keys(filled(playbook, chosen), scopes.common, problems)
    placer = Placer(playbook, inventory, scopes, request.overrides, problems, request.certificates)
    arranged = Arranger(
        playbook,
        inventory,
        placer,
        HostOrder(inventory, scopes, request.seed_of_run, problems, lenient=lenient),
        problems,
        limited=request.overrides.limit is not None or lenient,
    ).arrange(steps, blocks)
    draft = _Draft(
        steps=tuple(
            _planned(index, step, arranged, scopes, problems, lenient=lenient)
            for index, step in enumerate(steps)
        ),
        arranged=arranged,
        blocks=blocks,
        planned_blocks=planned_blocks(steps, blocks, arranged),
        policies=_policies(steps, blocks, arranged, problems),
        scopes=scopes,
        logins={**placer.logins, **request.overrides.logins},
        seed=request.seed_of_run,
    )
    _check(request, draft, steps, problems)
    return None if problems.has_errors else _plan(request, draft)


def _planned(
    index: int, step: Step, arranged: Arranged, scopes: HostScopes, problems: Problems, *, lenient: bool
) -> PlannedStep:
    placements = tuple(item.placement for item in arranged.placed[step.id])
    runs_on = [each for placement in placements for each in placement.delegates or (placement,)]
    return PlannedStep(
        index=index,
        step=step,
        placements=placements,
        scripts=prepare_scripts(step, runs_on, problems),
        scripts_of=scripts_elsewhere(step, runs_on, problems),
        seen_by=arranged.seen_by.get(step.id, ()),
        by_host=steps_by_host(step, [each.host for each in placements], scopes, problems, lenient=lenient),
    )


def _policies(
    steps: Sequence[Step], blocks: Mapping[str, Block], arranged: Arranged, problems: Problems
) -> tuple[PlannedPolicy, ...]:
    """In the order of the shape's."""
    return tuple(
        PlannedPolicy(
            name=unit.id,
            waves=tuple(wave.planned for wave in arranged.waves.get(unit.id, ())),
            health=unit.health,
            health_scripts=health_scripts(unit, arranged.of(unit.id), problems),
        )
        for unit in policies(steps, blocks, arranged)
    )


def _check(request: PlanRequest, draft: _Draft, steps: Sequence[Step], problems: Problems) -> None:
    playbook, inventory, placed = request.playbook, request.inventory, draft.arranged.placed
    check_session_shells(draft.steps, problems)
    reads = Reads(
        playbook=playbook,
        inventory=inventory,
        planned=draft.steps,
        blocks=draft.blocks,
        policies=draft.policies,
        arranged=draft.arranged,
        lenient=request.is_lenient,
    )
    check_reads(reads, draft.scopes, problems)
    for step in steps:
        places = reached(placed[step.id])
        warn_of_network_access(places, problems)
        refuse_unfit_keys(step, placed[step.id], problems)
        refuse_shells(step, places, problems)
        check_powershell_rules(step, places, problems)
        if not request.validating:
            refuse_transports(step, places, problems)
    asking = Asking(
        pools=_pools(request),
        uses_of=uses_of(inventory),
        nobody_answers=request.no_input and not request.can_approve and not request.validating,
        check=request.check,
        lenient=request.is_lenient,
    )
    refuse_control(steps, draft.blocks, draft.arranged, asking, problems)
    if not request.validating:
        refuse_later(playbook, steps, problems)
        _check_assignments(steps, draft.arranged, problems)


def _pools(request: PlanRequest) -> dict[str, Pool]:
    """Those of the inventory and of the playbook; where both have one, the playbook's counts, which is nearer."""
    of_inventory = request.inventory.pools if request.inventory is not None else {}
    return {**of_inventory, **request.playbook.pools}


def _check_assignments(steps: Sequence[Step], arranged: Arranged, problems: Problems) -> None:
    if problems.has_errors:
        return  # a step may have lost its hosts to a mistake that is told
    for step in steps:
        if not arranged.placed[step.id]:
            problems.warning("step-without-hosts", f"step `{step.id}` has no hosts and is skipped", step.span)
    if not any(arranged.placed.values()):
        problems.error(
            "no-assignments",
            "nothing to do: no step has a host",
            None,
            "look at `-l`, `-t` and the patterns; `runner inventory list` shows the hosts",
        )


def _plan(request: PlanRequest, draft: _Draft) -> Plan:
    playbook, inventory = request.playbook, request.inventory
    hosts = hosts_in_order(inventory, draft.steps, draft.planned_blocks)
    numbers = {host: number for number, host in enumerate(hosts)}
    limits = Limits(
        default=request.throttle,
        run=playbook.throttle if request.throttle is None else request.throttle,
        blocks=draft.blocks,
        pools=_pools(request),
        uses_of=uses_of(inventory),
    )
    steps = [item.step for item in draft.steps]
    shape, pools = run_shape(steps, draft.arranged, numbers, limits, playbook)
    timeout = request.timeout if request.timeout is not None else playbook.timeout
    return Plan(
        run=request.run,
        now=request.now,
        playbook=playbook,
        steps=draft.steps,
        hosts=hosts,
        scopes=draft.scopes,
        shape=shape,
        digest=plan_digest(playbook, draft.steps, draft.planned_blocks, draft.policies, pools),
        credentials_needed=credentials_needed(playbook, draft.steps, draft.policies) - set(draft.logins),
        logins=draft.logins,
        timeout=timeout if timeout is not None else playbook.deadlines.run,
        blocks=draft.planned_blocks,
        policies=draft.policies,
        pools=pools,
        locked=locked_hosts(playbook, draft.steps),
        seed=draft.seed,
        check=request.check,
    )
