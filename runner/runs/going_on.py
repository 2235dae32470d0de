"""What a resumed run takes from the journal and what it does again. Pure: a plan and a history in, decisions out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from runner.engine.result import Status
from runner.journal.record import Choice, Decision
from runner.journal.recorded import Key, Recorded
from runner.journal.replay import History
from runner.plan.model import Plan
from runner.playbook.control import BlockPlace, Part, RunIf
from runner.playbook.model import Step
from runner.runs.outcome import left_unknown, taken_for_done
from runner.runs.reads import reads_of


@dataclass(frozen=True, slots=True)
class Open:
    """What has begun and not ended, by what its step says: ``safe``, ``never``, ``ask``. Keys in plan order."""

    safe: tuple[Key, ...] = ()
    never: tuple[Key, ...] = ()
    ask: tuple[Key, ...] = ()


@dataclass(slots=True)
class GoingOn:
    """What a resumed run starts from.

    Attributes:
        restored: taken from the journal (and read there when it is asked for), or decided here for what is unknown.
        taken_for_done: unknown, and taken for done without a result.
        failed: unknown, and left so.
        again: unknown, and run again.
        changed: done, and run again because the step or how its host is reached has changed.
        asked_again: done, and run again because ``--rerun`` names the step.
        tidied: done, and run again because it cleans up after, or mends, something that runs again.
        undone: done, and run again because a rescue that did not mend the block has run behind it since.
        left: how many assignments the run has still to deal with.

    """

    restored: Recorded = field(default_factory=Recorded)
    taken_for_done: list[Key] = field(default_factory=list)
    failed: list[Key] = field(default_factory=list)
    again: list[Key] = field(default_factory=list)
    changed: list[Key] = field(default_factory=list)
    asked_again: list[Key] = field(default_factory=list)
    tidied: list[Key] = field(default_factory=list)
    undone: list[Key] = field(default_factory=list)
    left: int = 0

    def decisions(self) -> tuple[Decision, ...]:
        """What the journal must know of all this, should the resumed run break off in its turn."""
        by_choice = {
            Choice.RERUN: [*self.again, *self.changed, *self.tidied, *self.undone],
            Choice.SKIP: self.taken_for_done,
            Choice.FAIL: self.failed,
        }
        return tuple(Decision(*key, choice) for choice, keys in by_choice.items() for key in keys)


def open_assignments(plan: Plan, history: History, rerun: Collection[str] = ()) -> Open:
    """What is unknown of a run, as far as the plan still has it and ``--rerun`` does not name the step."""
    found: dict[str, list[Key]] = {"safe": [], "never": [], "ask": []}
    for planned in plan.steps:
        if planned.step.id in rerun:
            continue
        for placement in planned.placements:
            key = (planned.step.id, placement.host)
            if key in history.unknown:
                found[planned.step.rerun].append(key)
    return Open(tuple(found["safe"]), tuple(found["never"]), tuple(found["ask"]))


def go_on(
    plan: Plan,
    history: History,
    *,
    decisions: Mapping[Key, Choice],
    rerun: Collection[str] = (),
    changed_steps: Collection[str] = (),
    changed_hosts: Collection[str] = (),
) -> GoingOn:
    """Decide every assignment of the plan.

    Args:
        plan: made again as it was.
        history: what the journal says.
        decisions: for each of :func:`open_assignments` what becomes of it.
        rerun: steps that run again although done.
        changed_steps: steps whose text is another one than then; what they did is done again.
        changed_hosts: hosts that are reached in another way; likewise.

    """
    going = GoingOn(history.results.choice())
    for planned in plan.steps:
        step = planned.step.id
        for placement in planned.placements:
            key = (step, placement.host)
            taken = key in history.taken_for_done
            if key in history.unknown and step not in rerun:
                _decide_unknown(going, key, decisions.get(key, Choice.FAIL))
            elif not taken and not history.results.done(key):
                continue
            elif step in rerun:
                going.asked_again.append(key)
            elif step in changed_steps or placement.host in changed_hosts:
                going.changed.append(key)
            elif taken:
                going.restored[key] = taken_for_done(key)
            else:
                going.restored.choose(key, history.results)
    _drop_what_was_put_back(plan, history, going)
    _drop_what_follows_failures(plan, going)
    total = sum(len(planned.placements) for planned in plan.steps)
    going.left = total - len(going.restored)
    return going


def _decide_unknown(going: GoingOn, key: Key, decision: Choice) -> None:
    if decision is Choice.RERUN:
        going.again.append(key)
        return
    if decision is Choice.SKIP:
        going.taken_for_done.append(key)
        going.restored[key] = taken_for_done(key)
        return
    going.failed.append(key)
    going.restored[key] = left_unknown(key)


def _drop_what_was_put_back(plan: Plan, history: History, going: GoingOn) -> None:
    """Begin a block anew on a host where its rescue has run and the block is still bad.

    A rescue puts back what the block did, so what is recorded as done there no longer holds: the steps behind it would
    find the host as it was before. What the rescue itself left is forgotten with it, lest a later resume takes the
    steps that are done then for put back as well. ``rerun: never`` stays done.
    """
    decided = {*going.taken_for_done, *going.failed}
    for planned in plan.blocks:
        if planned.rescue is None:
            continue
        parts: dict[str, dict[str, list[Key]]] = {}
        for index in sorted(planned.steps):
            step = plan.steps[index].step
            for host in (placement.host for placement in plan.steps[index].placements):
                part = _part_of(plan, planned.block.id, step.place)
                parts.setdefault(host, {}).setdefault(part, []).append((step.id, host))
        for by_part in parts.values():
            body, rescue = by_part.get(Part.BODY, []), by_part.get(Part.RESCUE, [])
            began = [key for key in rescue if _began(history, key)]
            if not began or all(key in going.restored for key in (*body, *rescue)):
                continue
            steps = {plan.steps[index].step.id: plan.steps[index].step for index in planned.steps}
            for key in body:
                if key in going.restored and key not in decided and steps[key[0]].rerun != "never":
                    del going.restored[key]
                    going.undone.append(key)
            going.undone += [key for key in began if key not in going.restored and key not in going.again]


def _part_of(plan: Plan, block: str, place: BlockPlace | None) -> str:
    """In which part of the block a step of it stands, however deep."""
    within = {planned.block.id: planned.block.place for planned in plan.blocks}
    while place is not None and place.block != block:
        place = within[place.block]
    return place.part if place is not None else Part.BODY


def _began(history: History, key: Key) -> bool:
    result = history.results.get(key)
    return key in history.unknown or (result is not None and result.status is not Status.SKIPPED)


def _drop_what_follows_failures(plan: Plan, going: GoingOn) -> None:
    """Run again what cleaned up after, or mended, something that runs again: it belongs to that attempt.

    A step with ``run_if: success`` behind something that had not ended well has not run, so only the others are
    looked at: ``run_if`` failure and always, and the steps of ``rescue`` and ``always``.
    """
    tidying = [planned for planned in plan.steps if _tidies(planned.step)]
    if not tidying:  # most runs: then nobody has to look at a million assignments
        return
    follows = Following(plan, going.restored)
    decided = {*going.taken_for_done, *going.failed}
    for planned in tidying:
        for position, placement in enumerate(planned.placements):
            key = (planned.step.id, placement.host)
            if (
                key in going.restored
                and key not in decided
                and follows.something_new(planned.index, position)
            ):
                del going.restored[key]
                going.tidied.append(key)


def _tidies(step: Step) -> bool:
    return step.run_if is not RunIf.SUCCESS or (step.place is not None and step.place.part is not Part.BODY)


class Following:
    """Says whether anything upstream of an assignment is not restored, over the edges of the plan's shape."""

    def __init__(self, plan: Plan, restored: Collection[Key]) -> None:
        self._shape = plan.shape
        self._new = [
            [(planned.step.id, placement.host) not in restored for placement in planned.placements]
            for planned in plan.steps
        ]
        self._positions = [
            {host: position for position, host in enumerate(step.hosts)} for step in plan.shape.steps
        ]
        self._known: dict[tuple[int, int], bool] = {}

    def something_new(self, step: int, position: int) -> bool:
        """Whether something before it, on its host or on all where it waits for all, runs now."""
        found: list[tuple[int, int]] = []
        seen = {(step, position)}
        pending = [(step, position)]
        while pending:
            at = pending.pop()
            if at in self._known:
                if self._known[at]:
                    return self._settle(found, step, position, new=True)
                continue
            for before in self._before(*at):
                if before in seen:
                    continue
                seen.add(before)
                found.append(before)
                number, place = before
                if number < len(self._new) and self._new[number][place]:
                    return self._settle([], step, position, new=True)
                pending.append(before)
        return self._settle(found, step, position, new=False)

    def _settle(self, found: list[tuple[int, int]], step: int, position: int, *, new: bool) -> bool:
        self._known[step, position] = new
        if not new:  # then nothing before any of them is new either
            self._known.update(dict.fromkeys(found, False))
        return new

    def _before(self, step: int, position: int) -> list[tuple[int, int]]:
        shape = self._shape.steps[step]
        host = shape.hosts[position]
        before: list[tuple[int, int]] = []
        edges = [(edge.step, edge.wait) for edge in shape.edges]
        if shape.enter is not None:
            edges.append((shape.enter, "same"))
        for number, wait in edges:
            at = self._positions[number].get(host)
            if wait != "all" and at is not None:
                before.append((number, at))
            elif wait != "same":
                before += [(number, place) for place in range(len(self._shape.steps[number].hosts))]
        return before


