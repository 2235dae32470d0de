"""What an unquoted text means: YAML 1.2 core for our own files, YAML 1.1 for Ansible's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from runner.document.nodes import ScalarValue

Resolve: TypeAlias = Callable[[str], ScalarValue]

LONGEST_NUMBER: Final = 1000
"""Digits beyond which a number stays text; Python itself refuses to convert more than 4,300 digits."""

# YAML 1.2.2, section 10.3.2 "Tag Resolution" of the core schema.
_CORE_WORDS: Final[dict[str, ScalarValue]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"),
    "+.inf": float("inf"), "+.Inf": float("inf"), "+.INF": float("inf"),
    "-.inf": float("-inf"), "-.Inf": float("-inf"), "-.INF": float("-inf"),
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip
_CORE_NUMBER: Final = re.compile(
    r"(?P<int>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)",
)
_CORE_FIRST: Final = frozenset("~nNtTfF0123456789+-.")


def core(text: str) -> ScalarValue:
    """The value of an unquoted text by YAML 1.2 core: ``no``, ``12:30:00`` and ``2026-01-01`` are text.

    >>> core("0o17"), core("no"), core("1.10"), core("~")
    (15, 'no', 1.1, None)
    """
    if text and text[0] not in _CORE_FIRST:
        return text
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    match = _CORE_NUMBER.fullmatch(text)
    if match is None:
        return text
    if match["int"]:
        return int(text)
    if match["octal"]:
        return int(match["octal"], 8)
    if match["hex"]:
        return int(match["hex"], 16)
    return float(text)


# The patterns of PyYAML's resolver, which is what Ansible reads with (yaml/resolver.py, YAML 1.1's type repository).
_OLD_BOOLEANS: Final[dict[str, bool]] = {
    form: value
    for word, value in {
        "yes": True,
        "no": False,
        "true": True,
        "false": False,
        "on": True,
        "off": False,
    }.items()
    for form in (word, word.capitalize(), word.upper())
}
_OLD_INTEGER: Final = re.compile(
    r"[-+]?(?:0b[0-1_]+|0[0-7_]+|(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)"
)
_OLD_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_OLD_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_OLD_FIRST: Final = frozenset("~nNyYtTfFoO0123456789+-.")


def old(text: str) -> ScalarValue:
    """The value of an unquoted text by YAML 1.1, as Ansible sees it; dates stay text.

    >>> old("no"), old("0644"), old("1:30"), old("1_000")
    (False, 420, 90, 1000)
    """
    if text and text[0] not in _OLD_FIRST:
        return text
    if text in _OLD_NULLS:
        return None
    if text in _OLD_BOOLEANS:
        return _OLD_BOOLEANS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    try:
        if _OLD_INTEGER.fullmatch(text):
            return _old_integer(text.replace("_", ""))
        if _OLD_FLOAT.fullmatch(text):
            return _old_float(text.replace("_", "").lower())
    except (ValueError, OverflowError):  # `0x_` and the like look like numbers and are none
        return text
    return text


def _old_integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if digits.startswith(("0b", "0x")):
        return sign * int(digits, 0)
    if digits.startswith("0") and len(digits) > 1:
        return sign * int(digits, 8)
    value = 0
    for part in digits.split(":"):
        value = value * 60 + int(part)
    return sign * value


def _old_float(text: str) -> float:
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-")
    if digits in {".inf", ".nan"}:
        return sign * float(digits[1:])
    value = 0.0
    for part in digits.split(":"):
        value = value * 60 + float(part)
    return sign * value
