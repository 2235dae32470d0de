"""The scripts of a step for each shell its hosts speak, scanned for ``$Using:``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from runner.plan.model import Placement, PreparedScript
from runner.plan.order import Unit
from runner.plan.place import Placed
from runner.playbook.bodies import (
    Condition,
    EnsureBody,
    GateBody,
    RebootBody,
    ScriptBody,
    ScriptText,
    WaitForBody,
)
from runner.playbook.check import SUFFIXES, suffix_hints
from runner.playbook.model import Step
from runner.problems import Problems
from runner.using.model import Shell
from runner.using.scan import scan
from runner.values import Span

_STAND_INS = {Shell.BASH: Shell.SH}  # a script for sh runs in bash as well


def prepare_scripts(
    step: Step, placements: Sequence[Placement], problems: Problems
) -> dict[Shell, PreparedScript]:
    """For each shell among the placements the script that runs there; steps without hosts are scanned for sh."""
    body = step.body
    if not isinstance(body, ScriptBody) or not body.scripts:
        return {}
    prepared = _prepared(
        f"step `{step.id}`", body.scripts, _shells(step, body.scripts, placements), step.span, problems
    )
    for shell, found in prepared.items():
        _check_suffix(step, found.script, shell, problems)
    return prepared


def scripts_elsewhere(
    step: Step, placements: Sequence[Placement], problems: Problems
) -> dict[str, dict[Shell, PreparedScript]]:
    """The scripts that stand elsewhere than in ``script``, by their place (see :class:`PlannedStep`)."""
    found: dict[str, dict[Shell, PreparedScript]] = {}
    for place, scripts, said in _places(step):
        shells = {said: ""} if said is not None else _shells(step, scripts, placements)
        what = f"`{place}` of step `{step.id}`"
        found[place] = _prepared(what, scripts, shells, step.span, problems)
    return found


def health_scripts(unit: Unit, placed: Sequence[Placed], problems: Problems) -> dict[Shell, PreparedScript]:
    """The script of a health check by the shell it runs in: the check's own ``shell``, else each host's."""
    health = unit.health
    if health is None or not health.scripts:
        return {}
    shells = {item.placement.shell: item.placement.host for item in reversed(placed)}
    if health.shell is not None or not shells:
        shells = {health.shell or health.scripts[0].shell or Shell.SH: ""}
    what = f"`health` of {'step' if isinstance(unit, Step) else 'block'} `{unit.id}`"
    return _prepared(what, health.scripts, shells, health.span or unit.span, problems)


def _places(step: Step) -> Iterator[tuple[str, tuple[ScriptText, ...], Shell | None]]:
    body = step.body
    if isinstance(body, EnsureBody):
        yield "ensure.test", body.test, None
        yield "ensure.set", body.set, None
    elif isinstance(body, RebootBody) and body.test:
        yield "reboot.test", body.test, None
    elif isinstance(body, WaitForBody):
        yield from _of_condition("wait_for.that", body.that)
    elif isinstance(body, GateBody):
        yield from _of_condition("gate.that", body.that)


def _of_condition(
    place: str, condition: Condition | None
) -> Iterator[tuple[str, tuple[ScriptText, ...], Shell | None]]:
    if condition is not None and condition.scripts:
        yield place, condition.scripts, condition.shell


def _shells(step: Step, scripts: Sequence[ScriptText], placements: Sequence[Placement]) -> dict[Shell, str]:
    """The shells that are spoken, each with the first host that speaks it."""
    shells = {placement.shell: placement.host for placement in reversed(placements)}
    ordered = dict.fromkeys(placement.shell for placement in placements)
    if not shells and scripts:
        return {step.shell or scripts[0].shell or Shell.SH: ""}
    return {shell: shells[shell] for shell in ordered}


def _prepared(
    what: str,
    scripts: Sequence[ScriptText],
    shells: dict[Shell, str],
    span: Span,
    problems: Problems,
) -> dict[Shell, PreparedScript]:
    prepared = {}
    for shell, host in shells.items():
        script = _script_for(shell, scripts)
        if script is None:
            written = ", ".join(f"`{s.shell}`" for s in scripts)
            problems.error(
                "no-script-for-shell",
                f"{what} has no script for `{shell}`" + (f", which host `{host}` speaks" if host else ""),
                span,
                f"it has one for {written}; add one for `{shell}`, or say `shell:`",
            )
            continue
        prepared[shell] = PreparedScript(script, shell, scan(script.text, shell))
    return prepared


def _script_for(shell: Shell, scripts: Sequence[ScriptText]) -> ScriptText | None:
    by_shell = {script.shell: script for script in scripts}
    fitting = (by_shell.get(wanted) for wanted in (shell, None, _STAND_INS.get(shell)))
    return next((script for script in fitting if script is not None), None)


def _check_suffix(step: Step, script: ScriptText, shell: Shell, problems: Problems) -> None:
    name = PurePath(script.path or "").name
    fitting = SUFFIXES.get(PurePath(name).suffix.lower())
    if fitting and step.shell is None and shell not in fitting:
        node = step.node.get("file")
        problems.error(
            "file-shell",
            f"`{name}` would be run by `{shell}`, which its name contradicts",
            node.span if node is not None else step.span,
            *suffix_hints(fitting, " on the step, the target or in the inventory"),
        )
