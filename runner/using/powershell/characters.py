"""What PowerShell takes for blanks, quotes, dashes, letters and ends of words.

The sets are those of the language's tokenizer: typographic quotes and dashes count as the plain ones, and a character
outside the Basic Multilingual Plane is two surrogates to .NET and therefore never a letter.
"""

from __future__ import annotations

from unicodedata import category

NUL = "\0"
"""What stands after the last character; in the language too."""

SINGLE_QUOTES = frozenset("'\u2018\u2019\u201a\u201b")
DOUBLE_QUOTES = frozenset('"\u201c\u201d\u201e')
DASHES = frozenset("-\u2013\u2014\u2015")
NEWLINES = frozenset("\r\n")
_LETTERS = frozenset(["Lu", "Ll", "Lt", "Lm", "Lo"])
_NEW_TOKEN = frozenset("\0\r\n&(),;{}|")
_AFTER_NUMBER = frozenset("!#%*+-./<=>]") | DASHES


def is_blank(character: str) -> bool:
    """Whether it separates words within a line."""
    if character < "\x80":
        return character in " \t\v\f"
    return character in "\x85\xa0" or (character > "\u0100" and category(character)[0] == "Z")


def is_letter(character: str) -> bool:
    """Whether .NET calls it a letter."""
    if character < "\x80":
        return character.isalpha()
    return character <= "\uffff" and category(character) in _LETTERS


def is_letter_or_digit(character: str) -> bool:
    """Whether .NET calls it a letter or a decimal digit."""
    if character < "\x80":
        return character.isalnum()
    return is_letter(character) or (character <= "\uffff" and category(character) == "Nd")


def begins_variable(character: str) -> bool:
    """Whether it may follow ``$`` or ``@`` as the first character of a name."""
    return character in "_:?$^" or is_letter_or_digit(character)


def begins_identifier(character: str) -> bool:
    """Whether a keyword or a member's name may begin with it."""
    return character == "_" or is_letter(character)


def continues_identifier(character: str) -> bool:
    """Whether a keyword or a member's name may go on with it."""
    return character == "_" or is_letter_or_digit(character)


def begins_token(character: str) -> bool:
    """Whether it ends a word of a command wherever it stands."""
    return character in _NEW_TOKEN or is_blank(character)


def ends_number(character: str, *, ternary: bool) -> bool:
    """Whether a number in an expression may end before it without a blank."""
    return character in _AFTER_NUMBER or (ternary and character in "?:")
