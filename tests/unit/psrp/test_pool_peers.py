"""The pool and peers that are old, odd, late or silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from runner.errors import ConnectionLost, ExecutionFailed, Unreachable
from runner.lab.psrp_messages import PIPELINE_STATE, PUBLIC_KEY, Message, fragments
from runner.psrp.pool import Pool
from runner.psrp.records import error_record, stream_record
from runner.psrp.request import PipelineState, PoolSettings, RecordKind
from tests.support.pipelines import Kept, script
from tests.support.psrp_server import MemoryCarrier

SETTINGS = PoolSettings(peer="PowerShell on `web1`", open_timeout=60, cancel_timeout=60)
PUBLIC_KEY_REQUEST, OUTPUT, ERROR = 0x00010007, 0x00041004, 0x00041005
NUMBERS = count(1 << 40)


class Reading(Kept):
    """Reads every record, as a step does."""

    def record_received(self, kind: RecordKind, record: Any) -> None:
        super().record_received(kind, record)
        if kind is RecordKind.ERROR:
            error_record(record)
        else:
            stream_record(kind, record)


class Peer(MemoryCarrier):
    """One whose words can be altered, and to which words can be put."""

    def __init__(self, *options: str, altered: Callable[[bytes], bytes] = bytes) -> None:
        super().__init__(*options)
        self._altered = altered

    def deliver(self, data: bytes, target: UUID | None) -> None:
        super().deliver(self._altered(data), target)

    def say(self, kind: int, body: str, target: UUID | None = None) -> None:
        """A message of the test's own."""
        for fragment in fragments(next(NUMBERS), Message(kind, bytes(16), body), target):
            super().deliver(fragment, target)

    def say_in_the_pipeline(self, kind: int, body: str) -> None:
        """The same, for the pipeline that runs."""
        (pipeline,) = self._pipelines
        self.say(kind, body, pipeline)

    def count(self, kind: int) -> int:
        """How many messages of a kind have come."""
        return sum(data[21 + 4 : 21 + 8] == kind.to_bytes(4, "little") for _, data in self.sent)


def speaking(protocol: str) -> Peer:
    """A peer of another remoting protocol."""
    old, new = b'"protocolversion">2.3<', f'"protocolversion">{protocol}<'.encode()
    return Peer(altered=lambda data: data.replace(old, new))


async def running(peer: Peer, text: str = "say up\nsleep") -> tuple[Pool, Kept, asyncio.Task[Any]]:
    """An open pool in which a script runs."""
    pool = Pool(peer, SETTINGS)
    await pool.open()
    kept = Kept()
    task = asyncio.create_task(pool.run(script(text), kept))
    await kept.came.wait()
    return pool, kept, task


async def test_powershell_2_is_refused_at_the_door() -> None:
    """Its protocol has half of what is needed: better told now than found out later."""
    peer = speaking("2.1")
    pool = Pool(peer, SETTINGS)
    with pytest.raises(Unreachable) as caught:
        await pool.open()
    assert caught.value.code == "pool-too-old"
    assert "PowerShell on `web1` speaks remoting protocol 2.1" in caught.value.message
    assert peer.lost
    await pool.close()


async def test_an_old_peer_cannot_be_reset() -> None:
    """PowerShell 3 and 4 have no such message: nothing is sent, and the session stays as it is."""
    pool = Pool(speaking("2.2"), SETTINGS)
    await pool.open()
    await pool.run(script("$v = 5"), Kept())
    assert not await pool.reset()
    kept = Kept()
    await pool.run(script("$v"), kept)
    assert kept.outputs == ["5"]
    await pool.close()


async def test_an_opening_may_be_cancelled() -> None:
    """Nobody waits for it any more, so nothing of it stays."""
    peer = Peer("--silent", "open")
    pool = Pool(peer, SETTINGS)
    opening = asyncio.create_task(pool.open())
    while not peer.sent:
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert peer.lost
    assert pool.lost
    await pool.close()


async def test_an_opening_that_takes_too_long_tells_what_was_heard() -> None:
    """A banner or a password prompt is the answer to why nothing comes."""
    peer = Peer("--silent", "open")
    peer.heard = "Enter passphrase:"
    pool = Pool(peer, PoolSettings(peer="PowerShell on `web1`", open_timeout=0.05))
    with pytest.raises(Unreachable) as caught:
        await pool.open()
    assert caught.value.code == "pool-open-timeout"
    assert caught.value.message.endswith("within 0.05 s; it said: Enter passphrase:")
    assert peer.lost
    await pool.close()


