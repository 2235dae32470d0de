"""The record of a run as the command line makes it: its header, its directory, and what goes into its journal."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runner.cli.gatekeeper import user_name
from runner.cli.prepare import Given, Prepared
from runner.credentials.logins import secrets_of
from runner.credentials.redact import Redactor
from runner.document.nodes import Scalar
from runner.journal.record import APPLIED, Resumed, RunHeader, RunOptions, StepCount
from runner.plan.model import Plan
from runner.runs.digests import digests_of
from runner.transport.port import Login
from runner.values import JsonValue, Secret
from runner.variables.inputs import Extra

LIMITED_TO = "limited_to"
"""The name under which a header keeps the hosts that ``-l @RUN:STATUS`` meant."""


def header_of(
    prepared: Prepared,
    plan: Plan,
    given: Given,
    *,
    path: str,
    logins: Mapping[str, Login],
    more: Mapping[str, JsonValue] | None = None,
) -> RunHeader:
    """The header of a new run: everything that a resumed one makes the same plan from, and nothing secret."""
    plain, hidden = _extras(prepared, logins)
    further: dict[str, JsonValue] = dict(more or {})
    if prepared.limited_to is not None:
        further[LIMITED_TO] = list(prepared.limited_to)
    options = RunOptions(
        cwd=str(Path.cwd()),
        inventory=tuple(given.inventory),
        limit=given.limit,
        tags=tuple(given.tags),
        skip_tags=tuple(given.skip_tags),
        only=tuple(given.only),
        start_at=given.start_at,
        extras=plain,
        secret_extras=hidden,
        throttle=given.throttle,
        timeout=given.timeout,
        check=given.check,
        credential=given.credential,
        user=given.user,
        shell=given.shell,
        certificates=given.certificates,
        ask_password=given.password is not None,
        more=further,
    )
    return RunHeader(
        run=plan.run,
        playbook=plan.playbook.name,
        path=path,
        started_at=max(plan.now, datetime.now(UTC)) if APPLIED in further else plan.now,
        now=plan.now,
        plan=plan.digest,
        options=options,
        digests=digests_of(plan, inventory_files=prepared.inventory_files, given=prepared.given),
        steps=steps_of(plan),
        hosts=len(plan.hosts),
        seed=plan.seed,
        pid=os.getpid(),
        machine=platform.node(),
        user=user_name(),
    )


def given_again(
    options: RunOptions,
    *,
    extra: Sequence[str] = (),
    throttle: int | None = None,
    timeout: float | None = None,
    password: Secret | None = None,
    no_input: bool = False,
    can_approve: bool = False,
) -> Given:
    """What the command line gave then, with what is given now over it."""
    limited = options.more.get(LIMITED_TO)
    return Given(
        inventory=options.inventory,
        extra=extra,
        recorded={name: Extra(value, "-e of the run's beginning") for name, value in options.extras.items()},
        limit=options.limit,
        limited_to=[str(host) for host in limited] if isinstance(limited, list) else None,
        tags=options.tags,
        skip_tags=options.skip_tags,
        only=options.only,
        start_at=options.start_at,
        credential=options.credential,
        user=options.user,
        shell=options.shell,
        throttle=options.throttle if throttle is None else throttle,
        timeout=options.timeout if timeout is None else timeout,
        password=password,
        certificates=options.certificates,
        check=options.check,
        no_input=no_input,
        can_approve=can_approve,
    )


def steps_of(plan: Plan) -> tuple[StepCount, ...]:
    """The steps as a journal lists them."""
    return tuple(
        StepCount(
            planned.step.id,
            len(planned.placements),
            planned.step.name.text
            if isinstance(planned.step.name, Scalar) and planned.step.name.text
            else None,
        )
        for planned in plan.steps
    )


def resumed_now(record: Resumed) -> Resumed:
    """The record with who goes on, where and when."""
    return replace(record, at=datetime.now(UTC), pid=os.getpid(), machine=platform.node(), user=user_name())


def _extras(prepared: Prepared, logins: Mapping[str, Login]) -> tuple[dict[str, object], tuple[str, ...]]:
    """``-e`` values, and the names of those that are secret: as declared, from a vault, or holding a login's secret."""
    redactor = Redactor()
    for login in logins.values():
        for secret in secrets_of(login):
            redactor.add(secret)
    declared = prepared.playbook.inputs if prepared.playbook else {}
    plain: dict[str, object] = {}
    hidden = []
    for name, extra in prepared.extras.items():
        told = declared.get(name)
        declared_secret = told is not None and (told.secret or told.type == "secure_string")
        if declared_secret or _holds_secret(extra.value) or redactor.finds(repr(extra.value)):
            hidden.append(name)
        else:
            plain[name] = extra.value
    return plain, tuple(hidden)


def _holds_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_secret, value))
    return isinstance(value, Secret)
