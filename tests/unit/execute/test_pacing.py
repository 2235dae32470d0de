"""Adaptive pools: never above their size, never stuck, and near what the other side takes."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.execute.pacing import WINDOW, AdaptiveGate, Pace

ends = st.tuples(st.booleans(), st.floats(0, 100))


@given(st.integers(1, 60), st.lists(st.one_of(st.none(), ends), max_size=300))
def test_the_limit_is_between_one_and_the_size(size: int, happens: list[tuple[bool, float] | None]) -> None:
    """Whatever comes back, in whatever order; and what is in flight is never above the limit it began under."""
    pace = Pace(size)
    for end in happens:
        if end is None and pace.free:
            pace.begin()
            assert pace.in_flight <= pace.limit
        elif end is not None and pace.in_flight:
            pace.end(ok=end[0], seconds=end[1])
        assert 1 <= pace.limit <= size
        assert 0 <= pace.in_flight <= size


def run_one(pace: Pace, *, ok: bool = True, seconds: float = 1.0) -> None:
    pace.begin()
    pace.end(ok=ok, seconds=seconds)


def test_a_refusal_halves_and_good_ones_add_one_by_one() -> None:
    """A window of good ones is as many as the limit, and eight at least."""
    pace = Pace(40)
    run_one(pace, ok=False)
    assert pace.limit == 20
    for _ in range(20):
        assert pace.limit == 20
        run_one(pace)
    assert pace.limit == 21
    for _ in range(4):
        run_one(pace, ok=False)
    assert pace.limit == 1
    for _ in range(WINDOW):
        run_one(pace)
    assert pace.limit == 2


def test_a_burst_of_refusals_is_one_sign() -> None:
    """All that were under way when the first came back are of the same moment."""
    pace = Pace(32)
    for _ in range(32):
        pace.begin()
    for _ in range(32):
        pace.end(ok=False, seconds=0.1)
    assert pace.limit == 16
    run_one(pace, ok=False)
    assert pace.limit == 8


@pytest.mark.parametrize(("factor", "expected"), [(2.9, 20), (3.1, 10)])
def test_three_times_the_best_latency_halves(factor: float, expected: int) -> None:
    """Less is what a busy network does; a single slow one changes no median."""
    pace = Pace(20)
    for number in range(20):
        run_one(pace, seconds=50.0 if number == 3 else 1.0)
    assert pace.limit == 20
    for _ in range(20):
        run_one(pace, seconds=factor)
    assert pace.limit == expected


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32))
@settings(max_examples=60)
def test_it_settles_around_what_the_server_takes(takes: int, size: int, seed: int) -> None:
    """A server that refuses above ``takes`` at once: after a while no more than one above, no fewer than half."""
    pace, now, order, chance = Pace(size), 0.0, count(), random.Random(seed)
    under_way: list[tuple[float, int, bool, float]] = []
    serving, limits = 0, []
    for attempt in range(6000):
        while not pace.free:
            now, _, served, seconds = heapq.heappop(under_way)
            serving -= served
            pace.end(ok=served, seconds=seconds)
            if attempt > 3000:
                limits.append(pace.limit)
        served = serving < takes
        seconds = chance.uniform(0.8, 1.2) if served else 0.05
        serving += served
        pace.begin()
        heapq.heappush(under_way, (now + seconds, next(order), served, seconds))
    most = min(takes + 1, size)
    assert max(limits) <= most
    assert min(limits) >= max(most // 2, 1)
    assert sum(limits) / len(limits) >= 0.6 * min(takes, size)


async def test_the_gate_keeps_every_pool_below_its_limit() -> None:
    """Fifty connections over two pools that overlap; all get through, some at the same time."""
    sizes = {"bastion": 4, "rack": 2}
    gate, inside, most = AdaptiveGate(sizes), Counter[str](), Counter[str]()

    async def connect(pools: tuple[str, ...]) -> None:
        await gate.enter(pools)
        for name in pools:
            inside[name] += 1
            most[name] = max(most[name], inside[name])
        for _ in range(3):
            await asyncio.sleep(0)
        for name in pools:
            inside[name] -= 1
        gate.leave(pools, ok=True, seconds=0.1)

    wanted = [("bastion",), ("bastion", "rack"), ("bastion",), ("other",)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(connect(wanted[number % 4]) for number in range(50)))
    assert most["bastion"] == sizes["bastion"]
    assert 1 <= most["rack"] <= sizes["rack"]
    assert most["other"] > 4


async def test_who_needs_two_pools_is_not_overtaken() -> None:
    """Else a stream of others that need one of them would keep it out for ever."""
    gate, order = AdaptiveGate({"a": 1, "b": 1}), list[str]()

    async def connect(name: str, *pools: str) -> None:
        await gate.enter(pools)
        order.append(name)

    await connect("first", "a")
    tasks = [
        asyncio.create_task(connect("both", "a", "b")),
        asyncio.create_task(connect("later", "b")),
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    assert order == ["first"]
    gate.leave(("a",), ok=True, seconds=0.1)
    await tasks[0]
    gate.leave(("a", "b"), ok=True, seconds=0.1)
    await tasks[1]
    assert order == ["first", "both", "later"]


async def test_who_gives_up_waiting_takes_no_place() -> None:
    """Before it is let in, and at the very moment."""
    gate = AdaptiveGate({"a": 1})
    await gate.enter(["a"])
    waiting = [asyncio.create_task(gate.enter(["a"])) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    gate.leave(["a"], ok=True, seconds=0.1)
    waiting[1].cancel()
    async with asyncio.timeout(10):
        await waiting[2]
    assert [task.cancelled() for task in waiting] == [True, True, False]


async def test_a_change_is_told() -> None:
    """With the pool, its limit now and its size; a gate without pools lets all in."""
    told: list[tuple[str, int, int]] = []
    gate = AdaptiveGate({"bastion": 8}, lambda *change: told.append(change))
    await gate.enter(["bastion"])
    gate.leave(["bastion"], ok=False, seconds=0.1)
    assert told == [("bastion", 4, 8)]
    assert gate.limit("bastion") == 4
    await gate.enter(["unknown"])
    gate.leave(["unknown"], ok=False, seconds=0.1)


def test_an_empty_pool_is_no_pool() -> None:
    """A plan refuses it; a bug that lets it through is not a hang."""
    with pytest.raises(ValueError, match="at least one"):
        Pace(0)