async def test_a_peer_may_ask_for_the_key() -> None:
    """A request of the peer's begins the exchange, and who needs the key later does not begin another."""
    peer = Peer()
    pool = Pool(peer, SETTINGS)
    await pool.open()
    peer.say(PUBLIC_KEY_REQUEST, "")
    peer.say(PUBLIC_KEY_REQUEST, "")
    while not peer.count(PUBLIC_KEY):
        await asyncio.sleep(0)
    await pool.exchange_key()
    assert peer.count(PUBLIC_KEY) == 1
    await pool.close()


async def test_a_late_answer_to_a_stop_disturbs_nothing() -> None:
    """The pipeline's end may come before the stop is acknowledged (remoting.md 4.4): the next one runs meanwhile."""

    class Late(Peer):
        held: list[UUID | None] = []  # noqa: RUF012 - one test, one peer
        holding = False

        def acknowledged(self, target: UUID | None) -> None:
            if self.holding:
                self.held.append(target)
            else:
                super().acknowledged(target)

        async def signal(self, pipeline: UUID) -> None:
            self.holding = True
            await super().signal(pipeline)

    peer = Late()
    pool, _, task = await running(peer)
    assert await pool.stop()
    assert (await task).state is PipelineState.STOPPED
    peer.holding = False
    assert len(peer.held) == 1
    kept = Kept()
    await pool.run(script("say on"), kept)
    assert kept.outputs == ["on"]
    for target in peer.held:
        peer.acknowledged(target)
    await pool.close()
    assert peer.violations == []


@pytest.mark.parametrize("stops", [False, True])
async def test_input_that_never_comes_holds_nobody_up(stops: bool) -> None:
    """A source that blocks for ever is left when the pipeline has ended, by itself or by a stop."""
    left = asyncio.Event()
    waits = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            waits.set()
            await asyncio.Event().wait()
            yield 1
        finally:
            left.set()

    peer = Peer()
    pool = Pool(peer, SETTINGS)
    await pool.open()
    task = asyncio.create_task(pool.run(script("echo input", input=source()), Kept()))
    await waits.wait()
    if stops:
        assert await pool.stop()
    else:
        peer.say_in_the_pipeline(
            PIPELINE_STATE, '<Obj RefId="0"><MS><I32 N="PipelineState">4</I32></MS></Obj>'
        )
    end = await task
    assert end.state is (PipelineState.STOPPED if stops else PipelineState.COMPLETED)
    assert left.is_set()
    await pool.run(script("say on"), Kept())
    await pool.close()


async def test_an_output_that_cannot_be_read_is_told_at_the_end() -> None:
    """The result would be wrong without it; the script went on, and so does the session."""
    peer = Peer()
    pool, kept, task = await running(peer)
    peer.say_in_the_pipeline(OUTPUT, "<Obj RefId='0'><MS>")
    assert await pool.stop()
    with pytest.raises(ExecutionFailed) as caught:
        await task
    assert (caught.value.code, caught.value.may_have_run) == ("pool-message-unreadable", True)
    assert kept.outputs == ["up"]
    await pool.run(script("say on"), Kept())
    await pool.close()


@pytest.mark.parametrize("number", [4, 5])
async def test_an_end_whose_reason_cannot_be_read_is_an_end(number: int) -> None:
    """The state stands in it all the same; what is missing is said."""
    peer = Peer()
    pool, _, task = await running(peer)
    notices: list[str] = []
    pool.on_notice = notices.append
    peer.say_in_the_pipeline(
        PIPELINE_STATE, f'<Obj RefId="0"><MS><I32 N="PipelineState">{number}</I32><Ref RefId="9"/></MS></Obj>'
    )
    end = await task
    assert (end.state is PipelineState.COMPLETED) is (number == 4)
    assert len(notices) == 1
    assert not pool.lost
    await pool.close()


