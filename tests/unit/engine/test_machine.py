"""The machine over plans a person would write: each test says what must hold."""

from __future__ import annotations

import pytest

from runner.engine.commands import Abandon, Cancel, Command, Finish, Judge, Skip, Start, Why
from runner.engine.events import Ended, Judged, RunBegan, StopRequested
from runner.engine.machine import IllegalTransition, RunMachine
from runner.engine.shape import Assignment, Edge, RunShape, StepShape

FIRST = ((0, 1),)
BOTH = ((0, 1), (1, 1))


def assignment(step: int, position: int) -> Assignment:
    return Assignment(step, position)


def begin(*steps: StepShape, limits: tuple[int | None, ...] = ()) -> tuple[RunMachine, list[Command]]:
    machine = RunMachine(RunShape(steps, limits))
    return machine, machine.handle(RunBegan())


def test_a_run_without_assignments_finishes_at_once() -> None:
    """Nothing to do is done when the run begins."""
    assert begin()[1] == [Finish()]
    assert begin(StepShape(hosts=()))[1] == [Finish()]


def test_a_host_goes_on_without_waiting_for_others() -> None:
    """An auto edge is no barrier: a host's second step starts when its own first one is over."""
    machine, commands = begin(StepShape([7, 8]), StepShape([8, 7], edges=(Edge(0),)))
    assert commands == [Start(assignment(0, 0)), Start(assignment(0, 1))]
    assert machine.handle(Ended(assignment(0, 1))) == [Start(assignment(1, 0))]


def test_a_host_that_did_not_run_the_needed_step_waits_for_all_of_it() -> None:
    """An auto edge to a step the host is not in waits for all hosts of that step."""
    machine, _ = begin(StepShape([0, 1]), StepShape([9], edges=(Edge(0),)))
    assert machine.handle(Ended(assignment(0, 0))) == []
    assert machine.handle(Ended(assignment(0, 1))) == [Start(assignment(1, 0))]


def test_wait_all_waits_for_all_but_judges_a_host_by_its_own_result() -> None:
    """Under `wait: all` a host that ran the needed step is held back by its own result there only."""
    machine, _ = begin(StepShape([0, 1]), StepShape([0, 1], edges=(Edge(0, "all"),)))
    assert machine.handle(Ended(assignment(0, 0), bad=True)) == []
    assert machine.handle(Ended(assignment(0, 1))) == [
        Skip(assignment(1, 0), held_back=True, cause=0),
        Start(assignment(1, 1)),
    ]


def test_wait_same_asks_nothing_of_hosts_that_did_not_run_the_needed_step() -> None:
    """Under `wait: same` a host that is not in the needed step starts at once, whatever becomes of the others."""
    machine, commands = begin(StepShape([0]), StepShape([0, 1], edges=(Edge(0, "same"),)))
    assert commands == [Start(assignment(0, 0)), Start(assignment(1, 1))]
    assert machine.handle(Ended(assignment(0, 0), bad=True)) == [
        Skip(assignment(1, 0), held_back=True, cause=0)
    ]


def test_a_report_on_another_host_is_held_back_by_any_bad_host() -> None:
    """A host that did not run the needed step is held back by any bad host of it."""
    machine, _ = begin(StepShape([0, 1]), StepShape([9], edges=(Edge(0),)))
    machine.handle(Ended(assignment(0, 0), bad=True))
    commands = machine.handle(Ended(assignment(0, 1)))
    assert commands == [Skip(assignment(1, 0), held_back=True, cause=0), Finish()]


def test_the_cause_is_the_step_that_failed_and_not_the_one_it_held_back() -> None:
    """Steps behind a held back step name the first bad one."""
    machine, _ = begin(StepShape([0]), StepShape([0], edges=(Edge(0),)), StepShape([0], edges=(Edge(1),)))
    commands = machine.handle(Ended(assignment(0, 0), bad=True))
    assert [c.cause for c in commands if isinstance(c, Skip)] == [0, 0]


def test_a_cleanup_that_ran_well_does_not_wash_a_failure_away() -> None:
    """`run_if: always` after a failure runs, and a plain step behind it is still held back."""
    cleanup = StepShape([0], edges=(Edge(0),), run_if="always")
    machine, _ = begin(StepShape([0]), cleanup, StepShape([0], edges=(Edge(1),)))
    assert machine.handle(Ended(assignment(0, 0), bad=True)) == [Start(assignment(1, 0))]
    assert machine.handle(Ended(assignment(1, 0))) == [
        Skip(assignment(2, 0), held_back=True, cause=0),
        Finish(),
    ]


def test_a_failure_handler_that_was_not_needed_is_neutral() -> None:
    """`run_if: failure` with nothing bad upstream is skipped, and what needs it goes on."""
    handler = StepShape([0], edges=(Edge(0),), run_if="failure")
    machine, _ = begin(StepShape([0]), handler, StepShape([0], edges=(Edge(1),)))
    commands = machine.handle(Ended(assignment(0, 0)))
    assert commands == [
        Skip(assignment(1, 0), held_back=False, why=Why.NOTHING_BAD),
        Start(assignment(2, 0)),
    ]


