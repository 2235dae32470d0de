"""Blocks, waves, limits and parking in the machine, over plans a person would write: each test says what must hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.engine.commands import (
    Abandon,
    Cancel,
    CheckWave,
    Command,
    Finish,
    Passed,
    PolicyBroke,
    Skip,
    Start,
    WaveBegan,
    Why,
)
from runner.engine.events import Ended, Event, Judged, Parked, Resumed, RunBegan, StopRequested, WaveChecked
from runner.engine.machine import IllegalTransition, RunMachine
from runner.engine.shape import Assignment, Edge, Policy, RunShape, StepShape, WaveShape

BODY, RESCUE_STEP, ALWAYS_STEP, AFTER, ENTRY, RESCUE, ALWAYS, END = range(8)


def block(hosts: int = 1, *, rescue_on: str = "same", **of_run: object) -> RunShape:
    """One step in each part of a block, and one behind it."""
    everybody = range(hosts)

    def junction(edges: tuple[Edge, ...], run_if: str, enter: int | None, *, last: bool = False) -> StepShape:
        return StepShape(everybody, edges, run_if, junction=True, enter=enter, finally_=last)

    steps = (
        StepShape(everybody, (Edge(ENTRY, "same", taints=False),), enter=ENTRY),
        StepShape(everybody, (Edge(RESCUE, "same", taints=False),), enter=RESCUE),
        StepShape(everybody, (Edge(ALWAYS, "same", taints=False),), enter=ALWAYS, finally_=True),
        StepShape(everybody, (Edge(END),)),
        junction((), "success", None),
        junction((Edge(BODY, rescue_on),), "failure", ENTRY),
        junction(
            (Edge(BODY, "same", taints=False), Edge(RESCUE_STEP, "same", taints=False)), "always", ENTRY
        ),
        junction(
            (
                Edge(ENTRY, "same"),
                Edge(BODY, "same", taints=False),
                Edge(RESCUE_STEP, "same"),
                Edge(ALWAYS_STEP, "same"),
            ),
            "always",
            None,
        ),
    )
    return replace(RunShape(steps), **of_run)  # type: ignore[arg-type]


def at(step: int, position: int = 0) -> Assignment:
    return Assignment(step, position)


def tell(machine: RunMachine, *events: Event) -> list[Command]:
    """All that is commanded, passed junctions left out."""
    found: list[Command] = []
    for event in events:
        found += machine.handle(event)
        machine.check()
    return [command for command in found if not isinstance(command, Passed)]


def passed(machine: RunMachine, *events: Event) -> list[Passed]:
    return [c for event in events for c in machine.handle(event) if isinstance(c, Passed)]


def steps_of(commands: list[Command]) -> list[Command]:
    """Without the skips of junctions."""
    return [c for c in commands if not (isinstance(c, Skip) and c.assignment.step >= ENTRY)]


def test_a_block_that_goes_well_skips_its_rescue_and_does_its_always() -> None:
    """Nothing bad: the rescue is neutral, the always runs, what stands behind goes on."""
    machine = RunMachine(block())
    assert tell(machine, RunBegan()) == [Start(at(BODY))]
    assert steps_of(tell(machine, Ended(at(BODY)))) == [
        Skip(at(RESCUE_STEP), held_back=False, why=Why.NOTHING_BAD),
        Start(at(ALWAYS_STEP)),
    ]
    assert tell(machine, Ended(at(ALWAYS_STEP))) == [Start(at(AFTER))]
    assert tell(machine, Ended(at(AFTER))) == [Finish()]


def test_a_rescued_host_goes_on() -> None:
    """The body fails, the rescue does not: the end is rescued and what needs the block runs."""
    machine = RunMachine(block())
    assert tell(machine, RunBegan(), Ended(at(BODY), bad=True)) == [Start(at(BODY)), Start(at(RESCUE_STEP))]
    tell(machine, Ended(at(RESCUE_STEP)))
    assert passed(machine, Ended(at(ALWAYS_STEP))) == [Passed(at(END), entered=True, bad=False, rescued=True)]
    assert tell(machine, Ended(at(AFTER))) == [Finish()]


@pytest.mark.parametrize("step", [RESCUE_STEP, ALWAYS_STEP])
def test_a_rescue_or_an_always_that_fails_makes_the_block_bad(step: int) -> None:
    """What goes wrong in the later parts is not mended by anything."""
    machine = RunMachine(block())
    tell(machine, RunBegan(), Ended(at(BODY), bad=True), Ended(at(RESCUE_STEP), bad=step == RESCUE_STEP))
    commands = tell(machine, Ended(at(ALWAYS_STEP), bad=step == ALWAYS_STEP))
    assert commands == [Skip(at(AFTER), held_back=True, cause=step), Finish()]


def test_a_rescue_for_the_whole_block_runs_on_all_its_hosts() -> None:
    """`rescue_on: block`: one host fails, all hosts of the block are rescued, and only that one counts as rescued."""
    machine = RunMachine(block(2, rescue_on="all"))
    assert tell(machine, RunBegan(), Ended(at(BODY), bad=True)) == [Start(at(BODY)), Start(at(BODY, 1))]
    assert tell(machine, Ended(at(BODY, 1))) == [Start(at(RESCUE_STEP)), Start(at(RESCUE_STEP, 1))]
    tell(machine, Ended(at(RESCUE_STEP)), Ended(at(RESCUE_STEP, 1)))
    assert passed(machine, Ended(at(ALWAYS_STEP)), Ended(at(ALWAYS_STEP, 1))) == [
        Passed(at(END), entered=True, rescued=True),
        Passed(at(END, 1), entered=True, rescued=False),
    ]


def test_a_stop_leaves_the_always_of_hosts_that_entered() -> None:
    """What runs is cancelled, the always runs where the block was entered, the rest is abandoned."""
    waves = (Policy(ENTRY, END, waves=(WaveShape(1), WaveShape(1))),)
    machine = RunMachine(block(2, policies=waves))
    assert tell(machine, RunBegan()) == [WaveBegan(0, 0), Start(at(BODY))]
    commands = tell(machine, StopRequested())
    assert Cancel(at(BODY)) in commands
    assert Abandon(at(ALWAYS_STEP, 1)) in commands
    assert Abandon(at(ALWAYS_STEP)) not in commands
    assert tell(machine, Ended(at(BODY), bad=True)) == [Start(at(ALWAYS_STEP))]
    assert tell(machine, StopRequested(wholly=True)) == [Cancel(at(ALWAYS_STEP))]
    assert tell(machine, Ended(at(ALWAYS_STEP), bad=True)) == [Finish()]


def test_a_host_goes_through_the_whole_block_in_its_wave() -> None:
    """The next wave begins when the block has ended for the last host of the one before."""
    machine = RunMachine(block(2, policies=(Policy(ENTRY, END, waves=(WaveShape(1), WaveShape(1))),)))
    tell(machine, RunBegan(), Ended(at(BODY)))
    assert tell(machine, Ended(at(ALWAYS_STEP))) == [WaveBegan(0, 1), Start(at(BODY, 1)), Start(at(AFTER))]


def waves(*shapes: WaveShape, hosts: int = 4, **of_policy: object) -> RunMachine:
    """One step with waves, and one behind it on the same hosts."""
    policy = replace(Policy(0, 0, waves=shapes), **of_policy)  # type: ignore[arg-type]
    return RunMachine(
        RunShape((StepShape(range(hosts)), StepShape(range(hosts), (Edge(0),))), policies=(policy,))
    )


def test_the_first_wave_that_fails_is_the_last() -> None:
    """The canary goes bad: the others are skipped with that reason and the break says that nothing else runs."""
    machine = waves(WaveShape(1, max_fail=0), WaveShape(3))
    assert tell(machine, RunBegan()) == [WaveBegan(0, 0), Start(at(0))]
    commands = tell(machine, Ended(at(0), bad=True))
    assert commands[0] == PolicyBroke(0, failed=1, unreachable=0, running=0, wave=0, wave_bad=1)
    skipped = [c for c in commands if isinstance(c, Skip) and c.assignment.step == 0]
    assert skipped == [Skip(at(0, p), held_back=True, cause=0, why=Why.WAVE) for p in (1, 2, 3)]
    assert commands[-1] == Finish()


def test_somebody_is_asked_between_waves() -> None:
    """A wave with a check is followed when somebody says so, and never twice."""
    machine = waves(WaveShape(2, check=True), WaveShape(2))
    tell(machine, RunBegan(), Ended(at(0)))
    assert tell(machine, Ended(at(0, 1)))[0] == CheckWave(0, 0)
    assert tell(machine, WaveChecked(0, 0, passed=True)) == [
        WaveBegan(0, 1),
        Start(at(0, 2)),
        Start(at(0, 3)),
    ]
    with pytest.raises(IllegalTransition, match="not asked"):
        machine.handle(WaveChecked(0, 0, passed=True))


def test_a_wave_that_somebody_does_not_let_pass_ends_it() -> None:
    """The answer no: nothing more begins, and what needs the step is held back on hosts that did well too."""
    machine = waves(WaveShape(2, check=True), WaveShape(2))
    tell(machine, RunBegan(), Ended(at(0)), Ended(at(0, 1)), Ended(at(1)))
    commands = tell(machine, WaveChecked(0, 0, passed=False), Ended(at(1, 1)))
    assert PolicyBroke(0, failed=0, unreachable=0, running=0, wave=0) in commands
    assert commands[-1] == Finish()


def test_a_late_host_does_not_hold_its_wave() -> None:
    """A host that waits long gives its slots back, the next wave begins, and it still ends by itself."""
    machine = waves(WaveShape(1), WaveShape(1), hosts=2)
    tell(machine, RunBegan())
    assert tell(machine, Parked(at(0), late=True)) == [WaveBegan(0, 1), Start(at(0, 1))]
    assert tell(machine, Resumed(at(0))) == [Start(at(0))]
    assert tell(machine, Ended(at(0))) == [Start(at(1))]


def test_a_broken_limit_holds_back_what_needs_the_step_on_every_host() -> None:
    """max_fail exceeded: what waits is skipped, what is behind it is held back, what ran is told as running."""
    step = StepShape(range(4), counters=[((0, 1),)] * 4)
    behind = StepShape(range(4), (Edge(0),), counters=[((0, 1),)] * 4)
    handler = StepShape(range(4), (Edge(0),), run_if="failure")
    machine = RunMachine(RunShape((step, behind, handler), (2,), (Policy(0, 0, max_fail=0),)))
    tell(machine, RunBegan())
    commands = tell(machine, Ended(at(0), bad=True))
    assert commands[0] == PolicyBroke(0, failed=1, unreachable=0, running=1)
    assert Skip(at(0, 2), held_back=True, cause=0, why=Why.POLICY) in commands
    assert Start(at(2)) in commands
    assert Skip(at(1, 1), held_back=True, cause=0) in tell(machine, Ended(at(0, 1)))


def test_unreachable_hosts_count_apart() -> None:
    """max_unreachable counts hosts that were not reached, max_fail the others."""
    machine = RunMachine(RunShape((StepShape(range(3)),), policies=(Policy(0, 0, 0, 1),)))
    tell(machine, RunBegan())
    assert tell(machine, Ended(at(0), bad=True, unreachable=True)) == []
    assert tell(machine, Ended(at(0, 1), bad=True, unreachable=True)) == [PolicyBroke(0, 0, 2, 1)]


def test_any_errors_stop_cancels_what_runs() -> None:
    """The first failure cancels the step's other hosts, parked ones too."""
    machine = RunMachine(RunShape((StepShape(range(3)),), policies=(Policy(0, 0, stop_running=True),)))
    tell(machine, RunBegan(), Parked(at(0, 2)))
    commands = tell(machine, Ended(at(0), bad=True))
    assert commands == [PolicyBroke(0, 1, 0, 2), Cancel(at(0, 1)), Cancel(at(0, 2))]
    assert tell(machine, Resumed(at(0, 2)), Ended(at(0, 1), bad=True), Ended(at(0, 2), bad=True)) == [
        Finish()
    ]