async def test_an_end_that_says_nothing_costs_the_session() -> None:
    """Who waits for a script whose end is not known would wait for ever."""
    peer = Peer()
    pool, _, task = await running(peer)
    peer.say_in_the_pipeline(PIPELINE_STATE, "<Obj")
    with pytest.raises(ConnectionLost) as caught:
        await task
    assert (caught.value.code, caught.value.may_have_run) == ("pool-message-broken", True)
    assert peer.lost
    await pool.close()


async def test_a_category_nobody_knows_is_no_loss() -> None:
    """The record is read as of no category (remoting.md 9.5, bug 11)."""
    body = (
        '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T></TN><MS>'
        '<Obj N="Exception" RefId="1"><MS><S N="Message">odd</S></MS></Obj>'
        '<Nil N="TargetObject" /><S N="FullyQualifiedErrorId">Odd</S><Nil N="InvocationInfo" />'
        '<I32 N="ErrorCategory_Category">99</I32><S N="ErrorCategory_Activity" /><S N="ErrorCategory_Reason" />'
        '<S N="ErrorCategory_TargetName" /><S N="ErrorCategory_TargetType" /><S N="ErrorCategory_Message" />'
        '<B N="SerializeExtendedInfo">false</B></MS></Obj>'
    )
    peer = Peer()
    pool, kept, task = await running(peer)
    peer.say_in_the_pipeline(ERROR, body)
    assert await pool.stop()
    await task
    ((kind, record),) = kept.records
    assert kind is RecordKind.ERROR
    assert (error_record(record).message, error_record(record).fully_qualified_error_id) == ("odd", "Odd")
    await pool.close()


async def test_a_key_that_never_comes_costs_no_session() -> None:
    """A peer that took the question and gives no key is well for what holds no secret."""
    peer = Peer(altered=lambda data: b"" if data[25:29] == (0x00010006).to_bytes(4, "little") else data)
    pool = Pool(peer, SETTINGS)
    await pool.open()
    pool._key.timeout = 3  # the making of the pair of keys counts
    with pytest.raises(ExecutionFailed) as caught:
        await pool.exchange_key()
    assert caught.value.code == "pool-key-refused"
    kept = Kept()
    await pool.run(script("say on"), kept)
    assert kept.outputs == ["on"]
    await pool.close()


async def test_a_secret_without_a_key_costs_a_session_whose_script_ran() -> None:
    """The script gave a secure string, and the peer takes no key for it: the result cannot be had, but it ran."""
    peer = Peer("--silent", "key")
    pool = Pool(peer, SETTINGS)
    await pool.open()
    pool._key.timeout = 3  # the making of the pair of keys counts
    kept = Kept()
    task = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
    await kept.came.wait()
    peer.say_in_the_pipeline(OUTPUT, "<SS>AAAAAAAAAAAAAAAAAAAAAA==</SS>")
    with pytest.raises(ConnectionLost) as caught:
        await task
    assert (caught.value.code, caught.value.may_have_run) == ("pool-no-answer", True)
    assert peer.lost
    await pool.close()


@pytest.mark.parametrize("kind", range(0x00041005, 0x00041012))
@pytest.mark.parametrize("body", ["", "<Nil/>", "<S>x</S>", '<Obj RefId="0"><MS/></Obj>', "<Obj RefId='0'>"])
async def test_no_odd_message_hurts_the_pool(kind: int, body: str) -> None:
    """Whatever a peer says in whatever kind of message, the run ends, and no task of ours dies of it."""
    peer = Peer()
    pool = Pool(peer, SETTINGS)
    await pool.open()
    kept = Reading()
    task = asyncio.create_task(pool.run(script("say up\nsleep"), kept))
    await kept.came.wait()
    peer.say_in_the_pipeline(kind, body)
    stopped = await pool.stop()
    await asyncio.wait({task})
    assert stopped or task.exception() is not None
    assert len(peer._tasks) > 0 or peer.lost  # what delivers is alive
    await pool.close()


async def test_what_cannot_be_put_together_drops_the_carrier() -> None:
    """A session in doubt is not talked to any more, and the error names the host."""
    peer = Peer()
    pool, _, task = await running(peer, "say up\nbreak truncated-fragment\nsay never")
    with pytest.raises(ConnectionLost) as caught:
        await task
    assert caught.value.code == "pool-fragment"
    assert "PowerShell on `web1`" in caught.value.message
    assert caught.value.hints
    assert peer.lost
    await pool.close()
