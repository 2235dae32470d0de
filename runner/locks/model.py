"""Who holds a host, and what became of asking for some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.errors import UsageError


class DatabaseBusy(UsageError):
    """Others wrote all the time for as long as may be waited; the database itself is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that runs a playbook and holds hosts.

    Attributes:
        holding: a random word of this process's holding; only who knows it renews or releases (fencing).
        run: the run's id.
        playbook: its path as it was typed.
        user: name of the user that started it.
        controller: name of the machine it runs on.
        machine: what tells that machine, its boot and its table of processes from any other; empty is not known.
        pid: the process.
        started: when the process started, in the kernel's ticks since boot: a pid is used again. 0 is not known.

    """

    holding: str
    run: str
    playbook: str
    user: str
    controller: str
    machine: str
    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class Held:
    """A host that is held. ``token`` grew by one with each grant of the host; ``expires`` is when it may be taken.

    ``alive`` is whether the process that holds it lives: None where that cannot be seen from this machine.
    """

    host: str
    token: int
    holder: Holder
    since: datetime
    expires: datetime
    alive: bool | None = None
    expired: bool = False

    @property
    def free_to_take(self) -> bool:
        """Whether the next who asks gets it: its process is gone, or nobody can say and its time is over.

        A process that is known to live keeps its hosts also when it was too busy, or asleep, to renew in time.
        """
        return self.alive is False or (self.alive is None and self.expired)


@dataclass(frozen=True, slots=True)
class Granted:
    """All hosts that were asked for, each with its token; ``taken_over`` from runs that are gone."""

    tokens: Mapping[str, int]
    taken_over: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """None of them, because others hold these, or came ``ahead`` and wait for these; both sorted by host.

    Of who is ahead ``token`` is the ticket, ``since`` when it came.
    """

    held: tuple[Held, ...]
    ahead: tuple[Held, ...] = ()