def test_the_limit_of_the_run_counts_distinct_hosts() -> None:
    """One host that fails in two steps is one; a second one ends the run for all that has not started."""
    two = StepShape(range(3))
    last = StepShape(range(3), (Edge(0), Edge(1)))
    shape = RunShape((two, two, last), max_fail=1, counted=frozenset({0, 1, 2}))
    machine = RunMachine(shape)
    tell(machine, RunBegan(), Ended(at(0), bad=True), Ended(at(0, 1)), Ended(at(1), bad=True))
    assert tell(machine, Ended(at(1, 1), bad=True))[0] == PolicyBroke(None, 2, 0, 1)
    tell(machine, Ended(at(0, 2)))
    assert tell(machine, Ended(at(1, 2))) == [Skip(at(2, 2), held_back=True, why=Why.POLICY), Finish()]


def test_as_many_bad_hosts_as_may_be_hold_nobody_back_elsewhere() -> None:
    """A report on another host is held back by bad hosts beyond the step's own max_fail only."""
    shape = RunShape((StepShape(range(3)), StepShape([9], (Edge(0),))), policies=(Policy(0, 0, max_fail=1),))
    machine = RunMachine(shape)
    tell(machine, RunBegan(), Ended(at(0), bad=True), Ended(at(0, 1)))
    assert tell(machine, Ended(at(0, 2))) == [Start(at(1))]


