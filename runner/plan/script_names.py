"""The ``$Using:`` references of scripts: known by name, of a type that the shell takes, written as they are meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from runner.errors import RunnerError
from runner.plan.inner_hops import inner_hop_hints
from runner.plan.model import PlannedStep, PreparedScript
from runner.plan.names import IN_THE_RUN, NOT_YET, NameCheck
from runner.plan.needed import scripts_of
from runner.plan.script_lint import lint
from runner.plan.uses import Text, Use, compiled_of, scalars_of_node, use_of_reference, uses_of_text
from runner.playbook.bodies import ScriptBody
from runner.playbook.model import Step
from runner.problems import Problem, Severity
from runner.using.access import ChainError, apply_chain
from runner.using.model import Member, Shell, UsingReference
from runner.values import Secret, Span
from runner.variables.scope import Scope, ValueNotKnown, Variable

_TEMPLATE_START = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")
_WRITTEN_CHAIN = re.compile(r"(?:\.\w+|\[\w+\])+")
_GIVEN = ("results", "inputs", "credentials", "host", "groups", "run", "item", "loop", "failure")
_POSIX = frozenset({Shell.SH, Shell.BASH})
_CREDENTIAL_TEXTS = ("username", "password")


@dataclass(frozen=True, slots=True)
class ScriptCheck:
    """Checks the scripts of planned steps; ``names`` checks the names they read."""

    names: NameCheck

    def check(self, planned: PlannedStep) -> None:
        """Note every problem of the step's scripts."""
        for prepared in scripts_of(planned):
            script = prepared.script
            for found in (*prepared.scan.problems, *lint(script.text, prepared.shell)):
                severity = Severity.ERROR if found.error else Severity.WARNING
                span = script.span(found.start, found.end)
                self.names.problems.add(Problem(found.code, found.message, span, severity, found.hints))
            for reference in prepared.scan.references:
                self._check_reference(planned, prepared, reference)
            if planned.step.template and isinstance(planned.step.body, ScriptBody):
                self._refuse_pasted_secrets(planned, prepared)
            else:
                self._warn_of_template(planned, script.text, script.span)

    def _check_reference(
        self, planned: PlannedStep, prepared: PreparedScript, reference: UsingReference
    ) -> None:
        reference = replace(reference, name=self._actual_name(planned, reference.name))
        span = prepared.script.span(reference.start, reference.end)
        if self._lacks_braces(planned.step, prepared, reference, span):
            return
        use = self._with_actual_member(use_of_reference(reference, span))
        if prepared.shell is Shell.POWERSHELL:
            use = replace(use, hints=inner_hop_hints(prepared.script.text, reference))
        self.names.check_use(planned, use)
        if reference.name == "credentials":
            self._check_credential(prepared.shell, use, reference)
        elif not any(reference.start <= found.start < reference.end for found in prepared.scan.problems):
            self._check_value(planned, prepared.shell, reference, span)

    def _check_credential(self, shell: Shell, use: Use, reference: UsingReference) -> None:
        """What a script may read of a credential: in sh and bash a text of it, elsewhere its two texts or all of it."""
        if use.member not in self.names.playbook.credentials:
            return  # told as an unknown name
        beyond = reference.chain[1:]
        member = beyond[0].name.lower() if beyond and isinstance(beyond[0], Member) else None
        if member in _CREDENTIAL_TEXTS or (shell not in _POSIX and not beyond):
            return
        text = f"${{Using:credentials.{use.member}.password}}"
        known = f"of a credential {shell} reads `.username` and `.password`"
        self.names.problems.error(
            "using-type" if not beyond else "unknown-using",
            f"`{reference.text}` is not there: {known}"
            if beyond
            else f"`{reference.text}` is no text: {known}",
            use.span,
            f"write `{text if shell in _POSIX else text.replace('{', '').replace('}', '')}`",
        )

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
        yield from self.names.set_by
        yield from self._names_of_loop(planned)
        for scope in self.names.scopes_of(planned):
            yield from scope.names()

    @staticmethod
    def _names_of_loop(planned: PlannedStep) -> tuple[str, ...]:
        loop = planned.step.loop
        return () if loop is None else tuple(name for name in (loop.item, loop.index) if name is not None)

    def _is_result(self, step: Step, name: str) -> bool:
        return name in self.names.registered and name not in {*step.using, *step.variables}

    def _lacks_braces(
        self, step: Step, prepared: PreparedScript, reference: UsingReference, span: Span
    ) -> bool:
        """In sh and bash an unbraced name ends at the dot: ``$Using:log.txt`` is meant, ``$Using:inputs.x`` is not."""
        text = prepared.script.text
        chain = _WRITTEN_CHAIN.match(text, reference.end)
        if (
            prepared.shell not in _POSIX
            or not (reference.name in _GIVEN or self._is_result(step, reference.name))
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

    def _check_value(self, planned: PlannedStep, shell: Shell, reference: UsingReference, span: Span) -> None:
        """A wrong type and a missing member are told where the value is known now: not what is made of results."""
        for scope in self._scopes_at_plan(planned):
            if not scope.knows(reference.name):
                continue
            try:
                value = apply_chain(scope.lookup(reference.name), reference.chain)
            except RunnerError:
                continue  # not known yet, or told where the variable stands
            except ChainError as error:
                self.names.problems.error("unknown-using", f"`{reference.text}`: {error}", span)
                return
            if self._tell_unfit(value, shell, reference, span):
                return

    def _scopes_at_plan(self, planned: PlannedStep) -> Iterator[Scope]:
        """For each kind of host what the step's variables are as far as that is known before the run."""
        step = planned.step
        own = {name: Variable(node, "step vars", node.span) for name, node in step.variables.items()}
        using = {name: Variable(node, "using", node.span) for name, node in step.using.items()}
        known = {*self.names.registered, *self.names.set_by, *self._names_of_loop(planned)}
        later = dict.fromkeys({*known, *NOT_YET, *IN_THE_RUN}, _not_known)
        for scope in self.names.scopes_of(planned):
            yield scope.child([own, using], later)

    def _refuse_pasted_secrets(self, planned: PlannedStep, prepared: PreparedScript) -> None:
        """``template: true`` pastes text; a secret must not be pasted, nor what is made of one."""
        secrets = {name for name, declared in self.names.playbook.inputs.items() if declared.secret}
        if not secrets:
            return
        text = Text(prepared.script.as_scalar())
        for use in uses_of_text(compiled_of(self.names.scopes.compiler, text), text):
            secret = self._secret_behind(planned, use, secrets, {use.name})
            if secret is None:
                continue
            self.names.problems.error(
                "template-secret",
                f"the secret input `{secret}` cannot be pasted into a script",
                use.span,
                f"write `$Using:{use.name}`, and leave `template` out",
            )

    def _secret_behind(
        self, planned: PlannedStep, use: Use, secrets: AbstractSet[str], seen: set[str]
    ) -> str | None:
        """The secret input that a use reads, itself or through variables; None where it reads none."""
        name = use.member if use.name == "inputs" else use.name
        if name in secrets:
            return name
        for scope in self._scopes_at_plan(planned):
            for defined in scope.origins(use.name)[:1]:
                for text in scalars_of_node(defined.value):
                    for inner in uses_of_text(compiled_of(self.names.scopes.compiler, text), text):
                        if inner.name in seen:
                            continue
                        found = self._secret_behind(planned, inner, secrets, seen | {inner.name})
                        if found is not None:
                            return found
        return None

    def _tell_unfit(self, value: object, shell: Shell, reference: UsingReference, span: Span) -> bool:
        if shell is Shell.POWERSHELL:
            return False
        words = "a secure string, which only powershell knows" if isinstance(value, Secret) else None
        if words is None and shell in _POSIX:
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


def _not_known() -> object:
    """A value of the run, asked for before there is one."""
    raise ValueNotKnown("not-known-yet", "this is known in the run only")


def _in_any_case(written: str, known: Sequence[str]) -> str:
    if written in known:
        return written
    return next((name for name in known if name.lower() == written.lower()), written)


def _unfit(value: object, shell: Shell) -> str | None:
    """Why a value cannot go to a POSIX shell; None where it can."""
    if not isinstance(value, list | dict):
        return None
    kind = "a list" if isinstance(value, list) else "a mapping"
    if shell is Shell.SH:
        return f"{kind}, and sh has only text"
    items = value if isinstance(value, list) else list(value.values())
    if any(isinstance(item, list | dict) for item in items):
        return f"{kind} with lists or mappings inside, and bash arrays hold only text"
    return None
