"""Values as Ansible reads them from INI: what Python takes as a literal is that value, everything else is text."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

_WORD = re.compile(r"[A-Za-z_/.][\w./:@%+-]*|\d+(?:\.\d+){2,}")
_NUMBER = re.compile(r"0|[1-9]\d{0,17}")
_NAMED = {"True": True, "False": False, "None": None}


def parse_literal(text: str) -> Any:
    """The value of ``text``: ``8080`` is a number, ``True`` a boolean, ``['a', 'b']`` a list, ``yes`` and ``010`` text.

    Tuples and sets become lists and bytes become text, as in Ansible.
    """
    if text in _NAMED:
        return _NAMED[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    if _WORD.fullmatch(text) and not text[-1].isdigit():
        return text  # quick way out for names, paths and addresses; `.5` and the like end in a digit
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a Windows path is no mistake of ours
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return _data(value)


def _data(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_data(item) for item in value]
    if isinstance(value, dict):
        return {_data(key): _data(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if value is ...:
        return "..."
    return str(value) if isinstance(value, complex) else value