def test_parking_gives_slots_to_others() -> None:
    """A parked assignment holds no slots, and gets them back when there is room again."""
    shape = RunShape((StepShape(range(2), counters=[((0, 1),)] * 2),), (1,))
    machine = RunMachine(shape)
    assert tell(machine, RunBegan(), Parked(at(0))) == [Start(at(0)), Start(at(0, 1))]
    assert tell(machine, Resumed(at(0))) == []
    assert tell(machine, Ended(at(0, 1))) == [Start(at(0))]
    assert tell(machine, Ended(at(0))) == [Finish()]


def test_it_may_end_while_it_waits_for_its_slots() -> None:
    """An assignment that ends while it is parked, or on its way back, leaves nothing in the queue."""
    shape = RunShape((StepShape(range(3), counters=[((0, 1),)] * 3),), (1,))
    machine = RunMachine(shape)
    tell(machine, RunBegan(), Parked(at(0)), Parked(at(0, 1)), Resumed(at(0)))
    assert tell(machine, Ended(at(0), bad=True), Ended(at(0, 1))) == []
    assert tell(machine, Ended(at(0, 2))) == [Finish()]


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (
            RunShape((StepShape(range(3)),), policies=(Policy(0, 0, waves=(WaveShape(1), WaveShape(1))),)),
            "hold 2 hosts of 3",
        ),
        (RunShape((StepShape([0]),), policies=(Policy(0, 0), Policy(0, 0))), "same start"),
        (RunShape((StepShape([0], junction=True),)), "belongs to no block"),
        (
            block(2, rescue_on="all", policies=(Policy(ENTRY, END, waves=(WaveShape(1), WaveShape(1))),)),
            "would wait for all hosts",
        ),
    ],
)
def test_a_shape_that_would_hang_is_refused(shape: RunShape, words: str) -> None:
    """What could never end, or contradicts itself, is no machine."""
    with pytest.raises(ValueError, match=words):
        RunMachine(shape)


