"""The script of a step for each shell its hosts speak, scanned for ``$Using:``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from runner.plan.model import Placement, PreparedScript
from runner.playbook.bodies import ScriptBody, ScriptText
from runner.playbook.check import SUFFIXES, suffix_hints
from runner.playbook.model import Step
from runner.problems import Problems
from runner.using.model import Shell
from runner.using.scan import scan

_STAND_INS = {Shell.BASH: Shell.SH}  # a script for sh runs in bash as well


def prepare_scripts(
    step: Step, placements: Sequence[Placement], problems: Problems
) -> dict[Shell, PreparedScript]:
    """For each shell among the placements the script that runs there; steps without hosts are scanned for sh."""
    body = step.body
    if not isinstance(body, ScriptBody) or not body.scripts:
        return {}
    shells = list(dict.fromkeys(placement.shell for placement in placements))
    if not shells:
        shells = [step.shell or body.scripts[0].shell or Shell.SH]
    prepared = {}
    for shell in shells:
        script = _script_for(shell, body)
        if script is None:
            host = next((p.host for p in placements if p.shell is shell), "")
            written = ", ".join(f"`{s.shell}`" for s in body.scripts)
            problems.error(
                "no-script-for-shell",
                f"step `{step.id}` has no script for `{shell}`, which host `{host}` speaks",
                step.span,
                f"it has one for {written}; add one for `{shell}`, or say `shell:`",
            )
            continue
        _check_suffix(step, script, shell, problems)
        prepared[shell] = PreparedScript(script, shell, scan(script.text, shell))
    return prepared


def _script_for(shell: Shell, body: ScriptBody) -> ScriptText | None:
    by_shell = {script.shell: script for script in body.scripts}
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
