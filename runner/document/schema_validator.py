"""Validation by JSON Schema draft 2020-12, with the language's own ways of reading words, durations and sizes.

What jsonschema reports leaves this module as :class:`Finding`, so that only this module knows jsonschema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from runner.schema_files import schema_text
from runner.units import parse_duration, parse_size


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a schema does not allow.

    Attributes:
        rule: the keyword of JSON Schema that says no: ``type``, ``enum``, ``required``, ``anyOf`` ...
        due: what stands under that keyword.
        schema: the (sub)schema that has the keyword.
        value: the plain value that is wrong.
        path: keys and list positions from the root to the value.
        itself: within a branch, whether it is about the branch's value itself and not something inside it.
        of_name: whether the value is a key's name (``propertyNames``).
        branches: for ``anyOf``, the findings of each alternative.

    """

    rule: str
    due: Any
    schema: Mapping[str, Any]
    value: Any
    path: tuple[str | int, ...]
    itself: bool
    of_name: bool
    branches: tuple[tuple[Finding, ...], ...] = ()

    @property
    def title(self) -> str:
        """What is due, in words that complete "must be ..."; empty where only the alternatives together have them."""
        return str(self.schema.get("title", ""))


def findings(name: str, value: Any) -> list[Finding]:
    """Everything in a plain value that the schema ``name`` does not allow."""
    return [_finding(error) for error in _validator(name).iter_errors(value)]


def _finding(error: ValidationError) -> Finding:
    branches: dict[str | int, list[Finding]] = {}
    if error.validator == "anyOf":
        for child in error.context or ():
            branches.setdefault(child.relative_schema_path[0], []).append(_finding(child))
    return Finding(
        rule=str(error.validator),
        due=error.validator_value,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        value=error.instance,
        path=tuple(error.absolute_path),
        itself=not error.relative_path,
        of_name="propertyNames" in error.relative_schema_path,
        branches=tuple(tuple(children) for children in branches.values()),
    )


@cache
def _validator(name: str) -> Validator:
    """Built once, because reading and building take some milliseconds; all schemas refer to the playbook's."""
    schemas = {known: json.loads(schema_text(known)) for known in {name, "playbook"}}
    resources = [
        (f"{known}.schema.json", Resource.from_contents(schema, DRAFT202012))
        for known, schema in schemas.items()
    ]
    registry: Registry[Any] = Registry().with_resources(resources)
    validator: Validator = _AnyCase(schemas[name], registry=registry, format_checker=_formats())
    return validator


def is_template(value: object) -> bool:
    """Whether a value is a text with a Jinja expression or statement in it."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _enum_in_any_case(
    validator: Validator, words: Iterable[Any], instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """``enum``, but texts compare in lower case: "words of an enumeration are read in any case" (language.md)."""
    del validator, schema
    wanted = instance.lower() if isinstance(instance, str) else instance
    if not any(wanted == (word.lower() if isinstance(word, str) else word) for word in words):
        yield ValidationError(f"{instance!r} is not one of {words!r}")


_AnyCase = extend(Draft202012Validator, {"enum": _enum_in_any_case})  # type: ignore[no-untyped-call]


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=("regex",))
    checker.checks("runner-duration", raises=ValueError)(_is_duration)
    checker.checks("runner-size", raises=ValueError)(_is_size)
    return checker


def _is_duration(value: object) -> bool:
    """True for a duration or a template; what is neither text nor number is left to ``type``."""
    if isinstance(value, str | int | float) and not isinstance(value, bool) and not is_template(value):
        parse_duration(value)
    return True


def _is_size(value: object) -> bool:
    if isinstance(value, str | int) and not isinstance(value, bool) and not is_template(value):
        parse_size(value)
    return True


@cache
def keys_of(definition: str) -> frozenset[str]:
    """The keys of one of the playbook schema's definitions, e.g. ``step``; of the playbook itself for ``playbook``."""
    schema = json.loads(schema_text("playbook"))
    part = schema if definition == "playbook" else schema["$defs"][definition]
    return frozenset(part["properties"])


def keys_elsewhere(scope: str) -> dict[str, frozenset[str]]:
    """Keys that a person may have put into a mapping of this scope by mistake, by where they belong."""
    playbook, step, target = keys_of("playbook"), keys_of("step"), keys_of("target")
    connection = keys_of("connection")
    places: dict[str, dict[str, frozenset[str]]] = {
        "playbook": {"a step": step, "a target": target},
        "step": {
            "a target, or of `connection` in the step": connection,
            "the playbook, beside `steps`": playbook,
        },
        "target": {"a step": step, "the playbook": playbook},
        "session": {"the session's target": connection, "a step": step},
        "connection": {"a target": target, "a step": step},
        "defaults": {"`connection`, in `defaults`": connection, "a step, and has no default": step},
        "host": {"`connection`, in the host": connection},
        "group": {"`connection`, in the group": connection},
        "inventory": {"`connection`": connection, "a playbook": playbook},
    }
    return places.get(scope, {})
