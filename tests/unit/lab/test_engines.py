"""Engines behind Windows-like hosts: a child with an environment of its own, and the replay within this process."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64decode
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psrpcore import ClientRunspacePool

from runner.errors import HostError, Unreachable
from runner.lab.engines import child_engine, engine_command, engine_environment, in_process_engine
from runner.transport.carrier import Carrier
from tests.support.winrm_lab import recordings


class Heard:
    """What came from an engine."""

    def __init__(self) -> None:
        self.fragments: list[tuple[bytes, UUID | None]] = []
        self.lost: list[HostError] = []
        self.changed = asyncio.Event()

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        self.fragments.append((data, pipeline))
        self.changed.set()

    def carrier_lost(self, error: HostError) -> None:
        self.lost.append(error)
        self.changed.set()

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        raise AssertionError(pipeline, error)

    def answer_missed(self, pipeline: UUID) -> None:
        raise AssertionError(pipeline)

    def notice(self, message: str) -> None:
        raise AssertionError(message)


async def opened(carrier: Carrier) -> Heard:
    """Open a pool: three messages come back."""
    heard = Heard()
    pool = ClientRunspacePool(runspace_pool_id=uuid4())
    pool.open()
    payload = pool.data_to_send(32_768)
    assert payload is not None
    async with asyncio.timeout(60):
        await carrier.open(pool.runspace_pool_id, payload.data, heard)
        while b"RunspaceState" not in heard.fragments[-1][0] if heard.fragments else True:
            heard.changed.clear()
            await heard.changed.wait()
    return heard


async def test_many_pools_live_in_one_process() -> None:
    """Each answers for itself and ends without the others."""
    start = in_process_engine(recordings())
    carriers = [start() for _ in range(50)]
    heard = await asyncio.gather(*map(opened, carriers))
    assert all(pipeline is None for each in heard for _, pipeline in each.fragments)
    await carriers[0].close()
    carriers[1].abort()
    assert [carrier.lost for carrier in carriers[:3]] == [True, True, False]
    await asyncio.gather(*(carrier.close() for carrier in carriers))
    assert all(not each.lost for each in heard)


async def test_a_pipeline_runs_and_is_closed() -> None:
    """A stop of one that never began to run is answered too."""
    carrier = in_process_engine(recordings())()
    await opened(carrier)
    pipeline = uuid4()
    async with asyncio.timeout(60):
        await carrier.command(pipeline, bytes(21))
        await carrier.signal(pipeline)
        await carrier.close_pipeline(pipeline)
        await carrier.close()


@pytest.mark.pwsh
async def test_a_child_has_an_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this process's, its own home as directory, and it ends with its pool."""
    monkeypatch.setenv("SECRET_OF_THE_CONTROLLER", "1")
    recorded = tmp_path / "recorded"
    command = (
        "sh", "-c", 'pwd > "$1"; env | cut -d= -f1 | sort >> "$1"; shift; exec "$@"', "-", str(recorded),
        *engine_command(Path(__file__).parents[2] / "recordings" / "server"),
    )  # fmt: skip
    carrier = child_engine(command, engine_environment(tmp_path, COMPUTERNAME="win-01"))()
    await opened(carrier)
    await carrier.close()
    directory, *names = recorded.read_text(encoding="utf-8").split()
    assert directory == str(tmp_path)
    assert {"COMPUTERNAME", "HOME", "LANG", "PATH", "PYTHONPATH"} <= set(names)
    assert "SECRET_OF_THE_CONTROLLER" not in names


def test_what_dotnet_needs_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them a PowerShell that is no package of the system finds no .NET, or stops for want of ICU."""
    monkeypatch.setenv("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
    monkeypatch.setenv("SECRET_OF_THE_CONTROLLER", "1")
    environment = engine_environment(tmp_path)
    assert environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] == "1"
    assert "SECRET_OF_THE_CONTROLLER" not in environment


def test_powershell_is_started_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a first script in its own encoding; else the replay is, which needs none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine_command(tmp_path, mode="-sshs")[:4] == (sys.executable, "-m", "runner.lab.replay", "-sshs")
    program = tmp_path / "pwsh"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    assert engine_command(tmp_path) == (str(program), "-s", "-NoLogo", "-NoProfile")
    *_, option, encoded = engine_command(tmp_path, first="'ä'")
    assert (option, b64decode(encoded).decode("utf-16-le")) == ("-EncodedCommand", "'ä'")


async def test_an_engine_that_is_none_is_told(tmp_path: Path) -> None:
    """A program that ends at once opens nothing."""
    carrier = child_engine((sys.executable, "-c", "pass"), engine_environment(tmp_path))()
    with pytest.raises(Unreachable):
        await opened(carrier)
    await carrier.close()
