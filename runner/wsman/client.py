"""One client of a WinRM server: asks, reads the answer, follows redirections, knows the time limits.

It holds no connection and no task: what is open is the wire's, so a session that is idle costs the size of this object.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID
from xml.etree import ElementTree as ET

from runner.errors import HostError
from runner.wsman import faults, operations
from runner.wsman.envelope import (
    ENVELOPE_SIZE,
    NO_TIMEOUT,
    Envelopes,
    Request,
    Sealed,
    UnreadableEnvelope,
    body_of,
    check_relation,
)
from runner.wsman.fault_errors import Asked, fault_error, unreadable
from runner.wsman.faults import WsmanFault, envelope_or_fault
from runner.wsman.port import Redirected, Wire
from runner.wsman.redirect import Redirections, not_followed

_log = logging.getLogger(__name__)  # for --trace

#: How much longer than the server we wait: its answer must travel, and a busy one is not punctual.
GRACE = 30.0

#: Bytes of an envelope that are never given to fragments (remoting.md 3.1: 150 KiB carry 113664, 500 KiB 382464).
_LEAST_ROOM = 2048


class Clock(Protocol):
    """Time that only goes forward, and waiting; tests have their own."""

    def now(self) -> float:
        """Seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class MonotonicClock:
    """The event loop's time."""

    __slots__ = ()

    def now(self) -> float:
        """Seconds, monotonic."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What all operations of a client share (remoting.md 3.1).

    Attributes:
        host: the name the run knows.
        resource_uri: of the session configuration.
        session: the client's id.
        operation_timeout: seconds the server may take for one operation; 0 is no limit.
        culture: of numbers and dates.
        ui_culture: of messages.
        envelope_size: bytes of the longest message in either direction, at a server of protocol 2.2 or later.
        allow_redirection: only for a ``connection_uri``.
        maximum_redirection: hops; negative is any number.
        trusted_hosts: where a redirection over http may lead.

    """

    host: str
    resource_uri: str
    session: UUID
    operation_timeout: float = 180.0
    culture: str = "en-US"
    ui_culture: str = "en-US"
    envelope_size: int = ENVELOPE_SIZE
    allow_redirection: bool = False
    maximum_redirection: int = 5
    trusted_hosts: tuple[str, ...] = ()


class Client:
    """Asks a server. Several operations may be under way at once; the wire gives each a connection."""

    __slots__ = ("_envelopes", "_wire", "clock", "settings", "timeout")

    def __init__(self, wire: Wire, settings: ClientSettings, clock: Clock) -> None:
        self._wire = wire
        self.settings = settings
        self.clock = clock
        #: Seconds the server may take.
        self.timeout = settings.operation_timeout or NO_TIMEOUT
        self._envelopes = Envelopes(
            settings.resource_uri,
            settings.session,
            locale=settings.ui_culture,
            data_locale=settings.culture,
            envelope_size=settings.envelope_size,
        )

    def asked(self, what: str, *, opening: bool = False, may_have_run: bool = False) -> Asked:
        """What an error says of an operation."""
        settings = self.settings
        return Asked(settings.host, self._wire.url, settings.resource_uri, what, opening, may_have_run)

    def seal(
        self, request: Request, selectors: tuple[tuple[str, str], ...] = (), timeout: float | None = None
    ) -> Sealed:
        """An envelope for the server as it is addressed now; ``timeout`` seconds, None is the operations' own."""
        return self._envelopes.seal(
            request, to=self._wire.url, selectors=selectors, timeout=timeout or self.timeout
        )

    def payload_size(self, envelope_size: int) -> int:
        """How many bytes of fragments fit into an envelope of that size, base64 and everything around it counted."""
        nobody = UUID(int=0)
        empty = (operations.send(b"", str(nobody), prompt=False), operations.command(nobody, b""))
        around = max(len(self.seal(request, (("ShellId", str(nobody)),)).content) for request in empty)
        return (envelope_size - max(around, _LEAST_ROOM)) // 4 * 3

    async def post(self, sealed: Sealed, asked: Asked, within: float) -> ET.Element:
        """Send an envelope and give the body of the answer; ``within`` is how many seconds the server may take.

        Raises:
            WsmanFault: the server said no.
            Redirected: it named another URL.
            HostError: the wire's errors, or an answer that cannot be used.

        """
        _log.debug("%s: asked to %s, %d octets", self.settings.host, asked.what, len(sealed.content))
        answer = await self._wire.post(sealed.content, timeout=within + GRACE)
        _log.debug(
            "%s: HTTP %d to %s, %d octets", self.settings.host, answer.status, asked.what, len(answer.body)
        )
        try:
            envelope = envelope_or_fault(answer)
            check_relation(envelope, sealed.message_id)
            return body_of(envelope)
        except UnreadableEnvelope as error:
            raise unreadable(str(error), asked) from None

    async def identify(self, within: float) -> None:
        """Ask who is there, which can be asked again and again and needs no shell; any answer will do.

        Raises:
            HostError: nobody has answered within so many seconds, or nobody can.

        """
        with suppress(Redirected):
            await self._wire.post(operations.IDENTIFY, timeout=within)

    async def ask(
        self,
        request: Request,
        asked: Asked,
        selectors: tuple[tuple[str, str], ...] = (),
        timeout: float | None = None,  # noqa: ASYNC109 - how long the server may take
    ) -> ET.Element:
        """Ask for one operation where no redirection is expected, and give the body of the answer.

        Raises:
            WsmanFault: the server said no; a redirection among it.
            HostError: as :meth:`post`.

        """
        try:
            return await self.post(self.seal(request, selectors, timeout), asked, timeout or self.timeout)
        except Redirected as elsewhere:
            raise not_followed(elsewhere.location, asked) from None

    async def ask_following(
        self, request: Request, asked: Asked, notice: Callable[[str], None]
    ) -> ET.Element:
        """Ask for an operation that may be sent elsewhere; where it is, the wire goes there from now on.

        Raises:
            WsmanFault: the server said no.
            HostError: as :meth:`post`, or the redirection is not to be followed.

        """
        redirections = Redirections(
            allowed=self.settings.allow_redirection,
            maximum=self.settings.maximum_redirection,
            trusted_hosts=self.settings.trusted_hosts,
        )
        while True:
            try:
                return await self.post(self.seal(request), asked, self.timeout)
            except Redirected as elsewhere:
                location = elsewhere.location
            except WsmanFault as refusal:
                if refusal.fault.code != faults.REDIRECT_REQUESTED:
                    raise
                location = refusal.fault.location
            target = redirections.follow(location, asked)
            notice(f"`{self.settings.host}` sends us to {target.partition('?')[0]}; following")
            self._wire.redirect(target)
            asked = self.asked(asked.what, opening=asked.opening, may_have_run=asked.may_have_run)

    def error(self, refusal: WsmanFault, asked: Asked) -> HostError:
        """The error of a fault that nothing can be done about."""
        return fault_error(refusal.fault, asked)
