"""Plan files as the command line makes them: of what was prepared, and of what there is now to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.cli.prepare import Given, Prepared
from runner.cli.recording import header_of
from runner.credentials.logins import secrets_of
from runner.credentials.redact import Redactor
from runner.plan.model import Plan
from runner.planfile.build import build_document
from runner.planfile.copied import copied_files, open_sources
from runner.values import Secret


def document_of(prepared: Prepared, plan: Plan, given: Given, *, path: str) -> dict[str, Any]:
    """The document of a plan file; no source of a credential is asked for it."""
    redactor = Redactor()
    for secret in _secrets(prepared, plan):
        redactor.add(secret)
    return build_document(
        plan,
        header_of(prepared, plan, given, path=path, logins=plan.logins),
        inventory=prepared.inventory,
        redactor=redactor,
        copied=copied_files(plan),
        warnings=[*prepared.problems.sorted(), *open_sources(plan)],
    )


def _secrets(prepared: Prepared, plan: Plan) -> Iterator[Secret | str]:
    """What is known to be secret before anything is connected: of logins, of inputs, of the inventory."""
    for login in plan.logins.values():
        yield from secrets_of(login)
    declared = prepared.playbook.inputs if prepared.playbook else {}
    for name, variable in prepared.given.items():
        one = declared.get(name)
        if one is not None and (one.secret or one.type == "secure_string"):
            yield from _texts(variable.value)
        else:
            yield from _within(variable.value)
    if prepared.inventory is not None:
        for host in plan.hosts:
            for layer in prepared.inventory.layers(host):
                for said in layer.values():
                    yield from _within(getattr(said, "value", None))  # a vaulted one has none


def _within(value: object) -> Iterator[Secret]:
    """The secrets in a value."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _within(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _within(each)


def _texts(value: object) -> Iterator[Secret | str]:
    """Every text in a value that is secret as a whole."""
    if isinstance(value, Secret | str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
