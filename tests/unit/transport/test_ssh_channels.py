"""The limit of commands over one connection."""

from __future__ import annotations

import asyncio

import pytest

from runner.transport.ssh_channels import ChannelSlots, NoChannel


async def test_no_more_than_the_limit_in_order() -> None:
    """Slots are given first come first served, never more than the limit at once."""
    slots, order = ChannelSlots(2), []

    async def use(number: int) -> None:
        slot = await slots.acquire()
        order.append(number)
        assert slots.used <= 2
        await asyncio.sleep(0)
        slot.release()
        slot.release()

    await asyncio.gather(*(use(number) for number in range(20)))
    assert order == list(range(20))
    assert slots.used == 0


async def test_a_refusal_shrinks_the_limit() -> None:
    """When the host refuses a third channel, no more than two are used from then on."""
    slots = ChannelSlots(8)
    held = [await slots.acquire() for _ in range(3)]
    held[2].refused()
    assert slots.limit == 2
    waiting = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    assert not waiting.done()
    held[0].release()
    await waiting
    assert slots.used == 2


async def test_a_refusal_with_nothing_else_leaves_one() -> None:
    """The limit never falls below one."""
    slots = ChannelSlots(8)
    (await slots.acquire()).refused()
    assert (slots.limit, slots.used) == (1, 0)


async def test_giving_up_waiting_loses_no_slot() -> None:
    """Who is cancelled while waiting, or just when his turn came, does not keep a slot."""
    slots = ChannelSlots(1)
    held = await slots.acquire()
    early, late = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    early.cancel()
    await asyncio.sleep(0)
    held.release()
    late.cancel()
    await asyncio.gather(early, late, return_exceptions=True)
    assert slots.used == 0
    assert (await asyncio.wait_for(slots.acquire(), 1)) is not None


async def test_a_turn_that_comes_just_after_it_was_given_up() -> None:
    """An end right after a cancellation passes the cancelled one over, and the next one has his turn."""
    slots = ChannelSlots(1)
    held = await slots.acquire()
    early, late = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    early.cancel()
    held.release()
    with pytest.raises(asyncio.CancelledError):
        await early
    assert (await asyncio.wait_for(late, 1)) is not None
    assert slots.used == 1


async def test_what_is_kept_does_not_wait() -> None:
    """Where all slots are taken, one to be kept is told so at once, whatever has taken them."""
    slots = ChannelSlots(1)
    held = await slots.acquire()
    with pytest.raises(NoChannel):
        await slots.acquire(kept=True)
    held.release()
    assert (await slots.acquire(kept=True)) is not None


async def test_nothing_waits_for_what_is_kept() -> None:
    """Where all slots are kept nobody waits; where one is not, its end is waited for, and the next one's."""
    slots = ChannelSlots(2)
    kept, short = await slots.acquire(kept=True), await slots.acquire()
    first, second = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
    await asyncio.sleep(0)
    short.release()
    (await asyncio.wait_for(first, 1)).release()
    (await asyncio.wait_for(second, 1)).release()
    await slots.acquire(kept=True)
    with pytest.raises(NoChannel):
        await slots.acquire()
    kept.release()
    assert (await slots.acquire()) is not None


async def test_who_waits_for_what_the_host_then_refuses() -> None:
    """Where the limit shrinks to what is kept, those who wait already are told that no channel will be free."""
    slots = ChannelSlots(2)
    await slots.acquire(kept=True)
    short = await slots.acquire()
    waiting = [asyncio.create_task(slots.acquire()) for _ in range(3)]
    await asyncio.sleep(0)
    short.refused()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ended] == [NoChannel] * 3
    assert (slots.used, slots.limit) == (1, 1)
