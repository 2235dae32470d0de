"""What must be true of the machine between two events; for tests."""

from __future__ import annotations

from runner.engine.state import AT_WORK, Mark, Stage, State


def check(state: State) -> None:
    """Look at every assignment.

    Raises:
        AssertionError: the machine is broken, with what contradicts what.

    """
    stages = [Stage(stage) for stage in state.stage]
    used = [0] * len(state.shape.limits)
    for number, stage in enumerate(stages):
        assignment = state.dependencies.locate(number)
        if stage is Stage.RUNNING:
            for counter, slots in state.counters(number):
                used[counter] += slots
        waits = stage in {Stage.QUEUED, Stage.RESUMING}
        _hold(not waits or not state.admission.has_room(number), f"{assignment} could start")
        _hold(
            not waits or not state.mark[number] & Mark.CANCELLED, f"{assignment} is cancelled and wants slots"
        )
        _hold(
            not state.shape.steps[assignment.step].junction or stage not in {*AT_WORK, Stage.QUEUED},
            f"{assignment} is a junction and {stage.name}",
        )
        needs = state.dependencies.open_needs(number)
        _hold(needs >= 0, f"{assignment} has {needs} needs")
        if state.began and not state.stopping:
            _hold((stage is Stage.WAITING) == (needs > 0), f"{assignment}, {stage.name}, has {needs} needs")
    _hold(used == state.admission.used, f"slots {state.admission.used} are taken, {used} are in use")
    for count, limit in zip(used, state.shape.limits, strict=True):
        _hold(limit is None or count <= limit, f"{count} slots of {limit} in use")
    queued = stages.count(Stage.QUEUED) + stages.count(Stage.RESUMING)
    _hold(queued == state.admission.waiting, "the queue does not hold who is queued")
    _hold(stages.count(Stage.OVER) == state.over, f"{state.over} counted as over")


def _hold(condition: bool, story: str) -> None:
    if not condition:
        raise AssertionError(story)
