"""The value of an input that nobody has given yet: what is made of it is not known either, and no mistake."""

from __future__ import annotations

from typing import Final

from jinja2 import StrictUndefined, UndefinedError


class NotKnownError(UndefinedError):
    """An expression asked for a value that is not known before the run."""


NOT_KNOWN: Final = StrictUndefined(hint="it is not known before the run", exc=NotKnownError)
"""Stands for the value; any use of it in an expression raises :class:`NotKnownError`."""
