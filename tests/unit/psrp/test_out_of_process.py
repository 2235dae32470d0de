"""The discipline of the carrier of packets, seen by a process that answers only when it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from runner.errors import ConnectionLost, ExecutionFailed, HostError, Unreachable
from runner.psrp.out_of_process import FRAGMENT_SIZE, OutOfProcessCarrier
from runner.psrp.packets import Kind, Packet, format_packet, parse_packet
from runner.transport.port import Exit, Process, Receiver, Stream

ONE, TWO = UUID(int=1), UUID(int=2)


def fragment(number: int, size: int) -> bytes:
    """A fragment of so many bytes, its head included."""
    return number.to_bytes(8, "big") + bytes(8) + b"\x03" + (size - 21).to_bytes(4, "big") + bytes(size - 21)


@dataclass
class Peer:
    """A process under the test's own hand; ``blocked`` holds writing back."""

    receiver: Receiver
    sent: list[Packet] = field(default_factory=list)
    ended: asyncio.Future[Exit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    blocked: asyncio.Event | None = None
    stopped: list[float] = field(default_factory=list)
    input_ended: bool = False

    async def write(self, data: bytes) -> None:
        if self.blocked is not None:
            await self.blocked.wait()
        self.sent.append(parse_packet(data))

    async def write_eof(self) -> None:
        self.input_ended = True
        self.end(Exit(code=160))

    async def wait(self) -> Exit:
        return await asyncio.shield(self.ended)

    async def stop(self, grace: float) -> bool:
        self.stopped.append(grace)
        self.end(Exit(signal="TERM"))
        return True

    async def interrupt(self) -> bool:
        return False

    def end(self, how: Exit) -> None:
        if not self.ended.done():
            self.ended.set_result(how)

    def say(self, *packets: Packet) -> None:
        self.receiver.data_received(Stream.STDOUT, b"".join(map(format_packet, packets)))

    def acknowledge(self, kind: Kind, target: UUID | None = None) -> None:
        self.say(Packet(kind, target))

    async def until(self, count: int) -> list[Packet]:
        """Wait until so many packets were sent; all of them."""
        while len(self.sent) < count:
            await asyncio.sleep(0)
        for _ in range(20):  # whatever else is ready to be sent would be sent now
            await asyncio.sleep(0)
        return self.sent

    async def kinds(self, count: int) -> list[tuple[Kind, UUID | None]]:
        """The same without data."""
        return [(packet.kind, packet.target) for packet in await self.until(count)]


@dataclass
class Ears:
    """Keeps what the pool would hear."""

    fragments: list[tuple[bytes, UUID | None]] = field(default_factory=list)
    lost: list[HostError] = field(default_factory=list)

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        self.fragments.append((data, pipeline))

    def carrier_lost(self, error: HostError) -> None:
        self.lost.append(error)

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        raise AssertionError(pipeline)

    def answer_missed(self, pipeline: UUID) -> None:
        raise AssertionError(pipeline)

    def notice(self, message: str) -> None:
        raise AssertionError(message)


@dataclass
class Bench:
    """A carrier between a peer and ears."""

    carrier: OutOfProcessCarrier
    ears: Ears
    peers: list[Peer]

    @property
    def peer(self) -> Peer:
        return self.peers[0]

    async def opened(self) -> Bench:
        opening = asyncio.create_task(self.carrier.open(UUID(int=9), fragment(1, 100), self.ears))
        while not self.peers:
            await asyncio.sleep(0)
        await self.peer.until(1)
        self.peer.acknowledge(Kind.DATA_ACK)
        await opening
        self.peer.sent.clear()
        return self

    async def commanded(self, pipeline: UUID) -> None:
        """Begin a pipeline, and acknowledge it."""
        task = asyncio.create_task(self.carrier.command(pipeline, b"creation"))
        before = len(self.peer.sent)
        await self.peer.until(before + 1)
        self.peer.acknowledge(Kind.COMMAND_ACK, pipeline)
        await self.peer.until(before + 2)
        self.peer.acknowledge(Kind.DATA_ACK, pipeline)
        await task
        self.peer.sent.clear()


@pytest.fixture
def bench() -> Bench:
    """A carrier whose process is a peer of the test's."""
    peers: list[Peer] = []

    async def start(receiver: Receiver) -> Process:
        peers.append(Peer(receiver))
        return peers[-1]

    return Bench(OutOfProcessCarrier(start, description="`pwsh` on `web1`"), Ears(), peers)


async def test_data_waits_for_the_acknowledgement_of_the_command(bench: Bench) -> None:
    """Command and Data are never under way together: the engine would lose the pipeline now and then."""
    await bench.opened()
    task = asyncio.create_task(bench.carrier.command(ONE, b"creation"))
    assert await bench.peer.kinds(1) == [(Kind.COMMAND, ONE)]
    bench.peer.acknowledge(Kind.COMMAND_ACK, ONE)
    assert await bench.peer.kinds(2) == [(Kind.COMMAND, ONE), (Kind.DATA, ONE)]
    assert not task.done()
    bench.peer.acknowledge(Kind.DATA_ACK, ONE)
    await task
    await bench.carrier.close()


async def test_targets_do_not_wait_for_each_other(bench: Bench) -> None:
    """Close of one pipeline, Command of the next and data of the pool are under way at once."""
    await bench.opened()
    await bench.commanded(ONE)
    tasks = [
        asyncio.create_task(bench.carrier.close_pipeline(ONE)),
        asyncio.create_task(bench.carrier.command(TWO, b"creation")),
        asyncio.create_task(bench.carrier.send(b"key")),
    ]
    assert await bench.peer.kinds(3) == [(Kind.CLOSE, ONE), (Kind.COMMAND, TWO), (Kind.DATA, None)]
    for kind, target in [(Kind.COMMAND_ACK, TWO), (Kind.DATA_ACK, None), (Kind.CLOSE_ACK, ONE)]:
        bench.peer.acknowledge(kind, target)
    await bench.peer.until(4)
    bench.peer.acknowledge(Kind.DATA_ACK, TWO)
    await asyncio.gather(*tasks)
    bench.carrier.abort()
    await bench.carrier.close()


async def test_an_answer_to_the_host_has_its_stream(bench: Bench) -> None:
    """`prompt` is the stream `PromptResponse`; everything else is `Default`."""
    await bench.opened()
    await bench.commanded(ONE)
    task = asyncio.create_task(bench.carrier.send(b"answer", pipeline=ONE, prompt=True))
    assert await bench.peer.until(1) == [Packet(Kind.DATA, ONE, b"answer", True)]
    bench.peer.acknowledge(Kind.DATA_ACK, ONE)
    await task
    bench.carrier.abort()
    await bench.carrier.close()


async def test_an_opening_that_is_too_long_for_one_packet(bench: Bench) -> None:
    """Long application arguments go in several packets, cut between fragments, each acknowledged."""
    pieces = [fragment(1, 500), fragment(2, FRAGMENT_SIZE), fragment(3, 20_000), fragment(4, 12_000)]
    opening = asyncio.create_task(bench.carrier.open(UUID(int=9), b"".join(pieces), bench.ears))
    while not bench.peers:
        await asyncio.sleep(0)
    for count in (1, 2, 3):
        assert len(await bench.peer.until(count)) == count
        bench.peer.acknowledge(Kind.DATA_ACK)
    await opening
    assert [packet.data for packet in bench.peer.sent] == [pieces[0], pieces[1], pieces[2] + pieces[3]]
    await bench.carrier.close()


async def test_a_given_up_wait_keeps_the_order(bench: Bench) -> None:
    """A cancelled send is still in flight: the next packet for its target waits for its acknowledgement."""
    await bench.opened()
    await bench.commanded(ONE)
    sending = asyncio.create_task(bench.carrier.send(b"input", pipeline=ONE))
    await bench.peer.until(1)
    sending.cancel()
    signalling = asyncio.create_task(bench.carrier.signal(ONE))
    assert await bench.peer.kinds(1) == [(Kind.DATA, ONE)]
    bench.peer.acknowledge(Kind.DATA_ACK, ONE)
    assert await bench.peer.kinds(2) == [(Kind.DATA, ONE), (Kind.SIGNAL, ONE)]
    bench.peer.acknowledge(Kind.SIGNAL_ACK, ONE)
    await signalling
    assert not bench.carrier.lost
    bench.carrier.abort()
    await bench.carrier.close()


async def test_a_packet_given_up_in_its_midst_ends_the_session(bench: Bench) -> None:
    """Half a line may be in the pipe, so nothing can follow it; the pool is told."""
    await bench.opened()
    await bench.commanded(ONE)
    bench.peer.blocked = asyncio.Event()
    sending = asyncio.create_task(bench.carrier.send(b"input", pipeline=ONE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert bench.carrier.lost
    assert [(error.code, error.may_have_run) for error in bench.ears.lost] == [("engine-protocol", True)]
    await bench.carrier.close()
    assert bench.peer.stopped


async def test_a_packet_that_waits_for_its_turn_can_be_given_up(bench: Bench) -> None:
    """Who is cancelled before anything of the packet was written does no harm."""
    await bench.opened()
    await bench.commanded(ONE)
    bench.peer.blocked = asyncio.Event()
    first = asyncio.create_task(bench.carrier.send(b"first", pipeline=ONE))
    second = asyncio.create_task(bench.carrier.send(b"second"))
    for _ in range(5):
        await asyncio.sleep(0)
    second.cancel()
    bench.peer.blocked.set()
    assert await bench.peer.kinds(1) == [(Kind.DATA, ONE)]
    bench.peer.acknowledge(Kind.DATA_ACK, ONE)
    await first
    assert not bench.carrier.lost
    bench.carrier.abort()
    await bench.carrier.close()


@pytest.mark.parametrize(
    "packet",
    [
        Packet(Kind.DATA_ACK, ONE),
        Packet(Kind.DATA_ACK),
        Packet(Kind.CLOSE_ACK, ONE),
        Packet(Kind.COMMAND_ACK, TWO),
        Packet(Kind.COMMAND, ONE),
        Packet(Kind.CLOSE),
    ],
)
async def test_an_acknowledgement_of_nothing_breaks_the_session(bench: Bench, packet: Packet) -> None:
    """Each must match the one packet in flight for its target, by kind and id."""
    await bench.opened()
    await bench.commanded(ONE)
    signalling = asyncio.create_task(bench.carrier.signal(ONE))
    await bench.peer.until(1)
    bench.peer.say(packet)
    with pytest.raises(ConnectionLost) as caught:
        await signalling
    assert caught.value.code == "engine-protocol"
    await bench.carrier.close()


async def test_fragments_reach_the_pool_in_order(bench: Bench) -> None:
    """Data is handed on with its target; what comes for a pipeline that was closed is dropped."""
    await bench.opened()
    await bench.commanded(ONE)
    bench.peer.say(Packet(Kind.DATA, ONE, b"1"), Packet(Kind.DATA, None, b"2"), Packet(Kind.DATA, ONE, b"3"))
    bench.peer.say(Packet(Kind.DATA, TWO, b"never begun"))
    closing = asyncio.create_task(bench.carrier.close_pipeline(ONE))
    await bench.peer.until(1)
    bench.peer.say(Packet(Kind.DATA, ONE, b"4"), Packet(Kind.CLOSE_ACK, ONE), Packet(Kind.DATA, ONE, b"5"))
    await closing
    assert bench.ears.fragments == [(b"1", ONE), (b"2", None), (b"3", ONE), (b"4", ONE)]
    await asyncio.wait_for(bench.carrier.close_pipeline(ONE), 5)  # closed already: nothing to say
    bench.carrier.abort()
    await bench.carrier.close()


async def test_a_goodbye_in_the_right_order(bench: Bench) -> None:
    """Pipelines are closed before the session, the session before the input."""
    await bench.opened()
    await bench.commanded(ONE)
    await bench.commanded(TWO)
    closing = asyncio.create_task(bench.carrier.close())
    assert set(await bench.peer.kinds(2)) == {(Kind.CLOSE, ONE), (Kind.CLOSE, TWO)}
    for target in (ONE, TWO):
        bench.peer.acknowledge(Kind.CLOSE_ACK, target)
    assert (await bench.peer.kinds(3))[2:] == [(Kind.CLOSE, None)]
    ended = [bench.peer.input_ended]
    bench.peer.acknowledge(Kind.CLOSE_ACK)
    await closing
    assert [*ended, bench.peer.input_ended] == [False, True]
    assert bench.ears.lost == []


async def test_nothing_is_signalled_after_a_goodbye_in_peace(bench: Bench) -> None:
    """An engine that ended by itself, with nothing running in it, is not followed by signals."""
    await bench.opened()
    closing = asyncio.create_task(bench.carrier.close())
    await bench.peer.until(1)
    bench.peer.acknowledge(Kind.CLOSE_ACK)
    await closing
    assert (bench.peer.input_ended, bench.peer.stopped) == (True, [])


async def test_may_have_run_is_exact(bench: Bench) -> None:
    """A script may have run from the moment its creation is sent, until its pipeline is closed."""
    await bench.opened()
    commanding = asyncio.create_task(bench.carrier.command(ONE, b"creation"))
    await bench.peer.until(1)
    bench.peer.end(Exit(code=1))
    with pytest.raises(ConnectionLost) as caught:
        await commanding
    assert not caught.value.may_have_run
    assert [error.may_have_run for error in bench.ears.lost] == [False]
    assert bench.ears.lost[0].message.endswith("ended (exit code 1); nothing was run")
    await bench.carrier.close()


async def test_each_who_waits_gets_an_error_of_its_own(bench: Bench) -> None:
    """Errors are not shared, so that what one adds to it is not seen by another."""
    await bench.opened()
    await bench.commanded(ONE)
    waiting = [
        asyncio.create_task(bench.carrier.signal(ONE)),
        asyncio.create_task(bench.carrier.send(b"key")),
    ]
    await bench.peer.until(2)
    bench.peer.end(Exit(signal="KILL"))
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [ConnectionLost, ConnectionLost]
    assert len({id(error) for error in (*errors, *bench.ears.lost)}) == 3
    assert "killed by KILL" in str(errors[0])
    await bench.carrier.close()


async def test_a_start_that_fails_is_unreachable(bench: Bench) -> None:
    """What the transport says of the start is told as it is; a missing program with how to get one."""

    async def start(receiver: Receiver) -> Process:
        raise ExecutionFailed("channel-refused", "`web1` refused a channel; nothing was run", hints=("look",))

    carrier = OutOfProcessCarrier(start, description="`pwsh` on `web1`")
    with pytest.raises(Unreachable) as caught:
        await carrier.open(UUID(int=9), fragment(1, 100), bench.ears)
    assert (caught.value.code, caught.value.hints) == ("channel-refused", ("look",))
    assert caught.value.message == "`web1` refused a channel; nothing was run"
    await carrier.close()
    assert (carrier.lost, bench.ears.lost) == (True, [])


async def test_an_abort_while_it_starts_ends_what_comes(bench: Bench) -> None:
    """An engine that is there only after the abort is ended all the same."""
    ready = asyncio.Event()

    async def start(receiver: Receiver) -> Process:
        await ready.wait()
        bench.peers.append(Peer(receiver))
        return bench.peer

    carrier = OutOfProcessCarrier(start, description="`pwsh` on `web1`")
    opening = asyncio.create_task(carrier.open(UUID(int=9), fragment(1, 100), bench.ears))
    await asyncio.sleep(0)
    carrier.abort()
    ready.set()
    with pytest.raises(ConnectionLost):
        await opening
    await carrier.close()
    assert bench.peer.stopped


async def test_a_close_before_the_opening(bench: Bench) -> None:
    """A carrier that was never opened closes without a word, and opens no more."""
    await bench.carrier.close()
    assert bench.carrier.lost
    with pytest.raises(ConnectionLost):
        await bench.carrier.open(UUID(int=9), fragment(1, 100), bench.ears)
    assert bench.peers == []
