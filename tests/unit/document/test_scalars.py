"""Unquoted texts mean what YAML 1.2 core says, and in Ansible's files what PyYAML says."""

from __future__ import annotations

import datetime as dt
import math

import pytest
import yaml as pyyaml
from hypothesis import example, given
from hypothesis import strategies as st

from runner.document.nodes import ScalarValue
from runner.document.scalars import LONGEST_NUMBER, core, old

SHAPES = st.one_of(
    st.text(alphabet="0123456789+-._:abxoefnEyYsTruUlL~", min_size=1, max_size=9),
    st.sampled_from(
        ["yes", "No", "ON", "off", "y", "n", "True", "null", "~", "Null", ".inf", "-.INF", ".NaN", "0644"]
    ),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("yes", "no", "on", "off", "y", "n", "Yes", "NO", "tRue", "nULL")),
        *((word, word) for word in ("12:30:00", "2026-11-21", "1_000", "0b101", "0o8", "0xg", "-0x1", "1e")),
        *((word, word) for word in (".", "-", "+", "-.", "1.2.3", "n")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        ("true", True), ("False", False), ("TRUE", True),
        ("0644", 644), ("-12", -12), ("+3", 3), ("0o17", 15), ("0x1F", 31),
        ("1.10", 1.1), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-2.5E-1", -0.25),
        (".inf", math.inf), ("-.Inf", -math.inf),
    ],
)  # fmt: skip
def test_core(text: str, value: ScalarValue) -> None:
    """YAML 1.2 core: words and times are text, numbers are numbers."""
    assert core(text) == value
    assert type(core(text)) is type(value)


def test_not_a_number() -> None:
    """``.nan`` is the float that equals nothing."""
    assert math.isnan(core(".nan"))  # type: ignore[arg-type]
    assert math.isnan(old(".NaN"))  # type: ignore[arg-type]


def test_endless_digits_stay_text() -> None:
    """A number that Python refuses to convert is text and no crash."""
    digits = "9" * (LONGEST_NUMBER + 1)
    assert core(digits) == digits
    assert old(digits) == digits


@given(text=SHAPES)
@example("1:30")
@example("0b1_1")
@example("-0x_")
@example("1_0.5_0")
@example("60:30.5")
@example("0_")
def test_old_scalars_are_as_ansible_reads_them(text: str) -> None:
    """Ansible's files: the same value as PyYAML's safe loader gives, dates aside."""
    loader = pyyaml.SafeLoader("")
    try:
        tag = loader.resolve(pyyaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        expected = loader.construct_object(pyyaml.ScalarNode(tag, text))
    except (ValueError, pyyaml.YAMLError):
        expected = text
    if isinstance(expected, dt.date):
        expected = text
    value = old(text)
    assert type(value) is type(expected)
    assert value == expected or (value != value and expected != expected)  # NaN differs from itself
