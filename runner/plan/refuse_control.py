"""What cannot be done of waves, locks, pools and gates once the hosts are known, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.plan.arrange import Arranged
from runner.plan.hosts import LOCALHOST
from runner.plan.order import Unit
from runner.plan.place import Placed
from runner.playbook.blocks import around
from runner.playbook.bodies import GateBody, RebootBody
from runner.playbook.check import LOCAL
from runner.playbook.control import BlockPlace, Part, Pool, PoolUse, Wait
from runner.playbook.model import Block, Step
from runner.problems import Problems, suggestion
from runner.values import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the refusals go by.

    ``uses_of`` gives what a host takes of pools. ``nobody_answers``: a gate can be answered by no one. ``check``:
    gates are not asked. ``lenient``: no inventory is given, which may bring pools.
    """

    pools: Mapping[str, Pool]
    uses_of: Callable[[str], Sequence[PoolUse]]
    nobody_answers: bool
    check: bool
    lenient: bool


def refuse_control(
    steps: Sequence[Step],
    blocks: Mapping[str, Block],
    arranged: Arranged,
    asking: Asking,
    problems: Problems,
) -> None:
    """Note every combination that makes no sense on the hosts there are."""
    units: list[Unit] = [*steps, *blocks.values()]
    places = {unit.id: unit.place for unit in units}
    for unit in units:
        _refuse_waves(unit, arranged, problems)
    for step in steps:
        placed = arranged.placed[step.id]
        _refuse_pools(step, placed, asking, problems)
        _refuse_local(step, placed, problems)
        if asking.nobody_answers and not asking.check:
            _refuse_gate(step, problems)
        _refuse_in_waves(step, places, blocks, arranged, problems)
    for block in blocks.values():
        _refuse_rescue(block, steps, blocks, arranged, problems)
        if block.rescue_on == "block" and _several(block, blocks, arranged) is not None:
            problems.error(
                "waits-across-waves",
                f"the rescue of block `{block.id}` waits for all hosts, and hosts of later waves wait for those before",
                _at(block, "rescue_on", "waves"),
                "write `rescue_on: host`, or take the waves out",
            )


def _refuse_waves(unit: Unit, arranged: Arranged, problems: Problems) -> None:
    what = f"{'step' if isinstance(unit, Step) else 'block'} `{unit.id}`"
    placed = arranged.of(unit.id)
    if unit.waves and placed and all(_is_controller(item) for item in placed):
        problems.error(
            "waves-local",
            f"{what} has waves and one host, this controller",
            unit.waves[0].span,
            "take `waves` out, or name the hosts that it is about with `hosts:` or `target:`",
        )


def _several(unit: Unit, blocks: Mapping[str, Block], arranged: Arranged) -> Block | None:
    """The block, this one or one around it, whose hosts go through it in more than one wave."""
    names = [place.block for place in around(unit.place, blocks)]
    if isinstance(unit, Block):
        names.insert(0, unit.id)
    return next((blocks[name] for name in names if len(arranged.waves.get(name, ())) > 1), None)


def _refuse_in_waves(
    step: Step,
    places: Mapping[str, BlockPlace | None],
    blocks: Mapping[str, Block],
    arranged: Arranged,
    problems: Problems,
) -> None:
    """Inside a block with waves nothing waits for a host of a later wave: both would wait for ever."""
    block = _several(step, blocks, arranged)
    if block is None:
        return
    for need in step.needs or ():
        inside = any(place.block == block.id for place in around(places.get(need.step), blocks))
        if need.wait is Wait.ALL and inside:
            problems.error(
                "waits-across-waves",
                f"step `{step.id}` waits for all hosts of `{need.step}`, and block `{block.id}` lets them in by waves",
                need.span,
                "write `wait: same`, or take the waves out",
                "or put the step behind the block",
            )
    placed = arranged.placed[step.id]
    first = {host for wave in arranged.waves[block.id][:1] for host in wave.hosts}
    if step.run_once and placed and placed[0].placement.host not in first:
        problems.error(
            "waits-across-waves",
            f"step `{step.id}` runs once, on host `{placed[0].placement.host}`, which is not in the first wave of"
            f" block `{block.id}`",
            _at(step, "run_once"),
            "name hosts for the step that begin with one of the first wave",
        )


