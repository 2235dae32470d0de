"""Words about a wrong value: what is due, what was written, and what to type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from runner.document.nodes import AnyNode, Mapping, Scalar, Sequence
from runner.document.schema_place import Place
from runner.document.schema_validator import Finding
from runner.problems import did_you_mean

_LONGEST = 60
_WITH_UNIT = "a duration with a unit"
_MANY = 7
_MILLISECOND = Decimal("0.001")
_BEYOND_ANY_TIME = Decimal(10) ** 15  # milliseconds: thirty thousand years
_TICK = Decimal("0.0000001")  # of a .NET TimeSpan: 100 ns


MODULES = {
    "debug": "to print a text write `script: echo TEXT`; here `debug` asks powershell for debug records",
    "fail": "write `fail: MESSAGE`",
    "file": "write `ensure` with `test` and `set`; here `file` names a script file",
    "template": "write `copy: {content: TEXT, dest: PATH}`: `content` is a template",
}
"""What to write for modules of Ansible whose names are keys of other meaning."""


@dataclass(frozen=True, slots=True)
class About:
    """``rule`` completes the sentence after the subject, ``tail`` says what was written."""

    rule: str
    tail: str
    node: AnyNode
    finding: Finding

    def hints(self, place: Place) -> tuple[str, ...]:
        """What to type instead, where that can be guessed."""
        key = place.keys[-1] if place.keys else ""
        return tuple(_hints(key, self.finding, self.node))


def about_value(finding: Finding, node: AnyNode) -> About:
    """What is due in the place of ``node`` and what stands there."""
    kind = finding.rule
    if kind == "enum":
        rule = "must be " + words_of(canonical(finding.due))
    elif kind in {"minimum", "maximum"}:
        rule = f"must be at {'least' if kind == 'minimum' else 'most'} {finding.due}"
    elif kind in {"minItems", "minProperties"}:
        return About(f"is an empty {'list' if kind == 'minItems' else 'mapping'}", "", node, finding)
    else:
        rule = f"must be {finding.title}"
    tail = f": {shown(node)}" if isinstance(node, Scalar) else f", not {shown(node)}"
    return About(rule, tail, node, finding)


def shown(node: AnyNode) -> str:
    """A value as a message shows it: short and on one line."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    first, *more = node.text.splitlines() or [""]
    text = first if len(first) <= _LONGEST and not more else first[:_LONGEST].rstrip() + "..."
    return f"`{text}`" if text else "an empty text"


def words_of(words: Iterable[str]) -> str:
    """Words as a choice: "`a`, `b` or `c`"."""
    quoted = [f"`{word}`" for word in words]
    if len(quoted) > _MANY:
        return "one of " + ", ".join(quoted)
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


def canonical(words: Iterable[object]) -> list[str]:
    """The words of an enumeration, those that differ only in case once."""
    return list(dict.fromkeys(str(word).lower() for word in words))


def is_bare_number(finding: Finding) -> bool:
    """Whether a number stands where its unit must be written."""
    value = finding.value
    if not finding.title.startswith(_WITH_UNIT) or isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdecimal())


def unit_hints(number: str) -> tuple[str, ...]:
    """Both things PowerShell makes of a bare number, each as what to write here."""
    try:
        value = Decimal(number)
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < _BEYOND_ANY_TIME:
        return ("write a duration like `30s`, or leave the key out",)
    return (
        f"milliseconds, as in New-PSSessionOption: write `{_with_unit(value * _MILLISECOND)}`",
        f"ticks of 100 ns, as in a hashtable given to -SessionOption: write `{_with_unit(value * _TICK)}`",
    )


def _with_unit(seconds: Decimal) -> str:
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds and seconds % size == 0:
            return f"{int(seconds / size)}{unit}"
    if seconds > 1:
        return f"{seconds.normalize():f}s"
    return f"{(seconds * 1000).normalize():f}ms"


def _hints(key: str, finding: Finding, node: AnyNode) -> Iterable[str]:
    value = finding.value
    if finding.title.startswith("a name of letters") and isinstance(value, str):
        yield from name_hints(value)
    elif finding.rule == "enum" and isinstance(value, str):
        yield from _word_hints(key, value, canonical(finding.due))
    elif finding.rule == "enum" and value is False and "off" in finding.due:
        yield "write `off`"
    elif key == "args" and isinstance(value, dict):
        directory = "; the directory is `working_directory`" if "chdir" in value else ""
        yield "names with values go into `parameters`" + directory
    elif isinstance(value, dict) and key in MODULES:
        yield MODULES[key]
    elif key == "connection" and value == "local":
        yield "write `target: local` in the step, or `connection: {transport: local}`"
    elif finding.title == "text" and isinstance(value, bool) and isinstance(node, Scalar):
        yield f'put it in quotes: `"{node.text}"`'
    elif key == "version":
        yield "write `version: 1`"
    elif key == "hosts" and isinstance(value, list):
        yield "write `{NAME: {}, NAME: {}}`, or a line `NAME: {}` for each"


def name_hints(name: str) -> Iterable[str]:
    """The nearest name that may stand, where only joints are wrong: ``restart-iis`` is ``restart_iis``."""
    near = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    if near and not near[0].isdigit() and near != name:
        yield f"write `{near}`"


def is_flag(finding: Finding) -> bool:
    """Whether a boolean is due."""
    types = finding.schema.get("type", [])
    return "boolean" in types or finding.title == "`true`"


def _word_hints(key: str, value: str, words: list[str]) -> Iterable[str]:
    near = did_you_mean(value, words)
    if near is not None:
        yield f"did you mean `{near}`?"
    elif key == "shell":
        yield "`shell` names the interpreter; a script goes below `script: |`"
    elif value.lower() in {"docker", "podman"} and key == "transport":
        yield f"write `transport: container` and `runtime: {value.lower()}`"
    elif value.lower() in {"psrp", "wsman"} and key == "transport":
        yield "write `transport: winrm`"
