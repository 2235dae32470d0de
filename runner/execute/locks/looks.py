"""The locks on hosts as they are (``runner locks list --on-hosts``), and taking them from runs that are gone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

from runner.engine.shape import Assignment
from runner.execute.bodies.talk import HostTalk
from runner.execute.guard import uninterrupted
from runner.execute.locks.answers import BY_HAND, Answer
from runner.execute.locks.target import TTL, about_holder, aside, ask_host
from runner.execute.site import Site


class LockLooks:
    """Looks at the lock of each host in place of taking it; a :class:`runner.execute.ports.TargetLocks`.

    ``found`` gets each host's answer; a host that is not in it could not be asked. ``release`` has the holding of each
    lock that is to be given free: who holds it by the same holding then loses it, and nobody else. It is done by taking
    the lock and giving it back, so its number grows and the former holder cannot renew it (fencing). ``folder`` is
    where the lock is on the hosts, empty for the place that all runs look at.
    """

    def __init__(self, release: Mapping[str, str] | None = None, *, folder: str = "") -> None:
        self._release = release
        self._folder = folder
        self.found: dict[str, Answer] = {}

    async def hold(self, site: Site) -> None:
        """Ask the host.

        Raises:
            HostError: it cannot be reached, or refuses.

        """
        host = site.placement.host
        talk = HostTalk(aside(site), in_session=False)
        try:
            if self._release is None:
                self.found[host] = await ask_host(talk, ("show", "", "0", "", "", self._folder))
            else:
                self.found[host] = await self._free(talk, self._release[host])
        finally:
            await uninterrupted(talk.close())

    def ended(self, assignment: Assignment) -> asyncio.Task[None] | None:
        """Nothing is held."""
        del assignment
        return None

    async def close(self) -> None:
        """Nothing is held."""

    async def _free(self, talk: HostTalk, holding: str) -> Answer:
        """``taken`` where it is free now; else somebody else has it meanwhile."""
        own, about = secrets.token_hex(16), about_holder(BY_HAND)
        answer = await ask_host(talk, ("take", own, str(TTL), about, holding, self._folder))
        if answer.taken:
            await ask_host(talk, ("give", own, str(TTL), about, "", self._folder))
        return answer
