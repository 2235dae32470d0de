"""Templates that would hurt the controller."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from jinja2.exceptions import SecurityError

from runner.variables.environment import LanguageEnvironment

ENVIRONMENT = LanguageEnvironment(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "'%1000000000d' % 3",
        "'%-1000000000s' % 'a'",
        "'%.1000000000f' % 1.5",
        "'%*d' % (1000000000, 3)",
        "'{:>1000000000}'.format('a')",
        "'a'.ljust(1000000000)",
        "'a'.rjust(1000000000)",
        "'a'.center(1000000000)",
        "'1'.zfill(1000000000)",
        "'a' | center(1000000000)",
        "'a' | center(width=1000000000)",
        "'a' | indent(1000000000)",
        "'%1000000000d' | format(3)",
        "'%*d' | format(1000000000, 3)",
        "'a' * 1000000000",
        "10 ** 1000000",
    ],
)
def test_enormous_texts(text: str) -> None:
    """An expression that would build an enormous value is refused at once, however it is said."""
    with pytest.raises(SecurityError):
        ENVIRONMENT.compile_expression(text, undefined_to_none=False)()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'%d' % 123456789012", "123456789012"),
        ("'id 1234567890: %s' % 'x'", "id 1234567890: x"),
        ("'{}'.format(123456789012)", "123456789012"),
        ("'{:>5}'.format('a')", "    a"),
        ("'a'.ljust(3)", "a  "),
        ("7 % 4", 3),
        ("'a' | center(3)", " a "),
        ("'%s-%d' | format('a', 123456789012)", "a-123456789012"),
        ("'%5.2f' % 3.14159", " 3.14"),
    ],
)
def test_honest_texts(text: str, value: object) -> None:
    """Large numbers are no widths."""
    assert ENVIRONMENT.compile_expression(text)() == value
