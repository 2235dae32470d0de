"""PowerShell remoting over a child process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from runner.psrp.out_of_process import OutOfProcessCarrier
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalConnection
from tests.contract.carriers import CarrierContract, CarrierMaker
from tests.contract.out_of_process import Make, OutOfProcessContract
from tests.contract.out_of_process_faults import OutOfProcessFaults
from tests.contract.transports import processes_alive
from tests.support.bare_pool import BarePool
from tests.support.engines import scripted_command


@pytest.fixture
async def connection() -> AsyncIterator[LocalConnection]:
    """A connection to this machine."""
    opened = LocalConnection(Endpoint(host="localhost", transport="local"))
    yield opened
    await opened.close()


@pytest.fixture
def make(connection: LocalConnection) -> Make:
    """A carrier over a child process."""

    def carrier(command: Sequence[str]) -> OutOfProcessCarrier:
        return OutOfProcessCarrier(
            lambda receiver: connection.start(command, receiver), description=f"`{command[0]}` on `localhost`"
        )

    return carrier


class TestCarrierOverProcess(OutOfProcessContract):
    """The carrier's contract, and what only a child process can show."""

    async def test_what_was_started_ends_with_a_running_pipeline(
        self, make: Make, connection: LocalConnection
    ) -> None:
        """Closing under a running pipeline ends the engine and the processes that it started."""
        pool = await BarePool(make(scripted_command())).open()
        (pid,) = await pool.run("spawn 300")
        await pool.start("sleep")
        await pool.carrier.close()
        assert await processes_alive(connection, [pid]) == []

    async def test_what_was_left_behind_in_peace_may_stay(
        self, make: Make, connection: LocalConnection
    ) -> None:
        """A process that a finished script started on purpose outlives the session."""
        pool = await BarePool(make(scripted_command())).open()
        (pid,) = await pool.run("spawn 300")
        await pool.carrier.close()
        assert await processes_alive(connection, [pid]) == [pid]
        await (await connection.start(["kill", str(pid)], _Deaf())).wait()

    async def test_an_abort_ends_what_was_started(self, make: Make, connection: LocalConnection) -> None:
        """An abort says nothing to the engine and leaves nothing of it."""
        pool = await BarePool(make(scripted_command())).open()
        (pid,) = await pool.run("spawn 300")
        pool.carrier.abort()
        pool.carrier.abort()
        await pool.carrier.close()
        assert await processes_alive(connection, [pid]) == []


class TestPoolOverProcess(CarrierContract):
    """What a pool may count on, over a child process."""

    @pytest.fixture
    def carrier_maker(self, make: Make) -> CarrierMaker:
        """A carrier to the scripted engine with these options."""
        return lambda *options: make(scripted_command(*options))


class TestFaultsOverProcess(OutOfProcessFaults):
    """What a session makes of them over a child process."""


class _Deaf:
    def data_received(self, stream: object, data: bytes) -> None:
        """Hear nothing."""
