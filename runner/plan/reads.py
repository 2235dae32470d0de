"""Everything that steps, blocks and health checks read is known: names, scripts, and variables that can be computed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from runner.document.nodes import Mapping as MappingNode
from runner.errors import RunnerError
from runner.inventory.inventory import Inventory
from runner.plan.arrange import Arranged
from runner.plan.blocks import junction
from runner.plan.model import Placement, PlannedPolicy, PlannedStep
from runner.plan.names import NameCheck
from runner.plan.needed import scripts_of
from runner.plan.order import Unit
from runner.plan.reading import Readable, readable_results
from runner.plan.script_names import ScriptCheck
from runner.plan.uses import compiled_of, texts_of
from runner.playbook.blocks import around
from runner.playbook.bodies import AssertBody, SetVarsBody
from runner.playbook.control import RunIf
from runner.playbook.model import Block, Playbook, Step
from runner.problems import Problems
from runner.variables.scope import HostScopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What is read from; ``lenient``: no inventory is given, so an unknown name may be one that a host brings."""

    playbook: Playbook
    inventory: Inventory | None
    planned: Sequence[PlannedStep]
    blocks: Mapping[str, Block]
    policies: Sequence[PlannedPolicy]
    arranged: Arranged
    lenient: bool


def check_reads(reads: Reads, scopes: HostScopes, problems: Problems) -> None:
    """Note every name that is not known where it is read, and every variable that cannot be computed."""
    inventory, blocks, arranged = reads.inventory, reads.blocks, reads.arranged
    steps = [item.step for item in reads.planned]
    chosen = {step.id for step in steps}
    left_out = [step for step in reads.playbook.steps if step.id not in chosen]

    def signature(host: str) -> Hashable:
        return inventory.signature(host) if inventory is not None else None

    readable = readable_results(steps, arranged.names(), blocks)
    asked = [
        *_entries(blocks, arranged, readable),
        *_checks(steps, blocks, reads.policies, arranged, readable),
    ]
    names = NameCheck(
        playbook=reads.playbook,
        scopes=scopes,
        readable=readable,
        registered={step.register: step.id for step in steps if step.register},
        set_by=_set_by(steps),
        hosts=arranged.seeing() | {item.step.id: _names(item.placements) for item in asked},
        dropped={step.register: step.id for step in left_out if step.register}
        | {name: setters[0] for name, setters in _set_by(left_out).items()},
        signature=signature,
        problems=problems,
        anywhere=cache(partial(_anywhere, inventory, scopes)),
        handling=_handling(steps, blocks),
        lenient=reads.lenient,
    )
    scripts = ScriptCheck(names)
    for item in (*reads.planned, *asked):
        names.check_templates(item)
        scripts.check(item)
        _evaluate_variables(item, scopes, problems)


def _anywhere(inventory: Inventory | None, scopes: HostScopes) -> frozenset[str]:
    """The names that some host of the inventory knows."""
    if inventory is None:
        return frozenset()
    alike = {inventory.signature(host): host for host in inventory.hosts}
    return frozenset(name for host in alike.values() for name in scopes.of(host).names())


def _names(placements: Sequence[Placement]) -> frozenset[str]:
    return frozenset(placement.host for placement in placements)


def _set_by(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """Each name that ``set_vars`` sets, with the steps that set it."""
    found: dict[str, tuple[str, ...]] = {}
    for step in steps:
        if isinstance(step.body, SetVarsBody):
            for name in step.body.variables:
                found[name] = (*found.get(name, ()), step.id)
    return found


def _handling(steps: Sequence[Step], blocks: Mapping[str, Block]) -> frozenset[str]:
    """The steps (and blocks) that may ask what failed: those in a rescue or an always, at any depth."""
    units: list[Unit] = [*steps, *blocks.values()]
    return frozenset(
        unit.id for unit in units if any(place.part != "block" for place in around(unit.place, blocks))
    )


def _entries(
    blocks: Mapping[str, Block], arranged: Arranged, readable: dict[str, Readable]
) -> Iterator[PlannedStep]:
    """What blocks ask when a host enters, each as if it were a step."""
    for block in blocks.values():
        readable[block.id] = readable[junction(block.id, "entry")]
        step = _asking(block.id, block)
        yield PlannedStep(index=-1, step=step, placements=_placements(block.id, arranged))


def _checks(
    steps: Sequence[Step],
    blocks: Mapping[str, Block],
    policies: Sequence[PlannedPolicy],
    arranged: Arranged,
    readable: dict[str, Readable],
) -> Iterator[PlannedStep]:
    """What is asked between waves, each as if it were a step after what the wave is of."""
    units: dict[str, Unit] = {step.id: step for step in steps} | dict(blocks)
    for policy in policies:
        if policy.health is None:
            continue
        unit = units[policy.name]
        name = f"health of {policy.name}"
        end = junction(unit.id, "end") if isinstance(unit, Block) else unit.id
        before = readable[end]
        mine = {
            unit.id,
            *(step.id for step in steps if any(p.block == unit.id for p in around(step.place, blocks))),
        }
        # What the waves are of is over on all hosts that were let in: `results.NAME` has those.
        readable[name] = Readable(before.upstream | {end}, before.complete | mine)
        asking = replace(_asking(name, unit), when=policy.health.expressions)
        yield PlannedStep(
            index=-1,
            step=asking,
            placements=_placements(unit.id, arranged),
            scripts=policy.health_scripts,
        )


def _asking(name: str, unit: Unit) -> Step:
    """A step that does nothing but ask; its variables are those of the unit."""
    node = MappingNode(unit.node.source, unit.node.line, unit.node.column, 0, 0, entries={})
    when = unit.when if isinstance(unit, Block) else ()
    using = unit.using if isinstance(unit, Step) else {}
    return Step(
        id=name,
        span=unit.span,
        node=node,
        body=AssertBody(()),
        when=when,
        variables=unit.variables,
        using=using,
        run_if=RunIf.SUCCESS,
    )


def _placements(unit: str, arranged: Arranged) -> tuple[Placement, ...]:
    return tuple(item.placement for item in arranged.of(unit))


def _evaluate_variables(item: PlannedStep, scopes: HostScopes, problems: Problems) -> None:
    """Compute once a host what the plan decides and its steps read: no such template fails in the middle of a run."""
    step = item.step
    names = {
        use.name
        for text in texts_of(step)
        for use in compiled_of(scopes.compiler, text).names
        if not use.guarded
    }
    names |= {r.name for script in scripts_of(item) for r in script.scan.references}
    names -= {*step.variables, *step.using}
    for placement in item.placements:
        scope = scopes.of(placement.host)
        for name in names:
            if not scope.defines(name):
                continue
            try:
                scope.lookup(name)
            except RunnerError as error:
                problems.extend(error.problems)
