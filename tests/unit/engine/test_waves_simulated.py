"""Waves and limits over simulated fleets: hosts that fail alone, by the rack, or from some moment on.

The fleet has a clock of its own: a started host ends after its own time, so that waves overlap as they would. Nothing
here knows how the machine decides; it only counts.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.commands import CheckWave, Command, Finish, PolicyBroke, Skip, Start, WaveBegan, Why
from runner.engine.events import Ended, Event, Parked, Resumed, RunBegan, WaveChecked
from runner.engine.machine import RunMachine
from runner.engine.shape import Assignment, Edge, Policy, RunShape, StepShape, WaveShape

Model = Callable[[int, float], str]
"""What becomes of a host that starts at a time: ``ok``, ``failed``, ``unreachable`` or ``late`` (and well later)."""

RACK = 8


def alone(seed: int, percent: int) -> Model:
    """Each host by itself."""
    drawn = random.Random(seed)
    fates = {
        h: drawn.choice(["failed", "unreachable"]) for h in range(1000) if drawn.random() * 100 < percent
    }
    return lambda host, _: fates.get(host, "late" if host % 11 == 10 else "ok")


def by_rack(seed: int, percent: int) -> Model:
    """A switch is down, and all hosts behind it with it."""
    drawn = random.Random(seed)
    racks = {rack for rack in range(1000) if drawn.random() * 100 < percent}
    return lambda host, _: "unreachable" if host // RACK in racks else "ok"


def from_a_moment_on(seed: int, percent: int) -> Model:
    """A package source breaks in the middle of the night."""
    moment = random.Random(seed).uniform(0, 5 + percent)
    return lambda _, now: "failed" if now > moment else "ok"


@dataclass
class Fleet:
    """Runs one step on a fleet, and a second one behind it."""

    shape: RunShape
    model: Model
    seed: int
    now: float = 0.0
    ends: list[tuple[float, int, Event]] = field(default_factory=list)
    started: dict[int, float] = field(default_factory=dict)
    over: dict[int, str] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    behind: set[int] = field(default_factory=set)
    skipped: dict[int, Skip] = field(default_factory=dict)
    broke: PolicyBroke | None = None
    running_at_break: int = 0
    bad_at_break: int = 0
    wave: int = -1
    told: int = 0
    finished: bool = False

    def run(self) -> Fleet:
        machine = RunMachine(self.shape)
        self.take(machine.handle(RunBegan()))
        while self.ends:
            self.now, _, event = heapq.heappop(self.ends)
            if isinstance(event, Ended) and event.assignment.step == 0:
                self.over.setdefault(event.assignment.position, self.fate(event))
            self.take(machine.handle(event))
        assert self.finished
        return self

    def fate(self, event: Ended) -> str:
        return "ok" if not event.bad else "unreachable" if event.unreachable else "failed"

    def at(self, delay: float, event: Event) -> None:
        heapq.heappush(self.ends, (self.now + delay, self.told, event))
        self.told += 1

    def take(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Start(Assignment(0, position) as assignment):
                    self.start(assignment, position)
                case Start(assignment):
                    self.behind.add(assignment.position)
                    assert self.broke is None, "what needs the step does not begin behind a break"
                    self.at(1, Ended(assignment))
                case WaveBegan(_, wave):
                    assert wave == self.wave + 1
                    self.nobody_is_in_flight()
                    self.wave = wave
                case CheckWave(policy, wave):
                    self.nobody_is_in_flight()
                    self.at(2, WaveChecked(policy, wave, passed=True))
                case PolicyBroke():
                    self.broke = command
                    self.running_at_break = len(self.started) - len(self.over)
                    self.bad_at_break = len(self.bad())
                case Skip(Assignment(0, position)):
                    self.skipped[position] = command
                case Finish():
                    self.finished = True

    def start(self, assignment: Assignment, position: int) -> None:
        if position in self.started:  # it came back
            self.at(1, Ended(assignment))
            return
        assert self.broke is None, "nothing begins behind a break"
        assert position < self.begun(), "no host begins before its wave"
        self.started[position] = self.now
        fate = self.model(position, self.now)
        duration = random.Random(self.seed * 1009 + position).uniform(0.5, 3)
        if fate == "late":
            self.late.add(position)
            self.at(0.1, Parked(assignment, late=True))
            self.at(20, Resumed(assignment))
        else:
            self.at(duration, Ended(assignment, fate != "ok", fate == "unreachable"))

    def begun(self) -> int:
        """How many hosts the waves hold that have begun."""
        return list(accumulate(wave.size for wave in self.shape.policies[0].waves))[self.wave]

    def nobody_is_in_flight(self) -> None:
        assert set(self.started) - set(self.over) <= self.late

    def bad(self) -> set[int]:
        return {position for position, fate in self.over.items() if fate != "ok"}


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Up to 200 hosts, a canary first, throttled or not, with limits of which some are exceeded."""
    hosts = draw(st.integers(1, 200))
    sizes = [1]
    while sum(sizes) < hosts:
        sizes.append(min(draw(st.integers(1, hosts)), hosts - sum(sizes)))
    limit = st.one_of(st.none(), st.integers(0, 10))
    waves = tuple(
        WaveShape(size, 0 if n == 0 else draw(limit), draw(st.booleans())) for n, size in enumerate(sizes)
    )
    model = draw(st.sampled_from([alone, by_rack, from_a_moment_on]))
    policy = Policy(0, 0, draw(limit), draw(limit), waves=waves)
    throttle = draw(st.integers(1, 40))
    steps = (
        StepShape(range(hosts), counters=[((0, 1),)] * hosts),
        StepShape(range(hosts), (Edge(0),), counters=[((0, 1),)] * hosts),
    )
    seed = draw(st.integers(0, 10_000))
    return Fleet(RunShape(steps, (throttle,), (policy,)), model(seed, draw(st.integers(0, 60))), seed)


