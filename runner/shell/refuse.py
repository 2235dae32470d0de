"""Values that an interpreter cannot hold, refused before anything is sent."""

from __future__ import annotations

from runner.errors import ExecutionFailed


def refusal(code: str, message: str, *hints: str) -> ExecutionFailed:
    """The error of a request that was not sent: phase ``send``, nothing ran."""
    return ExecutionFailed(code, message, hints=hints, phase="send", may_have_run=False)


def kind(value: object) -> str:
    """What a value is, in an author's words; never the value itself, which may be a secret.

    >>> kind([1]), kind("x"), kind(None)
    ('a list', 'a text', 'null')
    """
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a text", bytes: "bytes"}
    for python_type, name in names.items():
        if isinstance(value, python_type):
            return name
    if isinstance(value, list | tuple):
        return "a list"
    return "a mapping" if isinstance(value, dict) else f"a {type(value).__name__}"


def encoded(text: str, what: str) -> bytes:
    """``text`` as UTF-8; ``what`` names it in the error.

    Raises:
        ExecutionFailed: it holds half of a surrogate pair (``value-not-unicode``).

    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise refusal(
            "value-not-unicode",
            f"{what} holds half of a surrogate pair (U+{ord(text[error.start]):04X}) at character {error.start + 1}",
            "text must be valid Unicode; give bytes where the host is to get raw bytes",
        ) from None
