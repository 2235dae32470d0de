"""Playbook and inventory to a plan: the straight line from who and what to assignments, all problems noted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.errors import RunnerError
from runner.inventory.inventory import Inventory
from runner.plan.choose import Choice, chosen_steps
from runner.plan.compute import compute_keys
from runner.plan.counters import run_shape
from runner.plan.extras import check_extras
from runner.plan.model import Plan, PlannedStep
from runner.plan.names import NameCheck
from runner.plan.order import check_cycles, passed_through
from runner.plan.place import Overrides, Placed, Placer
from runner.plan.powershell_rules import check_powershell_rules
from runner.plan.reading import readable_results
from runner.plan.refuse import refuse_later, refuse_shells, refuse_transports, warn_of_network_access
from runner.plan.script_names import ScriptCheck
from runner.plan.scripts import prepare_scripts
from runner.plan.session_shells import check_session_shells
from runner.plan.unfit import refuse_unfit_keys
from runner.plan.uses import compiled_of, texts_of
from runner.plan.winrm import ClientCertificates
from runner.playbook.model import Playbook, Step
from runner.problems import Problems
from runner.transport.port import Login
from runner.using.model import Member
from runner.variables.compile import Compiler
from runner.variables.environment import LanguageEnvironment
from runner.variables.scope import HostScopes, Layer, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Everything a plan is made from.

    ``inputs`` and ``extras`` are checked layers (``runner.variables.inputs``). ``throttle`` is ``-f``. ``certificates``
    is the store that thumbprints are looked up in; None looks none up. ``validating`` True finds problems only: what
    this version does not run is fine, and an absent inventory is forgiven.
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


def build_plan(request: PlanRequest, problems: Problems) -> Plan | None:
    """Make the plan, noting every problem; None where there is an error among them."""
    playbook, inventory = request.playbook, request.inventory
    if len({step.id for step in playbook.steps}) < len(playbook.steps):
        return None  # told already; ids are what everything below goes by
    check_extras(request.extras, playbook, inventory, problems)
    if not check_cycles(playbook.steps, problems, playbook.blocks):
        return None
    kept = chosen_steps(playbook.steps, request.choice, problems, playbook.blocks)
    scopes = _scopes(request)
    chosen, blocks = passed_through(playbook.steps, kept, playbook.blocks)
    steps = compute_keys(chosen, scopes.common, problems)
    placer = Placer(playbook, inventory, scopes, request.overrides, problems, request.certificates)
    placed = {step.id: placer.place(step) for step in steps}
    planned = tuple(
        PlannedStep(
            index=index,
            step=step,
            placements=tuple(item.placement for item in placed[step.id]),
            scripts=prepare_scripts(step, [i.placement for i in placed[step.id]], problems),
        )
        for index, step in enumerate(steps)
    )
    check_session_shells(planned, problems)
    hosts = {step.id: frozenset(i.placement.host for i in placed[step.id]) for step in steps}
    _check_names(request, planned, hosts, scopes, problems)
    _evaluate_variables(planned, scopes, problems)
    for step in steps:
        warn_of_network_access(placed[step.id], problems)
        refuse_unfit_keys(step, placed[step.id], problems)
        refuse_shells(step, placed[step.id], problems)
        check_powershell_rules(step, placed[step.id], problems)
        if not request.validating:
            refuse_transports(step, placed[step.id], problems)
    if not request.validating:
        refuse_later(playbook, steps, problems)
        _check_assignments(steps, placed, problems)
    if problems.has_errors:
        return None
    return _plan(request, planned, placed, scopes, {**placer.logins, **request.overrides.logins})


def _scopes(request: PlanRequest) -> HostScopes:
    playbook, inventory = request.playbook, request.inventory
    variables: Layer = {
        name: Variable(node, "playbook vars", node.span) for name, node in playbook.variables.items()
    }
    values = {name: variable.value for name, variable in request.inputs.items()}

    common: Mapping[str, Callable[[], Any]] = {
        "hosts": lambda: list(inventory.hosts) if inventory is not None else [],
        "groups": lambda: _groups(inventory),
        "inputs": lambda: values,
        "run": lambda: {"id": request.run, "started_at": request.now, "playbook": playbook.name},
    }

    def specials_of(host: str) -> Mapping[str, Callable[[], Any]]:
        return {
            **common,
            "inventory_hostname": lambda: host,
            "group_names": lambda: _host_facts(inventory, host)["groups"],
            "host": lambda: _host_facts(inventory, host),
        }

    return HostScopes(
        Compiler(LanguageEnvironment(request.now)),
        layers_of=lambda host: [inventory.variables(host)] if inventory is not None else [],
        playbook=variables,
        inputs=dict(request.inputs),
        extras=dict(request.extras),
        specials_of=specials_of,
        common_specials=common,
    )


def _host_facts(inventory: Inventory | None, host: str) -> dict[str, Any]:
    groups = [group.name for group in inventory.lineage(host)] if inventory is not None else []
    return {"name": host, "groups": [name for name in groups if name != "all"]}


def _groups(inventory: Inventory | None) -> dict[str, list[str]]:
    if inventory is None:
        return {}
    return {name: list(inventory.group_hosts(name)) for name in inventory.groups}


def _check_names(
    request: PlanRequest,
    planned: Sequence[PlannedStep],
    hosts: Mapping[str, frozenset[str]],
    scopes: HostScopes,
    problems: Problems,
) -> None:
    inventory = request.inventory
    steps = [item.step for item in planned]
    chosen = {step.id for step in steps}

    def signature(host: str) -> Hashable:
        return inventory.signature(host) if inventory is not None else None

    names = NameCheck(
        playbook=request.playbook,
        scopes=scopes,
        readable=readable_results(steps, hosts),
        registered={step.register: step.id for step in steps if step.register},
        hosts=hosts,
        dropped={s.register: s.id for s in request.playbook.steps if s.register and s.id not in chosen},
        signature=signature,
        problems=problems,
        lenient=request.validating and inventory is None,
    )
    scripts = ScriptCheck(names)
    for item in planned:
        names.check_templates(item)
        scripts.check(item)


def _evaluate_variables(planned: Sequence[PlannedStep], scopes: HostScopes, problems: Problems) -> None:
    """Compute once a host what the plan decides and its steps read: no such template fails in the middle of a run."""
    for item in planned:
        step = item.step
        names = {
            use.name
            for text in texts_of(step)
            for use in compiled_of(scopes.compiler, text).names
            if not use.guarded
        }
        names |= {r.name for script in item.scripts.values() for r in script.scan.references}
        names -= {*step.variables, *step.using}
        for placement in item.placements:
            scope = scopes.of(placement.host)
            for name in names:
                if not scope.defines(name):
                    continue
                try:
                    scope.lookup(name)
                except RunnerError as error:
                    problems.extend(error.problems)


def _check_assignments(
    steps: Sequence[Step], placed: Mapping[str, Sequence[Placed]], problems: Problems
) -> None:
    if problems.has_errors:
        return  # a step may have lost its hosts to a mistake that is told
    for step in steps:
        if not placed[step.id]:
            problems.warning("step-without-hosts", f"step `{step.id}` has no hosts and is skipped", step.span)
    if not any(placed.values()):
        problems.error(
            "no-assignments",
            "nothing to do: no step has a host",
            None,
            "look at `-l`, `-t` and the patterns; `runner inventory list` shows the hosts",
        )


def _plan(
    request: PlanRequest,
    planned: tuple[PlannedStep, ...],
    placed: Mapping[str, Sequence[Placed]],
    scopes: HostScopes,
    logins: Mapping[str, Login],
) -> Plan:
    hosts = _hosts_in_order(request.inventory, planned)
    shape = run_shape(
        [(item.step, placed[item.step.id]) for item in planned],
        {host: number for number, host in enumerate(hosts)},
        default_throttle=request.throttle,
        run_throttle=request.playbook.throttle if request.throttle is None else request.throttle,
    )
    return Plan(
        run=request.run,
        now=request.now,
        playbook=request.playbook,
        steps=planned,
        hosts=hosts,
        scopes=scopes,
        shape=shape,
        digest=_digest(request, planned),
        credentials_needed=_credentials(request.playbook, planned) - set(logins),
        logins=logins,
        timeout=request.timeout if request.timeout is not None else request.playbook.timeout,
    )


def _credentials(playbook: Playbook, planned: Sequence[PlannedStep]) -> frozenset[str]:
    """Names of the credentials that endpoints log in with and scripts read."""
    endpoints = {placement.endpoint for item in planned for placement in item.placements}
    needed = {
        e.credential for endpoint in endpoints for e in (endpoint, *(endpoint.jump or ())) if e.credential
    }
    proxies = {endpoint.session_options.proxy for endpoint in endpoints}
    needed |= {proxy.credential for proxy in proxies if proxy is not None and proxy.credential}
    read = {
        reference.chain[0].name.lower()
        for item in planned
        for script in item.scripts.values()
        for reference in script.scan.references
        if reference.name.lower() == "credentials"
        and reference.chain
        and isinstance(reference.chain[0], Member)
    }
    return frozenset(needed | {name for name in playbook.credentials if name.lower() in read})


def _hosts_in_order(inventory: Inventory | None, planned: Sequence[PlannedStep]) -> tuple[str, ...]:
    named = dict.fromkeys(p.host for item in planned for p in item.placements)
    if inventory is None:
        return tuple(named)
    order = {name: number for number, name in enumerate(inventory.hosts)}
    return tuple(sorted(named, key=lambda name: order.get(name, len(order))))


def _digest(request: PlanRequest, planned: Sequence[PlannedStep]) -> str:
    """SHA-256 over what decides what runs where: every file read, and each step's hosts and endpoints."""
    parts = {
        "files": sorted(d.source.digest for d in request.playbook.documents),
        "steps": [
            [s.step.id, [[p.host, repr(p.endpoint), p.shell, p.session] for p in s.placements]]
            for s in planned
        ],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
