"""The rows of a plan about control: waves, limits, retries, gates, locks, pools, delegates, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from runner.document.nodes import Scalar
from runner.engine.shape import Policy
from runner.plan.model import Plan, PlannedPolicy, PlannedStep, PlannedWave, PreparedScript
from runner.playbook.bodies import Condition, GateBody, RebootBody, WaitForBody
from runner.playbook.control import Deadlines, Late, Retry
from runner.playbook.model import Step
from runner.present.folding import fold

Row = tuple[str, str]
"""A word of at most six letters, and what is said."""

SHORT_DIGEST = 12
"""Hex digits of a digest that a person is shown."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def seconds(value: float) -> str:
    """A duration as a playbook writes it, in the largest unit that says it exactly.

    >>> seconds(90), seconds(300), seconds(7200), seconds(0.5)
    ('90s', '5m', '2h', '0.5s')
    """
    for size, unit in _UNITS:
        if value >= size and value % size == 0:
            return f"{int(value // size)}{unit}"
    return f"{value:g}s"


def policy_rows(planned: PlannedPolicy, policy: Policy) -> Iterator[Row]:
    """Waves, the health check and the limits of a step or block."""
    if planned.waves:
        yield "waves", " · ".join(_waves(planned.waves))
    if planned.health is not None:
        yield "health", f"{condition(planned.health)}, before each further wave"
    for prepared in planned.health_scripts.values():
        yield "sends", f"health  {sent(prepared)}"
    stops = list(_stops(policy))
    if stops:
        yield "stops", "; ".join(stops)


def _waves(waves: Sequence[PlannedWave]) -> Iterator[str]:
    """Equal waves that follow each other are counted; a wave of one host alone is named."""
    number = 0
    for (size, pause), group in groupby(waves, lambda wave: (len(wave.hosts), wave.pause)):
        same = list(group)
        hosts = same[0].hosts[0] if size == 1 and len(same) == 1 else f"{size} host{'s' if size > 1 else ''}"
        times = f"{len(same)} times " if len(same) > 1 else ""
        number += len(same)
        yield f"{times}{hosts}" + (f", pause {seconds(pause)}" if pause and number < len(waves) else "")


def _stops(policy: Policy) -> Iterator[str]:
    if policy.stop_running:
        yield "at the first failure on any host, and ends what runs"
    else:
        yield from stops(policy.max_fail, policy.max_unreachable)
    first = policy.waves[0].max_fail if len(policy.waves) > 1 else None
    if first is not None and first != policy.max_fail:
        yield f"after the first wave when {_more_than(first, 'fails', 'fail')} there"


def stops(max_fail: int | None, max_unreachable: int | None) -> Iterator[str]:
    """The limits of hosts in words; none where there is no limit."""
    if max_fail is not None:
        yield f"when {_more_than(max_fail, 'fails', 'fail')}"
    if max_unreachable is not None:
        yield f"when {_more_than(max_unreachable, 'is unreachable', 'are unreachable')}"


def _more_than(limit: int, one: str, many: str) -> str:
    if limit == 0:
        return f"any host {one}"
    return f"more than {limit} host{'s' if limit > 1 else ''} {many if limit > 1 else one}"


def control_rows(plan: Plan, planned: PlannedStep) -> Iterator[Row]:
    """What a step says of being repeated, put off, locked, and of whom it takes from."""
    step = planned.step
    delegates = {place.host for placement in planned.placements for place in placement.delegates}
    if delegates:
        yield "by", f"{fold(delegates)} in the place of each host"
    if planned.seen_by:
        yield "once", f"on the first host, for {_hosts(len(planned.seen_by))}"
    if step.order_by is not None:
        yield "order", " ".join(step.order_by.text.split())
    for expression in step.until:
        yield "until", " ".join(expression.text.split())
    limits = [dict(_limits(plan, each)) for each in planned.by_host.values() or (step,)]
    for word in dict.fromkeys(word for each in limits for word in each):
        yield word, " or ".join(dict.fromkeys(each[word] for each in limits if word in each))
    pools = list(_pools(plan, planned))
    if pools:
        yield "takes", ", ".join(pools)
    if step.lock is not None:
        yield "lock", "on the host" if step.lock == "target" else "on the controller, for the run"


