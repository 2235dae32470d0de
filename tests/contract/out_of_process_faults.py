"""Faults as a whole session sees them over the carrier of packets: subclass with a fixture ``make``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from runner.errors import ConnectionLost, ExecutionFailed, HostError, Unreachable
from runner.psrp.pool import Pool
from runner.psrp.request import (
    Command,
    PipelineEnd,
    PipelineRequest,
    PipelineState,
    PoolSettings,
    RecordKind,
    Statement,
)
from tests.contract.out_of_process import Make
from tests.support.engines import scripted_command

#: Bytes: more than WSMan would take of one object (10 MB), which packets do (remoting.md 4.2).
ELEVEN_MEGABYTES = 11_000_000


class Kept:
    """Keeps what a pipeline gave."""

    def __init__(self) -> None:
        self.output: list[Any] = []

    def output_received(self, value: Any) -> None:
        self.output.append(value)

    def record_received(self, kind: RecordKind, record: Any) -> None:
        self.output.append(kind)


def script(text: str, *, needs_key: bool = False) -> PipelineRequest:
    """A pipeline of one script."""
    return PipelineRequest(statements=(Statement((Command(text, is_script=True),)),), needs_key=needs_key)


async def run(pool: Pool, text: str, **keys: Any) -> tuple[PipelineEnd, list[Any]]:
    """Run a script to its end."""
    kept = Kept()
    return await pool.run(script(text, **keys), kept), kept.output


class OutOfProcessFaults:
    """Each ends in an error within its time, the session is discarded where its state is in doubt, nothing hangs."""

    @pytest.fixture
    async def pools(self) -> AsyncIterator[list[Pool]]:
        """Pools that are closed at the end."""
        made: list[Pool] = []
        yield made
        await asyncio.gather(*(pool.close() for pool in made))

    async def _open(self, make: Make, pools: list[Pool], *options: str, **settings: Any) -> Pool:
        pool = Pool(make(scripted_command(*options)), PoolSettings(**settings))
        pools.append(pool)
        await pool.open()
        return pool

    async def test_a_silent_opening_tells_what_was_heard(self, make: Make, pools: list[Pool]) -> None:
        """A prompt for a passphrase or a login shell's question is why nothing else comes."""
        with pytest.raises(Unreachable) as caught:
            await self._open(
                make, pools, "--silent", "open", "--banner", "Accept the terms?\n", open_timeout=5.0
            )
        assert caught.value.code == "pool-open-timeout"
        assert caught.value.message.endswith("; it said: Accept the terms?")

    @pytest.mark.parametrize(
        "fault",
        ["truncated-fragment", "foreign-fragment", "cut-object", "half-packet", "no-packet", "wrong-ack"],
    )
    async def test_a_broken_stream_ends_the_session(self, make: Make, pools: list[Pool], fault: str) -> None:
        """What is no whole object in its turn is lost with the script perhaps run, and nothing runs after it."""
        pool = await self._open(make, pools)
        with pytest.raises(ConnectionLost) as caught:
            await run(pool, f"say before\nbreak {fault}\nsleep")
        assert caught.value.may_have_run
        assert pool.lost
        with pytest.raises(HostError) as refused:
            await run(pool, "say after")
        assert not refused.value.may_have_run or refused.value.code == caught.value.code

    async def test_an_object_of_eleven_megabytes(self, make: Make, pools: list[Pool]) -> None:
        """Packets carry what WSMan would not."""
        pool = await self._open(make, pools)
        end, (text,) = await run(pool, f"emit 1 {ELEVEN_MEGABYTES}")
        assert (end.state, len(text)) == (PipelineState.COMPLETED, ELEVEN_MEGABYTES)

    @pytest.mark.parametrize("text", ["break endless-object 3000000\nsleep", "emit 1 3000000"])
    async def test_an_object_over_the_limit(self, make: Make, pools: list[Pool], text: str) -> None:
        """An object over `maximum_received_object_size` ends the session before it fills the memory."""
        pool = await self._open(make, pools, maximum_object_size=1_000_000)
        with pytest.raises(HostError) as caught:
            await run(pool, text)
        assert caught.value.may_have_run

    async def test_a_session_that_is_killed(self, make: Make, pools: list[Pool]) -> None:
        """An engine that dies in mid-pipeline is told with its exit code."""
        pool = await self._open(make, pools)
        with pytest.raises(ConnectionLost, match="exit code 9") as caught:
            await run(pool, "say before\ndie 9")
        assert (caught.value.code, caught.value.may_have_run) == ("engine-lost", True)

    async def test_a_refused_key_exchange(self, make: Make, pools: list[Pool]) -> None:
        """Without a key no secret is sent: the step fails and nothing of it ran."""
        pool = await self._open(make, pools, "--refuse-key")
        with pytest.raises(HostError) as caught:
            await run(pool, "say never", needs_key=True)
        assert not caught.value.may_have_run

    async def test_a_silent_key_exchange(self, make: Make, pools: list[Pool]) -> None:
        """An engine that never answers the exchange is given up within the time for opening."""
        pool = await self._open(make, pools, "--silent", "key", open_timeout=2, cancel_timeout=1)
        with pytest.raises((ExecutionFailed, ConnectionLost)) as caught:
            await run(pool, "say never", needs_key=True)
        assert not caught.value.may_have_run

    async def test_a_refused_session(self, make: Make, pools: list[Pool]) -> None:
        """A pool that the engine breaks while it opens is unreachable, with the engine's reason."""
        with pytest.raises(Unreachable, match="the session is refused"):
            await self._open(make, pools, "--refuse-open")

    async def test_a_silent_opening(self, make: Make, pools: list[Pool]) -> None:
        """An engine that never takes the session is given up within the time for opening."""
        with pytest.raises(Unreachable) as caught:
            await self._open(make, pools, "--silent", "open", open_timeout=1.5)
        assert not caught.value.may_have_run

    @pytest.mark.parametrize(
        ("options", "text"),
        [(("--silent", "signal"), "sleep"), ((), "ignore-stop"), (("--silent", "create"), "x")],
    )
    async def test_what_does_not_stop_is_given_up(
        self, make: Make, pools: list[Pool], options: tuple[str, ...], text: str
    ) -> None:
        """A stop that is not answered, or not heeded, ends the session within `cancel_timeout`."""
        pool = await self._open(make, pools, *options, cancel_timeout=1)
        running = asyncio.create_task(run(pool, text))
        await asyncio.sleep(0.2)
        assert not await pool.stop()
        assert pool.lost
        pool.abort()
        with pytest.raises(HostError):
            await running

    async def test_a_stop_that_is_heeded_keeps_the_session(self, make: Make, pools: list[Pool]) -> None:
        """What was written while stopping arrives, and variables of the session are still there."""
        pool = await self._open(make, pools)
        await run(pool, "$v = 5")
        kept = Kept()
        running = asyncio.create_task(pool.run(script("say first\nfinally last"), kept))
        while not kept.output:
            await asyncio.sleep(0.01)
        assert await pool.stop()
        assert (await running).state is PipelineState.STOPPED
        assert kept.output == ["first", "last"]
        assert (await run(pool, "$v"))[1] == ["5"]
