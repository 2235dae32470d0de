"""A Windows-like host in this very process, for tests: :func:`front_end`.

    async with front_end() as host:
        ... connect to host.url as host.user with host.password ...
        host.troubles.add(Trouble(kind=Kind.CUT, on="Receive"))
        assert host.counters.shells_opened == 1

The engine is the replay of the recordings within this process; ``engine=child()`` starts a process for each shell,
``pwsh`` where there is one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from runner.lab.engines import child_engine, engine_command, engine_environment, in_process_engine
from runner.lab.front_end import FrontEnd, FrontEndSettings
from runner.lab.replay_recordings import Recordings
from runner.lab.troubles import Troubles
from runner.lab.wsman_login import LoginSettings
from runner.lab.wsman_settings import Counters, Manners, Quotas, ServiceSettings
from runner.lab.wsman_soap import Request
from runner.transport.carrier import Carrier

RECORDINGS = Path(__file__).parents[1] / "recordings" / "server"
USER, PASSWORD = "Administrator", "S3cret pass: word"


@cache
def recordings() -> Recordings:
    """Every recorded conversation, read once."""
    return Recordings(RECORDINGS)


def child(home: Path) -> Callable[[], Carrier]:
    """A process for each shell: ``pwsh``, else the replay."""
    return child_engine(engine_command(RECORDINGS), engine_environment(home))


class WinrmHost:
    """A host that listens; what it saw is in ``counters`` and ``requests``."""

    def __init__(self, front: FrontEnd, requests: list[Request], users: Mapping[str, str]) -> None:
        self.front = front
        self.requests = requests
        self.users = users
        self.user, self.password = next(iter(users.items()))

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT/wsman``."""
        return self.front.url

    @property
    def port(self) -> int:
        """The port of 127.0.0.1."""
        return self.front.port

    @property
    def troubles(self) -> Troubles:
        """What is to go wrong."""
        return self.front.troubles

    @property
    def counters(self) -> Counters:
        """What was asked of it."""
        return self.front.counters

    @property
    def shells(self) -> int:
        """How many shells are open now."""
        return len(self.front.service.shells)


@asynccontextmanager
async def front_end(
    *,
    users: Mapping[str, str] | None = None,
    engine: Callable[[], Carrier] | None = None,
    quotas: Quotas | None = None,
    manners: Manners = Manners.WINDOWS,
    application_names: tuple[str, ...] = ("wsman",),
    **login: Any,
) -> AsyncIterator[WinrmHost]:
    """A host on a free port; nothing of it is left afterwards.

    Args:
        users: name -> password; one where None.
        engine: makes the carrier of a shell; the replay in this process where None.
        quotas: limits; those of Windows where None.
        manners: habits, of Windows or of OMI.
        application_names: first parts of URLs that are answered.
        login: further settings of :class:`LoginSettings`, by name.

    """
    users = users or {USER: PASSWORD}
    seen: list[Request] = []
    service = ServiceSettings(
        engine=engine or in_process_engine(recordings()),
        quotas=quotas or Quotas(),
        manners=manners,
        watch=seen.append,
    )
    logins = LoginSettings(**{"users": users, "schemes": {}, "certificates": {}, **login})
    front = FrontEnd(FrontEndSettings(service=service, login=logins, application_names=application_names))
    await front.start()
    try:
        yield WinrmHost(front, seen, users)
    finally:
        await front.close()