@given(fleets())
def test_a_fleet_is_never_past_its_limits_by_more_than_ran(fleet: Fleet) -> None:
    """Bad hosts are at most those at the break and those that ran then, which the break told; the rest has a reason."""
    fleet.run()
    policy, hosts = fleet.shape.policies[0], len(fleet.shape.steps[0].hosts)
    assert len(fleet.over) + len(fleet.skipped) == hosts
    if fleet.broke is None:
        failed = sum(1 for fate in fleet.over.values() if fate == "failed")
        assert policy.max_fail is None or failed <= policy.max_fail
        assert policy.max_unreachable is None or len(fleet.bad()) - failed <= policy.max_unreachable
        assert not fleet.skipped
        assert fleet.behind == set(range(hosts)) - fleet.bad()
    else:
        assert fleet.broke.running == fleet.running_at_break
        assert fleet.broke.failed + fleet.broke.unreachable == fleet.bad_at_break
        assert len(fleet.bad()) <= fleet.bad_at_break + fleet.broke.running
        assert all(skip.held_back and skip.why in {Why.POLICY, Why.WAVE} for skip in fleet.skipped.values())


def test_a_broken_source_stops_at_the_wave_it_broke_in() -> None:
    """Ten hosts of a wave at once, none may fail: what broke at night costs what was running and no more."""
    waves = (WaveShape(1, 0), WaveShape(20), WaveShape(179))
    step = StepShape(range(200), counters=[((0, 1),)] * 200)
    shape = RunShape((step,), (10,), (Policy(0, 0, max_fail=0, waves=waves),))
    fleet = Fleet(shape, lambda _, now: "failed" if now > 3 else "ok", seed=7).run()
    assert fleet.broke is not None
    assert len(fleet.bad()) <= 1 + fleet.broke.running <= 10
    assert max(fleet.started) < 21


def test_a_rack_that_is_down_counts_as_unreachable() -> None:
    """A rack within max_unreachable stops nothing, although no host may fail."""
    waves = (WaveShape(1, 0), WaveShape(63))
    shape = RunShape((StepShape(range(64)),), (), (Policy(0, 0, 0, RACK, waves=waves),))
    fleet = Fleet(shape, lambda host, _: "unreachable" if host // RACK == 3 else "ok", seed=1).run()
    assert fleet.broke is None
    assert len(fleet.bad()) == RACK
