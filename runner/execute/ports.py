"""What a run asks of the world around it, beside hosts: somebody who answers gates, and locks on hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from runner.engine.shape import Assignment

if TYPE_CHECKING:
    from runner.execute.site import Site


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a gate. ``who`` answered: a user's name, ``default`` or ``timeout``."""

    go: bool
    who: str


class Gatekeeper(Protocol):
    """Asks a person."""

    @property
    def can_ask(self) -> bool:
        """Whether anybody can answer: a terminal, or a run directory that ``runs approve`` writes to."""

    async def ask(self, step: str, message: str, until: datetime | None) -> Answer | None:
        """The answer; None where ``until`` passed without one."""


class RunLocks(Protocol):
    """Hosts held on the controller (``lock: run``), all of a run at once or none."""

    async def acquire(self, hosts: Collection[str]) -> None:
        """Hold them until :meth:`release`, waiting as long as ``--lock-wait`` allows.

        Raises:
            LockHeld: somebody else holds one; the message says who since when.

        """

    async def release(self) -> None:
        """Give all of them back. Idempotent, never raises."""


class TargetLocks(Protocol):
    """Locks on the hosts themselves (``lock: target``), each held from the first step that asks until the last."""

    async def hold(self, site: Site) -> None:
        """Hold the host of the site, or go on holding it; returns with the lock. Nothing of the body is sent before.

        Raises:
            HostError: it cannot be had; becomes the host's result.

        """

    def ended(self, assignment: Assignment) -> asyncio.Task[None] | None:
        """An assignment is over: the last one that could ask gives the lock back, and that is given.

        The host's connection stays open until it is done.
        """

    async def close(self) -> None:
        """Give all of them back, each within its time; called before connections are closed. Never raises."""


class ConnectGate(Protocol):
    """How many connections may be opened at once just now (adaptive pools); told how each of them went."""

    async def enter(self, pools: Collection[str]) -> None:
        """Wait until one more may be opened in all of these pools."""

    def leave(self, pools: Collection[str], *, ok: bool, seconds: float) -> None:
        """It was opened in so many seconds, or was refused or timed out."""
