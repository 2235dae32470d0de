"""A result's output as a person reads it: a table for objects, lines for text, indented JSON for the rest. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeAlias, TypeGuard
from uuid import UUID

from runner.engine.result import ErrorRecord, Result
from runner.objects import PSObject
from runner.present.cells import cell_width, pad
from runner.present.columns import columns_of, is_spoken
from runner.present.difference import difference_lines
from runner.present.encode import encode_value
from runner.present.harmless import harmless, harmless_lines
from runner.present.paint import Line, Piece, Role, line
from runner.present.port import Mask
from runner.present.streams import StreamLine

MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """An output ready to be laid out, cut at :data:`MOST_LINES` rows or lines.

    Attributes:
        columns: names of a table's columns; empty where the output is lines.
        rows: the table's cells, or one cell a line.
        numeric: columns that hold numbers only.
        side: lines of the other streams, which stand after the output.
        difference: what changed or would change, as ``diff -u`` shows it, after those.
        more: rows or lines that were cut away.
        left_out: properties of objects that have no column.
        digest: of the whole, uncut: equal outputs have equal digests.

    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str]
    side: tuple[StreamLine, ...]
    more: int
    left_out: int
    digest: bytes
    difference: tuple[Line, ...] = ()

    @property
    def height(self) -> int:
        """Lines it takes, without heads."""
        return len(self.rows) + len(self.side) + len(self.difference)


def show_result(result: Result, mask: Mask, *, information: bool = False) -> Shown | None:
    """The output of a result, of its items one after another where it has some; None where nothing came.

    ``information``: records that are not from Write-Host are shown too.
    """
    table = _table(result.output, mask) if not result.items else None
    columns, rows, numeric, left_out = table or ((), [], frozenset(), 0)
    if not columns:
        rows = [(text,) for text in _result_lines(result, mask)]
    side = list(side_lines(result, mask, information=information))
    difference = tuple(changed_lines(result, mask))
    if not rows and not side and not difference:
        return None
    digest = blake2b(
        repr((columns, rows, side, difference)).encode("utf-8", "backslashreplace"), digest_size=16
    )
    kept = tuple(side[:MOST_LINES])
    more = max(len(rows) - MOST_LINES, 0) + len(side) - len(kept)
    return Shown(
        columns, tuple(rows[:MOST_LINES]), numeric, kept, more, left_out, digest.digest(), difference
    )


def changed_lines(result: Result, mask: Mask) -> Iterator[Line]:
    """What a result, or each item of its loop, changed or would change; nothing where it does not say."""
    for item in result.items:
        if lines := list(changed_lines(item, mask)):
            yield line(Piece(f"[{cell_text(item.item, mask)}]", Role.FAINT))
            yield from lines
    if result.difference is not None and not result.items:
        yield from difference_lines(result.difference, mask)


def value_lines(value: object, mask: Mask) -> list[str]:
    """A value as lines: text as it is, a scalar on one line, anything else as indented JSON.

    An object of PowerShell is a line a property, or its text where it has none.
    """
    if isinstance(value, PSObject):
        if not value or is_spoken(value):
            return value_lines(value.text or "", mask)
        names = {key: cell_text(key, mask) for key in value}
        widest = max(map(cell_width, names.values()))
        return [f"{pad(names[key], widest)}  {cell_text(item, mask)}".rstrip() for key, item in value.items()]
    if isinstance(value, str):
        return harmless_lines(mask(value)) if value else []
    if _is_scalar(value):
        return [cell_text(value, mask)]
    return [
        harmless(text)
        for text in json.dumps(encode_value(value, mask), indent=2, ensure_ascii=False).split("\n")
    ]


def cell_text(value: object, mask: Mask) -> str:
    """A value on one line: scalars as text, lists of scalars joined by commas, the rest as compact JSON.

    An object of PowerShell is its text, where it has one.
    """
    if value is None:
        return ""
    if isinstance(value, PSObject) and (value.text is not None or not value):
        return cell_text(value.text or "", mask)
    if isinstance(value, str):
        return harmless(mask(value)).replace("\n", "⏎")
    if isinstance(value, list | tuple) and all(map(_is_short, value)):
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


def one_line(value: object, mask: Mask) -> str:
    """A part of an output on one line; an object of PowerShell with the properties that a table would show."""
    if isinstance(value, PSObject) and value and not is_spoken(value):
        return cell_text({key: value[key] for key in columns_of([value])}, mask)
    return cell_text(value, mask)


def side_lines(result: Result, mask: Mask, *, information: bool = False) -> Iterator[StreamLine]:
    """What came beside the output: for the screen (Write-Host), standard error, and PowerShell's other streams.

    The errors of a bad result are told in the report of failures; here are those of a good one. ``information``: of
    the information records not only those of Write-Host.
    """
    for entry in result.streams.information:
        if information or "PSHOST" in entry.get("tags", ()):
            for text in harmless_lines(mask(entry["message"])):
                yield StreamLine("information", text, entry.get("color"))
    for text in result.stderr:
        yield from (StreamLine("stderr", shown) for shown in harmless_lines(mask(text)))
    for error in () if result.status.bad and not result.ignored else result.errors:
        place = f" ({error_place(error)})" if error_place(error) else ""
        yield StreamLine("error", cell_text(error.message, mask) + harmless(mask(place)))
    streams = result.streams
    for stream, texts in (
        ("warning", streams.warnings),
        ("verbose", streams.verbose),
        ("debug", streams.debug),
    ):
        for text in texts:
            yield StreamLine(stream, cell_text(text, mask))
    for item in result.items:
        yield from side_lines(item, mask, information=information)


def error_place(error: ErrorRecord) -> str:
    """Where an error is, in the author's own file where that is known; empty where nobody knows."""
    return error.source or (f"line {error.line} of the script" if error.line else "")


_Table: TypeAlias = tuple[tuple[str, ...], list[tuple[str, ...]], frozenset[str], int]


def _table(output: object, mask: Mask) -> _Table | None:
    """Columns, rows, the columns of numbers, and how many properties have no column; None if it is no table."""
    records: Sequence[Any] = (
        [output] if isinstance(output, Mapping) else output if isinstance(output, list) else []
    )
    if not records or not all(map(_is_record, records)):
        return None
    columns = columns_of(records)
    rows = [tuple(_table_cell(record.get(key), mask) for key in columns) for record in records]
    numeric = {key for key in columns if all(_is_number(record.get(key)) for record in records)}
    names = {key: cell_text(str(key), mask) for key in columns}
    left_out = len({key for record in records for key in record}) - len(columns)
    return tuple(names.values()), rows, frozenset(names[key] for key in numeric), left_out


def _table_cell(value: object, mask: Mask) -> str:
    """A cell; of a time whole seconds, which is what a person looks for in a table."""
    if isinstance(value, datetime):
        text = value.isoformat(" ", "seconds")
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
    return cell_text(value, mask)


def _is_record(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """An object of PowerShell, whatever it holds, or a mapping of values that fit a cell."""
    if not isinstance(value, Mapping) or not value:
        return False
    if isinstance(value, PSObject):
        return not is_spoken(value)
    return all(map(_fits_a_cell, value.values()))


def _is_short(value: object) -> bool:
    return _is_scalar(value) or (isinstance(value, PSObject) and value.text is not None)


def _fits_a_cell(value: object) -> bool:
    return _is_scalar(value) or (isinstance(value, list | tuple) and all(map(_is_scalar, value)))


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(
        value, str | int | float | Decimal | date | datetime | time | timedelta | UUID
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
