"""A plan as a person reads it before it runs, and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.plan.model import Placement, Plan, PlannedStep
from runner.playbook.bodies import AssertBody, CommandBody, CopyBody, FetchBody, LaterBody, ScriptBody
from runner.playbook.control import Need, Wait
from runner.present.folding import fold
from runner.present.paint import Line, Piece, Role, line
from runner.transport.endpoint import Endpoint
from runner.transport.winrm_uris import configuration_name
from runner.using.model import Shell

_SHORT_DIGEST = 12


def plan_lines(plan: Plan, *, hosts: bool = True) -> list[Line]:
    """The plan: each step with its hosts, what it runs, what it waits for."""
    count = sum(len(step.placements) for step in plan.steps)
    digest = plan.digest[:_SHORT_DIGEST]
    lines = [
        line(Piece(plan.playbook.name, Role.STRONG), f"  {plan.playbook.path}"),
        line(
            f"{_count(len(plan.steps), 'step')}, {_count(len(plan.hosts), 'host')},"
            f" {_count(count, 'assignment')}, plan {digest}"
        ),
    ]
    for number, planned in enumerate(plan.steps, 1):
        lines += [(), *_step_lines(number, planned, hosts=hosts)]
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _step_lines(number: int, planned: PlannedStep, *, hosts: bool) -> Iterator[Line]:
    step = planned.step
    loops = "  \N{MULTIPLICATION SIGN} ?" if step.loop is not None else ""
    yield line(f"{number:>3}  ", Piece(step.id, Role.STRONG), f"  {_kind(planned)}{loops}")
    names = [placement.host for placement in planned.placements]
    shown = fold(names) if hosts and names else "no hosts: skipped"
    yield line("     on     ", Piece(shown, Role.HOSTS), f"  ({len(names)})" if len(names) > 1 else "")
    for way in _ways(planned):
        yield line(f"     over   {way}")
    sessions = {p.session for p in planned.placements if p.session is not None}
    if sessions:
        yield line(f"     in     session {', '.join(sorted(sessions))}")
    if step.needs:
        yield line("     after  ", ", ".join(_need(need) for need in step.needs))
    if step.run_if != "success":
        yield line("     if     ", f"run_if {step.run_if}")
    for condition in step.when:
        yield line("     when   ", " ".join(condition.text.split()))
    for prepared in planned.scripts.values():
        digest = prepared.script.digest[:_SHORT_DIGEST]
        place = prepared.script.path or f"{prepared.script.span(0, 0)}"
        yield line("     sends  ", f"{place}  sha256 {digest}")


def _need(need: Need) -> str:
    return need.step if need.wait is Wait.AUTO else f"{need.step} ({need.wait})"


def _kind(planned: PlannedStep) -> str:
    body = planned.step.body
    shells = "/".join(dict.fromkeys(p.shell for p in planned.placements))
    match body:
        case ScriptBody():
            return f"{'file' if body.from_file else 'script'} {shells}".strip()
        case CommandBody():
            return f"command {' | '.join(_text(item.name) for item in body.items)}"
        case CopyBody():
            return f"copy to {_text(body.destination)}"
        case FetchBody():
            return f"fetch to {_text(body.destination)}"
        case AssertBody():
            return "assert"
        case LaterBody():
            return body.key
        case _:
            return type(body).__name__.removesuffix("Body").lower()


def _text(node: object) -> str:
    return str(getattr(node, "text", "…"))


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain data: no secrets, no values of variables."""
    return {
        "run": plan.run,
        "playbook": {"name": plan.playbook.name, "path": plan.playbook.path},
        "digest": plan.digest,
        "now": plan.now.isoformat().replace("+00:00", "Z"),
        "hosts": list(plan.hosts),
        "steps": [_step_document(planned) for planned in plan.steps],
    }


def _remoting(placement: Placement) -> dict[str, Any]:
    """What is known of PowerShell remoting to a host; nothing where it is reached without."""
    endpoint = placement.endpoint
    if endpoint.winrm is not None:
        return {
            "url": endpoint.winrm.url,
            "configuration": configuration_name(endpoint.winrm.resource_uri),
            "authentication": _login(endpoint),
        }
    if placement.shell is Shell.POWERSHELL and endpoint.transport == "ssh":
        return {"subsystem": None if placement.interpreter else endpoint.subsystem or "powershell"}
    return {}


def _login(endpoint: Endpoint) -> str:
    if endpoint.winrm is None:
        return ""
    return "certificate" if endpoint.winrm.certificate is not None else endpoint.winrm.authentication.value


def _ways(planned: PlannedStep) -> Iterator[str]:
    """How WinRM hosts are reached, each way once: what tells them apart is the host's name alone."""
    told: set[str] = set()
    for placement in planned.placements:
        endpoint = placement.endpoint
        if endpoint.winrm is None:
            continue
        url = endpoint.winrm.url.partition("?")[0]
        configuration = configuration_name(endpoint.winrm.resource_uri)
        if len(planned.placements) > 1:
            url = url.replace(endpoint.address, "HOST", 1)
        way = f"{url}  {_login(endpoint)}  {configuration}"
        if way not in told:
            told.add(way)
            yield way


def _step_document(planned: PlannedStep) -> dict[str, Any]:
    step = planned.step
    return {
        "id": step.id,
        "kind": _kind(planned),
        "needs": [{"step": need.step, "wait": need.wait.value} for need in step.needs or ()],
        "run_if": step.run_if.value,
        "when": [condition.text for condition in step.when],
        "loop": step.loop is not None,
        "register": step.register,
        "timeout_s": step.timeout,
        "scripts": [
            {"shell": shell.value, "sha256": prepared.script.digest, "path": prepared.script.span(0, 0).path}
            for shell, prepared in planned.scripts.items()
        ],
        "assignments": [
            {
                "host": placement.host,
                "transport": placement.endpoint.transport,
                "address": placement.endpoint.address or None,
                "port": placement.endpoint.port,
                "user": placement.endpoint.user,
                **_remoting(placement),
                "shell": placement.shell.value,
                "session": placement.session,
            }
            for placement in planned.placements
        ],
    }
