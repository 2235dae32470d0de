"""What runs on a host is ended before a timeout or a stop goes any further."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from runner.errors import HostError
from runner.execute.patience import MARGIN, Patience, Stoppable

T = TypeVar("T")


@dataclass(slots=True)
class Progress:
    """How far an attempt came, for what its result says of the host.

    ``sent``: the body's text went out, so it may have run. ``left``: something could not be ended and may still run.
    ``asked``: for how many seconds it was asked to stop then. ``children``: what is known of processes that outlived a
    stop, as the end of a sentence, or empty.
    """

    sent: bool = False
    left: bool = False
    asked: float = 0.0
    children: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """Waits for processes of one attempt. ``grace`` is the time in seconds between TERM and KILL."""

    patience: Patience
    grace: float
    progress: Progress

    async def watch(self, process: Stoppable, work: Awaitable[T], margin: float = MARGIN) -> T:
        """The result of ``work``, during which ``process`` runs; where that is cut short, the process is ended.

        That may take the grace and ``margin`` seconds.

        A :class:`HostError` says that the process is over, or that nothing reaches it any more.
        """
        try:
            return await work
        except HostError:
            raise
        except BaseException:
            if not await uninterrupted(self.patience.stop(process, self.grace, margin)):
                self.progress.left, self.progress.asked = True, self.grace + margin
            raise


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, waited for also through further cancellations; only for work with a deadline.

    A cancellation that comes meanwhile is raised when the work is done.
    """
    working = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # noqa: BLE001, S110 - it is raised by result() below
            pass
    if cancelled is not None:
        raise cancelled
    return working.result()


def forget_cancellation() -> None:
    """The cancellation of this task has been answered: what it awaits from here on is not cut short by it."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
