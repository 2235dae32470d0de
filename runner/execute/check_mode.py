"""``--check``: what runs although nothing may be changed, and what is not known because the rest did not run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from runner.engine.result import Result, Status
from runner.execute.done import Done
from runner.playbook.bodies import AssertBody, CopyBody, EnsureBody, FailBody, SetVarsBody
from runner.playbook.model import Step
from runner.variables.not_known import NOT_KNOWN
from runner.variables.scope import ValueNotKnown, VariableError

NOT_RUN: Final = "not run under --check"
NOT_KNOWN_YET: Final = "not known until the run"
"""It reads what a step that did not run would have given."""

_NOTHING_KNOWN: Final = frozenset({NOT_RUN, NOT_KNOWN_YET})

_CODE: Final = "input-missing"
"""What a value that is not known yet is refused with (``runner.variables.scope``). A run has all of its inputs, so
under ``--check`` it can only be the output of a step that did not run."""


def runs(step: Step) -> bool:
    """Whether a step does something under ``--check``.

    ``ensure`` and ``copy`` compare and change nothing; ``assert``, ``set_vars`` and ``fail`` change no host. Of all
    others the author says so (``read_only``).
    """
    return step.read_only or isinstance(
        step.body, EnsureBody | CopyBody | AssertBody | SetVarsBody | FailBody
    )


def nothing_known(result: Result) -> bool:
    """Whether nothing of what the step would give is known."""
    return result.status is Status.SKIPPED and result.skip_reason in _NOTHING_KNOWN


def as_skip(result: Result) -> Result:
    """A failure that is none: the step reads what is not known before the run, which makes it a neutral skip."""
    if result.failure is None or result.failure.code != _CODE:
        return result
    return replace(result, status=Status.SKIPPED, failure=None, skip_reason=NOT_KNOWN_YET, ignored=False)


def not_known(name: str) -> VariableError:
    """The error of reading a value that is not known before the run."""
    return ValueNotKnown(_CODE, f"`{name}` is {NOT_KNOWN_YET}")


def holds_unknown(value: Any) -> bool:
    """Whether a value is, or has in it, one that is not known before the run."""
    pending = [value]
    while pending:
        found = pending.pop()
        if found is NOT_KNOWN:
            return True
        if isinstance(found, dict):
            pending.extend(found.values())
        elif isinstance(found, list | tuple):
            pending.extend(found)
    return False


@dataclass(frozen=True, slots=True)
class NotRun:
    """Stands for a body that does not run; a :class:`runner.execute.done.Body`."""

    async def open(self) -> None:
        """Needs nothing."""

    async def run(self) -> Done:
        """Say that nothing was done."""
        return Done(skipped=NOT_RUN, judged=False)

    async def close(self) -> None:
        """Holds nothing."""

    def partial(self) -> Done:
        """Nothing comes."""
        return Done(judged=False)
