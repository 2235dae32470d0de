"""The pool in whatever order acknowledgements, data and losses come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psrpcore.types import PSSecureString

from runner.errors import HostError
from runner.psrp.pool import Pool
from runner.psrp.request import PipelineState, PoolSettings
from tests.support.pipelines import Kept, script
from tests.support.psrp_server import MemoryCarrier

TURNS = st.lists(st.integers(0, 6), min_size=1, max_size=30)
EXAMPLES = settings(max_examples=60, deadline=None)
SETTINGS = PoolSettings(open_timeout=60, cancel_timeout=60)


def through(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, leaving no task behind."""

    async def whole() -> None:
        await asyncio.wait_for(work, 60)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


@given(TURNS, st.integers(40, 400))
@EXAMPLES
def test_any_order_gives_the_same(turns: list[int], fragment_size: int) -> None:
    """However late and in whatever order answers come, each pipeline has its own output and no rule is broken."""

    async def work() -> None:
        carrier = MemoryCarrier(fragment_size=fragment_size, turns=cycle(turns))
        pool = Pool(carrier, SETTINGS)
        await pool.open()
        for number in range(3):
            kept = Kept()
            end = await pool.run(script("echo input\nstreams", input=[number, None]), kept)
            assert end.state is PipelineState.COMPLETED
            assert kept.outputs[:3] == [number, None, "before"]
        assert await pool.probe(60)
        await pool.close()
        assert carrier.violations == []

    through(work())


@given(TURNS, st.integers(1, 40))
@EXAMPLES
def test_any_loss_is_told(turns: list[int], lose_after: int) -> None:
    """The connection may break at any operation: every wait ends, with an error wherever there was no end."""

    async def work() -> None:
        pool = Pool(MemoryCarrier(turns=cycle(turns), lose_after=lose_after), SETTINGS)
        try:
            await pool.open()
            for _ in range(4):
                end = await pool.run(script("echo input", input=[1, 2]), Kept())
                assert end.state is PipelineState.COMPLETED
            await pool.reset()
        except HostError:
            assert pool.lost
        await pool.close()
        assert pool.lost

    through(work())


@given(TURNS, st.integers(0, 60), st.booleans())
@EXAMPLES
def test_any_cancellation_leaves_the_pool_usable(turns: list[int], after: int, stops: bool) -> None:
    """A run may be cancelled at any moment; the next one, or a stop, brings the pool to a known state."""

    async def work() -> None:
        carrier = MemoryCarrier(turns=cycle(turns), fragment_size=200)
        pool = Pool(carrier, SETTINGS)
        await pool.open()
        running = asyncio.create_task(pool.run(script("echo input\nsleep", input=[1, 2, 3]), Kept()))
        for _ in range(after):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        if stops:
            assert await pool.stop()
            assert not pool.busy
        kept = Kept()
        await pool.run(script("say on"), kept)
        assert kept.outputs == ["on"]
        await pool.close()
        assert carrier.violations == []

    through(work())


async def test_a_pipeline_given_up_costs_the_pool() -> None:
    """Nobody knows what a pipeline without an end did to its session."""
    carrier = MemoryCarrier()
    pool = Pool(carrier, SETTINGS)
    await pool.open()
    kept = Kept()
    running = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
    await kept.came.wait()
    carrier.give_up_pipeline()
    with pytest.raises(HostError) as caught:
        await running
    assert (caught.value.code, caught.value.may_have_run, pool.lost) == ("memory-pipeline", True, True)
    await pool.close()


async def test_input_that_fails_stops_the_pipeline() -> None:
    """What getting at the input raised is told, and the session is free for the next."""

    def source() -> Any:
        yield 1
        raise LookupError("no more")

    pool = Pool(MemoryCarrier(), SETTINGS)
    await pool.open()
    with pytest.raises(LookupError):
        await pool.run(script("sleep", input=source()), Kept())
    assert not pool.busy
    assert (await pool.run(script("say on"), Kept())).state is PipelineState.COMPLETED
    await pool.close()


async def test_an_unknown_message_is_left_out() -> None:
    """What nobody knows is noticed and does not disturb what comes after it."""
    pool = Pool(MemoryCarrier(), SETTINGS)
    notices: list[str] = []
    pool.on_notice = notices.append
    await pool.open()
    kept = Kept()
    await pool.run(script("break bad-message\nsay on"), kept)
    assert kept.outputs == ["on"]
    assert len(notices) == 1
    await pool.close()


async def test_psrpcore_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No level that anybody sets makes psrpcore print what goes over the wire (remoting.md 9.5, bug 13)."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="psrpcore")
    caplog.set_level(logging.DEBUG, logger="psrpcore._base")
    pool = Pool(MemoryCarrier(), SETTINGS)
    await pool.open()
    await pool.run(script("unlock", PSSecureString("hunter2"), needs_key=True), Kept())
    await pool.close()
    assert [record for record in caplog.records if record.name.startswith("psrpcore")] == []
