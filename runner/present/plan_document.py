"""A plan as a document for programs: no secrets, no values of variables."""

from __future__ import annotations

from typing import Any

from runner.engine.shape import Policy
from runner.plan.model import Placement, Plan, PlannedBlock, PlannedPolicy, PlannedStep, PreparedScript
from runner.playbook.control import Late, Need, Retry
from runner.present.plan_view import kind_of, login_of
from runner.transport.winrm_uris import configuration_name
from runner.using.model import Shell


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain data: no secrets, no values of variables."""
    return {
        "run": plan.run,
        "playbook": {"name": plan.playbook.name, "path": plan.playbook.path},
        "digest": plan.digest,
        "now": plan.now.isoformat().replace("+00:00", "Z"),
        "seed": plan.seed,
        "check": plan.check,
        "hosts": list(plan.hosts),
        "locked": sorted(plan.locked),
        "max_fail": plan.shape.max_fail,
        "max_unreachable": plan.shape.max_unreachable,
        "timeout_s": plan.timeout,
        "pools": [{"name": p.name, "size": p.size, "adaptive": p.adaptive} for p in plan.pools],
        "policies": [
            _policy(planned, policy)
            for planned, policy in zip(plan.policies, plan.shape.policies, strict=True)
        ],
        "blocks": [_block(planned) for planned in plan.blocks],
        "steps": [_step(planned) for planned in plan.steps],
    }


def _policy(planned: PlannedPolicy, policy: Policy) -> dict[str, Any]:
    return {
        "of": planned.name,
        "max_fail": policy.max_fail,
        "max_unreachable": policy.max_unreachable,
        "any_errors": "stop" if policy.stop_running else None,
        "health": planned.health is not None,
        "waves": [
            {"hosts": list(wave.hosts), "max_fail": shape.max_fail, "pause_s": wave.pause}
            for wave, shape in zip(planned.waves, policy.waves, strict=True)
        ],
    }


def _block(planned: PlannedBlock) -> dict[str, Any]:
    block = planned.block
    return {
        "id": block.id,
        "in": _place(block.place),
        "needs": _needs(block.needs),
        "run_if": block.run_if.value,
        "when": [condition.text for condition in block.when],
        "rescue": planned.rescue is not None,
        "rescue_on": block.rescue_on,
        "always": planned.always is not None,
        "throttle": block.throttle or None,
        "hosts": [placement.host for placement in planned.placements],
    }


def _place(place: Any) -> dict[str, Any] | None:
    return None if place is None else {"block": place.block, "part": place.part.value}


def _needs(needs: tuple[Need, ...] | None) -> list[dict[str, Any]]:
    return [{"step": need.step, "wait": need.wait.value} for need in needs or ()]


def _step(planned: PlannedStep) -> dict[str, Any]:
    step = planned.step
    return {
        "id": step.id,
        "kind": kind_of(planned),
        "in": _place(step.place),
        "needs": _needs(step.needs),
        "run_if": step.run_if.value,
        "when": [condition.text for condition in step.when],
        "loop": step.loop is not None,
        "register": step.register,
        "timeout_s": step.timeout,
        "retry": _retry(step.retry),
        "until": [condition.text for condition in step.until],
        "unreachable": _unreachable(step.unreachable),
        "lock": step.lock,
        "rerun": step.rerun,
        "read_only": step.read_only,
        "pools": {use.name: use.weight for use in step.pools},
        "seen_by": list(planned.seen_by),
        "scripts": [
            *(_script("script", shell, prepared) for shell, prepared in planned.scripts.items()),
            *(
                _script(place, shell, prepared)
                for place, scripts in planned.scripts_of.items()
                for shell, prepared in scripts.items()
            ),
        ],
        "assignments": [
            {
                **_reached(placement),
                **_limits(planned, placement.host),
                **(
                    {"delegates": [_reached(each) for each in placement.delegates]}
                    if placement.delegates
                    else {}
                ),
            }
            for placement in planned.placements
        ],
    }


def _limits(planned: PlannedStep, host: str) -> dict[str, Any]:
    """What comes of the host's own variables, in the place of what the step has for all."""
    step = planned.by_host.get(host)
    if step is None:
        return {}
    limits = {
        "timeout_s": step.timeout,
        "retry": _retry(step.retry),
        "unreachable": _unreachable(step.unreachable),
    }
    return {"limits": limits}


def _script(place: str, shell: Shell, prepared: PreparedScript) -> dict[str, Any]:
    return {
        "place": place,
        "shell": shell.value,
        "sha256": prepared.script.digest,
        "path": prepared.script.span(0, 0).path,
    }


def _retry(rules: Retry | None) -> dict[str, Any] | None:
    if rules is None:
        return None
    return {
        "attempts": rules.attempts,
        "delay_s": rules.delay,
        "backoff": rules.backoff,
        "jitter": rules.jitter,
        "max_delay_s": rules.max_delay,
        "on": [*sorted(rules.statuses), *sorted(rules.codes), *(each.text for each in rules.that)],
    }


def _unreachable(said: str | Late) -> Any:
    if isinstance(said, Late):
        return {"retry_after_s": said.retry_after, "give_up_after_s": said.give_up_after}
    return said


def _reached(placement: Placement) -> dict[str, Any]:
    return {
        "host": placement.host,
        "transport": placement.endpoint.transport,
        "address": placement.endpoint.address or None,
        "port": placement.endpoint.port,
        "user": placement.endpoint.user,
        **_remoting(placement),
        "shell": placement.shell.value,
        "session": placement.session,
    }


def _remoting(placement: Placement) -> dict[str, Any]:
    """What is known of PowerShell remoting to a host; nothing where it is reached without."""
    endpoint = placement.endpoint
    if endpoint.winrm is not None:
        return {
            "url": endpoint.winrm.url,
            "configuration": configuration_name(endpoint.winrm.resource_uri),
            "authentication": login_of(endpoint),
        }
    if placement.shell is Shell.POWERSHELL and endpoint.transport == "ssh":
        return {"subsystem": None if placement.interpreter else endpoint.subsystem or "powershell"}
    return {}
