"""Every name a step reads is known on every host of it, before anything connects."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from runner.document.positions import span_in_scalar
from runner.plan.habits import MEMBERS, METHODS, RESULT_MEMBERS, name_hint
from runner.plan.model import PlannedStep
from runner.plan.reading import Readable
from runner.plan.uses import Use, compiled_of, texts_of, uses_of_text
from runner.playbook.model import Playbook, Step
from runner.problems import Problem, Problems, Severity, suggestion
from runner.variables.scope import HostScopes, Scope

NOT_YET = {"facts": "facts", "secrets": "secrets that are no login"}
IN_THE_RUN = ("results", "credentials", "item", "loop", "failure", "result")
"""Names that are given, and have no value before the run."""


@dataclass(frozen=True, slots=True)
class NameCheck:
    """Checks the names of planned steps.

    ``signature`` groups hosts that know the same names; ``readable`` says which results a step may read; ``dropped``
    are registered names of steps that selection left out, ``set_by`` those that ``set_vars`` sets, with the steps that
    do. ``hosts`` are those that have each step's result. ``handling`` are the steps that may ask what failed.
    ``anywhere`` gives the names that some host of the inventory knows: of a step whose hosts are limited away, nothing
    else can be asked. ``lenient``: no inventory is given, so a name that some host might bring is only a warning.
    """

    playbook: Playbook
    scopes: HostScopes
    readable: Mapping[str, Readable]
    registered: Mapping[str, str]
    set_by: Mapping[str, tuple[str, ...]]
    hosts: Mapping[str, frozenset[str]]
    dropped: Mapping[str, str]
    signature: Callable[[str], Hashable]
    problems: Problems
    anywhere: Callable[[], AbstractSet[str]] = frozenset
    handling: frozenset[str] = frozenset()
    lenient: bool = False

    def check_templates(self, planned: PlannedStep) -> None:
        """Note every problem of the step's templates and expressions."""
        step = planned.step
        for text in texts_of(step):
            compiled = compiled_of(self.scopes.compiler, text)
            for found in compiled.problems:
                self.problems.error(
                    found.code,
                    found.message,
                    span_in_scalar(text.scalar, found.start, found.end),
                    *found.hints,
                )
            for use in uses_of_text(compiled, text):
                self.check_use(planned, use)

    def scopes_of(self, planned: PlannedStep) -> Iterator[Scope]:
        """One scope for each kind of host in the step."""
        seen: set[Hashable] = set()
        for placement in planned.placements:
            signature = self.signature(placement.host)
            if signature not in seen:
                seen.add(signature)
                yield self.scopes.of(placement.host)

    def check_use(self, planned: PlannedStep, use: Use) -> None:
        """Note it where the name is not known on every host of the step, or its value may not be there yet."""
        step, name = planned.step, use.name
        self._check_member(step, use)
        if _brings(step, use):
            return
        if name == "results":
            self._check_results(step, use)
        elif name == "credentials":
            self._check_credential(step, use)
        elif name == "inputs" and use.member is not None:
            self._check_input(step, use, use.member)
        elif name == "failure":
            self._check_failure(step, use)
        elif name in NOT_YET:
            self._unknown(step, use, f"`{name}` is not available yet: {NOT_YET[name]} come later", ())
        else:
            self._check_variable(planned, use)

    def _check_member(self, step: Step, use: Use) -> None:
        """A template that reads of a result what no result has."""
        own = use.name == "result" and use.own_result
        if not own and (_brings(step, use) or use.name not in self.registered or use.name in self.set_by):
            return
        member = use.member
        if use.using or member is None or use.guarded or use.member_guarded:
            return
        if member not in RESULT_MEMBERS | METHODS:
            habit = MEMBERS.get(member, "").replace("NAME", use.name)
            self.problems.error(
                "unknown-member",
                f"step `{step.id}` reads `{use.shown}`, and a result has no `{member}`",
                use.member_span or use.span,
                *((habit,) if habit else suggestion(member, RESULT_MEMBERS)),
            )

    def _check_variable(self, planned: PlannedStep, use: Use) -> None:
        name = use.name
        if name in self.registered:
            self._check_registered(planned, use, (self.registered[name],))
        elif name in self.set_by:
            self._check_set(planned, use)
        elif name in self.dropped and not self._is_defined(planned, name):
            self._dropped(planned.step, use, self.dropped[name])
        elif not use.guarded:
            self._check_defined(planned, use)

    def _check_input(self, step: Step, use: Use, member: str) -> None:
        if member not in self.playbook.inputs and not use.guarded:
            hints = suggestion(member, self.playbook.inputs)
            self._unknown(step, use, f"no input is named `{member}`", hints)

    def _check_defined(self, planned: PlannedStep, use: Use) -> None:
        name = use.name
        missing = [p.host for p in planned.placements if self._lacks(p.host, name)]
        if not missing and planned.placements:
            return
        known = {n for scope in self.scopes_of(planned) for n in scope.names()}
        known |= set(self.registered) | set(self.set_by)
        known |= set(planned.step.variables) | set(planned.step.using)
        known |= set(self.playbook.variables) | set(self.playbook.inputs)
        if not planned.placements:
            known |= {*self.scopes.common.names(), *self.anywhere()}
            if name in known:
                return
        if missing and len(missing) < len(planned.placements):
            where = f"which is not defined for host `{missing[0]}`"
            where += f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        else:
            where = "which is not defined"
        credential = next((n for n in self.playbook.credentials if n.lower() == name.lower()), None)
        if use.using and credential is not None:
            hints: tuple[str, ...] = (f"the credential of that name is `$Using:credentials.{credential}`",)
            self._unknown(planned.step, use, where, hints, uses=True)
            return
        habit = name_hint(name)
        hints = (habit,) if habit is not None else suggestion(name, known, limit=0)
        lenient = self.lenient and any(p.endpoint.transport != "local" for p in planned.placements)
        if lenient:
            hints = (*hints, "if the inventory defines it, give the inventory with `-i`")
        self._unknown(planned.step, use, where, hints, uses=True, warn=lenient and len(hints) == 1)

    def _lacks(self, host: str, name: str) -> bool:
        return not self.scopes.of(host).knows(name)

    def _unknown(
        self,
        step: Step,
        use: Use,
        words: str,
        hints: Sequence[str],
        *,
        uses: bool = False,
        warn: bool = False,
    ) -> None:
        code = "unknown-using" if use.using else "unknown-variable"
        message = f"step `{step.id}` uses `{use.shown}`, {words}" if uses else f"step `{step.id}`: {words}"
        severity = Severity.WARNING if warn else Severity.ERROR
        self.problems.add(Problem(code, message, use.span, severity, (*hints, *use.hints)))

    def _check_results(self, step: Step, use: Use) -> None:
        if use.member is None:
            return
        register = self.registered.get(use.member)
        span = use.member_span or use.span
        if register is None:
            if use.member in self.dropped:
                self._dropped(step, use, self.dropped[use.member])
            elif not use.guarded:
                words = f"step `{step.id}` reads `{use.shown}`, but no step registers `{use.member}`"
                code = "unknown-using" if use.using else "unknown-result"
                self.problems.error(code, words, span, *suggestion(use.member, self.registered))
            return
        if register not in self.readable[step.id].complete:
            self.problems.error(
                "unordered-result",
                f"step `{step.id}` reads `results.{use.member}`, but does not wait for all hosts of step `{register}`",
                span,
                f"write `needs: [{{step: {register}, wait: all}}]`",
            )

    def _check_failure(self, step: Step, use: Use) -> None:
        if step.id not in self.handling:
            self._unknown(
                step,
                use,
                "`failure` is known in the `rescue` and the `always` of a block only",
                ("elsewhere `NAME.errors` has the errors of a step that registers NAME",),
            )

    def _check_set(self, planned: PlannedStep, use: Use) -> None:
        """A name that ``set_vars`` sets; where it is a variable besides, that is what stands until it is set."""
        if not self._is_defined(planned, use.name) and not use.guarded:
            self._check_registered(planned, use, self.set_by[use.name])

    def _is_defined(self, planned: PlannedStep, name: str) -> bool:
        """Whether every host has a variable of the name before the run."""
        return bool(planned.placements) and not any(self._lacks(p.host, name) for p in planned.placements)

    def _check_registered(self, planned: PlannedStep, use: Use, origins: tuple[str, ...]) -> None:
        """A host's own value of what steps register or set: one of them is upstream, and has hosts of this one."""
        step = planned.step
        upstream = [origin for origin in origins if origin in self.readable[step.id].upstream]
        if not upstream:
            self.problems.error(
                "unordered-result",
                f"step `{step.id}` reads `{use.name}`, but nothing makes it wait for step `{origins[0]}`",
                use.span,
                f"write `needs: [{origins[0]}]`",
            )
        elif planned.placements and not any(self.hosts[step.id] & self.hosts[origin] for origin in upstream):
            is_result = use.name in self.registered
            self.problems.error(
                "result-of-other-hosts",
                f"step `{step.id}` reads `{use.name}`, which none of its hosts has: step `{upstream[0]}` ran elsewhere",
                use.span,
                f"write `results.{use.name}`: a mapping of host to that host's result"
                if is_result
                else f"run step `{upstream[0]}` on these hosts too, or register a result and read `results.NAME`",
            )

    def _dropped(self, step: Step, use: Use, register: str) -> None:
        self.problems.error(
            "unselected-result",
            f"step `{step.id}` reads what step `{register}` registers, which the selection leaves out",
            use.span,
            f"select step `{register}` too",
        )

    def _check_credential(self, step: Step, use: Use) -> None:
        if not use.using:
            self._unknown(
                step,
                use,
                "credentials have no Jinja form",
                ("write `$Using:credentials.NAME` in the script",),
            )
        elif use.member is None or use.member not in self.playbook.credentials:
            words = f"no credential is named `{use.member}`" if use.member else "`credentials` needs a name"
            self._unknown(step, use, words, suggestion(use.member or "", self.playbook.credentials))


def _brings(step: Step, use: Use) -> bool:
    """Whether the step itself gives the name a value."""
    if use.name in step.using or use.name in step.variables or (use.name == "result" and use.own_result):
        return True
    return step.loop is not None and use.name in ("item", "loop", step.loop.item, step.loop.index)
