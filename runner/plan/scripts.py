"""The script of a step for each shell its hosts speak, scanned for ``$Using:``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from runner.plan.model import Placement, PreparedScript
from runner.playbook.check import SUFFIXES
from runner.playbook.model import Playbook, ScriptBody, ScriptText, Step
from runner.problems import Problems
from runner.using.model import Shell
from runner.using.scan import scan

_STAND_INS = {Shell.BASH: Shell.SH}  # a script for sh runs in bash as well


def prepare_scripts(
    playbook: Playbook, step: Step, placements: Sequence[Placement], problems: Problems
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
        _check_template(playbook, step, prepared[shell], problems)
    return prepared


def _script_for(shell: Shell, body: ScriptBody) -> ScriptText | None:
    by_shell = {script.shell: script for script in body.scripts}
    fitting = (by_shell.get(wanted) for wanted in (shell, None, _STAND_INS.get(shell)))
    return next((script for script in fitting if script is not None), None)


def _check_suffix(step: Step, script: ScriptText, shell: Shell, problems: Problems) -> None:
    name = PurePath(script.path or "").name
    fitting = SUFFIXES.get(PurePath(name).suffix.lower())
    if fitting and step.shell is None and shell not in fitting:
        say = " or ".join(f"`shell: {word}`" for word in sorted(fitting))
        hints = [f"say {say} on the step, the target or in the inventory"]
        if Shell.POWERSHELL in fitting:
            hints.append("over SSH, `subsystem: powershell` on the target speaks powershell too")
        node = step.node.get("file")
        problems.error(
            "file-shell",
            f"`{name}` would be run by `{shell}`, which its name contradicts",
            node.span if node is not None else step.span,
            *hints,
        )


def _check_template(playbook: Playbook, step: Step, prepared: PreparedScript, problems: Problems) -> None:
    """``template: true`` pastes text; a secret must not be pasted."""
    if not step.template or prepared.script.scalar is None:
        return
    for name, declared in playbook.inputs.items():
        start = prepared.script.text.find(name) if declared.secret else -1
        if start >= 0 and "{{" in prepared.script.text:
            problems.error(
                "template-secret",
                f"the secret input `{name}` cannot be pasted into a script",
                prepared.script.span(start, start + len(name)),
                f"write `$Using:{name}`, and leave `template` out",
            )
