"""The plan in numbers: steps, then the junctions of blocks, their edges, counters and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runner.engine.shape import Edge, Policy, RunShape, StepShape, WaveShape
from runner.plan.arrange import Arranged
from runner.plan.blocks import Point, junction, points
from runner.plan.counters import Counters, Limits, slots_of
from runner.plan.model import PlannedBlock, PlannedPool
from runner.plan.order import Unit
from runner.playbook.blocks import around
from runner.playbook.model import Block, Playbook, Step


def run_shape(
    steps: Sequence[Step],
    arranged: Arranged,
    host_numbers: Mapping[str, int],
    limits: Limits,
    playbook: Playbook,
) -> tuple[RunShape, tuple[PlannedPool, ...]]:
    """The shape, and the pools that any assignment takes of; ``limits.blocks`` are the blocks of the plan."""
    counters = Counters()
    named = points(steps, limits.blocks)
    number = {point.name: position for position, point in enumerate(named)}
    by_id = {step.id: step for step in steps}
    shapes = tuple(_shape(point, by_id, arranged, number, host_numbers, counters, limits) for point in named)
    taken = {counter for shape in shapes for slots in shape.counters for counter, _ in slots}
    pools = tuple(
        PlannedPool(pool.name, pool.size, counter, pool.adaptive)
        for pool in limits.pools.values()
        if (counter := counters.number("pool", pool.name, pool.size)) in taken
    )
    hosts = len(host_numbers)
    shape = RunShape(
        shapes,
        counters.limits,
        policies=tuple(_policy(unit, arranged, number) for unit in policies(steps, limits.blocks, arranged)),
        max_fail=playbook.max_fail.of(hosts) if playbook.max_fail is not None else None,
        max_unreachable=playbook.max_unreachable.of(hosts) if playbook.max_unreachable is not None else None,
        counted=frozenset(_counted(steps, limits.blocks, number)),
    )
    return shape, pools


def _shape(
    point: Point,
    steps: Mapping[str, Step],
    arranged: Arranged,
    number: Mapping[str, int],
    host_numbers: Mapping[str, int],
    counters: Counters,
    limits: Limits,
) -> StepShape:
    step = steps.get(point.name)
    placed = arranged.placed[point.name] if point.block is None else arranged.hosts[point.block]
    return StepShape(
        hosts=tuple(host_numbers[item.placement.host] for item in placed),
        edges=tuple(Edge(number[link.needed], link.wait.value, link.taints) for link in point.links),
        run_if=point.run_if.value,
        judged=point.judged,
        counters=slots_of(step, placed, counters, limits) if step is not None else (),
        junction=step is None,
        enter=number[point.enter] if point.enter is not None else None,
        finally_=point.finally_,
    )


def _counted(steps: Sequence[Step], blocks: Mapping[str, Block], number: Mapping[str, int]) -> Iterator[int]:
    """The steps outside of blocks, and the ends of the outermost blocks."""
    yield from (number[step.id] for step in steps if step.place is None)
    yield from (number[junction(block.id, "end")] for block in blocks.values() if block.place is None)


def policies(steps: Sequence[Step], blocks: Mapping[str, Block], arranged: Arranged) -> Iterator[Unit]:
    """Each step and block that has waves, limits or ``any_errors``, and a host, in the order of the policies."""
    units: list[Unit] = [*steps, *blocks.values()]
    yield from (unit for unit in units if _is_limited(unit) and arranged.of(unit.id))


def _is_limited(unit: Unit) -> bool:
    return bool(unit.waves) or unit.any_errors or (unit.max_fail or unit.max_unreachable) is not None


def _policy(unit: Unit, arranged: Arranged, number: Mapping[str, int]) -> Policy:
    """``any_errors`` is a limit of 0 for both, unless the author says one, and stops what runs."""
    hosts = len(arranged.of(unit.id))
    is_step = unit.id in number
    none = 0 if unit.any_errors else None
    waves = arranged.waves.get(unit.id, [])
    return Policy(
        start=number[unit.id if is_step else junction(unit.id, "entry")],
        end=number[unit.id if is_step else junction(unit.id, "end")],
        max_fail=unit.max_fail.of(hosts) if unit.max_fail is not None else none,
        max_unreachable=unit.max_unreachable.of(hosts) if unit.max_unreachable is not None else none,
        stop_running=unit.any_errors,
        waves=tuple(
            WaveShape(
                len(wave.hosts),
                wave.max_fail(position, len(waves)),
                check=position + 1 < len(waves) and (unit.health is not None or wave.written.pause > 0),
            )
            for position, wave in enumerate(waves)
        ),
    )


def planned_blocks(
    steps: Sequence[Step], blocks: Mapping[str, Block], arranged: Arranged
) -> tuple[PlannedBlock, ...]:
    """The blocks with the numbers of their junctions."""
    number = {point.name: position for position, point in enumerate(points(steps, blocks))}
    inside: dict[str, set[int]] = {name: set() for name in blocks}
    for index, step in enumerate(steps):
        for place in around(step.place, blocks):
            inside[place.block].add(index)
    return tuple(
        PlannedBlock(
            block=block,
            entry=number[junction(block.id, "entry")],
            end=number[junction(block.id, "end")],
            rescue=number.get(junction(block.id, "rescue")),
            always=number.get(junction(block.id, "always")),
            placements=tuple(item.placement for item in arranged.hosts[block.id]),
            steps=frozenset(inside[block.id]),
        )
        for block in blocks.values()
    )
