"""Which registered results a step reads, by name. Pure; a plan has checked that the names exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.plan.model import Plan, PlannedStep
from runner.plan.uses import Use, compiled_of, texts_of, use_of_reference, uses_of_text
from runner.variables.compile import Compiler


@dataclass(frozen=True, slots=True)
class Read:
    """A result that a step reads: ``name`` as registered, None for any (``results`` taken whole).

    ``everywhere``: all hosts' (``results.NAME``), not only the reader's own.
    """

    name: str | None
    everywhere: bool


def reads_of(plan: Plan, planned: PlannedStep) -> frozenset[Read]:
    """Everything that a step may read of what others registered."""
    registered = {item.step.register.lower(): item.step.register for item in plan.steps if item.step.register}
    found = set()
    for use in _uses(planned, plan.scopes.compiler):
        if use.name.lower() == "results":
            name = registered.get(use.member.lower()) if use.member else None
            found.add(Read(name, everywhere=True))
        elif (name := registered.get(use.name.lower())) is not None:
            found.add(Read(name, everywhere=False))
    return frozenset(found)


def _uses(planned: PlannedStep, compiler: Compiler) -> Iterator[Use]:
    for text in texts_of(planned.step):
        yield from uses_of_text(compiled_of(compiler, text), text)
    for scripts in (planned.scripts, *planned.scripts_of.values()):
        for script in scripts.values():
            for reference in script.scan.references:
                yield use_of_reference(reference, planned.step.span)