def narrow(
    hosts: int, *policies: Policy, slots: int = 1, of: tuple[int, ...] = (BODY,), **of_run: object
) -> RunShape:
    """The block of ``block`` with a throttle over some of its steps: all hosts pass the entry, few begin."""
    shape = block(hosts, policies=policies)
    steps = tuple(
        replace(step, counters=[((0, 1),)] * hosts) if number in of else step
        for number, step in enumerate(shape.steps)
    )
    return replace(shape, steps=steps, limits=(slots,), **of_run)  # type: ignore[arg-type]


LATER = (BODY, RESCUE_STEP, ALWAYS_STEP)


def begun_hosts(commands: list[Command]) -> set[int]:
    """Positions on which something of the block was started."""
    return {c.assignment.position for c in commands if isinstance(c, Start) and c.assignment.step in LATER}


def test_a_limit_of_a_block_turns_out_who_has_not_begun() -> None:
    """One host is bad, two are inside and go through, two that only were let in are skipped whole."""
    machine = RunMachine(narrow(5, Policy(ENTRY, END, max_fail=0), slots=2))
    assert begun_hosts(tell(machine, RunBegan())) == {0, 1}
    commands = tell(machine, Ended(at(BODY), bad=True), Ended(at(RESCUE_STEP), bad=True))
    assert Start(at(BODY, 2)) in commands
    commands = tell(machine, Ended(at(ALWAYS_STEP)))
    assert commands[0] == PolicyBroke(0, failed=1, unreachable=0, running=2)
    for place in (3, 4):
        assert Skip(at(ENTRY, place), True, ENTRY, Why.POLICY) in commands
        for step in LATER:
            assert Skip(at(step, place), True, ENTRY, Why.NOT_ENTERED) in commands
    commands = tell(machine, Ended(at(BODY, 1)), Ended(at(BODY, 2)))
    assert [c for c in commands if isinstance(c, Start)] == [
        Start(at(ALWAYS_STEP, 1)),
        Start(at(ALWAYS_STEP, 2)),
    ]
    commands = tell(machine, Ended(at(ALWAYS_STEP, 1)), Ended(at(ALWAYS_STEP, 2)))
    assert not begun_hosts(commands)
    assert commands[-1] == Finish()


