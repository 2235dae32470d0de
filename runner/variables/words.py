"""What Jinja and Python say of an expression, in the words of the language."""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match
from typing import Final

_KINDS: Final = {
    "str": "text", "int": "a number", "float": "a number", "Decimal": "a number", "bool": "a boolean",
    "list": "a list", "tuple": "a list", "dict": "a mapping", "NoneType": "null", "datetime": "a datetime",
    "timedelta": "a duration", "bytes": "bytes", "builtin_function_or_method": "a function",
}  # fmt: skip
_TOKENS: Final = {
    "end of print statement": "`}}`",
    "end of statement block": "`%}`",
    "begin of print statement": "`{{`",
    "begin of statement block": "`{%`",
    "end of template": "the end",
    "name": "a name",
}


def _kind(name: str) -> str:
    return _KINDS.get(name.rpartition(".")[2], f"a value of the type `{name}`")


def _token(name: str) -> str:
    return _TOKENS.get(name, f"`{name}`")


_READINGS: Final[tuple[tuple[re.Pattern[str], Callable[[Match[str]], str]], ...]] = (
    (
        re.compile(r"unsupported operand type\(s\) for ([^:]+): '([\w.]+)' and '([\w.]+)'"),
        lambda m: f"`{m[1].split()[0]}` does not go between {_kind(m[2])} and {_kind(m[3])}",
    ),
    (
        re.compile(r"'(\S+)' not supported between instances of '([\w.]+)' and '([\w.]+)'"),
        lambda m: f"`{m[1]}` does not go between {_kind(m[2])} and {_kind(m[3])}",
    ),
    (
        re.compile(r"can only concatenate (\w+) \(not \"([\w.]+)\"\) to \w+"),
        lambda m: f"`+` does not go between {_kind(m[1])} and {_kind(m[2])}; `~` joins anything as text",
    ),
    (
        re.compile(r"[uU]nexpected end of template, expected '([^']+)'"),
        lambda m: f"it ends before its {_token(m[1])}",
    ),
    (
        re.compile(
            r"[uU]nexpected end of template\. .*The innermost block that needs to be closed is '(\w+)'"
        ),
        lambda m: f"`{{% {m[1]} %}}` has no `{{% end{m[1]} %}}`",
    ),
    (re.compile(r"[uU]nexpected end of template.*"), lambda _: "it ends too early"),
    (re.compile(r"Encountered unknown tag '(\w+)'.*"), lambda m: f"there is no statement `{{% {m[1]} %}}`"),
    (
        re.compile(r"expected token '([^']+)', got '([^']+)'"),
        lambda m: f"{_token(m[1])} is due where {_token(m[2])} stands",
    ),
    (re.compile(r"unexpected char '(.)'"), lambda m: f"the character `{m[1]}` has no meaning here"),
    (re.compile(r"unexpected '([^']+)'"), lambda m: f"{_token(m[1])} has no meaning here"),
    (re.compile(r"'(\w+)' is undefined"), lambda m: f"`{m[1]}` is not defined"),
    (
        re.compile(r"'([\w.]+?)(?: object)?' has no attribute '([^']+)'"),
        lambda m: f"{_kind(m[1])} has no member `{m[2]}`",
    ),
)


def in_our_words(message: str) -> str:
    """A message of Jinja or Python as part of a sentence: no full stop, no names of Python's types.

    >>> in_our_words("unsupported operand type(s) for +: 'int' and 'str'")
    '`+` does not go between a number and text'
    """
    text = message.strip()
    for pattern, words in _READINGS:
        match = pattern.fullmatch(text.rstrip("."))
        if match is not None:
            return words(match)
    return f"{text[:1].lower()}{text[1:]}".rstrip(".")


def hint_of(message: str, token: str = "") -> tuple[str, ...]:
    """What to type instead, where a message or the token it is about shows a habit from another language."""
    for sign, right in (("&", "`and`"), ("|", "`or`"), ("!", "`not`"), ("=", "`==` to compare")):
        if token == sign or f"'{sign}'" in message:
            return (f"write {right}",)
    return ()
