"""The tokens of PowerShell, as far as finding using expressions needs to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from runner.using.source import Source


class Mode(Enum):
    """How the next token is read: words of a command, an expression, or the members of a class."""

    COMMAND = auto()
    EXPRESSION = auto()
    SIGNATURE = auto()


class Kind(Enum):
    """Kinds of tokens; operators and brackets are told apart by their text."""

    END = auto()
    NEWLINE = auto()
    VARIABLE = auto()
    NUMBER = auto()
    STRING = auto()
    WORD = auto()
    PARAMETER = auto()
    LABEL = auto()
    IDENTIFIER = auto()
    KEYWORD = auto()
    REDIRECTION = auto()
    MERGING = auto()
    OPERATOR = auto()
    PUNCTUATION = auto()


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``, ``${name}`` or ``@name``, from its dollar sign to after its name."""

    name: str
    start: int
    end: int
    splat: bool = False


@dataclass(frozen=True, slots=True)
class Subexpression:
    """``$(...)`` in a string: its text is read once the string is."""

    source: Source


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    ``text`` is the normal form: operators in lower case with plain dashes, a string or word without its quotes and
    escapes. ``nested`` is what a string or word expands. ``colon`` says that a parameter ended in one.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    value: int | float | None = None
    variable: Variable | None = None
    nested: tuple[Variable | Subexpression, ...] = ()
    colon: bool = False

    def is_mark(self, *texts: str) -> bool:
        """Whether it is one of these brackets, separators or operators of signs."""
        return self.kind is Kind.PUNCTUATION and self.text in texts

    def is_keyword(self, *words: str) -> bool:
        """Whether it is one of these keywords."""
        return self.kind is Kind.KEYWORD and self.text in words


def words(text: str) -> frozenset[str]:
    """A set of words written with blanks between them."""
    return frozenset(text.split())


KEYWORDS = words(
    """elseif if else switch foreach from in for while until do try catch finally trap data return continue break exit
    throw begin process end dynamicparam function filter param class define var using workflow parallel sequence
    configuration public private static interface enum namespace module type assembly command hidden base default
    clean"""
)
_COMPARISONS = words(
    "eq ne ge gt lt le like notlike match notmatch replace contains notcontains in notin split"
)
BINARY_WORDS = words("and or xor band bor bxor f is isnot as join shl shr") | {
    prefix + word for word in _COMPARISONS for prefix in ("", "i", "c")
}
UNARY_WORDS = words("not bnot join split isplit csplit")
OPERATOR_WORDS = BINARY_WORDS | UNARY_WORDS
BINARY_MARKS = frozenset(["*", "/", "%", "+", "-", "..", "??"])
UNARY_MARKS = frozenset([",", "!", "+", "-", "++", "--"])
ASSIGNMENTS = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "??="])
