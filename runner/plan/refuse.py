"""What a plan refuses by name: parts of the language not run yet, so that nothing is silently half run."""

from __future__ import annotations

from collections.abc import Sequence

from runner.plan.connection import TRANSPORTS
from runner.plan.place import Placed
from runner.playbook.model import CommandBody, LaterBody, Playbook, ScriptBody, Step
from runner.problems import Problems
from runner.using.model import Shell

_SSH_OPTIONS = frozenset({"open_timeout", "cancel_timeout", "no_compression"})


def refuse_later(playbook: Playbook, steps: Sequence[Step], problems: Problems) -> None:
    """Note every key and body of the language that this version knows but does not run."""
    for later in playbook.later:
        problems.error("not-available-yet", f"`{later.key}` is not available yet", later.span, _HINT)
    for step in steps:
        if isinstance(step.body, LaterBody):
            words = f"step `{step.id}`: `{step.body.key}` is not available yet"
            problems.error("not-available-yet", words, step.body.span, _HINT)
        for later in step.later:
            words = f"step `{step.id}`: `{later.key}` is not available yet"
            problems.error("not-available-yet", words, later.span, _HINT)


_HINT = "the key is valid and kept for a later version; take it out to run this playbook now"


def refuse_transports(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """Note transports and shells that cannot be used yet, once a step and kind."""
    told: set[str] = set()
    for item in placed:
        transport, shell = item.placement.endpoint.transport, item.placement.shell
        span = item.reach.host.span
        setting = item.reach.settings.get("transport")
        if transport not in TRANSPORTS and transport not in told:
            told.add(transport)
            problems.error(
                "transport-not-available",
                f"step `{step.id}`: transport `{transport}` of host `{item.placement.host}` is not available yet",
                setting.span if setting is not None else span,
                "available now: `ssh` and `local`",
            )
        elevated = item.reach.settings.get("run_as")
        if elevated is not None and "run_as" not in told:
            told.add("run_as")
            words = f"step `{step.id}`: `run_as` of host `{item.placement.host}` is not available yet"
            problems.error("not-available-yet", words, elevated.span, "log in as the user you need")
        runs_script = isinstance(step.body, ScriptBody | CommandBody)
        if transport in TRANSPORTS and shell is Shell.POWERSHELL and runs_script and "powershell" not in told:
            told.add("powershell")
            problems.error(
                "shell-not-available",
                f"step `{step.id}`: `powershell` on host `{item.placement.host}` is not available yet",
                step.span,
                "available now: `shell: sh`, `bash` and `python`",
            )


def warn_of_options(placed: Sequence[Placed], problems: Problems) -> None:
    """Say which session options do nothing over the transport of a host."""
    for item in placed:
        setting = item.reach.settings.get("session_option")
        if setting is None or not isinstance(setting.value, dict):
            continue
        idle = sorted(set(setting.value) - _SSH_OPTIONS)
        transport = item.placement.endpoint.transport
        if idle and transport in TRANSPORTS:
            words = ", ".join(f"`{key}`" for key in idle)
            problems.warning(
                "option-without-effect",
                f"{words} of the session option has no effect over {transport}",
                setting.span,
            )
            return


def warn_of_network_access(placed: Sequence[Placed], problems: Problems) -> None:
    """``enable_network_access`` is accepted over WinRM and ignored, and that is told; elsewhere it is refused."""
    for item in placed:
        setting = item.reach.settings.get("enable_network_access")
        if setting is not None and setting.value is True and item.reach.transport == "winrm":
            words = "`enable_network_access` is ignored: it is for loopback sessions over WinRM on Windows"
            problems.warning("option-without-effect", words, setting.span)
            return


def refuse_powershell_forms(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """A pipeline of commands, and parameters by name, are for powershell; where no host is known, so is the shell."""
    shells = {item.placement.shell for item in placed} or {step.shell} - {None}
    other = next((shell for shell in shells if shell is not Shell.POWERSHELL), None)
    if other is None:
        return
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
