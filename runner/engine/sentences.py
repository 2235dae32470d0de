"""Why something was not started, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable

from runner.engine.commands import PolicyBroke, Skip, Why
from runner.engine.shape import RunShape


def policy_sentence(shape: RunShape, broke: PolicyBroke, name: str | None, said: str | None) -> str:
    """Which limit is exceeded, with the numbers.

    ``name`` is the step's or the block's, None for the run; ``said`` why a wave may not be followed by the next one.
    """
    if broke.policy is None or name is None:
        counted = {host for step in shape.counted for host in shape.steps[step].hosts}
        failed, unreachable, hosts = shape.max_fail, shape.max_unreachable, len(counted)
        what, stops = "the run", False
    else:
        policy = shape.policies[broke.policy]
        failed, unreachable = policy.max_fail, policy.max_unreachable
        hosts, what, stops = len(shape.steps[policy.end].hosts), f"`{name}`", policy.stop_running
        if broke.wave is not None:
            size = policy.waves[broke.wave].size
            bad = f"{broke.wave_bad} of {_hosts(size)} went bad"
            return f"wave {broke.wave + 1} of {what} did not pass: {bad if said is None else said}"
    limits = (
        ("max_fail", "failed", failed, broke.failed),
        ("max_unreachable", "unreachable", unreachable, broke.unreachable),
    )
    for key, word, limit, count in limits:
        written = limit is not None and (limit > 0 or not stops)  # a limit of 0 comes of `any_errors: stop`
        if limit is not None and written and count > limit:
            return f"`{key}` of {what} is exceeded: {count} of {_hosts(hosts)} {word}"
    stopped = "`any_errors: stop`" if stops else "a limit"
    _, word, _, count = limits[0] if broke.failed else limits[1]
    return f"{stopped} of {what}: {count} of {_hosts(hosts)} {word}"


def skip_sentence(
    skip: Skip, *, name: Callable[[int], str], policy: str | None, wave: int | None, door: str | None
) -> str:
    """Why an assignment was skipped.

    ``name`` gives the id of a step or a junction's block, ``policy`` is the sentence of the limit that ``cause`` is
    about, ``wave`` the one that did not pass (from 0), ``door`` why the block was skipped.
    """
    if skip.why is Why.NOT_ENTERED:
        return "its block was skipped" + (f": {door}" if door else "")
    if skip.why is Why.WAVE and wave is not None:
        return f"wave {wave + 1} did not pass"
    if skip.why in {Why.POLICY, Why.WAVE} and policy is not None:
        return policy
    if skip.cause is None:
        return "nothing before it went wrong"
    return policy or f"`{name(skip.cause)}` did not succeed"


def _hosts(count: int) -> str:
    return f"{count} host" if count == 1 else f"{count} hosts"
