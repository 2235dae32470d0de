"""Ends that are waited for: with a deadline each, shorter after a second interrupt, not broken by a further cancel."""

from __future__ import annotations

import asyncio

import pytest

from runner.errors import ExecutionFailed
from runner.execute.guard import Guard, Progress, forget_cancellation, uninterrupted
from runner.execute.patience import HURRIED_GRACE, Patience


class Stubborn:
    """Ends only when its grace is at most ``gives_in``."""

    def __init__(self, gives_in: float) -> None:
        self.gives_in = gives_in
        self.graces: list[float] = []

    async def stop(self, grace: float) -> bool:
        self.graces.append(grace)
        if grace > self.gives_in:
            await asyncio.Event().wait()
        return True


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_hurry_shortens_a_stop_that_is_under_way() -> None:
    """The same process is stopped again with next to no grace."""
    patience, process = Patience(), Stubborn(gives_in=1)
    stopping = asyncio.create_task(patience.stop(process, 30))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(patience.hurry)
    assert await stopping
    assert process.graces == [30, HURRIED_GRACE]


async def test_after_a_hurry_every_stop_is_short() -> None:
    """What is stopped later has no more grace either."""
    patience, process = Patience(), Stubborn(gives_in=1)
    patience.hurry()
    assert await patience.stop(process, 30)
    assert process.graces == [HURRIED_GRACE]


async def test_work_is_stopped_before_a_cancellation_goes_on() -> None:
    """Cancelled twice: the process is still ended, then the cancellation is raised."""
    process, progress = Stubborn(gives_in=60), Progress()
    watching = asyncio.create_task(Guard(Patience(), 5, progress).watch(process, for_ever()))
    await asyncio.sleep(0)
    watching.cancel()
    await asyncio.sleep(0)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert (process.graces, progress.left) == ([5], False)


async def test_what_ended_by_itself_is_not_stopped() -> None:
    """An error of the host says that the process is over."""

    async def refused() -> None:
        raise ExecutionFailed("working-directory", "it is not there")

    process = Stubborn(gives_in=60)
    with pytest.raises(ExecutionFailed):
        await Guard(Patience(), 5, Progress()).watch(process, refused())
    assert process.graces == []


async def test_a_forgotten_cancellation_lets_timeouts_work_again() -> None:
    """A task that has answered its cancellation may use deadlines as if nothing had been."""

    async def answers() -> bool:
        try:
            await for_ever()
        except asyncio.CancelledError:
            forget_cancellation()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await for_ever()
        return True

    task = asyncio.create_task(answers())
    await asyncio.sleep(0)
    task.cancel()
    assert await task


async def test_uninterrupted_work_ends_and_its_error_is_raised() -> None:
    """Work with a deadline is waited for; its own exception comes out."""

    async def broken() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await uninterrupted(broken())
