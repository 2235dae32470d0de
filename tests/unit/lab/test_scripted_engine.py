"""The scripted engine's own words, through psrpcore over a child process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psrpcore
import pytest
from psrpcore.types import PSInvocationState

from runner.psrp.out_of_process import OutOfProcessCarrier
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalConnection
from tests.support.bare_pool import BarePool
from tests.support.engines import scripted_command


@pytest.fixture
async def pool() -> AsyncIterator[BarePool]:
    """An open pool of the engine."""
    connection = LocalConnection(Endpoint(host="localhost", transport="local"))
    carrier = OutOfProcessCarrier(
        lambda receiver: connection.start(scripted_command(), receiver), description="the scripted engine"
    )
    opened = await BarePool(carrier).open()
    yield opened
    await carrier.close()
    await connection.close()


async def test_values_come_back_typed(pool: BarePool) -> None:
    """Arguments and `$using:` values are echoed as they came."""
    assert await pool.run("echo arguments", 1, "two", None, [3, 4]) == [1, "two", None, [3, 4]]
    assert await pool.run("echo using", using={"key": 5}) == [{"key": 5}]


async def test_a_session_keeps_variables_until_it_is_reset(pool: BarePool) -> None:
    """`$v = 5` is there in the next run, and gone after a reset."""
    assert await pool.run("$v = 5\n$v") == ["5"]
    assert await pool.run("$v") == ["5"]
    pool.pool.reset_runspace_state()
    await pool.carrier.send(pool.take())
    assert await pool.run("$v") == [None]
    assert [type(event).__name__ for event in pool.events[-1:]] == ["SetRunspaceAvailabilityEvent"]


async def test_every_stream(pool: BarePool) -> None:
    """One record of each stream comes between two objects, in order."""
    run = await pool.start("streams")
    assert await pool.end(run) is PSInvocationState.Completed
    names = [type(event).__name__.removesuffix("Event") for event in run.events]
    records = ["VerboseRecord", "DebugRecord", "WarningRecord", "InformationRecord", "ProgressRecord"]
    assert names == ["PipelineOutput", *records, "ErrorRecord", "PipelineOutput", "PipelineState"]


@pytest.mark.parametrize(
    ("script", "identifier"),
    [
        ("throw up", "ScriptedFailure"),
        ("Get-Process", "CommandNotFoundException"),
        ("break nothing", "ScriptedFailure"),
        ("emit many", "ScriptedFailure"),
    ],
)
async def test_what_fails(pool: BarePool, script: str, identifier: str) -> None:
    """A thrown text, an unknown word and a wrong argument end in Failed with their id."""
    run = await pool.start(f"say before\n{script}\nsay after")
    assert await pool.end(run) is PSInvocationState.Failed
    assert run.output == ["before"]
    assert run.events[-1].reason.FullyQualifiedErrorId == identifier


async def test_exit_is_a_host_call(pool: BarePool) -> None:
    """`exit 7` is SetShouldExit with 7 and Completed, as PowerShell does it."""
    run = await pool.start("exit 7")
    assert await pool.end(run) is PSInvocationState.Completed
    call = next(event for event in run.events if isinstance(event, psrpcore.PipelineHostCallEvent))
    assert (call.method_identifier.name, call.method_parameters) == ("SetShouldExit", [7])


async def test_no_state_but_the_last(pool: BarePool) -> None:
    """Only terminal states are sent, as a real engine does."""
    run = await pool.start("emit 2")
    await pool.end(run)
    states = [event.state for event in run.events if isinstance(event, psrpcore.PipelineStateEvent)]
    assert (run.output, states) == ([1, 2], [PSInvocationState.Completed])
