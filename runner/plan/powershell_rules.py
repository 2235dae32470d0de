"""What a step can say of powershell: keys that only powershell has, and keys that its `command` cannot have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.document.nodes import AnyNode, Scalar
from runner.document.nodes import Sequence as SequenceNode
from runner.plan.place import Placed
from runner.playbook.bodies import CommandBody, CopyBody, ScriptBody
from runner.playbook.model import Step
from runner.problems import Problems
from runner.using.model import Shell

POWERSHELL_KEYS = (
    *("strict_mode", "native_exit_code", "error_action", "warning_action", "information_action"),
    *("verbose", "debug"),
)
"""Keys of a step that are parameters or preferences of PowerShell."""

_NOT_WITH_COMMAND = {
    "environment": "it is set by statements before a script",
    "working_directory": "it is set by a statement before a script",
}


def check_powershell_rules(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """Note keys of a step that the shells of its hosts have not; where no host is known, so is the shell."""
    shells = [item.placement.shell for item in placed] or ([step.shell] if step.shell is not None else [])
    if Shell.POWERSHELL in shells:
        _check_command(step, problems)
        _check_positions(step, problems)
        _check_interpreter(placed, problems)
        _check_owning(step, placed, problems)
    elif shells:
        _refuse_powershell_keys(step, shells[0], problems)
    other = next((shell for shell in shells if shell is not Shell.POWERSHELL), None)
    if other is not None:
        _refuse_powershell_forms(step, other, problems)


def _refuse_powershell_keys(step: Step, shell: str, problems: Problems) -> None:
    """What the step says itself; what stands in `defaults` is for those steps that can."""
    for key in POWERSHELL_KEYS:
        if _asks(step.node.get(key)):
            problems.error(
                "powershell-key",
                f"step `{step.id}`: `{key}` is for powershell, and its hosts speak {shell}",
                step.node.key(key).span,
                "take it out, or say `shell: powershell`",
            )


def _check_command(step: Step, problems: Problems) -> None:
    if not isinstance(step.body, CommandBody):
        return
    for key, reason in _NOT_WITH_COMMAND.items():
        if _asks(step.node.get(key)):
            problems.error(
                "excluded-key",
                f"`{key}` of step `{step.id}` does not go with `command` on powershell: {reason},"
                " and `command` is for endpoints that take none",
                step.node.key(key).span,
                "use `script` where the endpoint takes one",
            )
    if step.stop == "process_tree":
        node = step.node.get("stop")
        problems.error(
            "excluded-key",
            f"`stop: process_tree` of step `{step.id}` does not go with `command` on powershell: a script must find"
            " the processes",
            node.span if node is not None else step.span,
            "leave it out, or use `script` where the endpoint takes one",
        )


def _check_interpreter(placed: Sequence[Placed], problems: Problems) -> None:
    """Over SSH the engine is a subsystem of the server or a program that is started, not both."""
    for item in placed:
        placement, said = item.placement, item.reach.settings
        if placement.shell is Shell.POWERSHELL and placement.interpreter and "subsystem" in said:
            problems.error(
                "excluded-key",
                "`interpreter` does not go with `subsystem`: the SSH server starts the engine of a subsystem",
                item.reach.span("interpreter"),
                "leave one of them out",
            )
            return


def _check_owning(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """Warn of owner and mode for WinRM hosts, which are Windows nearly always: there a copy would fail by them."""
    if not isinstance(step.body, CopyBody) or all(
        item.placement.endpoint.transport != "winrm" for item in placed
    ):
        return
    for key in ("owner", "group", "mode"):
        node = step.body.node.get(key)
        if _asks(node):
            problems.warning(
                "owner-over-winrm",
                f"`{key}` of step `{step.id}` fails on Windows, which has access lists in its place",
                step.body.node.key(key).span,
                "set them in a step of their own: `icacls PATH /setowner NAME`, `icacls PATH /grant NAME:R`",
            )


def _check_positions(step: Step, problems: Problems) -> None:
    """Warn of what looks like a parameter among `args`: by position it is bound as text (coverage.md P3, N23)."""
    if not isinstance(step.body, ScriptBody | CommandBody):
        return
    for node in _arguments(step):
        items = node.items if isinstance(node, SequenceNode) else [node]
        for item in items:
            text = item.text if isinstance(item, Scalar) and isinstance(item.value, str) else ""
            if text[:1] == "-" and text[1:2].isalpha() and text[1:].isidentifier():
                name = text[1:]
                problems.warning(
                    "switch-by-position",
                    f"`{text}` among `args` is bound by position as text: no parameter is named by it",
                    item.span,
                    f"write `parameters: {{{name}: ...}}`, and `{{{name}: true}}` for a switch",
                )


def _arguments(step: Step) -> Iterator[AnyNode]:
    body = step.body
    items = [item.args for item in body.items] if isinstance(body, CommandBody) else []
    seen = {id(node) for node in items}
    yield from (node for node in items if node is not None)
    if step.args is not None and id(step.args) not in seen:
        yield step.args


def _refuse_powershell_forms(step: Step, other: str, problems: Problems) -> None:
    """A pipeline of commands, and parameters by name, are for powershell."""
    body = step.body
    if isinstance(body, ScriptBody) and step.parameters is not None:
        problems.error(
            "parameters-shell",
            f"step `{step.id}`: `parameters` bind by name, which {other} has not",
            step.parameters.span,
            "use `args`, or `$Using:` variables",
        )
    if not isinstance(body, CommandBody):
        return
    if len(body.items) > 1:
        problems.error(
            "command-pipeline",
            f"step `{step.id}`: a list of commands is a powershell pipeline",
            body.items[1].name.span,
            "write one step for each program, or `script:`",
        )
    for part in body.items:
        if part.parameters is not None:
            problems.error(
                "parameters-shell",
                f"step `{step.id}`: `parameters` bind by name, which a program run as argv has not",
                part.parameters.span,
                "use `args`",
            )


def _asks(node: AnyNode | None) -> bool:
    """Whether a key is there and asks for something; a switch that is off does not."""
    return node is not None and not (isinstance(node, Scalar) and node.value in (None, False))
