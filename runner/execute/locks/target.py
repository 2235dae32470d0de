"""``lock: target``: hosts hold their own locks, for this run, from its first step there that asks to the last.

A lock expires by the host's clock unless it is renewed from here, so what a dead controller held is free after a while.
It is the machine's: names of one machine share it within a run, and shut each other's runs out.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runner.engine.observe import Notice, Observer, RunEvent, Waits
from runner.engine.shape import Assignment
from runner.errors import ConnectionLost, ExecutionFailed, HostError
from runner.execute.bodies.prepare import stays_here
from runner.execute.bodies.talk import HostTalk
from runner.execute.bodies.waiting import Waiting
from runner.execute.connections import shared_key
from runner.execute.control.delegation import places_of
from runner.execute.guard import Guard, Progress, uninterrupted
from runner.execute.locks.answers import Answer, OnHost, read_answer
from runner.execute.locks.scripts import POSIX, POWERSHELL
from runner.execute.site import Site
from runner.locks.process import this_process
from runner.plan.model import Plan
from runner.transport.endpoint import Endpoint
from runner.units import format_duration

TTL = 180
"""Seconds that a lock on a host is held without being renewed: longer than on the controller, for each renewal is a
script on each host."""

_RENEWALS = 3
"""How often within the TTL."""

_PAUSE = 2.0
"""Seconds between two looks at a lock that others hold."""

_SOON = 0.2
"""Seconds after which a step asks again that found a lock of its own run which is being taken or given back."""

_GIVE_BACK = 10.0
"""Seconds that giving a lock back may take; one that is not given back expires."""


@dataclass(slots=True, eq=False)
class _Lock:
    """A lock on a machine. ``users`` are the names of the machine that share it; ``site`` is where it was taken.

    ``held``: it is, as far as is known. ``asked``: it may be, for what asked for it was cut short.
    """

    holding: str
    site: Site
    observer: Observer
    users: int = 1
    held: bool = False
    asked: bool = False
    keeping: asyncio.Task[None] | None = None
    lost: ExecutionFailed | None = None


@dataclass(slots=True, eq=False)
class _Place:
    """How a host is reached. ``asking`` is there while a step takes the lock, and done when it is over."""

    asking: asyncio.Future[None] | None = None
    lock: _Lock | None = None


class TargetLocks:
    """The locks on hosts of one run; a :class:`runner.execute.ports.TargetLocks`.

    ``wait`` is how long a step waits for a host that another run holds, in seconds (``--lock-wait``). ``folder`` is
    where the lock is on the hosts, empty for the place that all runs look at.
    """

    def __init__(self, plan: Plan, *, wait: float, folder: str = "") -> None:
        self._wait = wait
        self._folder = folder
        self._about = about_holder(plan.run)
        self._run = plan.run
        self._places: dict[Endpoint, _Place] = {}
        self._locks: dict[str, _Lock] = {}
        self._ours: set[str] = set()
        self._giving: set[asyncio.Task[None]] = set()
        self._steps = frozenset(
            planned.index
            for planned in plan.steps
            if (planned.step.lock or plan.playbook.lock) == "target" and not stays_here(planned)
        )
        self._plan = plan
        self._left = Counter(
            shared_key(place.endpoint)
            for number in self._steps
            for placement in plan.steps[number].placements
            for place in places_of(placement)
        )

    async def hold(self, site: Site) -> None:
        """Hold the host of the site, or go on holding it; while it waits it has no throttle slot.

        Raises:
            ExecutionFailed: another run holds it and did not give it back in time, or has taken it from this one.
            Unreachable: the host cannot be reached.

        """
        place = self._places.setdefault(shared_key(site.placement.endpoint), _Place())
        waiting = Waiting(site, Waits.LOCK, None)
        while place.asking is not None:
            await waiting.away(asyncio.shield(place.asking), "another step takes the lock on the host")
        asking = place.asking = asyncio.get_running_loop().create_future()
        try:
            lock = place.lock
            if lock is not None and lock.lost is not None:
                raise lock.lost
            if lock is None or not lock.held:
                await self._take(place, site)
        finally:
            place.asking = None
            asking.set_result(None)

    def ended(self, assignment: Assignment) -> asyncio.Task[None] | None:
        """An assignment is over: the last one that could ask gives the lock back."""
        if assignment.step not in self._steps:
            return None
        tasks = []
        for place in places_of(self._plan.steps[assignment.step].placements[assignment.position]):
            key = shared_key(place.endpoint)
            self._left[key] -= 1
            if not self._left[key]:
                tasks.append(self._leave(self._places.pop(key, None)))
        given = [task for task in tasks if task is not None]
        return given[0] if len(given) == 1 else asyncio.ensure_future(_all(given)) if given else None

    async def close(self) -> None:
        """Give all of them back, each within its time."""
        for key in list(self._places):
            self._leave(self._places.pop(key))
        await asyncio.gather(*self._giving, return_exceptions=True)

    async def _take(self, place: _Place, site: Site) -> None:
        """Take the lock, or share the one that another name of the same machine holds."""
        lock = place.lock
        if lock is None:
            lock = place.lock = _Lock(secrets.token_hex(16), _quiet(site), site.services.observer)
            self._ours.add(lock.holding)
            site.services.connections.hold(site.placement)  # until it is given back
        asked, gone = Waiting(site, Waits.LOCK, self._wait), ""
        talk = HostTalk(aside(site), in_session=False)
        try:
            while True:
                renewed = site.services.clock.monotonic()
                lock.asked = True
                answer = await self._ask(talk, "take", lock.holding, gone)
                lock.asked = False
                if answer.taken:
                    break
                if (other := self._locks.get(answer.by.holding if answer.by else "")) is not None:
                    other.users += 1
                    self._leave(place)
                    place.lock = other
                    return
                gone = self._left_behind(answer.by)
                if not gone:
                    await self._pause(lock, talk, asked, answer)
        finally:
            await uninterrupted(talk.close())
        lock.held = True
        self._locks[lock.holding] = lock
        if lock.keeping is None or lock.keeping.done():
            lock.keeping = asyncio.create_task(self._keep(lock, renewed))

    def _left_behind(self, by: OnHost | None) -> str:
        """The holding of an earlier process of this same run, which a resumed run goes on from; else empty."""
        return by.holding if by is not None and by.run == self._run and by.holding not in self._ours else ""

    async def _pause(self, lock: _Lock, talk: HostTalk, asked: Waiting, answer: Answer) -> None:
        """Wait for who holds it, who may be this run where it is just giving the lock back.

        Raises:
            ExecutionFailed: there is no time left.

        """
        await talk.close()
        if answer.by is not None and answer.by.run == self._run:
            clock = lock.site.services.clock
            await asked.away(clock.sleep(_SOON), "another step of this run is about to hold or free the host")
            return
        if asked.over:
            waited = f" and did not give it back in {format_duration(self._wait)}" if self._wait else ""
            raise ExecutionFailed(
                "lock-target-held",
                f"{answer.who} holds the lock on this host{waited}; nothing was run",
                hints=(
                    "wait until it is given back: `--lock-wait 10m`",
                    f"where that run is gone, the lock is free after {format_duration(float(TTL))} at most",
                    "or release it by hand: `runner locks release --on-hosts -i INVENTORY HOST --force`",
                ),
                phase="open",
            )
        await asked.pause(_PAUSE, f"{answer.who} holds the lock on this host")

    async def _ask(self, talk: HostTalk, verb: str, holding: str, gone: str = "") -> Answer:
        """One script on the host.

        Raises:
            HostError: it could not be sent, or the host refused.

        """
        return await ask_host(talk, (verb, holding, str(TTL), self._about, gone, self._folder))

    async def _keep(self, lock: _Lock, renewed: float) -> None:
        """Renew until cancelled. ``renewed`` is when that was last asked with success, by the run's clock."""
        services = lock.site.services
        clock, pause = services.clock, TTL / _RENEWALS
        while True:
            await clock.sleep(pause)
            asked = clock.monotonic()
            try:
                answer = await self._renew(lock, patient=asked - renewed < TTL / 2)
            except HostError:
                answer = None
            if answer is not None and answer.taken:
                renewed, pause = asked, TTL / _RENEWALS
            elif answer is not None:
                lock.held = False
                lock.lost = ExecutionFailed(
                    "lock-target-lost",
                    f"the lock on this host was lost to {answer.who}; nothing was run",
                    phase="open",
                )
                self._tell(lock, f"the lock on the host was lost to {answer.who}: later steps fail there")
                return
            elif clock.monotonic() - renewed + (pause := TTL / (4 * _RENEWALS)) >= TTL:
                lock.held = False
                self._tell(lock, "the lock on the host could not be renewed: the next step takes it anew")
                return

    async def _renew(self, lock: _Lock, *, patient: bool) -> Answer | None:
        """Ask the host; None where its connection is gone, which is opened anew only when time gets short.

        A host that is rebooted is left in peace by this.
        """
        site = lock.site
        if patient and not site.services.connections.is_open(site.placement.endpoint):
            return None
        talk = HostTalk(site, in_session=False)
        try:
            return await self._ask(talk, "keep", lock.holding)
        finally:
            await uninterrupted(talk.close())

    def _leave(self, place: _Place | None) -> asyncio.Task[None] | None:
        """One name of a machine needs the lock no more; the last one gives it back."""
        if place is None or place.lock is None:
            return None
        lock, place.lock = place.lock, None
        lock.users -= 1
        if lock.users:
            return None
        self._locks.pop(lock.holding, None)
        giving = asyncio.ensure_future(self._give(lock))
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)
        return giving

    async def _give(self, lock: _Lock) -> None:
        """Give it back; what was only asked for, too, for as long as there is a connection."""
        services, placement = lock.site.services, lock.site.placement
        if lock.keeping is not None:
            lock.keeping.cancel()
            await asyncio.gather(lock.keeping, return_exceptions=True)
        given = asyncio.Event()
        if lock.held or (lock.asked and services.connections.is_open(placement.endpoint)):
            with suppress(HostError):
                await services.patience.close(self._give_back(lock, given), _GIVE_BACK)
        if lock.held and not given.is_set():
            free = format_duration(float(TTL))
            self._tell(lock, f"the lock on the host could not be given back: it is free in {free}")
        services.connections.release(placement)

    async def _give_back(self, lock: _Lock, given: asyncio.Event) -> None:
        talk = HostTalk(lock.site, in_session=False)
        try:
            await self._ask(talk, "give", lock.holding)
            given.set()
        finally:
            await uninterrupted(talk.close())

    @staticmethod
    def _tell(lock: _Lock, message: str) -> None:
        services = lock.site.services
        masked = services.redactor.mask(message)
        lock.observer.on_event(Notice(masked, services.clock.utc(), lock.site.placement.host))


