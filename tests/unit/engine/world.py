"""A world for the machine: does what it says, holds every command to the language, and draws what happens next."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from runner.engine.commands import (
    Abandon,
    Cancel,
    CheckWave,
    Command,
    Finish,
    Judge,
    Passed,
    PolicyBroke,
    Skip,
    Start,
    WaveBegan,
    Why,
)
from runner.engine.events import Ended, Event, Judged, Parked, Resumed, RunBegan, StopRequested, WaveChecked
from runner.engine.machine import RunMachine
from runner.engine.shape import Assignment, Policy
from tests.unit.engine.drafts import BlockDraft, Draft, Node

MOST_PARKS = 6


@dataclass
class Story:
    """What a run did, as the world saw it."""

    over: dict[Assignment, bool] = field(default_factory=dict)  # with whether it or its inside went bad
    own: dict[Assignment, str] = field(
        default_factory=dict
    )  # failed or unreachable, of what ran or was judged
    passed: dict[Assignment, Passed] = field(default_factory=dict)
    skipped: dict[Assignment, Skip] = field(default_factory=dict)
    abandoned: set[Assignment] = field(default_factory=set)
    begun: set[Assignment] = field(default_factory=set)
    never_began: set[Assignment] = field(default_factory=set)  # started by the machine, and overtaken
    kept: set[Assignment] = field(default_factory=set)  # was parked, so it has surely begun
    running: set[Assignment] = field(default_factory=set)
    parked: set[Assignment] = field(default_factory=set)
    resuming: set[Assignment] = field(default_factory=set)
    asked: set[Assignment] = field(default_factory=set)
    refused: set[Assignment] = field(default_factory=set)  # judged, and does not apply
    cancelled: set[Assignment] = field(default_factory=set)
    checks: list[CheckWave] = field(default_factory=list)
    late: set[Assignment] = field(default_factory=set)
    begun_anyway: int = 0  # behind the run's own limit, by `run_if`, where nothing of it had begun
    inside: dict[int | None, set[tuple[int, int]]] = field(default_factory=dict)  # (end, host) at each break
    inside_at_stop: set[tuple[int, int]] = field(default_factory=set)
    turned_out: set[Assignment] = field(default_factory=set)
    parks: int = 0
    broke: dict[int | None, PolicyBroke] = field(default_factory=dict)
    bad_at_break: dict[int | None, int] = field(default_factory=dict)
    waves: dict[int, int] = field(default_factory=dict)
    stopped: bool = False
    wholly: bool = False
    finished: int = 0


class World:
    """Does what the machine says and checks every command; what happens next is drawn."""

    def __init__(self, draft: Draft, data: st.DataObject) -> None:
        self.draft = draft
        self.shape = draft.shape
        self.data = data
        self.machine = RunMachine(draft.shape)
        self.story = Story()
        self.used = [0] * len(self.shape.limits)
        self.ends = {draft.number(block.end): block for block in draft.blocks}

    def tell(self, event: Event) -> None:
        for command in self.machine.handle(event):
            assert not self.story.finished, "nothing comes behind Finish"
            self.obey(command)
        self.machine.check()

    def obey(self, command: Command) -> None:
        story = self.story
        match command:
            case Judge(assignment):
                self.may_begin(assignment)
                story.asked.add(assignment)
            case Start(assignment):
                self.start(assignment)
            case Skip(assignment):
                assert assignment not in story.begun or self.may_be_turned_out(assignment)
                self.needs_are_over(assignment)
                story.skipped[assignment] = command
                if not self.shape.steps[assignment.step].junction:
                    self.close(assignment, command.held_back)
            case Passed(assignment):
                self.pass_junction(command)
            case Abandon(assignment):
                assert story.stopped
                assert assignment not in story.begun
                story.abandoned.add(assignment)
                self.close(assignment, True)
            case Cancel(assignment):
                assert assignment in story.running | story.parked | story.resuming
                assert assignment not in story.cancelled
                story.cancelled.add(assignment)
            case WaveBegan(policy, wave):
                assert wave > story.waves.get(policy, -1)
                story.waves[policy] = wave
            case CheckWave():
                assert self.shape.policies[command.policy].waves[command.wave].check
                story.checks.append(command)
            case PolicyBroke():
                assert command.policy not in story.broke
                story.broke[command.policy] = command
                story.bad_at_break[command.policy] = self.bad_hosts(command.policy)
                assert command.failed + command.unreachable == story.bad_at_break[command.policy]
                self.note_inside(command)
            case Finish():
                story.finished += 1

    def start(self, assignment: Assignment) -> None:
        story = self.story
        if assignment in story.resuming:
            assert assignment not in story.cancelled
            story.resuming.remove(assignment)
        else:
            self.may_begin(assignment)
            assert assignment not in story.begun
            story.begun.add(assignment)
            if None in story.broke and not self.was_inside(None, assignment):
                story.begun_anyway += 1
        story.running.add(assignment)
        self.take(assignment, 1)

    def take(self, assignment: Assignment, sign: int) -> None:
        for counter, slots in self.shape.steps[assignment.step].counters[assignment.position]:
            self.used[counter] += sign * slots
            limit = self.shape.limits[counter]
            assert limit is None or self.used[counter] <= limit

    def close(self, assignment: Assignment, bad: bool) -> None:
        assert assignment not in self.story.over
        self.story.over[assignment] = bad

    def pass_junction(self, passed: Passed) -> None:
        assignment = passed.assignment
        if assignment in self.story.over:
            self.turn_out(passed)
            return
        self.story.passed[assignment] = passed
        block = self.ends.get(assignment.step)
        if not self.story.stopped:
            self.needs_are_over(assignment)
        if passed.entered and block is None:
            self.may_begin(assignment)
            self.story.begun.add(assignment)
        if block is not None:
            self.judge_end(block, passed)
        entry = assignment if block is None else self.on(block.entry, self.host(assignment))
        assert entry is not None
        shut_bad = not passed.entered and self.shut_bad(entry)
        self.close(assignment, passed.bad or shut_bad)

    def turn_out(self, passed: Passed) -> None:
        """A host that was let into a block is told to be out of it: nothing of it has begun there."""
        assignment = passed.assignment
        assert self.may_be_turned_out(assignment)
        assert not passed.entered
        outer = {one.step for one in self.story.turned_out if self.host(one) == self.host(assignment)}
        around = [block for block in self.draft.blocks if assignment.step in self.inside(block)]
        assert (
            self.story.stopped
            or assignment in self.story.skipped
            or outer & {self.draft.number(block.entry) for block in around}
        )
        self.story.begun.discard(assignment)
        self.story.turned_out.add(assignment)
        self.story.passed[assignment] = passed
        self.story.over[assignment] = True

    def may_be_turned_out(self, assignment: Assignment) -> bool:
        node, host = self.draft.nodes[assignment.step], self.host(assignment)
        return any(
            node in (block.entry, block.rescue, block.always)
            and not self.has_begun(block, host)
            and self.on(block.end, host) not in self.story.over
            for block in self.draft.blocks
        )

    def has_begun(self, block: BlockDraft, host: int) -> bool:
        """Whether a step of the block was started on the host; before a stop: or could not be judged there."""
        known = self.story.begun if self.story.stopped else self.story.begun | set(self.story.own)
        known = known - self.story.never_began
        inside = self.inside(block) - {self.draft.number(block.entry)}
        return any(
            one.step in inside
            and self.host(one) == host
            and (one in self.story.own or not self.shape.steps[one.step].junction)
            for one in known
        )

    def inside_of(self, end: int) -> set[int]:
        """Hosts that have begun what ends there, and are not over."""
        if (block := self.ends.get(end)) is None:
            at_work = self.story.running | self.story.parked | self.story.resuming
            return {self.host(one) for one in at_work if one.step == end}
        return {
            host
            for host in block.entry.hosts
            if self.on(block.end, host) not in self.story.over and self.has_begun(block, host)
        }

    def note_inside(self, broke: PolicyBroke) -> None:
        """What a break tells as running is what was begun and is not over: no host more, no host less."""
        ends = self.shape.counted if broke.policy is None else {self.shape.policies[broke.policy].end}
        found = {(end, host) for end in ends for host in self.inside_of(end)}
        self.story.inside[broke.policy] = found
        assert broke.running == len({host for _, host in found})

    def was_inside(self, policy: int | None, assignment: Assignment) -> bool:
        """Whether the host had begun what the assignment belongs to when the policy broke."""
        host = self.host(assignment)
        return any(
            there == host
            and (
                end == assignment.step
                or (end in self.ends and assignment.step in self.inside(self.ends[end]))
            )
            for end, there in self.story.inside[policy]
        )

    def shut_bad(self, assignment: Assignment) -> bool:
        skip = self.story.skipped.get(assignment)
        if assignment in self.story.turned_out or assignment in self.story.own:
            return True
        if skip is not None:
            return skip.held_back
        return self.story.stopped and assignment not in self.story.refused

    def judge_end(self, block: BlockDraft, passed: Passed) -> None:
        """A block's end says what became of its parts on this host, whatever the machine thought on the way."""
        host = self.host(passed.assignment)
        entry = self.story.passed.get(self.on(block.entry, host) or passed.assignment)
        assert passed.entered == (entry is not None and entry.entered)
        if not passed.entered:
            assert not passed.rescued
            return
        went_bad = {part: self.any_bad(nodes, host) for part, nodes in block.parts.items()}
        rescue = self.passed_at(block.rescue, host)
        mended = rescue is not None and rescue.entered and not went_bad["rescue"]
        bad = (
            (went_bad["body"] and not mended)
            or went_bad.get("rescue", False)
            or went_bad.get("always", False)
        )
        assert passed.bad == bad or self.story.wholly
        assert passed.rescued == (went_bad["body"] and not passed.bad)
        wide = block.rescue is not None and any(wait == "all" for _, wait, _ in block.rescue.edges)
        if rescue is not None and not self.story.stopped and not wide:
            assert rescue.entered == went_bad["body"], "rescue runs where the body went bad and nowhere else"

    def passed_at(self, node: Node | None, host: int) -> Passed | None:
        there = None if node is None else self.on(node, host)
        return None if there is None else self.story.passed.get(there)

    def any_bad(self, nodes: list[Node], host: int) -> bool:
        found = [self.on(node, host) for node in nodes]
        return any(self.tainted(one) for one in found if one is not None)

    def tainted(self, assignment: Assignment) -> bool:
        """Bad itself, or behind something bad that it did not mind (``run_if: always``)."""
        if self.story.over.get(assignment, False):
            return True
        step = self.shape.steps[assignment.step]
        skip = self.story.skipped.get(assignment)
        if step.junction or (skip is not None and skip.why is Why.NOT_ENTERED):
            return False
        return self.upstream_bad(assignment)

    def upstream_bad(self, assignment: Assignment) -> bool:
        host = self.host(assignment)
        return any(
            self.tainted(own)
            for edge in self.shape.steps[assignment.step].edges
            if edge.taints and (own := self.at(edge.step, host)) is not None
        )

    def needs_are_over(self, assignment: Assignment) -> None:
        host = self.host(assignment)
        for edge in self.shape.steps[assignment.step].edges:
            own = self.at(edge.step, host)
            if edge.wait == "all" or (edge.wait == "auto" and own is None):
                needed = [
                    Assignment(edge.step, place) for place in range(len(self.shape.steps[edge.step].hosts))
                ]
            else:
                needed = [] if own is None else [own]
            assert set(needed) <= set(self.story.over)

    def may_begin(self, assignment: Assignment) -> None:
        step = self.shape.steps[assignment.step]
        self.needs_are_over(assignment)
        if step.enter is not None:
            before = self.at(step.enter, self.host(assignment))
            assert before is not None
            assert self.story.passed[before].entered
        if step.run_if == "success":
            assert not self.upstream_bad(assignment)
            always = any(self.in_part(assignment.step, block, "always") for block in self.draft.blocks)
            rescue = any(self.in_part(assignment.step, block, "rescue") for block in self.draft.blocks)
            assert None not in self.story.broke or always or rescue or self.runs_anyway(assignment)
        if None in self.story.broke and not self.was_inside(None, assignment):
            assert self.runs_anyway(assignment), "nothing of its block had begun there"
        for number, policy in enumerate(self.shape.policies):
            if policy.start == assignment.step and not self.story.stopped:
                assert number not in self.story.broke, "nothing of it is begun behind the break"
                self.wave_has_begun(number, policy, assignment)
            block = self.ends.get(policy.end)
            if number in self.story.broke and block is not None and assignment.step in self.inside(block):
                assert self.was_inside(number, assignment), "nothing of its block had begun there"
        if self.story.stopped:
            assert not self.story.wholly
            assert any(self.is_last(assignment, block) for block in self.draft.blocks)

    def runs_anyway(self, assignment: Assignment) -> bool:
        """Whether its `run_if`, or that of a block around it, is for when something is wrong."""
        around = [block.entry for block in self.draft.blocks if assignment.step in self.inside(block)]
        return any(node.run_if != "success" for node in [self.draft.nodes[assignment.step], *around])

    def wave_has_begun(self, number: int, policy: Policy, assignment: Assignment) -> None:
        if not policy.waves:
            return
        before = 0
        for wave in policy.waves:
            if assignment.position < before + wave.size:
                break
            before += wave.size
        for position in range(before):
            host = self.shape.steps[policy.start].hosts[position]
            end = self.at(policy.end, host)
            assert end is not None
            assert end in self.story.over or self.is_late(number, host), "the wave before is in flight"

    def is_late(self, number: int, host: int) -> bool:
        policy = self.shape.policies[number]
        block = self.ends.get(policy.end)
        inside = {policy.start} if block is None else self.inside(block)
        return any(one.step in inside and self.host(one) == host for one in self.story.late)

    def inside(self, block: BlockDraft) -> set[int]:
        found = {self.draft.number(block.entry), self.draft.number(block.end)}
        for number in range(len(self.draft.nodes)):
            if any(self.in_part(number, block, part) for part in block.parts):
                found.add(number)
        return found

    def in_part(self, step: int, block: BlockDraft, part: str) -> bool:
        """Whether a step stands in a part of the block, at any depth."""
        gate = {"body": block.entry, "rescue": block.rescue, "always": block.always}[part]
        node = self.draft.nodes[step]
        if node is gate:
            return part != "body"
        before = self.ends[step].entry.enter if step in self.ends else node.enter
        while before is not None:
            if before is gate:
                return True
            before = before.enter
        return False

    def is_last(self, assignment: Assignment, block: BlockDraft) -> bool:
        begun = (self.draft.number(block.end), self.host(assignment)) in self.story.inside_at_stop
        return begun and block.always is not None and self.in_part(assignment.step, block, "always")

    def bad_hosts(self, policy: int | None) -> int:
        """Hosts that went bad where the policy counts."""
        steps = self.shape.counted if policy is None else {self.shape.policies[policy].end}
        hosts = {self.host(one) for one in self.story.own if one.step in steps}
        for one, passed in self.story.passed.items():
            if one.step in steps and passed.bad:
                hosts.add(self.host(one))
        return len(hosts)

    def failed_hosts(self, policy: int | None) -> int:
        """Those of the bad hosts on which something failed; the others were only held back from the rest of a block."""
        steps = self.shape.counted if policy is None else {self.shape.policies[policy].end}
        within = {
            step: self.inside(self.ends[step]) | {step} if step in self.ends else {step} for step in steps
        }
        found = set()
        for step, inside in within.items():
            bad = {self.host(one) for one in self.story.own if one.step == step}
            bad |= {
                self.host(one) for one, passed in self.story.passed.items() if one.step == step and passed.bad
            }
            found |= bad & {self.host(one) for one in self.story.own if one.step in inside}
        return len(found)

    def host(self, assignment: Assignment) -> int:
        return self.shape.steps[assignment.step].hosts[assignment.position]

    def at(self, step: int, host: int) -> Assignment | None:
        hosts = self.shape.steps[step].hosts
        return Assignment(step, list(hosts).index(host)) if host in hosts else None

    def on(self, node: Node, host: int) -> Assignment | None:
        return self.at(self.draft.nodes.index(node), host)

    def end(self, assignment: Assignment) -> None:
        story = self.story
        cancelled = assignment in story.cancelled
        began = not cancelled or assignment in story.kept or self.data.draw(st.booleans())
        bad = cancelled or self.data.draw(st.integers(0, 2)) == 0
        unreachable = bad and began and self.data.draw(st.booleans())
        if not began:
            self.take_back(assignment)
        if assignment in story.running:
            self.take(assignment, -1)
        for where in (story.running, story.parked, story.resuming):
            where.discard(assignment)
        if bad:
            story.own[assignment] = "unreachable" if unreachable else "failed"
        self.close(assignment, bad)
        self.tell(Ended(assignment, bad, unreachable, began))

    def take_back(self, assignment: Assignment) -> None:
        """Nothing of it ran: its host is in no block any more but for what else has begun there."""
        self.story.never_began.add(assignment)
        self.story.begun.discard(assignment)
        self.story.inside_at_stop = {
            (end, host) for end, host in self.story.inside_at_stop if self.has_begun(self.ends[end], host)
        }

    def answer(self, assignment: Assignment) -> None:
        self.story.asked.remove(assignment)
        proceed = self.data.draw(st.integers(0, 2)) > 0
        bad = not proceed and self.data.draw(st.booleans())
        if bad:
            self.story.own[assignment] = "failed"
        if not proceed:
            self.story.refused.add(assignment)
        if not proceed and not self.shape.steps[assignment.step].junction:
            self.close(assignment, bad)
        self.tell(Judged(assignment, proceed, bad))

    def park(self, assignment: Assignment) -> None:
        self.story.parks += 1
        self.story.kept.add(assignment)
        self.story.running.remove(assignment)
        self.story.parked.add(assignment)
        self.take(assignment, -1)
        late = self.data.draw(st.booleans())
        if late:
            self.story.late.add(assignment)
        self.tell(Parked(assignment, late))

    def resume(self, assignment: Assignment) -> None:
        if assignment not in self.story.cancelled:
            self.story.parked.remove(assignment)
            self.story.resuming.add(assignment)
        self.tell(Resumed(assignment))

    def stop(self) -> None:
        self.story.wholly = self.story.stopped
        if not self.story.stopped:
            self.story.stopped = True
            for end, block in self.ends.items():
                self.story.inside_at_stop |= {
                    (end, host) for host in block.entry.hosts if self.has_begun(block, host)
                }
        self.tell(StopRequested(wholly=self.story.wholly))

    def run(self, *, may_stop: bool) -> None:
        self.tell(RunBegan())
        while not self.story.finished or self.story.checks:
            story = self.story
            acts = [(self.answer, one) for one in story.asked]
            acts += [(self.end, one) for one in (*story.running, *story.parked, *story.resuming)]
            if story.parks < MOST_PARKS:
                acts += [(self.park, one) for one in story.running]
            acts += [(self.resume, one) for one in story.parked if one not in story.cancelled]
            if (
                may_stop
                and not story.wholly
                and not story.finished
                and self.data.draw(st.integers(0, 7)) == 0
            ):
                self.stop()
            elif story.checks and (not acts or self.data.draw(st.booleans())):
                check = story.checks.pop()
                self.tell(WaveChecked(check.policy, check.wave, self.data.draw(st.integers(0, 3)) > 0))
            else:
                acts.sort(key=lambda act: (act[0].__name__, act[1].step, act[1].position))
                act, chosen = self.data.draw(st.sampled_from(acts))
                act(chosen)
