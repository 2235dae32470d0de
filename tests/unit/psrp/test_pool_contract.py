"""The pool over the scripted engine in memory keeps the carriers' contract, and the carrier's own rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.carriers import CarrierContract, CarrierMaker
from tests.support.psrp_server import MemoryCarrier


@pytest.fixture
def carrier_maker() -> Iterator[CarrierMaker]:
    """Carriers in memory; none may ever have been asked for what its contract forbids."""
    made: list[MemoryCarrier] = []

    def make(*options: str) -> MemoryCarrier:
        made.append(MemoryCarrier(*options))
        return made[-1]

    yield make
    assert [violation for carrier in made for violation in carrier.violations] == []


class TestPoolInMemory(CarrierContract):
    """Everything a pool does, without processes and clocks."""
