"""A plan as a person reads it before it runs, and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.plan.model import Plan, PlannedStep
from runner.playbook.model import (
    AssertBody,
    CommandBody,
    CopyBody,
    FetchBody,
    LaterBody,
    Need,
    ScriptBody,
    Wait,
)
from runner.present.folding import fold
from runner.present.paint import Line, Piece, Role, line

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
                "shell": placement.shell.value,
                "session": placement.session,
            }
            for placement in planned.placements
        ],
    }
