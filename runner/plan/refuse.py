"""What a plan refuses by name: parts of the language not run yet, so that nothing is silently half run."""

from __future__ import annotations

from collections.abc import Sequence

from runner.plan.connection import TRANSPORTS
from runner.plan.place import Placed
from runner.playbook.bodies import (
    CommandBody,
    CopyBody,
    EnsureBody,
    FetchBody,
    GateBody,
    LaterBody,
    RebootBody,
    ScriptBody,
    WaitForBody,
)
from runner.playbook.model import Playbook, Step
from runner.problems import Problems
from runner.using.model import Shell

_IN_A_SHELL = (ScriptBody, CommandBody, CopyBody, FetchBody, EnsureBody, RebootBody)
"""Bodies that are always done by a shell of the host."""


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
    asked, said = _asked_on_host(step)
    item = next((item for item in placed if _cannot_carry(item, said)), None)
    if item is None or not asked:
        return
    node = step.node.get("shell")
    problems.error(
        "shell-over-winrm",
        f"step `{step.id}`: `{said or item.placement.shell}` cannot run on host `{item.placement.host}`:"
        " WinRM speaks powershell alone",
        node.span if node is not None else step.span if said else item.reach.span("shell"),
        "say `shell: powershell`",
        "sh, bash and python run over SSH: say `transport: ssh` where the host has it",
    )


def _asked_on_host(step: Step) -> tuple[bool, Shell | None]:
    """Whether a shell of the host is needed, and which one where the body itself says it."""
    body = step.body
    if isinstance(body, GateBody | WaitForBody):
        script = body.that is not None and bool(body.that.scripts)
        on_host = isinstance(body, WaitForBody) and body.origin == "host"
        return script or on_host, body.that.shell if body.that is not None else None
    return isinstance(body, _IN_A_SHELL), None


def _cannot_carry(item: Placed, said: Shell | None) -> bool:
    placement = item.placement
    return placement.endpoint.transport == "winrm" and (said or placement.shell) is not Shell.POWERSHELL


def warn_of_network_access(placed: Sequence[Placed], problems: Problems) -> None:
    """``enable_network_access`` is accepted over WinRM and ignored, and that is told; elsewhere it is refused."""
    for item in placed:
        setting = item.reach.settings.get("enable_network_access")
        if setting is not None and setting.value is True and item.reach.transport == "winrm":
            words = "`enable_network_access` is ignored: it is for loopback sessions over WinRM on Windows"
            problems.warning("option-without-effect", words, setting.span)
            return
