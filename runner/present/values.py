"""A result's output as a person reads it: a table for objects, lines for text, indented JSON for the rest. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeGuard

from runner.engine.result import Result
from runner.present.encode import encode_value
from runner.present.harmless import harmless, harmless_lines
from runner.present.port import Mask

MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """An output ready to be laid out, cut at :data:`MOST_LINES` rows or lines.

    Attributes:
        columns: names of a table's columns; empty where the output is lines.
        rows: the table's cells, or one cell a line.
        numeric: columns that hold numbers only.
        stderr: lines of standard error and of PowerShell's warnings, which stand after the output.
        more: rows or lines that were cut away.
        digest: of the whole, uncut: equal outputs have equal digests.

    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str]
    stderr: tuple[str, ...]
    more: int
    digest: bytes

    @property
    def height(self) -> int:
        """Lines it takes, without heads."""
        return len(self.rows) + len(self.stderr)


def show_result(result: Result, mask: Mask) -> Shown | None:
    """The output of a result, of its items one after another where it has some; None where nothing came."""
    columns, rows, numeric = _table(result.output, mask) if not result.items else ((), [], frozenset())
    if not columns:
        rows = [(text,) for text in _result_lines(result, mask)]
    stderr = list(_side_lines(result, mask))
    if not rows and not stderr:
        return None
    digest = blake2b(repr((columns, rows, stderr)).encode("utf-8", "backslashreplace"), digest_size=16)
    kept_stderr = stderr[:MOST_LINES]
    more = max(len(rows) - MOST_LINES, 0) + len(stderr) - len(kept_stderr)
    return Shown(columns, tuple(rows[:MOST_LINES]), numeric, tuple(kept_stderr), more, digest.digest())


def value_lines(value: object, mask: Mask) -> list[str]:
    """A value as lines: text as it is, a scalar on one line, anything else as indented JSON."""
    if isinstance(value, str):
        return harmless_lines(mask(value)) if value else []
    if _is_scalar(value):
        return [cell_text(value, mask)]
    return [
        harmless(text)
        for text in json.dumps(encode_value(value, mask), indent=2, ensure_ascii=False).split("\n")
    ]


def cell_text(value: object, mask: Mask) -> str:
    """A value on one line: scalars as text, lists of scalars joined by commas, the rest as compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(mask(value)).replace("\n", "⏎")
    if isinstance(value, list | tuple) and all(map(_is_scalar, value)):
        return ", ".join(cell_text(item, mask) for item in value)
    plain = encode_value(value, mask)
    return harmless(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))


def _result_lines(result: Result, mask: Mask) -> Iterator[str]:
    if not result.items:
        yield from _output_lines(result.output, mask)
    for item in result.items:
        yield f"[{cell_text(item.item, mask)}]"
        yield from _output_lines(item.output, mask)


def _output_lines(output: object, mask: Mask) -> Iterator[str]:
    if isinstance(output, list | tuple):
        for item in output:
            # A text item is one line of output even where it is empty.
            yield from [""] if item == "" else value_lines(item, mask)
    elif output is not None:
        yield from value_lines(output, mask)


def _side_lines(result: Result, mask: Mask) -> Iterator[str]:
    for text in result.stderr:
        yield from harmless_lines(mask(text))
    for warning in result.streams.warnings:
        yield f"warning: {cell_text(warning, mask)}"
    for item in result.items:
        yield from _side_lines(item, mask)


def _table(output: object, mask: Mask) -> tuple[tuple[str, ...], list[tuple[str, ...]], frozenset[str]]:
    """Columns in the order in which they are first met, rows, and the columns of numbers; empty if it is no table."""
    records: Sequence[Any] = (
        [output] if isinstance(output, Mapping) else output if isinstance(output, list) else []
    )
    if not records or not all(map(_is_flat, records)):
        return (), [], frozenset()
    columns = list(dict.fromkeys(key for record in records for key in record))
    rows = [tuple(cell_text(record.get(key), mask) for key in columns) for record in records]
    numeric = {key for key in columns if all(_is_number(record.get(key)) for record in records)}
    names = {key: cell_text(str(key), mask) for key in columns}
    return tuple(names.values()), rows, frozenset(names[key] for key in numeric)


def _is_flat(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping) and bool(value) and all(map(_fits_a_cell, value.values()))


def _fits_a_cell(value: object) -> bool:
    return _is_scalar(value) or (isinstance(value, list | tuple) and all(map(_is_scalar, value)))


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(
        value, str | int | float | Decimal | date | datetime | time | timedelta
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