async def ask_host(talk: HostTalk, words: tuple[str, ...]) -> Answer:
    """Run the script of a lock with its words (``scripts.py``).

    Raises:
        HostError: it could not be sent, or the host refused.

    """
    try:
        said = await talk.ask(POSIX, POWERSHELL, words)
    except ConnectionLost as error:
        error.may_have_run = False  # of the step, of which nothing was sent
        raise
    if not said.ok:
        reason = said.complaint or said.output or "it says nothing"
        raise ExecutionFailed(
            "lock-target-script",
            f"the lock on this host cannot be handled: {' '.join(reason.split())}; nothing was run",
            phase="open",
        )
    return read_answer(said.output)


class _Nobody:
    """An observer of what is no attempt's."""

    def on_event(self, event: RunEvent) -> None:
        """Drop it."""


def aside(site: Site) -> Site:
    """The site with a progress of its own: nothing of the step has been sent yet."""
    return replace(site, guard=Guard(site.guard.patience, site.guard.grace, Progress()))


def _quiet(site: Site) -> Site:
    """The site after its step: nothing is told of it."""
    services = replace(site.services, observer=_Nobody())
    return replace(aside(site), services=services, turn=None, again=None)


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


def about_holder(run: str) -> str:
    """The lines of the lock's JSON that say who holds it; ``run`` is the run's id."""
    holder = this_process(run, "")
    about: Mapping[str, str | int] = {
        "run": holder.run,
        "user": holder.user,
        "controller": holder.controller,
        "pid": holder.pid,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in about.items())
