"""The Jinja environment of the language: an immutable, strict sandbox with our filters and tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.lexer import TokenStream
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.variables.filters import FILTERS, TESTS

# Bounds for what one expression may build: far above any honest use, far below what hurts the controller.
_LARGEST_REPEAT = 10_000_000
_LARGEST_POWER_BITS = 65_536
_WIDE_FORMAT = re.compile(r"%[-+ #0.]*\d{8}|\{[^{}]*:[^{}]*\d{8}")
_TAKE_WIDTHS = frozenset({"center", "expandtabs", "ljust", "rjust", "zfill"})


def _refuse_wide(text: str, arguments: tuple[Any, ...], *, widths: bool) -> None:
    """Refuse a width of ten million characters and more: in a format, or beside it where arguments are widths.

    Raises:
        SecurityError: there is one.

    """
    beside = widths and any(isinstance(each, int) and each > _LARGEST_REPEAT for each in arguments)
    if beside or _WIDE_FORMAT.search(text):
        raise SecurityError(f"a text would hold more than {_LARGEST_REPEAT} characters")


def _bounded(build: Callable[..., str]) -> Callable[..., str]:
    """A filter that takes a width, refusing an enormous one."""

    @wraps(build)
    def bounded(value: Any, *arguments: Any, **named: Any) -> str:
        text = str(value)
        widths = build.__name__ != "do_format" or "*" in text
        _refuse_wide(text, (*arguments, *named.values()), widths=widths)
        return build(value, *arguments, **named)

    return bounded


class LanguageEnvironment(ImmutableSandboxedEnvironment):
    """Jinja as the playbook language has it; ``now`` is the run's one instant.

    Besides rendering it remembers where the tokens of the last parsed text stand (:attr:`tokens`), because Jinja's
    own errors know lines only.
    """

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, now: datetime) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
        self.filters.update({name: _bounded(self.filters[name]) for name in ("center", "format", "indent")})
        self.filters.update(FILTERS)
        self.tests.update(TESTS)
        self.globals["now"] = lambda: now
        for name in ("lipsum", "cycler", "joiner", "namespace"):
            self.globals.pop(name, None)
        self.tokens: list[tuple[int, str, str]] = []

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute ``*``, ``**`` and ``%`` unless the result would be enormous.

        Raises:
            SecurityError: it would be.

        """
        if operator == "*":
            for sized, factor in ((left, right), (right, left)):
                if (
                    isinstance(sized, str | bytes | list | tuple)
                    and isinstance(factor, int)
                    and len(sized) * factor > _LARGEST_REPEAT
                ):
                    raise SecurityError(f"the result of `*` would hold more than {_LARGEST_REPEAT} items")
        elif operator == "%":
            if isinstance(left, str):
                arguments = right if isinstance(right, tuple) else (right,)
                _refuse_wide(left, arguments, widths="*" in left)
        elif (
            isinstance(left, int)
            and isinstance(right, int)
            and left.bit_length() * right > _LARGEST_POWER_BITS
        ):
            raise SecurityError("the result of `**` would be too large")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls; ``ljust`` and its kin are not told to make an enormous text.

        Raises:
            SecurityError: it is.

        """
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str):
            _refuse_wide(owner, (*args, *kwargs.values()), widths=called.__name__ in _TAKE_WIDTHS)
        return super().call(context, called, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """The sandbox's own ``format`` in the place of a text's.

        Raises:
            SecurityError: the text asks for an enormous width.

        """
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _refuse_wide(value.__self__, (), widths=False)
        return wrapped

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``data.key``: the key of a mapping wins over a method of the same name (``values``, ``items`` ...)."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        """Tokenize as Jinja does, noting ``(offset, kind, text)`` of each token as the parser takes it."""
        self.tokens = []

        def noting() -> Iterator[tuple[int, str, str]]:
            offset = 0
            for line, kind, text in self.lexer.tokeniter(source, name, filename, state):
                found = source.find(text, offset)
                offset = found if found >= 0 else offset
                self.tokens.append((offset, kind, text))
                offset += len(text)
                yield line, kind, text

        return TokenStream(self.lexer.wrap(noting(), name, filename), name, filename)
