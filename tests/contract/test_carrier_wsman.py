"""The WSMan carrier, its wire and a real pool against the lab's Windows-like host, in peace and in every trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.lab.troubles import Kind, Trouble
from runner.lab.wsman_settings import Manners, Quotas
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
from runner.transport.endpoint import Authentication, Endpoint, SessionOptions, WinrmSettings
from runner.transport.port import Login, PowerShellLink
from runner.transport.winrm_uris import resource_uri
from runner.values import Secret
from runner.wsman.transport import WinrmTransport
from tests.support.engines import scripted_command
from tests.support.winrm_lab import WinrmHost, child, front_end

MANNERS = pytest.mark.parametrize("manners", list(Manners), ids=str)
NUMBERS = "1..3"


@dataclass
class Seen:
    """What a pipeline gave."""

    output: list[Any] = field(default_factory=list)
    records: list[tuple[RecordKind, Any]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def output_received(self, value: Any) -> None:
        """Keep."""
        self.output.append(value)
        self.came.set()

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """Keep."""
        self.records.append((kind, record))


def endpoint(
    host: WinrmHost, *, path: str = "/wsman", allow_redirection: bool = False, **options: Any
) -> Endpoint:
    """How to reach a host of the lab: Basic over http, which says aloud that nothing is encrypted."""
    return Endpoint(
        host="web01",
        transport="winrm",
        address="127.0.0.1",
        port=host.port,
        session_options=SessionOptions(no_encryption=True, **options),
        winrm=WinrmSettings(
            url=f"http://127.0.0.1:{host.port}{path}",
            resource_uri=resource_uri(),
            authentication=Authentication.BASIC,
            allow_redirection=allow_redirection,
        ),
    )


@asynccontextmanager
async def linked(host: WinrmHost, **more: Any) -> AsyncIterator[PowerShellLink]:
    """A link to a host."""
    transport = WinrmTransport()
    link = await transport.connect(
        endpoint(host, **more), Login(username=host.user, password=Secret(host.password))
    )
    try:
        yield link
    finally:
        await link.close()
        await transport.close()


@asynccontextmanager
async def pooled(host: WinrmHost, *, late_timeout: float = 10.0, **more: Any) -> AsyncIterator[Pool]:
    """An open pool on a host."""
    settings = PoolSettings(open_timeout=60, cancel_timeout=30, late_timeout=late_timeout)
    async with linked(host, **more) as link:
        pool = Pool(link.carrier(name="Runspace1"), settings)
        await pool.open()
        try:
            yield pool
        finally:
            await pool.close()


class Counting(Seen):
    """What a pipeline gave, and how often the host had been asked for output when the last of it came."""

    def __init__(self, host: WinrmHost) -> None:
        super().__init__()
        self.host = host
        self.asked = 0

    def output_received(self, value: Any) -> None:
        """Keep, before the next Receive goes out."""
        self.asked = self.host.counters.operations["Receive"]
        super().output_received(value)


async def run(pool: Pool, script: str) -> tuple[Seen, PipelineEnd]:
    """Run a script."""
    seen = Seen()
    async with asyncio.timeout(120):
        end = await pool.run(request(script), seen)
    return seen, end


def request(script: str) -> PipelineRequest:
    """A script to be run."""
    return PipelineRequest(statements=(Statement((Command(script, is_script=True),)),))


@pytest.mark.pwsh
@MANNERS
async def test_a_kept_session_runs_one_script_after_the_other(manners: Manners, tmp_path: Path) -> None:
    """One shell, its own output for each, and nothing left at the server afterwards."""
    async with front_end(manners=manners, engine=child(tmp_path)) as host:
        async with pooled(host) as pool:
            for _ in range(3):
                seen, end = await run(pool, NUMBERS)
                assert (seen.output, end.state) == ([1, 2, 3], PipelineState.COMPLETED)
        assert host.counters.shells_opened == 1
        assert host.shells == 0


@MANNERS
async def test_a_probe_is_answered_and_an_idle_session_asks_nothing(manners: Manners) -> None:
    """Pool messages come while somebody listens; between, there is no request at all."""
    async with front_end(manners=manners) as host, pooled(host) as pool:
        assert await pool.probe(30)
        await run(pool, NUMBERS)
        before = sum(host.counters.operations.values())
        await asyncio.sleep(0.5)
        operations = host.counters.operations
        assert sum(operations.values()) - before <= 1  # the close of the pipeline may have been on its way
        assert await pool.probe(30)


async def test_the_link_tells_whether_winrm_answers() -> None:
    """Identify needs no shell, and a link that is closed asks nothing."""
    async with front_end() as host:
        async with linked(host) as link:
            assert isinstance(link, PowerShellLink)
            assert await link.probe(30)
            host.front.network(up=False)
            assert not await link.probe(5)
            host.front.network(up=True)
        assert link.lost
        assert not await link.probe(5)
        assert host.shells == 0


@pytest.mark.pwsh
async def test_several_sessions_share_a_link(tmp_path: Path) -> None:
    """Each has a shell of its own, and they do not wait for each other."""
    async with front_end(engine=child(tmp_path)) as host, linked(host) as link:
        pools = [Pool(link.carrier(), PoolSettings(open_timeout=120)) for _ in range(3)]
        await asyncio.gather(*(pool.open() for pool in pools))
        results = await asyncio.gather(*(run(pool, NUMBERS) for pool in pools))
        assert [seen.output for seen, _ in results] == [[1, 2, 3]] * 3
        assert host.shells == 3
        await asyncio.gather(*(pool.close() for pool in pools))
        assert host.shells == 0


@pytest.mark.pwsh
@MANNERS
async def test_a_stop_lets_finally_speak(manners: Manners, tmp_path: Path) -> None:
    """The misspelt signal stops the pipeline; what it still says comes, and the session goes on."""
    script = "1; try { Start-Sleep 300 } finally { 'finally' }; 2"
    async with front_end(manners=manners, engine=child(tmp_path)) as host, pooled(host) as pool:
        seen = Seen()
        running = asyncio.create_task(pool.run(request(script), seen))
        async with asyncio.timeout(60):
            await seen.came.wait()
            assert await pool.stop()
            end = await running
        assert end.state is PipelineState.STOPPED
        assert seen.output == [1, "finally"]
        assert (await run(pool, NUMBERS))[0].output == [1, 2, 3]


async def test_output_survives_a_connection_that_breaks() -> None:
    """The Receive is sent again, and a person is told."""
    async with front_end() as host, pooled(host) as pool:
        notices: list[str] = []
        pool.on_notice = notices.append
        host.troubles.add(Trouble(kind=Kind.DISCONNECT, on="Receive"))
        seen, end = await run(pool, NUMBERS)
        assert (seen.output, end.state) == ([1, 2, 3], PipelineState.COMPLETED)
        assert "interrupted" in notices[0]


async def test_output_survives_an_answer_that_is_cut() -> None:
    """Windows gives the answer again to the same message id, the end of the script among it."""
    async with front_end() as host, pooled(host) as pool:
        host.troubles.add(Trouble(kind=Kind.CUT, on="Receive"))
        seen, end = await run(pool, NUMBERS)
        assert (seen.output, end.state) == ([1, 2, 3], PipelineState.COMPLETED)
        assert (await run(pool, NUMBERS))[0].output == [1, 2, 3]


async def test_an_end_that_was_cut_off_is_not_waited_for() -> None:
    """A server that keeps no answer has nothing more to say: it is asked whether it is free, and the step ends."""
    async with front_end(manners=Manners.OMI) as host:
        async with pooled(host, late_timeout=0.5) as pool:
            host.troubles.add(Trouble(kind=Kind.CUT, on="Receive"))
            with pytest.raises(ConnectionLost) as caught:
                await run(pool, NUMBERS)
            assert (caught.value.code, caught.value.may_have_run) == ("pool-end-missed", True)
            assert pool.lost
        assert host.shells == 0


@MANNERS
async def test_a_script_that_runs_on_outlives_an_answer_that_is_cut(manners: Manners, tmp_path: Path) -> None:
    """The host says that it still works, so the end is waited for, and comes."""
    script = "say 1\nfinally ended"
    async with front_end(manners=manners, engine=child(tmp_path, scripted_command())) as host:
        async with pooled(host, late_timeout=0.2) as pool:
            notices: list[str] = []
            pool.on_notice = notices.append
            seen = Counting(host)
            running = asyncio.create_task(pool.run(request(script), seen))
            async with asyncio.timeout(60):
                # What holds output may not be cut: such a server does not say it again.
                await seen.came.wait()
                while host.counters.operations["Receive"] == seen.asked:
                    await asyncio.sleep(0.01)
                asked = host.counters.operations["Send"]
                host.front.drop_connections()
                while not any("is back" in notice for notice in notices):
                    await asyncio.sleep(0.01)
                # It is asked twice whether it still works.
                while host.counters.operations["Send"] < asked + 2:
                    await asyncio.sleep(0.01)
                assert await pool.stop()
                end = await running
        assert (seen.output, end.state) == (["1", "ended"], PipelineState.STOPPED)


async def test_output_survives_an_outage() -> None:
    """The host is off the network for a while; the script runs on there."""
    async with front_end() as host, pooled(host) as pool:
        notices: list[str] = []
        pool.on_notice = notices.append
        host.troubles.add(Trouble(kind=Kind.OUTAGE, on="Receive", seconds=2))
        seen, _ = await run(pool, NUMBERS)
        assert seen.output == [1, 2, 3]
        assert "is back" in notices[-1]


@pytest.mark.parametrize(
    "kind", [Kind.TRUNCATED_FRAGMENT, Kind.FOREIGN_FRAGMENT, Kind.SERVER_ERROR, Kind.UNAUTHORIZED, Kind.KILL]
)
async def test_what_breaks_a_session_ends_it(kind: Kind) -> None:
    """Within its time, with a reason, and with the session given up."""
    async with front_end() as host, pooled(host) as pool:
        host.troubles.add(Trouble(kind=kind, on="Receive", times=None))
        with pytest.raises(HostError) as caught:
            await run(pool, NUMBERS)
        assert isinstance(caught.value, ConnectionLost)
        assert caught.value.may_have_run
        assert "nothing was run" not in caught.value.message
        assert pool.lost


async def one_by_one() -> AsyncIterator[int]:
    """Input that is not all there at once, so that its end goes in a Send of its own."""
    for item in (1, 2):
        yield item


@pytest.mark.parametrize("action", ["Command", "Send"])
async def test_a_command_or_input_is_never_sent_twice(action: str) -> None:
    """What may have run is said so, and is not run again."""
    async with front_end() as host, pooled(host) as pool:
        host.troubles.add(Trouble(kind=Kind.CUT, on=action))
        asked = PipelineRequest(
            statements=(Statement((Command("$input | % { $_ * 2 }", is_script=True),)),), input=one_by_one()
        )
        with pytest.raises(ConnectionLost) as caught:
            await pool.run(asked, Seen())
        assert caught.value.may_have_run
        assert host.counters.operations[action] == 1


async def test_a_full_quota_is_told_with_what_raises_it() -> None:
    """The first session goes on."""
    async with front_end(quotas=Quotas(max_shells_per_user=1)) as host, linked(host) as link:
        first = Pool(link.carrier(), PoolSettings(open_timeout=60))
        await first.open()
        second = Pool(link.carrier(), PoolSettings(open_timeout=60))
        with pytest.raises(Unreachable) as caught:
            await second.open()
        await second.close()
        assert caught.value.code == "quota-shells"
        assert "MaxShellsPerUser" in "\n".join(caught.value.hints)
        assert (await run(first, NUMBERS))[0].output == [1, 2, 3]
        await first.close()


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_redirection_is_followed_only_with_leave(allowed: bool) -> None:
    """To another path of the same host, with a notice; without leave the message names the target."""
    async with front_end(application_names=("wsman", "other")) as host:
        target = f"http://127.0.0.1:{host.port}/wsman"
        host.troubles.add(Trouble(kind=Kind.REDIRECT, on="Create", location=target))
        notices: list[str] = []
        async with linked(host, path="/other", allow_redirection=allowed) as link:
            pool = Pool(link.carrier(), PoolSettings(open_timeout=60))
            pool.on_notice = notices.append
            if allowed:
                await pool.open()
                assert (await run(pool, NUMBERS))[0].output == [1, 2, 3]
            else:
                with pytest.raises(Unreachable, match=target) as caught:
                    await pool.open()
                assert caught.value.code == "redirect-refused"
            await pool.close()
        assert [target in notice for notice in notices] == ([True] if allowed else [])


async def test_redirections_without_end_are_ended() -> None:
    """After as many as are allowed."""
    async with front_end() as host:
        host.troubles.add(
            Trouble(
                kind=Kind.REDIRECT,
                on="Create",
                times=None,
                location=f"http://127.0.0.1:{host.port}/wsman?hop={{n}}",
            )
        )
        async with linked(host, allow_redirection=True, maximum_redirection=3) as link:
            pool = Pool(link.carrier(), PoolSettings(open_timeout=60))
            with pytest.raises(Unreachable) as caught:
                await pool.open()
            await pool.close()
        assert caught.value.code == "redirect-loop"


async def test_a_session_has_what_its_options_say() -> None:
    """Idle time, buffering, no profile, the operations' time and the session's name are on the wire."""
    async with front_end() as host:
        options: dict[str, Any] = {
            "idle_timeout": 120.0,
            "output_buffering_mode": "drop",
            "no_machine_profile": True,
            "operation_timeout": 90.0,
        }
        async with pooled(host, **options):
            said = next(asked for asked in host.requests if asked.operation == "Create")
    shell = ET.tostring(said.body, encoding="unicode")
    assert "IdleTimeOut>PT120.000S<" in shell
    assert "BufferMode>Drop<" in shell
    assert "Name>Runspace1<" in shell
    assert said.options["WINRS_NOPROFILE"] == "1"
    assert said.operation_timeout == 90.0
