"""Inputs: typed, checked, and told by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runner.document.nodes import Source
from runner.document.yaml import load
from runner.playbook.parse import parse_inputs
from runner.problems import Problems
from runner.values import Secret
from runner.variables.inputs import Extra, resolve_inputs


def resolve(declared: str, **given: object) -> tuple[dict[str, object], list[tuple[str, str]]]:
    problems = Problems()
    inputs = parse_inputs(load(Source("p.yml", declared), problems).root)
    extras = {name: Extra(value, "-e") for name, value in given.items()}
    values, _ = resolve_inputs(inputs, extras, problems)
    return {name: v.value for name, v in values.items()}, [(p.code, p.message) for p in problems.sorted()]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("string", "007", "007"),
        ("integer", "10", 10),
        ("number", "1.5", 1.5),
        ("number", "3", 3),
        ("boolean", "true", True),
        ("boolean", "no", False),
        ("duration", "2h", timedelta(hours=2)),
        ("size", "1KiB", 1024),
        ("list", "a, b", ["a", "b"]),
        ("list", "[1, x]", [1, "x"]),
        ("mapping", "{a: 1}", {"a": 1}),
        ("datetime", "2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("secure_string", "hunter2", Secret("hunter2")),
    ],
)
def test_text_of_the_command_line_takes_the_declared_type(kind: str, text: str, expected: object) -> None:
    """``-e`` gives text; the declaration says what it is."""
    assert ({"x": expected}, []) == resolve(f"x: {{type: {kind}}}", x=text)


@pytest.mark.parametrize(
    ("rules", "given", "words"),
    [
        ("type: integer", "many", "a whole number"),
        ("type: integer", True, "a whole number"),
        ("type: integer, minimum: 1", "0", "at least 1"),
        ("type: duration, maximum: 1h", "2h", "at most 1h"),
        ("type: string, enum: [a, b]", "c", "one of `a`, `b`"),
        ("type: string, pattern: '^v'", "1", "text that matches `^v`"),
        ("type: list, items: {type: integer}", "1,x", "a whole number"),
        ("type: mapping", "[1]", "a mapping"),
        ("type: boolean", "maybe", "`true` or `false`"),
    ],
)
def test_a_value_that_does_not_fit_is_told(rules: str, given: object, words: str) -> None:
    """The message says what was expected and what was given."""
    values, problems = resolve(f"x: {{{rules}}}", x=given)

    assert {} == values
    ((code, message),) = problems
    assert "input-value" == code
    assert words in message
    assert message.endswith(f"(given with -e): `{given}`")


def test_a_secret_is_never_repeated_in_a_message() -> None:
    """A wrong secret value is told without the value."""
    _, ((_, message),) = resolve("x: {type: string, secret: true, pattern: '^v'}", x="hunter2")

    assert "hunter2" not in message


def test_defaults_are_checked_and_missing_ones_told() -> None:
    """Defaults are held against their own declaration, and an input without a value is told."""
    values, problems = resolve("a: {type: integer, default: x}\nb: {type: string}\nc: {default: ok}")

    assert {"c": "ok"} == values
    assert ["input-value", "input-missing"] == [code for code, _ in problems]
