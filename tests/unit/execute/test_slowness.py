"""Who is waited for at the end of a step, told at growing intervals, and how long is too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.engine.shape import Assignment
from runner.execute.control.slowness import Slowness
from tests.unit.execute.clocks import MovedClock, settle
from tests.unit.execute.running import plan_of

FLEET = "version: 1\nconnection: {transport: local}\nhosts: {'h[01:40]': {}}\n"
BOOK = "version: 1\nname: x\ntargets: {all: {hosts: all}}\nsteps:\n  - {id: patch, target: all, script: 'true'}\n"


class Watched:
    """Forty hosts in one step, which begin and end as a test says."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.told = MovedClock(), list[str]()
        plan = plan_of(folder, BOOK, inventory=FLEET)
        self.hosts = [placement.host for placement in plan.steps[0].placements]
        self.slowness = Slowness(plan, self.clock, self.told.append)

    def start(self, first: int, last: int) -> None:
        for position in range(first, last):
            self.slowness.started(Assignment(0, position), self.hosts[position])

    async def end(self, first: int, last: int) -> None:
        for position in range(first, last):
            self.slowness.ended(Assignment(0, position), self.hosts[position])
        await settle()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_the_last_few_are_told_when_they_take_three_times_the_median(watched: Watched) -> None:
    """Fewer than a tenth of the hosts, with how long each has taken; not before it is worth a word."""
    watched.start(0, 40)
    await watched.clock.move(20)
    await watched.end(0, 38)
    await watched.clock.move(39)
    assert watched.told == []
    await watched.clock.move(2)
    assert watched.told == ["`patch`: still waiting for `h39` (1m 00s), `h40` (1m 00s)"]
    watched.slowness.close()


async def test_reports_come_at_growing_intervals_and_end_with_the_step(watched: Watched) -> None:
    """After 30 s, 60 s, 120 s; when the last host is over nobody waits any more."""
    watched.start(0, 40)
    await watched.clock.move(2)
    await watched.end(0, 39)
    await watched.clock.move(8 + 30 + 60 + 1)
    assert [told.split("(")[1] for told in watched.told] == ["10.0s)", "40.0s)", "1m 40s)"]
    await watched.end(39, 40)
    await watched.clock.move(1000)
    assert len(watched.told) == 3


async def test_nothing_is_told_while_many_are_left(watched: Watched) -> None:
    """A tenth of the hosts is not fewer than a tenth."""
    watched.start(0, 40)
    await watched.clock.move(1)
    await watched.end(0, 36)
    await watched.clock.move(3600)
    assert watched.told == []


async def test_hosts_that_have_not_begun_are_not_slow(watched: Watched) -> None:
    """What waits for slots is nobody's fault: its time begins when it does."""
    watched.start(0, 38)
    await watched.clock.move(1)
    await watched.end(0, 38)
    await watched.clock.move(3600)
    assert watched.told == []
    watched.start(38, 40)
    await watched.clock.move(40)
    assert watched.told
    assert "h39" in watched.told[0]
    watched.slowness.close()


async def test_too_long_is_three_times_the_median_and_never_less_than_half_a_minute(watched: Watched) -> None:
    """Not known before three have ended."""
    watched.start(0, 40)
    await watched.clock.move(1)
    await watched.end(0, 2)
    assert watched.slowness.limit(0) is None
    await watched.end(2, 3)
    assert watched.slowness.limit(0) == 30
    await watched.clock.move(19)
    await watched.end(3, 20)
    assert watched.slowness.limit(0) == 60
