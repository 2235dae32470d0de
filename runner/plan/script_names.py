"""The ``$Using:`` references of scripts: known by name, of a type that the shell takes, written as they are meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.errors import RunnerError
from runner.plan.model import PlannedStep, PreparedScript
from runner.plan.names import NOT_YET, NameCheck
from runner.plan.uses import Use, use_of_reference
from runner.problems import Problem, Severity
from runner.using.access import ChainError, apply_chain
from runner.using.model import Shell, UsingReference
from runner.values import Secret, Span

_TEMPLATE_START = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")
_WRITTEN_CHAIN = re.compile(r"(?:\.\w+|\[\w+\])+")
_GIVEN = ("results", "inputs", "credentials", "host", "groups", "run", "item", "loop")
_POSIX = frozenset({Shell.SH, Shell.BASH})


@dataclass(frozen=True, slots=True)
class ScriptCheck:
    """Checks the scripts of planned steps; ``names`` checks the names they read."""

    names: NameCheck

    def check(self, planned: PlannedStep) -> None:
        """Note every problem of the step's scripts."""
        for prepared in planned.scripts.values():
            script = prepared.script
            for found in prepared.scan.problems:
                severity = Severity.ERROR if found.error else Severity.WARNING
                span = script.span(found.start, found.end)
                self.names.problems.add(Problem(found.code, found.message, span, severity, found.hints))
            for reference in prepared.scan.references:
                self._check_reference(planned, prepared, reference)
            if not planned.step.template:
                self._warn_of_template(planned, script.text, script.span)

    def _check_reference(
        self, planned: PlannedStep, prepared: PreparedScript, reference: UsingReference
    ) -> None:
        reference = replace(reference, name=self._actual_name(planned, reference.name))
        span = prepared.script.span(reference.start, reference.end)
        if self._lacks_braces(prepared, reference, span):
            return
        self.names.check_use(planned, self._with_actual_member(use_of_reference(reference, span)))
        if prepared.shell in _POSIX:
            self._check_type(planned, prepared.shell, reference, span)

    def _actual_name(self, planned: PlannedStep, written: str) -> str:
        """The name as it is defined: scripts may write it in any case, as in PowerShell."""
        return _in_any_case(written, list(self._known(planned)))

    def _with_actual_member(self, use: Use) -> Use:
        """A member of what is given is found in any case too."""
        playbook = self.names.playbook
        members: Mapping[str, Iterable[str]] = {
            "inputs": playbook.inputs,
            "results": self.names.registered,
            "credentials": playbook.credentials,
        }
        if use.member is None or use.name not in members:
            return use
        return replace(use, member=_in_any_case(use.member, list(members[use.name])))

    def _known(self, planned: PlannedStep) -> Iterator[str]:
        yield from planned.step.using
        yield from planned.step.variables
        yield from _GIVEN
        yield from self.names.registered
        for scope in self.names.scopes_of(planned):
            yield from scope.names()

    def _lacks_braces(self, prepared: PreparedScript, reference: UsingReference, span: Span) -> bool:
        """In sh and bash an unbraced name ends at the dot: ``$Using:log.txt`` is meant, ``$Using:inputs.x`` is not."""
        text = prepared.script.text
        chain = _WRITTEN_CHAIN.match(text, reference.end)
        if (
            prepared.shell not in _POSIX
            or reference.name not in _GIVEN
            or reference.text.startswith("${")
            or chain is None
        ):
            return False
        self.names.problems.error(
            "using-needs-braces",
            f"`{reference.text}` ends before `{chain[0]}` in {prepared.shell}, as every unbraced name does",
            span,
            f"write `${{{reference.text[1:]}{chain[0]}}}`",
        )
        return True

    def _warn_of_template(self, planned: PlannedStep, text: str, span: Callable[[int, int], Span]) -> None:
        for match in _TEMPLATE_START.finditer(text):
            name = match[1]
            known = name in self.names.registered or any(s.knows(name) for s in self.names.scopes_of(planned))
            if known:
                self.names.problems.warning(
                    "template-in-script",
                    f"`{{{{ {name}` stays as it is: script text is not a template",
                    span(match.start(), match.end()),
                    f"write `$Using:{name}` to send the value, or say `template: true` to paste it",
                )

    def _check_type(self, planned: PlannedStep, shell: Shell, reference: UsingReference, span: Span) -> None:
        """A wrong type is told where the value is known now: not for results, items and what ``using`` computes."""
        step, name = planned.step, reference.name
        if name in {*step.using, *step.variables, *self.names.registered, *NOT_YET}:
            return
        if name in {"results", "credentials", "item", "loop"}:
            return
        for scope in self.names.scopes_of(planned):
            if not scope.knows(name):
                continue
            try:
                value = apply_chain(scope.lookup(name), reference.chain)
            except RunnerError:
                continue  # told where the variable stands
            except ChainError as error:
                self.names.problems.error("unknown-using", f"`{reference.text}`: {error}", span)
                return
            if self._tell_unfit(value, shell, reference, span):
                return

    def _tell_unfit(self, value: object, shell: Shell, reference: UsingReference, span: Span) -> bool:
        words = _unfit(value, shell)
        if words is not None:
            hint = "send one element or member of it, or use `shell: python`"
            self.names.problems.error("using-type", f"`{reference.text}` is {words}", span, hint)
            return True
        if shell is Shell.BASH and isinstance(value, list) and not reference.array:
            self.names.problems.warning(
                "using-first-element",
                f"`{reference.text}` is a list, and gives its first element only",
                span,
                f'write `"${{Using:{reference.name}[@]}}"` for all of them',
            )
            return True
        return False


def _in_any_case(written: str, known: Sequence[str]) -> str:
    if written in known:
        return written
    return next((name for name in known if name.lower() == written.lower()), written)


def _unfit(value: object, shell: Shell) -> str | None:
    """Why a value cannot go to a POSIX shell; None where it can."""
    if isinstance(value, Secret):
        return "a secure string, which only powershell knows"
    if not isinstance(value, list | dict):
        return None
    kind = "a list" if isinstance(value, list) else "a mapping"
    if shell is Shell.SH:
        return f"{kind}, and sh has only text"
    items = value if isinstance(value, list) else list(value.values())
    if any(isinstance(item, list | dict) for item in items):
        return f"{kind} with lists or mappings inside, and bash arrays hold only text"
    return None
