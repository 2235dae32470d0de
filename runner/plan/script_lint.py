"""What copying does to scripts, and names that mean nothing on the other side: warnings at their place.

coverage.md A5.10 (dashes and quotes of word processors, and the same read in a wrong encoding) and P14 (a script that
is sent has no file, so it has no folder either).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.using.model import ScriptProblem, Shell
from runner.using.powershell.characters import DASHES, DOUBLE_QUOTES, SINGLE_QUOTES
from runner.using.powershell.tokenizer import Tokenizer
from runner.using.powershell.tokens import Kind, Subexpression, Token, Variable
from runner.using.source import Source

_WRONG_ENCODING = re.compile("\u00e2\u20ac[\u201c\u201d\u0153\u2122\u02dc\u00a6]")
"""UTF-8 of a dash, a quote or an ellipsis, read as Windows-1252: ``â€“``."""
_DASH_OF_OPTION = re.compile(r"(?<=\s)[\u2013\u2014\u2015][-\u2013\u2014\u2015]?[A-Za-z]")
_SMART = (DASHES | DOUBLE_QUOTES | SINGLE_QUOTES) - set("-'\"")
_FILE_NAMES = frozenset({"psscriptroot", "pscommandpath"})
_DEEPEST = 20
"""How many strings with `$(...)` one inside the other are looked into."""
_STRAIGHT = {
    **dict.fromkeys(DASHES, "-"),
    **dict.fromkeys(SINGLE_QUOTES, "'"),
    **dict.fromkeys(DOUBLE_QUOTES, '"'),
}


def lint(text: str, shell: Shell) -> Iterator[ScriptProblem]:
    """The warnings for a script, each character and name once, at its first place."""
    yield from _wrong_encoding(text)
    if shell is Shell.POWERSHELL:
        yield from _powershell(text)
    elif shell in {Shell.SH, Shell.BASH} and not text.isascii():
        match = _DASH_OF_OPTION.search(text)
        if match is not None:
            words = f"`{match[0][0]}` is a dash of word processors, which {shell} takes for a letter"
            yield _warning("script-typography", words, match.start(), match.start() + 1, "write `-`")


def _wrong_encoding(text: str) -> Iterator[ScriptProblem]:
    match = None if text.isascii() else _WRONG_ENCODING.search(text)
    if match is not None:
        words = f"`{match[0]}` is a dash or quote that was read in a wrong encoding"
        yield _warning("script-typography", words, *match.span(), "write `-`, `'` or `\"`")


def _powershell(text: str) -> Iterator[ScriptProblem]:
    smart = not text.isascii() and any(character in _SMART for character in text)
    names = any(name in text.lower() for name in _FILE_NAMES)
    told: set[str] = set()
    for source, token in _tokens(Source.script(text)) if smart or names else ():
        for at in _marks(source, token):
            if source.text[at] not in told:
                told.add(source.text[at])
                yield _typography(source, at, ends_text=at > token.start)
        for variable in _variables(token):
            name = variable.name.lower()
            if name in _FILE_NAMES and name not in told:
                told.add(name)
                start, end = source.place(variable.start), source.end_place(variable.end)
                words = f"`${variable.name}` is empty where this script runs: it is sent as text and has no file there"
                hint = "copy the files that it needs with a `copy` step, and send their folder by `$Using:`"
                yield _warning("script-without-file", words, start, end, hint)


def _typography(source: Source, at: int, *, ends_text: bool) -> ScriptProblem:
    mark, start = source.text[at], source.place(at)
    plain = _STRAIGHT[mark]
    if ends_text:
        words = f"`{mark}` ends this text: PowerShell reads it as `{plain}`"
        return _warning(
            "script-typography", words, start, start + 1, f"write it twice (`{mark}{mark}`) to keep it"
        )
    words = f"`{mark}` is a mark of word processors: PowerShell reads it as `{plain}`, other programs do not"
    return _warning("script-typography", words, start, start + 1, f"write `{plain}`")


def _tokens(source: Source, depth: int = 0) -> Iterator[tuple[Source, Token]]:
    """The tokens as words of commands, those of `$(...)` in strings too; comments and texts are passed over."""
    tokenizer = Tokenizer(source)
    while True:
        token = tokenizer.next()
        if token.kind is Kind.END or token.end <= token.start:
            return
        yield source, token
        for nested in token.nested:
            if isinstance(nested, Subexpression) and depth < _DEEPEST:
                yield from _tokens(nested.source, depth + 1)


def _marks(source: Source, token: Token) -> Iterator[int]:
    """Where a token begins with a typographic mark, or a text ends with one: PowerShell ends texts at any quote."""
    if token.kind is not Kind.VARIABLE and source.text[token.start] in _SMART:
        yield token.start
    elif token.kind is Kind.STRING and source.text[token.end - 1] in _SMART:
        yield token.end - 1


def _variables(token: Token) -> Iterator[Variable]:
    if token.variable is not None:
        yield token.variable
    for nested in token.nested:
        if isinstance(nested, Variable):
            yield nested


def _warning(code: str, message: str, start: int, end: int, hint: str) -> ScriptProblem:
    return ScriptProblem(code, message, start, end, error=False, hints=(hint,))
