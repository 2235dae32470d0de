"""Keys for secure strings: made beside the event loop, and of one pool alone."""

from __future__ import annotations

import threading

import pytest

from runner.psrp.pool import Pool
from runner.psrp.protocol import KeyPair
from runner.psrp.request import PoolSettings
from tests.support.psrp_server import MemoryCarrier


async def test_keys_are_made_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key takes up to a quarter of a second of computing, in which no other host would be heard."""
    made_by: list[threading.Thread] = []
    make = KeyPair.make

    def watched() -> KeyPair:
        made_by.append(threading.current_thread())
        return make()

    monkeypatch.setattr(KeyPair, "make", watched)
    pool = Pool(MemoryCarrier(), PoolSettings())
    await pool.open()
    await pool.exchange_key()
    await pool.exchange_key()
    await pool.close()

    (maker,) = made_by
    assert maker is not threading.main_thread()


def test_no_two_pools_have_the_same_keys() -> None:
    """And nothing of the private one is in what is printed."""
    first, second = KeyPair.make(), KeyPair.make()

    assert first.message != second.message
    assert "private" not in repr(first)
