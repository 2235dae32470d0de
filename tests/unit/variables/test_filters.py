"""Filters of the language: each does what its name says and refuses what it cannot do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from jinja2.exceptions import FilterArgumentError

from runner.variables import filters
from runner.variables.compile import Compiler
from runner.variables.environment import LanguageEnvironment


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'2026-11-21T01:50:00Z' | to_datetime", datetime(2026, 11, 21, 1, 50, tzinfo=UTC)),
        ("'21.11.2026' | to_datetime('%d.%m.%Y')", datetime(2026, 11, 21, tzinfo=UTC)),
        ("0 | to_datetime", datetime(1970, 1, 1, tzinfo=UTC)),
        ("'1h30m' | duration", timedelta(minutes=90)),
        ("'10MiB' | size", 10 * 1024 * 1024),
        ("'1kB' | size", 1000),
        ("{'a': [1, none]} | to_json", '{"a": [1, null]}'),
        ("'[1]' | from_json", [1]),
        ("'abc123' | regex_search('[0-9]+')", "123"),
        ("'abc' | regex_search('[0-9]+')", None),
        ("'k=v' | regex_search('(.)=(.)', 1, 2)", ["k", "v"]),
        (r"'a-b' | regex_replace('(a)-(b)', '\\2-\\1')", "b-a"),
        ("'ä' | b64encode", "w6Q="),
        ("'w6Q=' | b64decode", "ä"),
        ("'x' | hash('md5')", "9dd4e461268c8034f5c8564e155c67a6"),
        ("{'a': {'x': 1}} | combine({'a': {'y': 2}}, recursive=true)", {"a": {"x": 1, "y": 2}}),
        ("{'a': {'x': 1}} | combine({'a': {'y': 2}})", {"a": {"y": 2}}),
        ("[3, 1, 3, {'a': 1}, {'a': 1}] | unique", [3, 1, {"a": 1}]),
        ("{'status': 'timed_out'} is failed", True),
        ("{'status': 'changed', 'changed': true} is changed", True),
        ("{'status': 'skipped'} is skipped", True),
        ("{'status': 'ok'} is succeeded", True),
        ("{'status': 'unreachable'} is unreachable", True),
    ],
)
def test_filters_and_tests(expression: str, expected: object) -> None:
    """Each filter and test gives what its page says."""
    compiler = Compiler(LanguageEnvironment(datetime.now(UTC)))

    assert expected == compiler.expression(expression).evaluate({})


@pytest.mark.parametrize(
    "call",
    [
        lambda: filters.to_datetime("soon"),
        lambda: filters.duration("soon"),
        lambda: filters.size("big"),
        lambda: filters.from_json("{"),
        lambda: filters.regex_search("x", "("),
        lambda: filters.b64decode("?"),
        lambda: filters.hash_text("x", "rot13"),
        lambda: filters.combine({}, [1]),
        lambda: filters.TESTS["failed"]("x"),
    ],
)
def test_wrong_arguments_are_told(call: Any) -> None:
    """A filter that cannot do its work raises the one error that evaluation turns into a sentence."""
    with pytest.raises(FilterArgumentError):
        call()


def test_json_of_values_that_json_has_no_form_for() -> None:
    """Datetimes and durations are ISO 8601, decimals text, bytes base64."""
    value = [datetime(2026, 1, 2, tzinfo=UTC), timedelta(seconds=1.5), Decimal("1.10"), b"\x00", (1,)]

    assert '["2026-01-02T00:00:00+00:00", "PT1.5S", "1.10", {"$bytes": "AA=="}, [1]]' == filters.to_json(
        value
    )
