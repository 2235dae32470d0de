"""The machine over random plans, orders, failures and stops, against a second, naive reading of the language."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.commands import Abandon, Cancel, Command, Finish, Judge, Skip, Start
from runner.engine.events import Ended, Event, Judged, RunBegan, StopRequested
from runner.engine.machine import RunMachine
from runner.engine.shape import Assignment, Edge, RunShape, StepShape

HOSTS = range(5)


def slots_of(counter: int, limit: int | None) -> st.SearchStrategy[tuple[int, int] | None]:
    """How many slots of a counter an assignment takes; None where it does not use it."""
    return st.one_of(st.none(), st.integers(1, limit or 3).map(lambda slots: (counter, slots)))


@st.composite
def shapes(draw: st.DrawFn) -> RunShape:
    """Plans of up to six steps whose edges go anywhere but in a circle, numbers not in topological order."""
    count = draw(st.integers(0, 6))
    limits = tuple(draw(st.lists(st.one_of(st.none(), st.integers(1, 3)), max_size=4)))
    rank = draw(st.permutations(range(count)))
    steps = []
    for number in range(count):
        hosts = draw(st.lists(st.sampled_from(HOSTS), unique=True, max_size=5))
        earlier = [other for other in range(count) if rank[other] < rank[number]]
        needed = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        taken = st.tuples(*(slots_of(counter, limit) for counter, limit in enumerate(limits)))
        steps.append(
            StepShape(
                hosts,
                tuple(Edge(other, draw(st.sampled_from(["auto", "all", "same"]))) for other in needed),
                draw(st.sampled_from(["success", "failure", "always"])),
                draw(st.booleans()),
                [tuple(filter(None, draw(taken))) for _ in hosts],
            )
        )
    return RunShape(tuple(steps), limits)


@dataclass
class Story:
    """What a run did, as the world saw it."""

    over: dict[Assignment, bool] = field(default_factory=dict)  # with whether its own result was bad
    skipped: dict[Assignment, bool] = field(default_factory=dict)  # with held_back
    started: list[Assignment] = field(default_factory=list)
    running: set[Assignment] = field(default_factory=set)
    asked: list[Assignment] = field(default_factory=list)
    cancelled: set[Assignment] = field(default_factory=set)
    stopped: bool = False
    finished: int = 0


class Reference:
    """Order and `run_if` read straight from language.md, by recursion and without any memory."""

    def __init__(self, shape: RunShape, story: Story) -> None:
        self.shape = shape
        self.story = story

    def edges(self, step: int) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for edge in self.shape.steps[step].edges:
            if self.shape.steps[edge.step].hosts:
                found.append((edge.step, edge.wait))
            else:
                found += [(s, w if edge.wait == "auto" else edge.wait) for s, w in self.edges(edge.step)]
        return found

    def on(self, step: int) -> dict[int, Assignment]:
        return {host: Assignment(step, place) for place, host in enumerate(self.shape.steps[step].hosts)}

    def host(self, assignment: Assignment) -> int:
        return self.shape.steps[assignment.step].hosts[assignment.position]

    def waits_for(self, assignment: Assignment) -> set[Assignment]:
        needs: set[Assignment] = set()
        for step, wait in self.edges(assignment.step):
            there = self.on(step)
            own = there.get(self.host(assignment))
            if wait == "all" or (wait == "auto" and own is None):
                needs |= set(there.values())
            elif own is not None:
                needs.add(own)
        return needs

    def upstream_bad(self, assignment: Assignment) -> bool:
        for step, wait in self.edges(assignment.step):
            there = self.on(step)
            own = there.get(self.host(assignment))
            others = [] if wait == "same" else list(there.values())
            judges = others if own is None else [own]
            if any(self.story.over[judge] or self.upstream_bad(judge) for judge in judges):
                return True
        return False


class World:
    """Does what the machine says and checks every command against the reference."""

    def __init__(self, shape: RunShape, data: st.DataObject) -> None:
        self.shape = shape
        self.data = data
        self.machine = RunMachine(shape)
        self.story = Story()
        self.reference = Reference(shape, self.story)
        self.used = [0] * len(shape.limits)

    def tell(self, event: Event) -> None:
        for command in self.machine.handle(event):
            assert not self.story.finished
            self.obey(command)
        self.machine.check()
        self.nobody_waits_in_vain()

    def nobody_waits_in_vain(self) -> None:
        """Whoever has no open need, was not asked and does not run lacks room in one of its counters."""
        for step, shape in enumerate(self.shape.steps):
            for position, counters in enumerate(shape.counters):
                waiting = Assignment(step, position)
                if waiting in self.story.over or waiting in self.story.running or waiting in self.story.asked:
                    continue
                if self.reference.waits_for(waiting) <= set(self.story.over):
                    assert any(self.full(counter, slots) for counter, slots in counters)

    def full(self, counter: int, slots: int) -> bool:
        limit = self.shape.limits[counter]
        return limit is not None and self.used[counter] + slots > limit

    def obey(self, command: Command) -> None:
        match command:
            case Judge(assignment):
                self.may_begin(assignment)
                self.story.asked.append(assignment)
            case Start(assignment):
                self.may_begin(assignment)
                self.take(assignment)
            case Skip(assignment, held_back, cause):
                self.needs_are_over(assignment)
                run_if = self.shape.steps[assignment.step].run_if
                assert run_if == ("success" if held_back else "failure")
                assert self.reference.upstream_bad(assignment) == held_back == (cause is not None)
                assert not self.story.stopped
                self.story.skipped[assignment] = held_back
                self.close(assignment, held_back)
            case Abandon(assignment):
                assert self.story.stopped
                assert assignment not in self.story.started
                self.close(assignment, True)
            case Cancel(assignment):
                assert assignment in self.story.running
                assert assignment not in self.story.cancelled
                self.story.cancelled.add(assignment)
            case Finish():
                self.story.finished += 1

    def needs_are_over(self, assignment: Assignment) -> None:
        assert self.reference.waits_for(assignment) <= set(self.story.over)

    def may_begin(self, assignment: Assignment) -> None:
        """Whoever is asked or started has its needs over and the right weather for its `run_if`."""
        assert not self.story.stopped
        self.needs_are_over(assignment)
        run_if, bad = self.shape.steps[assignment.step].run_if, self.reference.upstream_bad(assignment)
        assert run_if == "always" or bad == (run_if == "failure")

    def take(self, assignment: Assignment) -> None:
        assert assignment not in self.story.started
        self.story.started.append(assignment)
        self.story.running.add(assignment)
        for counter, slots in self.shape.steps[assignment.step].counters[assignment.position]:
            self.used[counter] += slots
            limit = self.shape.limits[counter]
            assert limit is None or self.used[counter] <= limit

    def close(self, assignment: Assignment, bad: bool) -> None:
        assert assignment not in self.story.over
        self.story.over[assignment] = bad

    def end(self, assignment: Assignment) -> None:
        bad = self.data.draw(st.booleans())
        self.story.running.remove(assignment)
        for counter, slots in self.shape.steps[assignment.step].counters[assignment.position]:
            self.used[counter] -= slots
        self.close(assignment, bad)
        self.tell(Ended(assignment, bad))

    def answer(self, assignment: Assignment) -> None:
        self.story.asked.remove(assignment)
        if self.data.draw(st.booleans()):
            self.tell(Judged(assignment, proceed=True))
        else:
            bad = self.data.draw(st.booleans())
            self.close(assignment, bad)
            self.tell(Judged(assignment, proceed=False, bad=bad))

    def run(self, *, may_stop: bool) -> None:
        self.tell(RunBegan())
        while self.story.asked or self.story.running:
            if may_stop and self.data.draw(st.integers(0, 9)) == 0:
                self.story.stopped = True
                self.tell(StopRequested())
                continue
            choices = [*self.story.asked, *sorted(self.story.running, key=lambda a: (a.step, a.position))]
            chosen = self.data.draw(st.sampled_from(choices))
            (self.answer if chosen in self.story.asked else self.end)(chosen)


@given(shapes(), st.data(), st.booleans())
def test_every_run_ends_as_the_language_says(shape: RunShape, data: st.DataObject, may_stop: bool) -> None:
    """It finishes once, each assignment is over once, limits, needs and `run_if` hold in between."""
    world = World(shape, data)
    world.run(may_stop=may_stop)
    everything = {Assignment(s, p) for s, step in enumerate(shape.steps) for p in range(len(step.hosts))}
    assert set(world.story.over) == everything
    assert world.story.finished == 1
    assert world.used == [0] * len(shape.limits)
    assert world.machine.state.admission.nodes == 0  # nobody who waited is remembered


@given(st.integers(1, 12), st.integers(1, 4), st.data())
def test_hosts_start_in_inventory_order_under_the_step_limit(
    hosts: int, limit: int, data: st.DataObject
) -> None:
    """Where only the step's own limit binds, whoever ends first, starts go in the order of the hosts."""
    world = World(RunShape((StepShape(range(hosts), counters=[((0, 1),)] * hosts),), (limit,)), data)
    world.run(may_stop=False)
    assert [started.position for started in world.story.started] == list(range(hosts))


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.data())
def test_lanes_go_in_file_order(hosts: int, steps: int, limit: int, data: st.DataObject) -> None:
    """Parallel steps on the kept sessions of hosts start in file order on each host, whatever limit binds beside."""
    step = StepShape(range(hosts), counters=[((0, 1), (1 + host, 1)) for host in range(hosts)])
    world = World(RunShape((step,) * steps, (limit, *[1] * hosts)), data)
    world.run(may_stop=False)
    for host in range(hosts):
        assert [a.step for a in world.story.started if a.position == host] == list(range(steps))