@dataclass(frozen=True, slots=True)
class SecretRead:
    """A step that still has to run reads a result of another that held a secret, which no journal has."""

    reader: str
    registers: str
    name: str


def reads_of_lost_secrets(plan: Plan, going: GoingOn) -> list[SecretRead]:
    """Every step that cannot run for want of a secret; the first connection must not be made then."""
    secret: dict[str, set[str]] = {}
    by_name: dict[str, str] = {}
    for planned in plan.steps:
        if planned.step.register is None:
            continue
        hosts = {
            placement.host
            for placement in planned.placements
            if (result := going.restored.get((planned.step.id, placement.host))) is not None and result.secret
        }
        if hosts:
            secret[planned.step.register] = hosts | set(planned.seen_by)
            by_name[planned.step.register] = planned.step.id
    if not secret:
        return []
    found: list[SecretRead] = []
    for planned in plan.steps:
        to_run = {p.host for p in planned.placements if (planned.step.id, p.host) not in going.restored}
        if not to_run:
            continue
        for read in sorted(reads_of(plan, planned), key=repr):
            names = [read.name] if read.name is not None else list(secret)
            for name in names:
                held = secret.get(name)
                if held and (read.everywhere or held & to_run):
                    found.append(SecretRead(planned.step.id, by_name[name], name))
    return list(dict.fromkeys(found))


def lost_sessions(plan: Plan, going: GoingOn) -> dict[str, list[str]]:
    """Kept sessions whose steps are partly done: by name the hosts where they are opened anew, without variables."""
    done: dict[Key, None] = {}
    left: dict[Key, None] = {}
    for planned in plan.steps:
        for placement in planned.placements:
            if placement.session is not None:
                kept = (planned.step.id, placement.host) in going.restored
                (done if kept else left)[placement.session, placement.host] = None
    lost: dict[str, list[str]] = {}
    for session, host in left:
        if (session, host) in done:
            lost.setdefault(session, []).append(host)
    return lost
