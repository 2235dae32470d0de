"""Characters that YAML forbids or that a person cannot see, found before the parser trips over them."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import Final

from runner.document.nodes import Scalar, Source
from runner.document.positions import span_in_scalar, span_in_text
from runner.problems import Problem, Problems, Severity

# YAML 1.2.2, section 5.1 "Character Set", without what only YAML 1.1 takes for line breaks (U+0085, U+2028, U+2029:
# libyaml folds them, editors do not show them as lines) and without a byte order mark inside the text.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TOLD_AT_MOST: Final = 10

_SMART_QUOTES: Final = re.compile("[\u2018-\u201f]")
_UNSEEN: Final = re.compile("[\u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f-\u2064\u3000]")
_STRAIGHT: Final = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b", "'") | dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
)


def check_characters(source: Source, problems: Problems) -> bool:
    """Note the first characters of a text that no YAML file may hold; whether there are none."""
    found = list(islice(_FORBIDDEN.finditer(source.text), _TOLD_AT_MOST))
    for match in found:
        span = span_in_text(source.path, source.text, match.start(), match.end())
        character = match.group()
        if character == "\0":
            problems.error("nul-byte", "a NUL byte cannot stand in YAML", span, "take the byte out")
            continue
        problems.error(
            "control-character",
            f"{describe(character)} cannot stand in YAML",
            span,
            f"take it out, or write the escape `{escape(character)}` in double quotes",
        )
    return not found


def describe(character: str) -> str:
    """A character that cannot be shown, in words.

    >>> describe(chr(9))
    'the control character TAB (U+0009)'
    """
    name = _CONTROL_NAMES.get(character) or unicodedata.name(character, "")
    kind = "the control character" if unicodedata.category(character) == "Cc" else "the character"
    return f"{kind} {name} (U+{ord(character):04X})".replace("  ", " ")


def escape(character: str) -> str:
    """How a character is written in double quotes."""
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04X}"


_CONTROL_NAMES: Final = {
    "\a": "BELL", "\b": "BACKSPACE", "\t": "TAB", "\n": "LINE FEED", "\v": "VERTICAL TAB", "\f": "FORM FEED",
    "\r": "CARRIAGE RETURN", "\x1b": "ESCAPE", "\x7f": "DELETE", "\x85": "NEXT LINE", "\0": "NULL",
}  # fmt: skip


def check_key_characters(key: Scalar, problems: Problems, *, severity: Severity) -> None:
    """Tell of curly quotes and unseen characters in an unquoted key, as word processors and web pages make them."""
    if key.style != "plain" or key.text.isascii():
        return
    match = _SMART_QUOTES.search(key.text)
    if match is not None:
        quoted = key.text.translate(_STRAIGHT)
        bare = quoted.strip("'\"")
        problems.add(
            Problem(
                "smart-quotes",
                f"the key `{key.text}` holds the curly quote `{match.group()}`, which YAML takes for a letter",
                key.span,
                severity,
                (
                    f"write `{bare}:`"
                    if not set(bare) & set("'\"")
                    else "use the straight quotes `'` or `\"`",
                ),
            )
        )
    match = _UNSEEN.search(key.text)
    if match is not None:
        problems.add(
            Problem(
                "unseen-character",
                f"the key `{key.text}` holds {describe(match.group())}, which looks like a blank or like nothing",
                span_in_scalar(key, match.start(), match.end()),
                severity,
                (f"write `{_UNSEEN.sub('', key.text)}:`",),
            )
        )


def check_value_characters(value: Scalar, problems: Problems) -> None:
    """Warn where curly quotes stand around an unquoted text: YAML keeps them as part of it."""
    text = value.text
    if (
        value.style == "plain"
        and len(text) > 1
        and _SMART_QUOTES.match(text)
        and _SMART_QUOTES.match(text[-1])
    ):
        problems.warning(
            "smart-quotes",
            "the curly quotes are part of this text, YAML knows only straight ones",
            value.span,
            f'write `"{text[1:-1]}"`',
        )
