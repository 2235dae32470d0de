"""The machine over random plans with blocks, limits, waves, parking and stops, held to the language at each command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.shape import Assignment
from tests.unit.engine.drafts import Draft, drafts
from tests.unit.engine.world import World


def finish(draft: Draft, data: st.DataObject, *, may_stop: bool) -> World:
    world = World(draft, data)
    world.run(may_stop=may_stop)
    everything = {
        Assignment(s, p) for s, step in enumerate(draft.shape.steps) for p in range(len(step.hosts))
    }
    assert set(world.story.over) == everything
    assert world.story.finished == 1
    assert world.used == [0] * len(draft.shape.limits)
    assert world.machine.state.admission.nodes == 0
    return world


@given(drafts(), st.data())
def test_a_run_with_blocks_waves_and_limits_ends_as_the_language_says(
    draft: Draft, data: st.DataObject
) -> None:
    """Order, entries, rescues, ends, waves and slots hold at every step; a break is followed by no more than ran."""
    world = finish(draft, data, may_stop=False)
    story = world.story
    for number, broke in story.broke.items():
        judged = sum(1 for one in story.own if one not in story.begun)
        more = broke.running + judged + (story.begun_anyway if number is None else 0)
        assert world.failed_hosts(number) <= story.bad_at_break[number] + more


@given(drafts(waves=False), st.data())
def test_a_rescue_for_the_whole_block_waits_for_all_its_hosts(draft: Draft, data: st.DataObject) -> None:
    """With `rescue_on: block` beside the rest it ends all the same, and what is mended is mended on its own host."""
    finish(draft, data, may_stop=False)


@given(drafts(), st.data())
def test_what_always_follows_runs_after_a_stop(draft: Draft, data: st.DataObject) -> None:
    """After a stop an always runs where a step of its block was started, and nowhere else; wholly stopped, nowhere."""
    story = (world := finish(draft, data, may_stop=True)).story
    if story.stopped and not story.wholly:
        for assignment in story.abandoned:
            assert not any(world.is_last(assignment, block) for block in draft.blocks)
    for block in draft.blocks:
        for host in block.entry.hosts:
            entry, end = world.on(block.entry, host), world.on(block.end, host)
            assert entry is not None
            assert end is not None
            if story.passed[entry].entered and block.always is not None and not story.wholly:
                always = world.on(block.always, host)
                assert always is not None
                assert story.passed[always].entered
                assert story.passed[end].entered
            if (draft.number(block.end), host) in story.inside_at_stop and not story.wholly:
                assert story.passed[entry].entered