def test_any_errors_in_a_block_turns_out_who_has_not_begun() -> None:
    """`any_errors: stop` cancels the hosts inside and skips the ones that had only been let in."""
    machine = RunMachine(narrow(3, Policy(ENTRY, END, stop_running=True)))
    tell(machine, RunBegan(), Ended(at(BODY), bad=True), Ended(at(RESCUE_STEP), bad=True))
    commands = tell(machine, Ended(at(ALWAYS_STEP)))
    assert commands[0] == PolicyBroke(0, failed=1, unreachable=0, running=1)
    assert Skip(at(ENTRY, 2), True, ENTRY, Why.POLICY) in commands
    assert Cancel(at(BODY, 1)) in commands


def test_the_limit_of_the_run_skips_a_block_whole_where_it_has_not_begun() -> None:
    """Rescue and always too: behind the run's limit nothing of a block is for a host that was only let in."""
    shape = narrow(3, max_fail=0, counted=frozenset({8, END}))
    machine = RunMachine(replace(shape, steps=(*shape.steps, StepShape([7]))))
    assert tell(machine, RunBegan()) == [Start(at(BODY)), Start(at(8))]
    commands = tell(machine, Ended(at(8), bad=True))
    assert commands[0] == PolicyBroke(None, failed=1, unreachable=0, running=1)
    for place in (1, 2):
        assert Skip(at(ENTRY, place), held_back=True, why=Why.POLICY) in commands
        for step in LATER:
            assert Skip(at(step, place), True, ENTRY, Why.NOT_ENTERED) in commands
    assert tell(machine, Ended(at(BODY)))[-1] == Start(at(ALWAYS_STEP))


