"""What a pool may count on over any carrier: subclass with a fixture ``carrier_maker``.

``carrier_maker(*options)`` gives a carrier that is not open yet, in front of the scripted engine started with these
options of its command line (runner/lab/scripted_engine.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psrpcore.types import PSSecureString

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.psrp.pool import Pool
from runner.psrp.request import PipelineState, PoolSettings
from runner.transport.carrier import Carrier
from tests.support.pipelines import Kept, script

CarrierMaker = Callable[..., Carrier]
#: Seconds for what must come; and for what never does.
_PATIENCE, _SILENCE = 60.0, 2.0


@asynccontextmanager
async def opened(carrier: Carrier, **settings: Any) -> AsyncIterator[Pool]:
    """An open pool, closed at the end."""
    pool = Pool(carrier, PoolSettings(**{"open_timeout": _PATIENCE, "cancel_timeout": _PATIENCE, **settings}))
    try:
        await pool.open()
        yield pool
    finally:
        await pool.close()
    assert pool.lost


async def run(pool: Pool, text: str, *arguments: Any, **fields: Any) -> list[Any]:
    """The output of a script that completes."""
    kept = Kept()
    end = await pool.run(script(text, *arguments, **fields), kept)
    assert end.state is PipelineState.COMPLETED, end
    return kept.outputs


async def lost(pool: Pool, text: str) -> HostError:
    """The error of a script under which the pool is lost."""
    with pytest.raises(HostError) as caught:
        await asyncio.wait_for(pool.run(script(text), Kept()), _PATIENCE)
    assert pool.lost
    assert caught.value.may_have_run
    return caught.value


class CarrierContract:
    """Opening, running, stopping, losing and closing."""

    async def test_open_tells_the_engines_version(self, carrier_maker: CarrierMaker) -> None:
        """An open pool knows what it talks to."""
        async with opened(carrier_maker("--version", "5.1.17763.1")) as pool:
            assert pool.engine_version == (5, 1, 17763, 1)
            assert not pool.lost

    async def test_pipelines_follow_each_other(self, carrier_maker: CarrierMaker) -> None:
        """The session keeps its state, and closing one pipeline disturbs the next in nothing."""
        async with opened(carrier_maker()) as pool:
            await run(pool, "$v = kept")
            for number in range(20):
                assert await run(pool, f"emit {number}\n$v") == [*range(1, number + 1), "kept"]

    async def test_those_that_come_at_once_wait(self, carrier_maker: CarrierMaker) -> None:
        """A second pipeline waits for the first and is never refused."""
        async with opened(carrier_maker()) as pool:
            outputs = await asyncio.gather(*(run(pool, f"say {number}") for number in range(5)))
            assert outputs == [[str(number)] for number in range(5)]

    async def test_streams_keep_their_order(self, carrier_maker: CarrierMaker) -> None:
        """Records and outputs come as they were sent."""
        async with opened(carrier_maker()) as pool:
            kinds = ["verbose", "debug", "warning", "information", "progress", "error"]
            assert await run(pool, "streams") == ["before", *kinds, "after"]

    async def test_big_objects_travel_both_ways(self, carrier_maker: CarrierMaker) -> None:
        """A script argument and an object of many fragments arrive whole."""
        text = "0123456789abcdef" * 65536
        async with opened(carrier_maker()) as pool:
            assert await run(pool, "echo arguments", text) == [text]
            assert [len(value) for value in await run(pool, "emit 3 500000")] == [500000] * 3

    async def test_input_is_streamed(self, carrier_maker: CarrierMaker) -> None:
        """Items of a list, of nothing and of an asynchronous source arrive in order, nulls among them."""

        async def source() -> AsyncIterator[Any]:
            for item in ("a", None, "c"):
                yield item

        async with opened(carrier_maker()) as pool:
            assert await run(pool, "echo input", input=[1, None, "x" * 100_000]) == [1, None, "x" * 100_000]
            assert await run(pool, "echo input", input=[]) == []
            assert await run(pool, "echo input", input=source()) == ["a", None, "c"]

    async def test_a_failure_has_its_record(self, carrier_maker: CarrierMaker) -> None:
        """A pipeline that fails says why, and the session lives on."""
        async with opened(carrier_maker()) as pool:
            end = await pool.run(script("throw broken on purpose"), Kept())
            assert end.state is PipelineState.FAILED
            assert end.error.Exception.Message == "broken on purpose"
            assert await run(pool, "say on") == ["on"]

    async def test_exit_gives_its_code(self, carrier_maker: CarrierMaker) -> None:
        """``exit 7`` completes with 7."""
        async with opened(carrier_maker()) as pool:
            assert (await pool.run(script("exit 7"), Kept())).exit_code == 7
            assert (await pool.run(script("say x"), Kept())).exit_code is None

    async def test_a_question_is_answered_with_an_error(self, carrier_maker: CarrierMaker) -> None:
        """A script that asks the host's user gets an error at once and goes on."""
        async with opened(carrier_maker()) as pool:
            assert await asyncio.wait_for(run(pool, "ask\nsay on"), _PATIENCE) == [None, "on"]

    async def test_a_stop_lets_the_session_live(self, carrier_maker: CarrierMaker) -> None:
        """What a script says when it is stopped arrives, and the next one runs."""
        async with opened(carrier_maker()) as pool:
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say before\nfinally cleaned"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            assert pool.busy
            assert await pool.stop()
            assert (await running).state is PipelineState.STOPPED
            assert kept.outputs == ["before", "cleaned"]
            assert await run(pool, "say on") == ["on"]

    async def test_a_cancelled_run_is_stopped_by_the_next(self, carrier_maker: CarrierMaker) -> None:
        """A run that nobody waits for any more is in nobody's way."""
        async with opened(carrier_maker()) as pool:
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say before\nsleep"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert pool.busy
            assert await run(pool, "say on") == ["on"]

    async def test_what_does_not_stop_costs_the_session(self, carrier_maker: CarrierMaker) -> None:
        """A stop has its time, and then the pool is lost."""
        async with opened(carrier_maker(), cancel_timeout=_SILENCE) as pool:
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say before\nignore-stop"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            assert not await pool.stop()
            assert pool._carrier.lost
            with pytest.raises(HostError) as caught:
                await running
            assert (caught.value.code, caught.value.may_have_run) == ("pool-stop-timeout", True)

    async def test_secure_strings_travel_both_ways(self, carrier_maker: CarrierMaker) -> None:
        """The key is exchanged before one is sent, and when one comes unasked."""
        async with opened(carrier_maker()) as pool:
            (secret,) = await run(pool, "secure s3cret")
            assert pool.decrypt(secret) == "s3cret"
        async with opened(carrier_maker()) as pool:
            secret = PSSecureString("s3 crét")
            assert await run(pool, "unlock", secret, needs_key=True) == ["s3 crét"]

    async def test_a_refused_key_is_told(self, carrier_maker: CarrierMaker) -> None:
        """A peer that gives no key ends in an error, and nothing was run."""
        async with opened(carrier_maker("--refuse-key")) as pool:
            with pytest.raises(HostError) as caught:
                await pool.run(script("unlock", PSSecureString("x"), needs_key=True), Kept())
            assert not caught.value.may_have_run

    async def test_a_missing_key_is_told(self, carrier_maker: CarrierMaker) -> None:
        """A peer that does not even take the question is given up after its time, with what carries it."""
        async with opened(carrier_maker("--silent", "key")) as pool:
            pool._key.timeout = _SILENCE
            with pytest.raises(ConnectionLost) as caught:
                await pool.exchange_key()
            assert (caught.value.code, caught.value.may_have_run) == ("pool-no-answer", False)
            assert pool._carrier.lost

    async def test_reset_forgets_and_probe_answers(self, carrier_maker: CarrierMaker) -> None:
        """A reset session has no variables; a probe is answered, also while a pipeline runs."""
        async with opened(carrier_maker()) as pool:
            await run(pool, "$v = 5")
            assert await pool.reset()
            assert await run(pool, "$v") == [None]
            assert await pool.probe(_PATIENCE)
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            assert await pool.probe(_PATIENCE)
            assert await pool.stop()
            await running

    async def test_close_ends_what_runs(self, carrier_maker: CarrierMaker) -> None:
        """Closing under a pipeline ends the wait for it, and closing again does nothing."""
        async with opened(carrier_maker()) as pool:
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            await pool.close()
            with pytest.raises(HostError) as caught:
                await running
            assert caught.value.may_have_run
            with pytest.raises(HostError):
                await pool.run(script("say x"), Kept())
            assert not await pool.probe(_PATIENCE)
            assert not await pool.reset()
            assert not await pool.stop()

    async def test_abort_ends_what_runs(self, carrier_maker: CarrierMaker) -> None:
        """So does an abort, at once."""
        async with opened(carrier_maker()) as pool:
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            pool.abort()
            pool.abort()
            with pytest.raises(HostError) as caught:
                await running
            assert caught.value.may_have_run

    async def test_a_refused_opening_has_the_peers_words(self, carrier_maker: CarrierMaker) -> None:
        """A pool that the peer calls broken was never reached."""
        with pytest.raises(Unreachable) as caught:
            async with opened(carrier_maker("--refuse-open")):
                pass
        assert (caught.value.code, caught.value.may_have_run) == ("pool-refused", False)
        assert "the session is refused" in caught.value.message

    async def test_a_silent_opening_has_its_time(self, carrier_maker: CarrierMaker) -> None:
        """A peer that never says that the pool is open is unreachable."""
        with pytest.raises(Unreachable) as caught:
            async with opened(carrier_maker("--silent", "open"), open_timeout=_SILENCE):
                pass
        assert caught.value.code == "pool-open-timeout"

    @pytest.mark.parametrize("phase", ["command", "create"])
    async def test_a_silent_beginning_ends_by_a_stop(self, carrier_maker: CarrierMaker, phase: str) -> None:
        """The stop waits its turn behind what is never answered, and gives the session up when its time is over."""
        async with opened(carrier_maker("--silent", phase), cancel_timeout=_SILENCE) as pool:
            running = asyncio.create_task(pool.run(script("sleep"), Kept()))
            while not pool.busy:
                await asyncio.sleep(0)
            await self._not_stopped(pool, running)

    async def test_silence_at_the_input_ends_by_a_stop(self, carrier_maker: CarrierMaker) -> None:
        """Items that are never taken are waited for no longer than a stop may last."""
        begun = asyncio.Event()

        async def source() -> AsyncIterator[int]:
            begun.set()
            yield 1

        async with opened(carrier_maker("--silent", "input"), cancel_timeout=_SILENCE) as pool:
            running = asyncio.create_task(pool.run(script("sleep", input=source()), Kept()))
            await asyncio.wait_for(begun.wait(), _PATIENCE)
            await self._not_stopped(pool, running)

    async def test_a_silent_stop_has_its_time(self, carrier_maker: CarrierMaker) -> None:
        """A peer that does not answer the stop itself is given up too."""
        async with opened(carrier_maker("--silent", "signal"), cancel_timeout=_SILENCE) as pool:
            kept = Kept()
            running = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
            await asyncio.wait_for(kept.came.wait(), _PATIENCE)
            await self._not_stopped(pool, running)

    @staticmethod
    async def _not_stopped(pool: Pool, running: asyncio.Task[Any]) -> None:
        """Stop a pipeline that does not stop: the pool is lost, and whoever waits is told so."""
        assert not await asyncio.wait_for(pool.stop(), _PATIENCE)
        assert pool.lost
        with pytest.raises(HostError) as caught:
            await asyncio.wait_for(running, _PATIENCE)
        assert (caught.value.code, caught.value.may_have_run) == ("pool-stop-timeout", True)

    async def test_a_silent_close_has_its_time(self, carrier_maker: CarrierMaker) -> None:
        """A peer that forgets neither pipelines nor the pool when it is told to is left all the same."""
        async with opened(
            carrier_maker("--silent", "close", "--silent", "session"), cancel_timeout=_SILENCE
        ) as pool:
            assert await run(pool, "say on") == ["on"]
            await asyncio.wait_for(pool.close(), _PATIENCE)

    @pytest.mark.parametrize(
        ("fault", "code"),
        [("truncated-fragment", "pool-fragment"), ("foreign-fragment", "pool-fragment")],
    )
    async def test_bad_fragments_cost_the_session(
        self, carrier_maker: CarrierMaker, fault: str, code: str
    ) -> None:
        """What cannot be put together is never used, nor what comes after it."""
        async with opened(carrier_maker()) as pool:
            assert (await lost(pool, f"break {fault}\nsay never")).code == code

    async def test_a_large_object_is_cut_off(self, carrier_maker: CarrierMaker) -> None:
        """More than ``maximum_object_size`` is refused before it fills the memory; less than that is taken."""
        async with opened(carrier_maker(), maximum_object_size=1_000_000) as pool:
            assert len(await run(pool, "emit 3 500000")) == 3
            assert (await lost(pool, "emit 1 2000000")).code == "pool-object-too-large"

    async def test_much_data_is_cut_off(self, carrier_maker: CarrierMaker) -> None:
        """``maximum_data_size`` counts each pipeline by itself."""
        async with opened(carrier_maker(), maximum_data_size=1_000_000) as pool:
            for _ in range(3):
                assert len(await run(pool, "emit 1 600000")) == 1
            assert (await lost(pool, "emit 3 600000")).code == "pool-data-too-large"

    async def test_an_engine_that_dies_is_told(self, carrier_maker: CarrierMaker) -> None:
        """A session killed in the midst ends the pipeline, which may have run."""
        async with opened(carrier_maker()) as pool:
            await lost(pool, "say up\ndie 3")
