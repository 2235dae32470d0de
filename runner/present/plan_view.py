"""A plan as a person reads it before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runner.document.nodes import Scalar
from runner.document.nodes import Sequence as SequenceNode
from runner.engine.shape import Policy
from runner.plan.model import Placement, Plan, PlannedBlock, PlannedPolicy, PlannedStep
from runner.playbook.blocks import around
from runner.playbook.bodies import (
    AssertBody,
    Body,
    CommandBody,
    CopyBody,
    EnsureBody,
    FailBody,
    FetchBody,
    GateBody,
    HttpBody,
    LaterBody,
    RebootBody,
    ScriptBody,
    SetVarsBody,
    WaitForBody,
)
from runner.playbook.control import Loop, Need, Part, Wait
from runner.present.folding import fold
from runner.present.paint import Line, Piece, Role, line, wrap_line
from runner.present.plan_rows import (
    SHORT_DIGEST,
    Row,
    control_rows,
    deadlines,
    policy_rows,
    seconds,
    sent,
    stops,
    waiting,
)
from runner.transport.endpoint import Endpoint
from runner.transport.winrm_uris import configuration_name

_WIDTH = 80  # what a row of ours is wrapped at; the author's own texts stay on their line
_WRAPPED = frozenset({"waves", "stops", "retry", "late", "takes"})


def plan_lines(plan: Plan, *, hosts: bool = True) -> list[Line]:
    """The plan: each step with its hosts, what it runs, what it waits for; steps of a block stand below it."""
    lines = list(_head(plan))
    policies = {p.name: (p, s) for p, s in zip(plan.policies, plan.shape.policies, strict=True)}
    blocks = {planned.block.id: planned for planned in plan.blocks}
    known = {name: planned.block for name, planned in blocks.items()}
    opened: set[object] = set()
    for number, planned in enumerate(plan.steps, 1):
        places = around(planned.step.place, known)
        for depth, place in enumerate(reversed(places)):
            if place.block not in opened:
                opened.add(place.block)
                lines += [(), *_block_lines(blocks[place.block], depth, policies, hosts=hosts)]
            if place.part is not Part.BODY and place not in opened:
                opened.add(place)
                lines += [
                    (),
                    line(_indent(depth), Piece(place.part.value, Role.STRONG), f" of {place.block}"),
                ]
        lines += [(), *_step_lines(plan, number, planned, blocks, policies, hosts=hosts)]
    return lines


def _head(plan: Plan) -> Iterator[Line]:
    count = sum(len(step.placements) for step in plan.steps)
    digest = plan.digest[:SHORT_DIGEST]
    yield line(Piece(plan.playbook.name, Role.STRONG), f"  {plan.playbook.path}")
    yield line(
        f"{_count(len(plan.steps), 'step')}, {_count(len(plan.hosts), 'host')},"
        f" {_count(count, 'assignment')}, plan {digest}"
    )
    if plan.check:
        yield line(Piece("check: nothing is changed on any host", Role.NOTE))
    if plan.locked:
        yield line(f"locks {_count(len(plan.locked), 'host')} on the controller for the run")
    limits = list(stops(plan.shape.max_fail, plan.shape.max_unreachable))
    if limits:
        yield line(f"stops {', or '.join(limits)}, in the whole run")
    if plan.timeout is not None:
        yield line(f"ends after {seconds(plan.timeout)} at most")
    nearer = list(deadlines(plan.playbook.deadlines))
    if nearer:
        yield line(f"deadlines: {', '.join(nearer)}, where nothing nearer says one")
    orders = [*(item.block.order_by for item in plan.blocks), *(item.step.order_by for item in plan.steps)]
    if any(_shuffles(order) for order in orders):
        yield line(f"shuffled with seed {plan.seed}")


def _shuffles(order_by: Scalar | None) -> bool:
    return order_by is not None and order_by.text.strip().lower() == "shuffle"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _indent(depth: int) -> str:
    return "     " + "  " * depth


def _rows(depth: int, rows: Iterator[Row]) -> Iterator[Line]:
    for word, text in rows:
        found = line(_indent(depth), f"{word:<6} ", text)
        yield from wrap_line(found, _WIDTH) if word in _WRAPPED else [found]


_Policies = Mapping[str, tuple[PlannedPolicy, Policy]]


def _policy_rows(name: str, policies: _Policies) -> Iterator[Row]:
    if name in policies:
        yield from policy_rows(*policies[name])


def _block_lines(planned: PlannedBlock, depth: int, policies: _Policies, *, hosts: bool) -> Iterator[Line]:
    block = planned.block
    parts = [
        part for part, there in (("rescue", planned.rescue), ("always", planned.always)) if there is not None
    ]
    with_ = f" with {' and '.join(parts)}" if parts else ""
    yield line(
        _indent(depth),
        Piece(block.id, Role.STRONG),
        f"  block of {_count(len(planned.steps), 'step')}{with_}",
    )
    yield _on(depth, [placement.host for placement in planned.placements], hosts=hosts)
    if block.needs:
        yield from _rows(depth, iter([("after", ", ".join(_need(need) for need in block.needs))]))
    if block.run_if != "success":
        yield from _rows(depth, iter([("if", f"run_if {block.run_if}")]))
    yield from _rows(depth, (("when", " ".join(each.text.split())) for each in block.when))
    if block.order_by is not None:
        yield from _rows(depth, iter([("order", " ".join(block.order_by.text.split()))]))
    if block.throttle:
        yield from _rows(depth, iter([("limit", f"{block.throttle} at once in the block")]))
    if planned.rescue is not None and block.rescue_on == "block":
        yield from _rows(depth, iter([("rescue", "on all of its hosts where any fails")]))
    yield from _rows(depth, _policy_rows(block.id, policies))


def _on(depth: int, names: Sequence[str], *, hosts: bool) -> Line:
    shown = fold(names) if hosts and names else "no hosts: skipped"
    count = f"  ({len(names)})" if len(names) > 1 else ""
    return line(f"{_indent(depth)}on     ", Piece(shown, Role.HOSTS), count)


def _step_lines(
    plan: Plan,
    number: int,
    planned: PlannedStep,
    blocks: Mapping[str, PlannedBlock],
    policies: _Policies,
    *,
    hosts: bool,
) -> Iterator[Line]:
    step = planned.step
    depth = len(around(step.place, {name: item.block for name, item in blocks.items()}))
    loops = "" if step.loop is None else f"  \N{MULTIPLICATION SIGN} {_turns(step.loop)}"
    yield line(f"{number:>3}  {'  ' * depth}", Piece(step.id, Role.STRONG), f"  {kind_of(planned)}{loops}")
    names = [placement.host for placement in planned.placements]
    outer = blocks[step.place.block] if step.place is not None else None
    if outer is None or names != [placement.host for placement in outer.placements]:
        yield _on(depth, names, hosts=hosts)
    indent = _indent(depth)
    for way in _ways(planned):
        yield line(f"{indent}over   {way}")
    sessions = {p.session for p in planned.placements if p.session is not None}
    if sessions:
        yield line(f"{indent}in     session {', '.join(sorted(sessions))}")
    if step.needs:
        yield line(f"{indent}after  ", ", ".join(_need(need) for need in step.needs))
    if step.run_if != "success":
        yield line(f"{indent}if     ", f"run_if {step.run_if}")
    for condition in step.when:
        yield line(f"{indent}when   ", " ".join(condition.text.split()))
    yield from _rows(depth, _policy_rows(step.id, policies))
    yield from _rows(depth, control_rows(plan, planned))
    for name, scripts in (("", planned.scripts), *planned.scripts_of.items()):
        for prepared in scripts.values():
            yield line(f"{indent}sends  ", f"{name}  " if name else "", sent(prepared))


def _turns(loop: Loop) -> str:
    """How many items a loop has, where the playbook lists them."""
    items = f"{len(loop.over.items)}" if isinstance(loop.over, SequenceNode) else "?"
    return f"{items}, {loop.throttle} at once" if loop.throttle else items


def _need(need: Need) -> str:
    return need.step if need.wait is Wait.AUTO else f"{need.step} ({need.wait})"


def kind_of(planned: PlannedStep) -> str:
    """What a step does, in a few words."""
    body = planned.step.body
    shells = "/".join(dict.fromkeys(p.shell for p in _reached(planned)))
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
        case EnsureBody():
            return f"ensure {shells}".strip()
        case SetVarsBody():
            return f"set_vars {', '.join(body.variables)}"
        case HttpBody():
            return f"http {body.method} {_text(body.url)}"
        case FailBody():
            return "fail"
        case GateBody() | WaitForBody() | RebootBody():
            steps = planned.by_host.values() or (planned.step,)
            return " or ".join(dict.fromkeys(_waiting(step.body) for step in steps))
        case LaterBody():
            return body.key


def _waiting(body: Body) -> str:
    return waiting(body) if isinstance(body, GateBody | WaitForBody | RebootBody) else ""


def _reached(planned: PlannedStep) -> list[Placement]:
    return [each for placement in planned.placements for each in placement.delegates or (placement,)]


def _text(node: object) -> str:
    return str(getattr(node, "text", "…"))


def login_of(endpoint: Endpoint) -> str:
    """How one logs in over WinRM; empty over everything else."""
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
        way = f"{url}  {login_of(endpoint)}  {configuration}"
        if way not in told:
            told.add(way)
            yield way
