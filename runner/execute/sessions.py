"""The kept sessions of a run: one for each session and host, opened when first needed, closed after its last step.

What is kept is an interpreter (sh, bash, python) or a runspace pool (powershell); both answer to :class:`Keepable`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from runner.engine.shape import Assignment
from runner.errors import ExecutionFailed, HostError
from runner.execute.connections import process_link
from runner.execute.patience import HURRIED_GRACE, Patience
from runner.plan.model import Placement, Plan
from runner.shell.kept import KeptInterpreter
from runner.transport.port import Link
from runner.units import format_duration
from runner.using.model import Shell

_log = logging.getLogger(__name__)  # for --trace

PROBE_TIMEOUT = 5.0
"""Seconds within which an interpreter must answer after a timeout to be kept (language.md, "Time")."""

_CLOSE_GRACE = 2.0
"""Seconds a session may take to close where no deadline says more."""

_IDLE_PROBE = 30.0
"""Seconds of idleness after which a session is asked whether it is still there before a step is sent into it."""

_Key: TypeAlias = tuple[str, str]


class Keepable(Protocol):
    """What a session keeps on a host; it runs one script at a time."""

    @property
    def lost(self) -> bool:
        """Whether it has ended, or its link is known to be broken."""

    async def interrupt(self) -> bool:
        """End what runs in it; False where that cannot be done without ending all of it."""

    async def probe(self, timeout: float) -> bool:  # noqa: ASYNC109 - how long it may take is the question
        """Whether it is free, or becomes so, and answers within ``timeout`` seconds."""

    async def reset(self) -> bool:
        """Forget what steps have left in it; False where only a new one would."""

    async def close(self, grace: float) -> bool:
        """End it; True when nothing of it is left, False when that could not be made sure. Idempotent."""


@dataclass(slots=True)
class Kept:
    """A session on a host: its interpreter or pool, and in words what ended it, if it has ended."""

    interpreter: Keepable
    lost_in: str | None = None
    used_at: float = 0.0
    close_within: float = _CLOSE_GRACE

    async def stop(self, grace: float) -> bool:
        """End what runs in it and keep it where it still answers then, else end it; False where that is not sure."""
        kept_before, self.lost_in = self.lost_in, self.lost_in or "a step that was stopped"
        unhurried = grace > HURRIED_GRACE
        if unhurried and await self.interpreter.interrupt() and await self.interpreter.probe(PROBE_TIMEOUT):
            self.lost_in = kept_before
            return True
        return await self.interpreter.close(grace)


class Sessions:
    """The kept sessions of a run.

    ``on_reopen`` gets the name and the host of a lost one that is opened anew, ``on_notice`` a message and a host.
    """

    def __init__(
        self,
        plan: Plan,
        patience: Patience,
        on_reopen: Callable[[str, str], None],
        on_notice: Callable[[str, str], None],
    ) -> None:
        self._plan = plan
        self._patience = patience
        self._on_reopen = on_reopen
        self._on_notice = on_notice
        self._kept: dict[_Key, Kept] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._idle: dict[_Key, asyncio.TimerHandle] = {}
        self._left: Counter[_Key] = Counter(
            key for planned in plan.steps for placement in planned.placements if (key := _key(placement))
        )

    async def lease(self, placement: Placement, link: Link) -> Kept:
        """The placement's session; one assignment at a time asks, which the session's lane sees to.

        Raises:
            ExecutionFailed: it was lost and ``on_loss`` is ``fail``, or it cannot be opened.
            Unreachable: what is to be kept cannot be reached.
            ConnectionLost: the link is gone.

        """
        key = _key(placement)
        if key is None:
            raise ValueError("the placement has no session")
        self._forget_idling(key)
        kept = self._kept.get(key)
        if kept is not None and not await self._answers(kept):
            if placement.session_on_loss != "reopen":
                raise _lost(placement, kept)
            self._on_reopen(*key)
            self._dismiss(self._kept.pop(key))
            kept = None
        if kept is not None and placement.session_reset == "step" and not await self._reset(kept):
            self._dismiss(self._kept.pop(key))
            kept = None
        _log.debug("session %s on %s: %s", *key, "is opened" if kept is None else "is used again")
        if kept is None:
            kept = self._kept[key] = Kept(await self._open(placement, link))
            kept.close_within = _CLOSE_GRACE if placement.close_timeout is None else placement.close_timeout
        kept.used_at = asyncio.get_running_loop().time()
        return kept

    async def _answers(self, kept: Kept) -> bool:
        """Whether the session is there; one that was idle for long is asked, for a dead link tells nothing."""
        if kept.lost_in or kept.interpreter.lost:
            return False
        idle = asyncio.get_running_loop().time() - kept.used_at
        if idle < _IDLE_PROBE or await kept.interpreter.probe(PROBE_TIMEOUT):
            return True
        kept.lost_in = f"{format_duration(round(idle))} of silence"
        return False

    @staticmethod
    async def _reset(kept: Kept) -> bool:
        try:
            return await kept.interpreter.reset()
        except HostError:
            return False

    async def _open(self, placement: Placement, link: Link) -> Keepable:
        if placement.shell is not Shell.POWERSHELL:
            connection = process_link(link)
            return await KeptInterpreter.open(connection, placement.shell, placement.interpreter)
        from runner.execute.powershell.session import PowerShellSession  # noqa: PLC0415 - psrpcore takes its time

        session = PowerShellSession(link, placement, lambda message: self._on_notice(message, placement.host))
        try:
            await session.open()
        except BaseException:
            self._dismiss(Kept(session))
            raise
        return session

    def ended(self, assignment: Assignment) -> asyncio.Task[None] | None:
        """An assignment is over: the last one of a session on a host closes it, and the closing is given."""
        placement = self._plan.steps[assignment.step].placements[assignment.position]
        key = _key(placement)
        if key is None:
            return None
        self._left[key] -= 1
        if (kept := self._kept.get(key)) is not None:
            kept.used_at = asyncio.get_running_loop().time()
        if self._left[key]:
            self._start_idling(key, placement)
            return None
        self._forget_idling(key)
        del self._left[key]
        kept = self._kept.pop(key, None)
        return None if kept is None else self._dismiss(kept)

    def drop(self, host: str) -> None:
        """The host was rebooted: its sessions are gone, and the next step of each begins anew, whatever ``on_loss``.

        The author asked for it, so that nothing of before is left is no loss to them.
        """
        for key in [key for key in self._kept if key[1] == host]:
            self._forget_idling(key)
            self._dismiss(self._kept.pop(key))
            self._on_notice(f"session `{key[0]}` ended with the restart and begins anew", host)

    def _start_idling(self, key: _Key, placement: Placement) -> None:
        """Close the session when nobody uses it for ``idle_close``; ``on_loss`` decides for who comes later."""
        seconds = placement.session_idle_close
        if seconds is not None and key in self._kept and key not in self._idle:
            reason = f"being idle for {format_duration(seconds)}"
            self._idle[key] = asyncio.get_running_loop().call_later(seconds, self._close_idle, key, reason)

    def _forget_idling(self, key: _Key) -> None:
        timer = self._idle.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _close_idle(self, key: _Key, reason: str) -> None:
        del self._idle[key]
        kept = self._kept[key]
        kept.lost_in = kept.lost_in or reason
        self._dismiss(kept)

    async def close(self) -> None:
        """Close all of them, each within its time."""
        for key in list(self._idle):
            self._forget_idling(key)
        for key in list(self._kept):
            self._dismiss(self._kept.pop(key))
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _dismiss(self, kept: Kept) -> asyncio.Task[None]:
        closing = asyncio.ensure_future(self._close(kept))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing

    async def _close(self, kept: Kept) -> None:
        _log.debug("a session is closed, within %s s", kept.close_within)
        await self._patience.stop(_Closing(kept.interpreter), kept.close_within)


@dataclass(frozen=True, slots=True)
class _Closing:
    interpreter: Keepable

    async def stop(self, grace: float) -> bool:
        """Close it."""
        return await self.interpreter.close(grace)


def _key(placement: Placement) -> _Key | None:
    return None if placement.session is None else (placement.session, placement.host)


def _lost(placement: Placement, kept: Kept) -> ExecutionFailed:
    where = kept.lost_in or "an earlier step"
    ends = "a step that ends the interpreter (`exit`, `exec`, a fired `set -e`) ends the session"
    return ExecutionFailed(
        "session-lost",
        f"session `{placement.session}` ended with {where}, and what it held is gone; nothing was run",
        hints=(
            *(() if placement.shell is Shell.POWERSHELL else (ends,)),
            "where later steps do not need its variables, write `on_loss: reopen` on the session",
        ),
        phase="open",
    )
