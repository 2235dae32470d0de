"""PowerShell remoting over a subsystem of a real OpenSSH server."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from runner.errors import ConnectionLost, ExecutionFailed
from runner.psrp.out_of_process import OutOfProcessCarrier
from runner.transport.ssh_connection import SshConnection
from tests.contract.carriers import CarrierContract, CarrierMaker
from tests.contract.out_of_process import Make, OutOfProcessContract, refused
from tests.contract.out_of_process_faults import OutOfProcessFaults
from tests.contract.recorder import Recorder
from tests.contract.ssh_fixtures import connected, needs_sshd
from tests.support import openssh
from tests.support.bare_pool import BarePool
from tests.support.engines import scripted_command, subsystem
from tests.support.openssh import OpenSsh

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """An sshd whose subsystem `powershell` runs what stands in a file, so that each test says what that is."""
    folder = tmp_path_factory.mktemp("sshd")
    with openssh.running(folder, extra=subsystem(["sh", str(folder / "engine")])) as running:
        yield running


@pytest.fixture
async def connection(server: OpenSsh) -> AsyncIterator[SshConnection]:
    """A connection to it."""
    async with connected(server) as opened:
        yield opened


def _carrier(connection: SshConnection, folder: Path, command: Sequence[str]) -> OutOfProcessCarrier:
    (folder / "engine").write_text(f"exec {shlex.join(command)}\n")
    return OutOfProcessCarrier(
        lambda receiver: connection.start_subsystem("powershell", receiver),
        description="the subsystem `powershell` of `web1`",
    )


@pytest.fixture
def make(server: OpenSsh, connection: SshConnection) -> Make:
    """A carrier over the subsystem."""
    return lambda command: _carrier(connection, server.folder, command)


class TestCarrierOverSsh(OutOfProcessContract):
    """The carrier's contract, and what only SSH can show."""

    has_stderr = False

    async def test_a_wrong_subsystem(self, connection: SshConnection) -> None:
        """A name that sshd does not know is told with the line that sshd_config lacks, and the link lives on."""
        carrier = OutOfProcessCarrier(
            lambda receiver: connection.start_subsystem("pwsh7", receiver), description="`pwsh7` of `web1`"
        )
        error = await refused(carrier)
        assert error.code == "subsystem-missing"
        assert "Subsystem pwsh7 /usr/bin/pwsh -sshs -NoLogo -NoProfile" in error.hints[0]
        assert "c:/progra~1/powershell/7/pwsh.exe" in error.hints[1]
        assert not connection.lost

    async def test_a_cut_in_mid_pipeline(self, tmp_path: Path) -> None:
        """A link that breaks under a running script is told once, and the script may have run."""
        with openssh.running(tmp_path, extra=subsystem(["sh", str(tmp_path / "engine")])) as own:
            async with connected(own) as connection:
                pool = await BarePool(_carrier(connection, tmp_path, scripted_command())).open()
                run = await pool.start("sleep")
                own.signal_children(signal.SIGKILL)
                with pytest.raises(ConnectionLost) as caught:
                    await run.end
                await pool.carrier.close()
        assert (caught.value.code, caught.value.may_have_run) == ("connection-lost", True)
        assert caught.value.message.endswith("; the script may have run")
        assert caught.value.message.count("may have run") == 1
        assert len(pool.lost) == 1

    async def test_several_sessions_share_a_connection(self, make: Make, connection: SshConnection) -> None:
        """Sessions of one connection do not know of each other; a closed one gives its channel back."""
        for _ in range(3):
            pools = await asyncio.gather(*(BarePool(make(scripted_command())).open() for _ in range(4)))
            said = await asyncio.gather(*(pool.run(f"say {n}") for n, pool in enumerate(pools)))
            assert said == [["0"], ["1"], ["2"], ["3"]]
            await asyncio.gather(*(pool.carrier.close() for pool in pools))
        assert not connection.lost


class TestPoolOverSsh(CarrierContract):
    """What a pool may count on, over SSH."""

    @pytest.fixture
    def carrier_maker(self, make: Make) -> CarrierMaker:
        """A carrier to the scripted engine with these options."""
        return lambda *options: make(scripted_command(*options))


class TestFaultsOverSsh(OutOfProcessFaults):
    """What a session makes of them over SSH."""


async def test_a_stopped_subsystem_is_closed(server: OpenSsh, connection: SshConnection) -> None:
    """A stop ends the input, then the channel; that nothing is left cannot be known."""
    (server.folder / "engine").write_text(
        "trap '' HUP TERM; echo ready; sleep 1; sleep 1; sleep 1; sleep 1\n"
    )
    recorder = Recorder()
    process = await connection.start_subsystem("powershell", recorder)
    await recorder.until(b"ready\n")
    assert not await process.interrupt()
    assert not await process.stop(0.1)
    with pytest.raises(ConnectionLost):
        await process.wait()
    assert not connection.lost


async def test_a_subsystem_is_bytes_and_an_exit_code(server: OpenSsh, connection: SshConnection) -> None:
    """Every byte passes both ways, nothing leads them, no error output mixes in, and the exit code is told."""
    (server.folder / "engine").write_text("cat; echo trouble >&2; exit 7\n")
    recorder = Recorder()
    process = await connection.start_subsystem("powershell", recorder)
    await process.write(b"\x00\xff bytes")
    await process.write_eof()
    assert (await process.wait()).code == 7
    assert bytes(recorder.stdout) == b"\x00\xff bytes"


async def test_a_closed_connection_starts_nothing(connection: SshConnection) -> None:
    """After a close a subsystem is refused, and nothing was run."""
    await connection.close()
    with pytest.raises(ConnectionLost) as caught:
        await connection.start_subsystem("powershell", Recorder())
    assert not caught.value.may_have_run


async def test_a_missing_subsystem_is_no_lost_link(connection: SshConnection) -> None:
    """What sshd refuses is an error of the start alone."""
    with pytest.raises(ExecutionFailed) as caught:
        await connection.start_subsystem("nothing", Recorder())
    assert (caught.value.code, caught.value.phase) == ("subsystem-missing", "open")
    assert await connection.probe(5)