def test_a_block_for_when_something_is_wrong_runs_behind_the_limit_of_the_run() -> None:
    """`run_if: always` on a block lets all of it run, as on a step."""
    shape = block(1, max_fail=0)
    steps = list(shape.steps)
    steps[ENTRY] = replace(steps[ENTRY], run_if="always", edges=(Edge(8, taints=False),))
    machine = RunMachine(replace(shape, steps=(*steps, StepShape([7])), counted=frozenset({8, END})))
    tell(machine, RunBegan())
    assert tell(machine, Ended(at(8), bad=True)) == [PolicyBroke(None, 1, 0, 0), Start(at(BODY))]


def test_a_stop_leaves_the_always_of_hosts_that_had_begun() -> None:
    """Twelve were let in, four had begun: four are tidied up, of the others nothing runs."""
    machine = RunMachine(narrow(12, slots=4))
    assert begun_hosts(tell(machine, RunBegan())) == {0, 1, 2, 3}
    commands = tell(machine, StopRequested())
    for place in range(4, 12):
        assert all(Abandon(at(step, place)) in commands for step in LATER)
    commands = tell(machine, *(Ended(at(BODY, place), bad=True) for place in range(4)))
    assert [c for c in commands if isinstance(c, Start)] == [Start(at(ALWAYS_STEP, p)) for p in range(4)]
    assert tell(machine, *(Ended(at(ALWAYS_STEP, place)) for place in range(4)))[-1] == Finish()


def test_a_host_to_which_no_step_applied_has_its_always_but_not_after_a_stop() -> None:
    """Nothing was started there: in order the always follows, after a stop there is nothing to tidy up."""
    shape = narrow(2, of=LATER)
    steps = (replace(shape.steps[BODY], judged=True), *shape.steps[1:])
    machine = RunMachine(replace(shape, steps=steps))
    tell(machine, RunBegan())
    assert tell(machine, Judged(at(BODY), proceed=False))[-1] == Start(at(ALWAYS_STEP))
    tell(machine, Judged(at(BODY, 1), proceed=False))
    commands = tell(machine, StopRequested())
    assert Cancel(at(ALWAYS_STEP)) not in commands
    assert Abandon(at(ALWAYS_STEP, 1)) in commands
    assert tell(machine, Ended(at(ALWAYS_STEP)))[-1] == Finish()


def test_a_host_on_which_a_condition_could_not_be_judged_is_inside() -> None:
    """It went bad in the block before anything started: a limit does not take its rescue away."""
    shape = narrow(2, of=LATER, max_fail=0, counted=frozenset({8, END}))
    steps = (replace(shape.steps[BODY], judged=True), *shape.steps[1:], StepShape([7]))
    machine = RunMachine(replace(shape, steps=steps))
    tell(machine, RunBegan(), Judged(at(BODY), proceed=True), Judged(at(BODY, 1), proceed=False, bad=True))
    assert tell(machine, Ended(at(8), bad=True)) == [PolicyBroke(None, 1, 0, 2)]
    assert tell(machine, Ended(at(BODY)))[-1] == Start(at(ALWAYS_STEP))
    assert Start(at(RESCUE_STEP, 1)) in tell(machine, Ended(at(ALWAYS_STEP)))


