"""Keys of steps that are numbers, durations or booleans and may be templates: computed once, for all hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.document.nodes import Scalar
from runner.errors import RunnerError
from runner.playbook.model import Step
from runner.playbook.read import UNLIMITED
from runner.problems import Problems
from runner.units import parse_duration
from runner.variables.scope import Scope


def compute_keys(steps: Sequence[Step], scope: Scope, problems: Problems) -> list[Step]:
    """The steps with their computed keys filled in; ``scope`` knows inputs, ``-e`` and playbook vars, no host."""
    return [_compute(step, scope, problems) if step.computed else step for step in steps]


def _compute(step: Step, scope: Scope, problems: Problems) -> Step:
    values: dict[str, Any] = {}
    for key, scalar in step.computed.items():
        try:
            values[key] = _READERS[key](scope.render(scalar))
        except ValueError as error:
            words = f"`{key}` of step `{step.id}` must be {error}: `{scalar.text}`"
            problems.error("setting-value", words, scalar.span)
        except RunnerError as error:
            _tell(step, key, scalar, error, problems)
    return replace(step, **values)


def _tell(step: Step, key: str, scalar: Scalar, error: RunnerError, problems: Problems) -> None:
    for problem in error.problems:  # none where an input has no value yet
        words = f"`{key}` of step `{step.id}` is the same for all hosts: {problem.message}"
        hints = ("inputs and playbook vars are known here", *problem.hints)
        problems.error(problem.code, words, problem.span or scalar.span, *hints)


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value).total_seconds()
    except ValueError:
        raise ValueError("a duration like `30s` or `5m`") from None


def _throttle(value: Any) -> int | None:
    if str(value).lower() == "unlimited":
        return UNLIMITED
    if isinstance(value, bool) or not str(value).isdigit():
        raise ValueError("a whole number or `unlimited`")
    return int(value) or None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("`true` or `false`")  # noqa: TRY004 - one kind of error for the caller
    return value


_READERS: Mapping[str, Any] = {
    "throttle": _throttle,
    "timeout": _seconds,
    "hide_computer_name": _flag,
    "no_new_scope": _flag,
    "native_exit_code": _flag,
}
