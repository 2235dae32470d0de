"""What a plan refuses by name: parts of the language not run yet, so that nothing is silently half run."""

from __future__ import annotations

from collections.abc import Sequence

from runner.plan.connection import TRANSPORTS
from runner.plan.place import Placed
from runner.playbook.bodies import CommandBody, CopyBody, FetchBody, LaterBody, ScriptBody
from runner.playbook.model import Playbook, Step
from runner.problems import Problems
from runner.using.model import Shell


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
        if step.remote_debug is not None:
            problems.error(
                "remote-debug",
                f"step `{step.id}`: `remote_debug` needs a debugger that somebody types into, and a run has none",
                step.remote_debug,
                "take it out; `debug: true` and `verbose: true` show what a script tells of itself",
            )


_HINT = "the key is valid and kept for a later version; take it out to run this playbook now"


def refuse_transports(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """Note transports that cannot be used yet, once a step and kind."""
    told: set[str] = set()
    for item in placed:
        transport = item.placement.endpoint.transport
        if transport not in TRANSPORTS and transport not in told:
            told.add(transport)
            known = ", ".join(f"`{name}`" for name in TRANSPORTS)
            problems.error(
                "transport-not-available",
                f"step `{step.id}`: transport `{transport}` of host `{item.placement.host}` is not available yet",
                item.reach.span("transport"),
                f"available now: {known}",
            )
        elevated = item.reach.settings.get("run_as")
        if elevated is not None and "run_as" not in told:
            told.add("run_as")
            words = f"step `{step.id}`: `run_as` of host `{item.placement.host}` is not available yet"
            problems.error("not-available-yet", words, elevated.span, "log in as the user you need")


def refuse_shells(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """WinRM carries PowerShell and nothing else: note another shell over it, once a step."""
    if not isinstance(step.body, ScriptBody | CommandBody | CopyBody | FetchBody):
        return
    item = next((item for item in placed if _cannot_carry(item)), None)
    if item is None:
        return
    node = step.node.get("shell")
    problems.error(
        "shell-over-winrm",
        f"step `{step.id}`: `{item.placement.shell}` cannot run on host `{item.placement.host}`:"
        " WinRM speaks powershell alone",
        node.span if node is not None else item.reach.span("shell"),
        "say `shell: powershell`",
        "sh, bash and python run over SSH: say `transport: ssh` where the host has it",
    )


def _cannot_carry(item: Placed) -> bool:
    placement = item.placement
    return placement.endpoint.transport == "winrm" and placement.shell is not Shell.POWERSHELL


def warn_of_network_access(placed: Sequence[Placed], problems: Problems) -> None:
    """``enable_network_access`` is accepted over WinRM and ignored, and that is told; elsewhere it is refused."""
    for item in placed:
        setting = item.reach.settings.get("enable_network_access")
        if setting is not None and setting.value is True and item.reach.transport == "winrm":
            words = "`enable_network_access` is ignored: it is for loopback sessions over WinRM on Windows"
            problems.warning("option-without-effect", words, setting.span)
            return
