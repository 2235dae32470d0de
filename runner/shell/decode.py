"""What a step's output is read as (language.md, ``output``): lines, text, or JSON, with errors that say where."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, NoReturn

from runner.errors import ExecutionFailed
from runner.playbook.model import OutputFormat
from runner.shell.output import Collected, shown

#: What is read as JSON at most, in bytes: a parsed document takes several times its size in memory.
JSON_LIMIT = 64 << 20
_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class Decoded:
    """A step's output as a value; ``truncated`` where it is only the beginning of what came (lines and text)."""

    value: Any
    truncated: bool = False


def decode(
    collected: Collected, output: OutputFormat, secret_in: Callable[[str], bool] = lambda _: False
) -> Decoded:
    """Read a complete stream as the step asks for.

    ``lines`` and ``text`` past the memory limit give the beginning; a line or text that is no UTF-8 is
    ``{"$bytes": base64}`` (cli.md). ``json`` is one document, ``jsonl`` and ``objects`` a value a line, blank lines
    skipped. Of a key that stands twice in a JSON object the last counts, as in every JSON reader on hosts; NaN and
    numbers beyond a double are refused, for no JSON we write could hold them. An error shows a few words of what it is
    about, but none of a line that ``secret_in`` says holds a secret: half of one could not be masked any more.

    Raises:
        ExecutionFailed: phase ``decode``: it is no JSON (``output-not-json``), more than :data:`JSON_LIMIT`
            (``output-too-large``), or could not be kept (``output-not-kept``).

    """
    if output in (OutputFormat.LINES, OutputFormat.TEXT):
        data = collected.head if collected.complete else _beginning(collected.head, output)
        value = lines(data) if output is OutputFormat.LINES else _text(data)
        return Decoded(value, truncated=not collected.complete)
    if collected.size > JSON_LIMIT:
        raise _failed(
            "output-too-large",
            f"the output has {collected.size} bytes, more than can be read as `{output}` ({JSON_LIMIT} bytes)",
            "print less, or use `output: lines`, which keeps all of it in a file",
        )
    try:
        data = collected.read()
    except OSError as error:
        raise _failed("output-not-kept", f"the output could not be kept on this machine: {error}") from error
    return Decoded(_document(data, secret_in) if output is OutputFormat.JSON else _documents(data, secret_in))


def lines(data: bytes) -> list[Any]:
    r"""Lines without their ends (a carriage return before the newline is one); the last needs none.

    >>> lines(b"a\r\n\nb")
    ['a', '', 'b']
    """
    parts = data.split(b"\n")
    if not parts[-1]:
        parts.pop()
    return [_text(part.removesuffix(b"\r")) for part in parts]


def stderr_lines(collected: Collected) -> list[str]:
    r"""Standard error's lines as text, ``\xNN`` for what is no UTF-8; only the beginning past the memory limit."""
    parts = collected.head.split(b"\n")
    if not parts[-1]:
        parts.pop()
    return [shown(part) for part in parts]


def _text(data: bytes) -> Any:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"$bytes": base64.b64encode(data).decode("ascii")}


def _beginning(head: bytes, output: OutputFormat) -> bytes:
    """The head up to its last whole line, or its last whole character."""
    if output is OutputFormat.LINES and b"\n" in head:
        return head[: head.rindex(b"\n") + 1]
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return head[: error.start]
    return head


def _document(data: bytes, secret_in: Callable[[str], bool]) -> Any:
    text = _unicode(data)
    if not text.strip():
        raise _failed(
            "output-not-json",
            "the script printed nothing where `output: json` expects one JSON document",
            "print `null` where there is nothing to say",
        )
    try:
        return _parsed(text)
    except JSONDecodeError as error:
        hints = ("`output: jsonl` reads a value a line",) if error.msg == "Extra data" else ()
        where = f"line {error.lineno}, column {error.colno}"
        raise _failed(
            "output-not-json",
            f"the output is not one JSON document: {_reason(error, where, secret_in)}",
            *hints,
        ) from None
    except (ValueError, RecursionError) as error:
        raise _failed("output-not-json", f"the output is not one JSON document: {_other(error)}") from None


def _documents(data: bytes, secret_in: Callable[[str], bool]) -> list[Any]:
    values = []
    for number, line in enumerate(_unicode(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            values.append(_parsed(line))
        except JSONDecodeError as error:
            reason = _reason(error, f"column {error.colno}", secret_in)
        except (ValueError, RecursionError) as error:
            reason = _other(error)
        else:
            continue
        raise _failed(
            "output-not-json",
            f"line {number} of the output is no JSON value: {reason}",
            "print what is no JSON to standard error, or use `output: lines`",
        )
    return values


def _parsed(text: str) -> Any:
    value = json.loads(text, parse_constant=_no_number, parse_float=_number)
    if "\\ud" in text or "\\uD" in text:
        _check_unicode(value)
    return value


def _check_unicode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair") from None


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        _no_number(text)
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"`{text[:_EXCERPT]}` is no number that JSON can hold")


def _unicode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _failed(
            "output-not-json",
            f"the output is no JSON: byte 0x{data[error.start]:02X} in line {line} is not UTF-8",
        ) from None


def _reason(error: JSONDecodeError, where: str, secret_in: Callable[[str], bool]) -> str:
    near = error.doc[error.pos :].split("\n", 1)[0][:_EXCERPT]
    if near.strip() and secret_in(error.doc.split("\n", error.lineno)[error.lineno - 1]):
        near = ""
    reason = error.msg[:1].lower() + error.msg[1:]
    return f"{reason} at {where}" + (f", near `{near}`" if near.strip() else "")


def _other(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _failed(code: str, message: str, *hints: str) -> ExecutionFailed:
    return ExecutionFailed(code, message, hints=hints, phase="decode", may_have_run=True)
