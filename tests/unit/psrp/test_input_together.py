"""Items of input that are there go together; those that are waited for go as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from runner.psrp.fragments import Assembler
from runner.psrp.pool import Pool
from runner.psrp.protocol import read_head
from runner.psrp.request import PoolSettings
from tests.support.pipelines import Kept, script
from tests.support.psrp_server import MemoryCarrier

WAIT = 60.0


class Counting(MemoryCarrier):
    """Keeps the kinds of the messages of each send."""

    def __init__(self, fragment_size: int) -> None:
        super().__init__(fragment_size=fragment_size)
        self.sends: list[tuple[int, list[str]]] = []
        self._assembler = Assembler()

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        assert not list(self._assembler.feed(creation)) or self.fragment_size > 200
        await super().command(pipeline, creation)

    async def send(self, data: bytes, **where: object) -> None:
        kinds = [read_head(whole).kind.name for whole in self._assembler.feed(data)]
        self.sends.append((len(data), kinds))
        await super().send(data, **where)  # type: ignore[arg-type]


@pytest.mark.parametrize("fragment_size", [200, 32768, 382464])
async def test_what_is_there_goes_together(fragment_size: int) -> None:
    """In order, never more than the carrier takes, and never so much that it would hold up others."""
    carrier, kept = Counting(fragment_size), Kept()
    pool = Pool(carrier, PoolSettings())
    await pool.open()
    many = 100 if fragment_size == 200 else 1000
    request = script("echo input", input=list(range(many)))
    await asyncio.wait_for(pool.run(request, kept), WAIT)
    await pool.close()

    assert list(map(int, kept.outputs)) == list(range(many))
    assert all(size <= fragment_size for size, _ in carrier.sends)
    kinds = [kind for _, sent in carrier.sends for kind in sent if kind != "CreatePipeline"]
    assert kinds == ["PipelineInput"] * many + ["EndOfPipelineInput"]
    most = max(len(sent) for _, sent in carrier.sends)
    assert most == 2 if fragment_size == 200 else 400 < most < 700


async def test_what_is_waited_for_goes_at_once() -> None:
    """The second item is made only when the first was taken."""
    carrier, kept = Counting(32768), Kept()

    async def items() -> AsyncIterator[int]:
        for number in range(3):
            assert len(carrier.sends) == number
            yield number

    pool = Pool(carrier, PoolSettings())
    await pool.open()
    await asyncio.wait_for(pool.run(script("echo input", input=items()), kept), WAIT)
    await pool.close()

    assert [kinds for _, kinds in carrier.sends] == [["PipelineInput"]] * 3 + [["EndOfPipelineInput"]]
