"""Keys that are read as numbers, durations, sizes or booleans and may be templates, with how a value of each is read.

The templates are found when a playbook is parsed and computed when a plan is made (:mod:`runner.plan.compute`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, TypeVar

from runner.document.nodes import AnyNode
from runner.document.nodes import Mapping as MappingNode
from runner.playbook.control import Deadlines, Tolerance
from runner.playbook.model import Block, Playbook, Step
from runner.playbook.read import UNLIMITED, Entries, is_template, items_of
from runner.units import parse_duration, parse_size
from runner.values import Span

KeyPath = tuple[str, ...]
"""A key, or a key and one in its mapping: ``("timeout",)``, ``("retry", "delay")``."""

Read = Callable[[Any, Span], Any]
"""Makes a rendered value what the model holds; ``ValueError`` says in words what it must be."""

_Holder = TypeVar("_Holder", Playbook, Block, Step)
_ALL = 100


@dataclass(frozen=True, slots=True)
class Computable:
    """How a value is read, and whether it may be another one on each host."""

    read: Read
    by_host: bool = True


def _seconds(value: Any, _: Span) -> float:
    try:
        return parse_duration(value).total_seconds()
    except ValueError:
        raise ValueError("a duration like `30s` or `5m`") from None


def _interval(value: Any, span: Span) -> float:
    seconds = _seconds(value, span)
    if not seconds:
        raise ValueError("longer than nothing")
    return seconds


def _bytes(value: Any, _: Span) -> int:
    try:
        return parse_size(value)
    except ValueError:
        raise ValueError("a size like `512` or `10MiB`") from None


def _flag(value: Any, _: Span) -> bool:
    if not isinstance(value, bool):
        raise ValueError("`true` or `false`")  # noqa: TRY004 - one kind of error for the caller
    return value


def _number(value: Any, _: Span, *, least: float, most: float | None = None) -> float:
    words = f"a number of at least {least:g}" if most is None else f"a number from {least:g} to {most:g}"
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        raise ValueError(words) from None
    if not least <= number <= (float("inf") if most is None else most):
        raise ValueError(words)
    return number


def _attempts(value: Any, _: Span) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) < 1:
        raise ValueError("a whole number from 1")
    return int(value)


def _throttle(value: Any, _: Span) -> int | None:
    if str(value).lower() == "unlimited":
        return UNLIMITED
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("a whole number or `unlimited`")
    return int(value) or None


def _tolerance(value: Any, span: Span) -> Tolerance:
    text = str(value).strip()
    percent = text.endswith("%")
    try:
        amount = _number(text.rstrip("%").strip(), span, least=0, most=_ALL if percent else None)
    except ValueError:
        amount = -1
    if isinstance(value, bool) or amount < 0 or (not percent and amount != int(amount)):
        raise ValueError("a number of hosts, or a percent from `0%` to `100%`")
    return Tolerance(amount, percent=percent, span=span)


def _quarantine(value: Any, span: Span) -> float | bool:
    if isinstance(value, bool):
        return value
    try:
        return _seconds(value, span)
    except ValueError:
        raise ValueError("`true`, `false` or a duration like `5m`") from None


def status_range(text: str) -> tuple[int, int] | None:
    """``204`` and ``200-299`` as the first and the last status; None for anything else."""
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        return None
    return int(first), int(last or first)


def _status(value: Any, _: Span) -> tuple[int, int]:
    """RFC 9110, 15: statuses are from 100 to 599."""
    found = None if isinstance(value, bool) else status_range(str(value))
    if found is None or not 100 <= found[0] <= found[1] <= 599:
        raise ValueError("a status from 100 to 599, or a range like `200-299`")
    return found


def _statuses(value: Any, span: Span) -> tuple[tuple[int, int], ...]:
    return tuple(_status(item, span) for item in (value if isinstance(value, list) else [value]))


_SECONDS, _FLAG = Computable(_seconds), Computable(_flag)
_OF_ALL: Mapping[KeyPath, Computable] = {
    ("throttle",): Computable(_throttle, by_host=False),
    ("max_fail",): Computable(_tolerance, by_host=False),
    ("max_unreachable",): Computable(_tolerance, by_host=False),
}

PLAYBOOK_KEYS: Mapping[KeyPath, Computable] = {
    **_OF_ALL,
    ("timeout",): _SECONDS,
    **{("deadlines", each.name): _SECONDS for each in fields(Deadlines)},
}
BLOCK_KEYS = _OF_ALL
STEP_KEYS: Mapping[KeyPath, Computable] = {
    **_OF_ALL,
    **{
        (key,): Computable(_flag, by_host=False)
        for key in ("hide_computer_name", "no_new_scope", "native_exit_code", "read_only")
    },
    ("timeout",): _SECONDS,
    ("quarantine",): Computable(_quarantine),
    ("retry", "attempts"): Computable(_attempts),
    ("retry", "delay"): _SECONDS,
    ("retry", "backoff"): Computable(partial(_number, least=1)),
    ("retry", "jitter"): Computable(partial(_number, least=0, most=1)),
    ("retry", "max_delay"): _SECONDS,
    ("unreachable", "retry_after"): _SECONDS,
    ("unreachable", "give_up_after"): _SECONDS,
    ("loop", "throttle"): Computable(_throttle),
    ("copy", "backup"): _FLAG,
    ("fetch", "flat"): _FLAG,
    ("fetch", "max_size"): Computable(_bytes),
    ("gate", "timeout"): Computable(_seconds, by_host=False),  # a gate is asked once, for all hosts
    ("http", "status"): Computable(_statuses),
    ("http", "timeout"): _SECONDS,
    ("reboot", "timeout"): _SECONDS,
    ("wait_for", "status"): Computable(_status),
    ("wait_for", "timeout"): _SECONDS,
    ("wait_for", "interval"): Computable(_interval),
}

LONE: Mapping[str, str] = {"retry": "attempts"}
"""What a lone value of a key with a mapping stands for."""

ORDERED: tuple[tuple[str, str, str], ...] = (
    ("unreachable", "retry_after", "give_up_after"),
    ("retry", "delay", "max_delay"),
    ("wait_for", "interval", "timeout"),
)
"""Times that stand beside each other: the second cannot be over before the first."""

_BODIES = frozenset({"copy", "fetch", "gate", "http", "reboot", "wait_for"})
_FIELDS: Mapping[KeyPath, str] = {("http", "status"): "statuses"}


def templates_in(entries: Entries, keys: Iterable[KeyPath]) -> dict[KeyPath, AnyNode]:
    """Those of ``keys`` whose values are templates."""
    found: dict[KeyPath, AnyNode] = {}
    for path in keys:
        node = entries.get(path[0])
        if len(path) > 1 and not (LONE.get(path[0]) == path[1] and is_template(node)):
            node = node.get(path[1]) if isinstance(node, MappingNode) else None
        if node is not None and any(is_template(item) for item in items_of(node)):
            found[path] = node
    return found


def value_at(holder: object, path: KeyPath) -> Any:
    """What a step, a block or a playbook has under a key; None where it has no such part."""
    if len(path) == 1:
        return getattr(holder, path[0])
    return getattr(_part(holder, path), _FIELDS.get(path, path[1]), None)


def with_value(holder: _Holder, path: KeyPath, value: object) -> _Holder:
    """The step, block or playbook with the value; as it was where a mistake that is told left it without the part."""
    changes: dict[str, Any] = {path[0]: value}
    if len(path) > 1:
        name, part = _FIELDS.get(path, path[1]), _part(holder, path)
        if not hasattr(part, name):
            return holder
        changes = {_part_name(path): replace(part, **{name: value})}
    return replace(holder, **changes)


def _part(holder: object, path: KeyPath) -> Any:
    return getattr(holder, _part_name(path))


def _part_name(path: KeyPath) -> str:
    return "body" if path[0] in _BODIES else path[0]
