"""Inputs: what ``-e`` gives, held against what the playbook declares, with types, before anything else happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from runner.document.nodes import AnyNode, Scalar, Sequence, Source, to_plain
from runner.document.nodes import Mapping as MappingNode
from runner.playbook.model import Input
from runner.problems import Problems
from runner.units import parse_duration, parse_size
from runner.values import Secret, Span
from runner.variables.filters import to_datetime
from runner.variables.scope import Variable


@dataclass(frozen=True, slots=True)
class Extra:
    """One ``-e`` value: text from ``name=value``, or typed from ``@file``; ``source`` is what to call it."""

    value: Any
    source: str
    span: Span | None = None


class _WrongValueError(ValueError):
    """The words after `must be`."""


def resolve_inputs(
    inputs: Mapping[str, Input], extras: Mapping[str, Extra], problems: Problems, *, require: bool = True
) -> tuple[dict[str, Variable], dict[str, Variable]]:
    """Check and convert inputs; give (inputs, other extras) as layers of variables.

    With ``require`` False an input without a value is no problem and has no value (``runner validate``).
    """
    values: dict[str, Variable] = {}
    for name, declared in inputs.items():
        extra = extras.get(name)
        if extra is not None:
            span, source, raw = extra.span, extra.source, extra.value
        elif declared.has_default:
            span = declared.default.span if declared.default else declared.span
            source, raw = f"default of input `{name}`", _written(declared.type, declared.default)
        elif require:
            problems.error(
                "input-missing",
                f"input `{name}` has no value",
                declared.span,
                f"give it with `-e {name}=...`"
                + (f": {declared.description}" if declared.description else ""),
            )
            continue
        else:
            continue
        try:
            value = _convert(declared, raw)
        except _WrongValueError as wrong:
            shown = "" if declared.secret or declared.type == "secure_string" else f": `{raw}`"
            place = f" (given with {source})" if extra is not None else ""
            problems.error(
                "input-value", f"input `{name}` must be {wrong}{place}{shown}", span or declared.span
            )
            continue
        values[name] = Variable(value, source, span)
    others = {n: Variable(e.value, e.source, e.span) for n, e in extras.items() if n not in inputs}
    return values, others


def _convert(declared: Input, raw: Any) -> Any:
    value = _typed(declared.type, raw)
    rules = declared.node
    if rules is not None:
        _check_rules(rules, value, declared.type)
    return value


def _check_rules(rules: MappingNode, value: Any, kind: str) -> None:
    listed = rules.get("enum")
    enum = [_written(kind, item) for item in listed.items] if isinstance(listed, Sequence) else None
    if enum is not None and value not in [_typed(kind, e) for e in enum]:
        raise _WrongValueError("one of " + ", ".join(f"`{e}`" for e in enum))
    pattern = to_plain(rules.get("pattern"))
    text = value.reveal() if isinstance(value, Secret) else value
    if isinstance(pattern, str) and isinstance(text, str) and re.search(pattern, text) is None:
        raise _WrongValueError(f"text that matches `{pattern}`")
    least, most = rules.get("minimum"), rules.get("maximum")
    if least is not None and value < _typed(kind, to_plain(least)):
        raise _WrongValueError(f"at least {to_plain(least)}")
    if most is not None and value > _typed(kind, to_plain(most)):
        raise _WrongValueError(f"at most {to_plain(most)}")
    items = rules.get("items")
    if isinstance(items, MappingNode) and isinstance(value, list):
        item_type = str(to_plain(items.get("type")) or "string")
        for index, item in enumerate(value):
            value[index] = _typed(item_type, item)
            _check_rules(items, value[index], item_type)


def _written(kind: str, node: AnyNode | None) -> Any:
    """What stands in the playbook; where text is due a plain number as it is written (``1.10``)."""
    if kind == "string" and isinstance(node, Scalar) and isinstance(node.value, int | float):
        return node.value if isinstance(node.value, bool) else node.text
    return to_plain(node)


def _typed(kind: str, raw: Any) -> Any:
    if kind not in _CONVERTERS:
        raise _WrongValueError(f"of a known type, not `{kind}`")
    try:
        return _CONVERTERS[kind](raw)
    except _WrongValueError:
        raise
    except Exception as error:  # whatever a converter thinks of a value, it is the value that is wrong
        raise _WrongValueError(_EXPECTED[kind]) from error


def _string(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(raw)
    raise _WrongValueError(_EXPECTED["string"])


def _integer(raw: Any) -> int:
    if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
        raise _WrongValueError(_EXPECTED["integer"])
    return int(raw)


def _number(raw: Any) -> int | float:
    if isinstance(raw, bool):
        raise _WrongValueError(_EXPECTED["number"])
    if isinstance(raw, int | float):
        return raw
    return int(raw) if re.fullmatch(r"[+-]?\d+", str(raw)) else float(raw)


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    return {"true": True, "yes": True, "false": False, "no": False}[str(raw).lower()]


def _structure(raw: Any, kind: type[list[Any] | dict[str, Any]], *, separator: str = "") -> Any:
    if isinstance(raw, kind):
        return copy(raw)
    text = str(raw)
    if separator and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(separator) if part.strip()]
    value = to_plain(parse_yaml_text(text))
    if not isinstance(value, kind):
        raise _WrongValueError(_EXPECTED["list" if kind is list else "mapping"])
    return value


def parse_yaml_text(text: str) -> AnyNode | None:
    """The node that a piece of YAML typed on the command line makes.

    Raises:
        ValueError: it is no YAML.

    """
    from runner.document.yaml import load  # noqa: PLC0415 - only structured inputs pay for it

    problems = Problems()
    root = load(Source("-e", text), problems).root
    if problems.has_errors:
        raise ValueError(next(iter(problems)).message)
    return root


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "duration": parse_duration,
    "size": parse_size,
    "list": lambda raw: _structure(raw, list, separator=","),
    "mapping": lambda raw: _structure(raw, dict),
    "datetime": to_datetime,
    "secure_string": lambda raw: raw if isinstance(raw, Secret) else Secret(_string(raw)),
}

_EXPECTED = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "duration": "a duration like `30s`, `3m` or `1h30m`",
    "size": "a size like `512`, `64KiB` or `10MiB`",
    "list": "a list",
    "mapping": "a mapping",
    "datetime": "a date and time like `2026-11-21T01:50:00Z`",
    "secure_string": "text",
}
