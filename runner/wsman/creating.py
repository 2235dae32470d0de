"""Making a shell: redirections are followed, and a server out of reach is tried again if the author says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.errors import HostError, Unreachable
from runner.wsman import operations
from runner.wsman.client import Client
from runner.wsman.envelope import Request, UnreadableEnvelope
from runner.wsman.fault_errors import Asked, unreadable
from runner.wsman.faults import WsmanFault
from runner.wsman.http_errors import reason
from runner.wsman.operations import Created

#: Faults after which PowerShell asks again, up to ``max_connection_retry_count`` (remoting.md 3.1), unsigned.
RETRIED_FAULTS = frozenset(
    {
        995,
        1722,
        0x80338012,  # CannotConnect
        0x80338112,
        0x80338113,  # URLNotAvailable
        0x80338170,
        0x803381C6,  # CannotConnectMismatchSessions
        0x803381D0,  # CannotConnectInvalidOperation
    }
)
#: What the same is called where our own connection fails.
RETRIED_CODES = frozenset({"connection-refused", "connect-timeout", "winrm-dropped", "network-unreachable"})

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0


@dataclass(slots=True)
class Creation:
    """Asks for a shell, ``retries`` times more than once."""

    client: Client
    retries: int
    notice: Callable[[str], None]

    async def create(self, request: Request) -> Created:
        """The shell that was made.

        Raises:
            HostError: none was made.

        """
        pause = _FIRST_PAUSE
        for attempt in range(1, self.retries + 1):
            try:
                return await self._create(request)
            except (WsmanFault, Unreachable) as refusal:
                if not _passing(refusal):
                    raise self._error(refusal) from None
                self.notice(
                    f"`{self.client.settings.host}` could not be reached; trying again ({attempt} of {self.retries})"
                )
            await self.client.clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        try:
            return await self._create(request)
        except WsmanFault as refusal:
            raise self._error(refusal) from None

    async def _create(self, request: Request) -> Created:
        body = await self.client.ask_following(request, self._asked(), self.notice)
        try:
            return operations.created(body)
        except UnreadableEnvelope as error:
            raise unreadable(str(error), self._asked()) from None

    def not_made(self, error: HostError) -> HostError:
        """The error of a shell that was not made, as far as we know: whatever was sent, it was no script."""
        if isinstance(error, Unreachable):
            return error
        return self._asked().error(error.code, reason(error), *error.hints)

    def _asked(self) -> Asked:
        return self.client.asked("open a session", opening=True)

    def _error(self, refusal: WsmanFault | Unreachable) -> HostError:
        if isinstance(refusal, Unreachable):
            return refusal
        return self.client.error(refusal, self._asked())


def _passing(refusal: WsmanFault | Unreachable) -> bool:
    """Whether PowerShell would ask again after this."""
    if isinstance(refusal, Unreachable):
        return refusal.code in RETRIED_CODES
    return refusal.fault.code in RETRIED_FAULTS