def _refuse_rescue(
    block: Block,
    steps: Sequence[Step],
    blocks: Mapping[str, Block],
    arranged: Arranged,
    problems: Problems,
) -> None:
    """A host of the body with no step of the rescue would be called rescued, and nothing had been done on it."""
    hosts: dict[Part, dict[str, None]] = {part: {} for part in Part}
    for step in steps:
        part = next((place.part for place in around(step.place, blocks) if place.block == block.id), None)
        if part is not None:
            seeing = arranged.seen_by.get(step.id, ())
            hosts[part] |= dict.fromkeys(item.placement.host for item in arranged.placed[step.id])
            hosts[part] |= dict.fromkeys(seeing)
    alone = [host for host in hosts[Part.BODY] if host not in hosts[Part.RESCUE]]
    if not hosts[Part.RESCUE] or not alone or block.rescue_on == "block":
        return
    more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
    problems.error(
        "rescue-elsewhere",
        f"`rescue` of block `{block.id}` has no step on host `{alone[0]}`{more}, where the block can fail",
        _at(block, "rescue"),
        "give its steps the hosts of the block; `delegate_to: local` does their work from here",
        "or write `rescue_on: block`, which runs the rescue on all its hosts where one fails",
    )


def _refuse_pools(step: Step, placed: Sequence[Placed], asking: Asking, problems: Problems) -> None:
    for use in _uses(step, placed, asking):
        pool = asking.pools.get(use.name)
        if pool is None and not asking.lenient:
            problems.error(
                "unknown-pool",
                f"no pool is named `{use.name}`",
                use.span,
                *suggestion(use.name, asking.pools),
            )
        elif pool is not None and use.weight > pool.size:
            problems.error(
                "pool-weight",
                f"`{use.name}` is asked for {use.weight} at once and has {pool.size}",
                use.span,
                f"ask for at most {pool.size}, or give the pool more",
            )


def _uses(step: Step, placed: Sequence[Placed], asking: Asking) -> Iterator[PoolUse]:
    yield from step.pools
    seen: set[PoolUse] = set()
    for item in placed:
        for reached in item.delegates or (item,):
            for use in asking.uses_of(reached.placement.host):
                if use not in seen:
                    seen.add(use)
                    yield use


def _refuse_local(step: Step, placed: Sequence[Placed], problems: Problems) -> None:
    """A restart of the controller, whatever its host is named, and a lock on it that ``lock: run`` is for."""
    local = [
        i for item in placed for i in item.delegates or (item,) if i.placement.endpoint.transport == LOCAL
    ]
    if local and isinstance(step.body, RebootBody):
        host = local[0].placement.host
        problems.error(
            "reboot-local",
            f"step `{step.id}` would restart this controller, and the run with it",
            _at(step, "reboot"),
            "name the hosts to restart with `hosts:` or `target:`"
            if host == LOCALHOST
            else f"`{host}` is this controller, as `transport: local` says: leave it out, `all:!{host}`",
        )
    if step.lock == "target" and any(item.placement.host == LOCALHOST for item in local):
        problems.error(
            "lock-transport",
            f"step `{step.id}`: `lock: target` is kept on a host, and this is the controller",
            _at(step, "lock"),
            "write `lock: run`, which is kept on the controller",
        )


def _refuse_gate(step: Step, problems: Problems) -> None:
    body = step.body
    if isinstance(body, GateBody) and body.that is None and body.default is None:
        problems.error(
            "gate-unattended",
            f"step `{step.id}` waits for somebody to approve, and nobody can be asked here",
            _at(step, "gate"),
            "say what happens then: `default: stop` or `default: go`",
            "or run it on a terminal, without `--no-input`",
        )


def _is_controller(item: Placed) -> bool:
    return item.placement.host == LOCALHOST and item.placement.endpoint.transport == LOCAL


def _at(unit: Unit, *keys: str) -> Span:
    """Where the first of these keys stands, else the step or block."""
    found = next((unit.node.entries[key][0] for key in keys if key in unit.node.entries), None)
    return unit.span if found is None else found.span
