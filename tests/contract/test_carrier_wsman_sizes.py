"""Hosts whose administrators let WinRM take less in one message than Windows does by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConnectionLost
from runner.lab.wsman_settings import Quotas
from runner.psrp.pool import Pool
from runner.psrp.request import PipelineState
from tests.contract.test_carrier_wsman import pooled
from tests.support.engines import scripted_command
from tests.support.pipelines import Kept, script
from tests.support.winrm_lab import child, front_end

TEXT = "0123456789abcdef" * 65536


async def echo(pool: Pool) -> list[object]:
    """Send a large argument and large input, and have them back."""
    kept = Kept()
    end = await pool.run(script("echo arguments\necho input", TEXT, input=[TEXT, None, TEXT]), kept)
    assert end.state is PipelineState.COMPLETED
    return kept.outputs


@pytest.mark.parametrize("most", [500, 150])
async def test_large_values_reach_a_host_that_takes_less(most: int, tmp_path: Path) -> None:
    """150 KiB is what every Windows takes: found out by one refusal, and nothing is lost or comes twice."""
    engine = child(tmp_path, scripted_command())
    async with (
        front_end(engine=engine, quotas=Quotas(max_envelope_size_kb=most)) as host,
        pooled(host) as pool,
    ):
        assert await echo(pool) == [TEXT, TEXT, None, TEXT]
        refused = host.counters.operations["Command"] - 1
        assert await echo(pool) == [TEXT, TEXT, None, TEXT]
        assert refused == (1 if most == 150 else 0)
        assert host.counters.operations["Command"] == refused + 2


async def test_a_host_that_takes_next_to_nothing_is_told_of(tmp_path: Path) -> None:
    """Below that nothing works; the error says what to set."""
    engine = child(tmp_path, scripted_command())
    async with front_end(engine=engine, quotas=Quotas(max_envelope_size_kb=60)) as host, pooled(host) as pool:
        with pytest.raises(ConnectionLost) as caught:
            await echo(pool)
        assert caught.value.code == "envelope-too-large"
        assert "MaxEnvelopeSizekb" in caught.value.hints[0]