def test_an_overtaken_start_turns_nobody_out_whose_condition_could_not_be_judged() -> None:
    """It went bad there before the limit was exceeded, so that rescue and always follow, and the end counts it."""
    judged, other, tidy, entry, always, end = range(6)
    both = (0, 1)
    body = (Edge(entry, "same", taints=False),)
    parts = (Edge(judged, "same", taints=False), Edge(other, "same", taints=False))
    shape = RunShape(
        (
            StepShape(both, body, judged=True, enter=entry),
            StepShape(both, body, enter=entry),
            StepShape(both, (Edge(always, "same", taints=False),), enter=always, finally_=True),
            StepShape(both, junction=True),
            StepShape(both, parts, "always", junction=True, enter=entry, finally_=True),
            StepShape(both, (Edge(entry, "same"), *parts, Edge(tidy, "same")), "always", junction=True),
        ),
        policies=(Policy(entry, end, max_fail=0, stop_running=True),),
    )
    machine = RunMachine(shape)
    tell(
        machine, RunBegan(), Judged(at(judged), proceed=False, bad=True), Judged(at(judged, 1), proceed=False)
    )
    commands = tell(machine, Ended(at(other, 1), bad=True), Ended(at(tidy, 1)))
    assert Cancel(at(other)) in commands
    assert tell(machine, Ended(at(other), bad=True, began=False)) == [Start(at(tidy))]


def test_a_stop_tidies_nothing_where_only_a_condition_could_not_be_judged() -> None:
    """Nothing was started on that host, so that its always is abandoned."""
    shape = narrow(2, of=LATER)
    machine = RunMachine(replace(shape, steps=(replace(shape.steps[BODY], judged=True), *shape.steps[1:])))
    tell(machine, RunBegan(), Judged(at(BODY), proceed=True), Judged(at(BODY, 1), proceed=False, bad=True))
    commands = tell(machine, StopRequested())
    assert Abandon(at(ALWAYS_STEP, 1)) in commands
    assert Abandon(at(ALWAYS_STEP)) not in commands


def test_a_step_that_is_judged_while_its_host_is_turned_out_does_not_start() -> None:
    """The answer comes behind the break: the host is out."""
    shape = narrow(1, max_fail=0)
    steps = (replace(shape.steps[BODY], judged=True), *shape.steps[1:], StepShape([7]))
    machine = RunMachine(replace(shape, steps=steps, counted=frozenset({8, END})))
    tell(machine, RunBegan(), Ended(at(8), bad=True))
    commands = tell(machine, Judged(at(BODY), proceed=True))
    assert Skip(at(BODY), True, ENTRY, Why.NOT_ENTERED) in commands
    assert commands[-1] == Finish()


def test_a_wave_that_breaks_skips_the_rest_of_itself_in_a_block() -> None:
    """Hosts of the open wave that have not begun are skipped as those of a step are, the later ones for the wave."""
    policy = Policy(ENTRY, END, waves=(WaveShape(3, max_fail=0), WaveShape(1)))
    machine = RunMachine(narrow(4, policy))
    tell(machine, RunBegan(), Ended(at(BODY), bad=True), Ended(at(RESCUE_STEP), bad=True))
    commands = tell(machine, Ended(at(ALWAYS_STEP)))
    assert PolicyBroke(0, 1, 0, 1, wave=0, wave_bad=1) in commands
    assert Skip(at(ENTRY, 2), True, ENTRY, Why.POLICY) in commands
    assert Skip(at(ENTRY, 3), True, ENTRY, Why.WAVE) in commands
    assert Skip(at(ENTRY, 1), True, ENTRY, Why.POLICY) not in commands


def test_a_host_goes_through_a_block_before_another_comes_in() -> None:
    """With room for one, the second step of a host that is inside starts before the first one of the next host."""
    shape = block(2, limits=(1,))
    slot = (((0, 1),), ((0, 1),))
    steps = tuple(
        replace(step, counters=slot) if number < ENTRY else step for number, step in enumerate(shape.steps)
    )
    machine = RunMachine(replace(shape, steps=steps))
    assert tell(machine, RunBegan())[-1] == Start(at(BODY))
    assert tell(machine, Ended(at(BODY), bad=True))[-1] == Start(at(RESCUE_STEP))
    assert tell(machine, Ended(at(RESCUE_STEP)))[-1] == Start(at(ALWAYS_STEP))
    assert tell(machine, Ended(at(ALWAYS_STEP)))[-1] == Start(at(BODY, 1))