def test_skipped_by_its_own_when_is_neutral_and_takes_no_slot() -> None:
    """What `when` says no to is over without a start; what needs it goes on."""
    asked = StepShape([0], judged=True, counters=[FIRST])
    machine, commands = begin(asked, StepShape([0], edges=(Edge(0),)), limits=(1,))
    assert commands == [Judge(assignment(0, 0))]
    assert machine.handle(Judged(assignment(0, 0), proceed=False)) == [Start(assignment(1, 0))]


def test_a_when_that_cannot_be_evaluated_holds_back() -> None:
    """A verdict that is bad counts like a failure."""
    machine, _ = begin(StepShape([0], judged=True), StepShape([0], edges=(Edge(0),)))
    commands = machine.handle(Judged(assignment(0, 0), proceed=False, bad=True))
    assert commands == [Skip(assignment(1, 0), held_back=True, cause=0), Finish()]


def test_order_goes_through_a_step_without_hosts() -> None:
    """What needs an empty step waits for what that step needs, host by host."""
    machine, commands = begin(
        StepShape([0, 1]), StepShape([], edges=(Edge(0),)), StepShape([0, 1], edges=(Edge(1),))
    )
    assert commands == [Start(assignment(0, 0)), Start(assignment(0, 1))]
    assert machine.handle(Ended(assignment(0, 1))) == [Start(assignment(2, 1))]


def test_hosts_of_a_full_group_do_not_hold_up_the_others() -> None:
    """A host whose group has no room is passed by; when the group has room the earliest of it starts."""
    step = StepShape([0, 1, 2, 3], counters=[BOTH, BOTH, BOTH, FIRST])
    machine, commands = begin(step, limits=(3, 1))
    assert commands == [Start(assignment(0, 0)), Start(assignment(0, 3))]
    assert machine.handle(Ended(assignment(0, 0))) == [Start(assignment(0, 1))]


def test_steps_on_one_kept_session_run_in_file_order() -> None:
    """The lane of a session gives its place to the earliest step in the file that waits."""
    lane = [FIRST]
    machine, commands = begin(StepShape([0], counters=lane), StepShape([0], counters=lane), limits=(1,))
    assert commands == [Start(assignment(0, 0))]
    assert machine.handle(Ended(assignment(0, 0))) == [Start(assignment(1, 0))]


def test_a_stop_cancels_what_runs_and_abandons_the_rest() -> None:
    """After a stop nothing starts, and the end comes when the last running one has ended."""
    machine, _ = begin(
        StepShape([0, 1], counters=[FIRST, FIRST]), StepShape([0], edges=(Edge(0),)), limits=(1,)
    )
    assert machine.handle(StopRequested()) == [
        Cancel(assignment(0, 0)),
        Abandon(assignment(0, 1)),
        Abandon(assignment(1, 0)),
    ]
    assert machine.handle(StopRequested()) == []
    assert machine.handle(Ended(assignment(0, 0), bad=True)) == [Finish()]


def test_a_stop_while_somebody_is_asked_abandons_on_the_answer() -> None:
    """A verdict that comes after the stop starts nothing."""
    machine, _ = begin(StepShape([0], judged=True))
    assert machine.handle(StopRequested()) == []
    assert machine.handle(Judged(assignment(0, 0), proceed=True)) == [Abandon(assignment(0, 0)), Finish()]


def test_an_event_that_cannot_be_tells_the_story() -> None:
    """What cannot follow is refused with the assignment and its stage."""
    machine, _ = begin(StepShape([0]), StepShape([0], edges=(Edge(0),)))
    with pytest.raises(
        IllegalTransition, match=r"step=1, position=0.*waiting with 1 needs open, not running"
    ):
        machine.handle(Ended(assignment(1, 0)))
    with pytest.raises(IllegalTransition, match="has begun"):
        machine.handle(RunBegan())


def test_nothing_is_taken_before_the_run_began() -> None:
    """The first event is the beginning."""
    with pytest.raises(IllegalTransition, match="not begun"):
        RunMachine(RunShape(())).handle(StopRequested())


def test_a_limit_of_nothing_is_refused() -> None:
    """A counter that nobody could ever pass would hang the run, so it cannot be built."""
    with pytest.raises(ValueError, match="at least 1"):
        RunMachine(RunShape((), (0,)))


def test_a_heavy_assignment_waits_for_all_of_its_slots() -> None:
    """A weight takes so many slots at once; a lighter one that comes later in the plan passes it by meanwhile."""
    step = StepShape([0, 1, 2], counters=[((0, 2),), ((0, 2),), ((0, 1),)])
    machine, commands = begin(step, limits=(3,))
    assert commands == [Start(assignment(0, 0)), Start(assignment(0, 2))]
    assert machine.handle(Ended(assignment(0, 2))) == []
    assert machine.handle(Ended(assignment(0, 0))) == [Start(assignment(0, 1))]


def test_a_weight_above_the_limit_is_refused() -> None:
    """What could never start would hang the run, so the machine cannot be built."""
    with pytest.raises(ValueError, match="takes 3 slots of counter 0, which has 2"):
        RunMachine(RunShape((StepShape([0], counters=[((0, 3),)]),), (2,)))