def _limits(plan: Plan, step: Step) -> Iterator[Row]:
    """What may be another one on each host; a plan shows the ones there are."""
    if step.retry is not None:
        yield "retry", retry(step.retry)
    late = _late(step)
    if late:
        yield "late", late
    if step.quarantine:
        limit = (
            "much longer than the others" if step.quarantine is True else f"over {seconds(step.quarantine)}"
        )
        yield "aside", f"hosts that take {limit}"
    if step.timeout is not None and step.timeout != plan.playbook.deadlines.step:
        yield "limit", f"{seconds(step.timeout)} for an attempt"


def _hosts(count: int) -> str:
    return f"{count} host" if count == 1 else f"{count} hosts"


def _late(step: Step) -> str:
    match step.unreachable:
        case Late(again, limit):
            return (
                f"unreachable hosts are tried every {seconds(again)} for {seconds(limit)}, the rest goes on"
            )
        case "ignore":
            return "unreachable hosts are ignored"
    return ""


def _pools(plan: Plan, planned: PlannedStep) -> Iterator[str]:
    """What its assignments take of pools; where hosts differ, the least and the most."""
    counters = plan.shape.steps[planned.index].counters
    for pool in plan.pools:
        slots = {dict(taken).get(pool.counter, 0) for taken in set(counters)}
        if any(slots):
            amount = f"{min(slots)}" if len(slots) == 1 else f"{min(slots)} to {max(slots)}"
            yield f"{amount} of {pool.size} {pool.name}"


def retry(rules: Retry) -> str:
    """How an attempt is repeated, in one line."""
    words = f"{rules.attempts} attempts, {seconds(rules.delay)} apart"
    if rules.backoff != 1:
        most = f" up to {seconds(rules.max_delay)}" if rules.max_delay is not None else ""
        words += f", each wait {rules.backoff:g} times the last{most}"
    on = [
        *sorted(rules.statuses),
        *sorted(rules.codes),
        *(" ".join(each.text.split()) for each in rules.that),
    ]
    return f"{words}, on {', '.join(on)}" if on else words


def sent(prepared: PreparedScript) -> str:
    """Where a script stands, and the beginning of its digest."""
    place = prepared.script.path or f"{prepared.script.span(0, 0)}"
    return f"{place}  sha256 {prepared.script.digest[:SHORT_DIGEST]}"


def deadlines(limits: Deadlines) -> Iterator[str]:
    """The limits that hold where nothing nearer says one; that of the run is told elsewhere."""
    for name in ("connect", "open", "step", "gate", "close"):
        value = getattr(limits, name)
        if value is not None:
            yield f"{name} {seconds(value)}"


def condition(asked: Condition) -> str:
    """A condition in a few words."""
    if asked.expressions:
        return " and ".join(" ".join(each.text.split()) for each in asked.expressions)
    return "a script must succeed"


def waiting(body: GateBody | WaitForBody | RebootBody) -> str:
    """What a body that waits waits for, and for how long."""
    match body:
        case GateBody():
            what = condition(body.that) if body.that is not None else "an approval"
            limit = f" for {seconds(body.timeout)}" if body.timeout is not None else ""
            return f"gate: {what}{limit}" + (f", else {body.default}" if body.default is not None else "")
        case WaitForBody():
            return f"wait_for: {_awaited(body)} for {seconds(body.timeout)}"
    return f"reboot: back within {seconds(body.timeout)}"


def _awaited(body: WaitForBody) -> str:
    for key, node in (("port", body.port), ("path", body.path), ("url", body.url)):
        if isinstance(node, Scalar):
            return f"{key} {node.text}"
    return condition(body.that) if body.that is not None else "nothing"
