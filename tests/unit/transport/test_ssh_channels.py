"""The limit of commands over one connection."""

from __future__ import annotations

import asyncio

from runner.transport.ssh_channels import ChannelSlots


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
