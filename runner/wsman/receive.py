"""Receive, again and again, for one target: through quiet times, bare answers, and a network that goes and comes back.

A Receive is the only operation that is sent again after the network failed: the server goes on running the script, and
Windows keeps its answer to a message it has seen, so the same envelope, with the same message id, brings what was lost.
While it works on the first one it says "internal error" to the second; then we wait (both seen by others on Windows).
Other servers keep nothing, so who takes what comes is told that an answer may have been missed.

Before a Receive is sent again the server is asked who it is: that is answered at once, so that a network which is still
away, or a server that takes connections and says nothing, is not waited for as long as a script may be silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.wsman import faults, operations
from runner.wsman.client import GRACE, Client
from runner.wsman.envelope import Sealed, UnreadableEnvelope
from runner.wsman.fault_errors import Asked, happened, unreadable
from runner.wsman.faults import WsmanFault
from runner.wsman.operations import Received
from runner.wsman.port import Redirected
from runner.wsman.redirect import not_followed

#: How long a network may be gone, in seconds: what Windows' client allows (remoting.md 5.4).
PATIENCE = 240.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
#: From this pause on each new try is told of; before it a person could not read them.
_TOLD_PAUSE = 4.0

#: How long the server may take to say who it is, in seconds.
_IDENTIFY = 15.0

#: A server that answers at once that it has nothing would have us spin (remoting.md 12, last row).
_QUICK = 1.0
_FIRST_REST = 0.05
_LONGEST_REST = 1.0

_NOTHING = Received(())

_SILENCE = "answer-timeout"
#: What the wire calls a network that may come back; a refused login or a wrong certificate is there the next time too.
_PASSING = frozenset(
    {
        _SILENCE,
        "connect-timeout",
        "connection-lost",
        "connection-refused",
        "name-not-resolved",
        "network-unreachable",
        "winrm-dropped",
    }
)


@dataclass(slots=True)
class Receiving:
    """The Receives of one target: a command, or (None) the pool.

    ``missed`` is called when the server is there again after an answer may have been lost.
    """

    client: Client
    selectors: tuple[tuple[str, str], ...]
    command_id: str | None
    notice: Callable[[str], None]
    missed: Callable[[], None]
    _rest: float = field(default=0.0, init=False)

    async def next(self) -> Received:
        """What comes next; may be empty, and then never comes faster than is good for both sides.

        Raises:
            WsmanFault: the server said no: the target is gone, or worse.
            HostError: the network did not come back, or the answer cannot be used.

        """
        await self._pause_after_nothing()
        begun = self.client.clock.now()
        asked = self.client.asked("take its output", may_have_run=True)
        sealed = self.client.seal(operations.receive(self.command_id), self.selectors)
        try:
            received = operations.received(
                await _Persistent(self.client, asked, self.notice, self.missed).post(sealed)
            )
        except UnreadableEnvelope as error:
            raise unreadable(str(error), asked) from None
        except Redirected as elsewhere:
            raise not_followed(elsewhere.location, asked) from None
        except WsmanFault as refusal:
            if refusal.fault.code != faults.OPERATION_TIMED_OUT and not faults.says_nothing(refusal.fault):
                raise
            received = _NOTHING
        quick = self.client.clock.now() - begun < _QUICK
        self._rest = self._longer_rest() if quick and not received.pieces else 0.0
        return received

    def _longer_rest(self) -> float:
        return min(self._rest * 2 or _FIRST_REST, _LONGEST_REST)

    async def _pause_after_nothing(self) -> None:
        if self._rest:
            await self.client.clock.sleep(self._rest)


class _Persistent:
    """Posts one Receive until the server has answered it, however often the network fails meanwhile."""

    def __init__(
        self, client: Client, asked: Asked, notice: Callable[[str], None], missed: Callable[[], None]
    ) -> None:
        self._client = client
        self._asked = asked
        self._notice = notice
        self._missed = missed
        self._pause = _FIRST_PAUSE
        #: Seconds without the server, and since when it is gone now.
        self._gone = 0.0
        self._gone_since: float | None = None

    async def post(self, sealed: Sealed) -> ET.Element:
        clock = self._client.clock
        first_sent = clock.now()
        failures: list[HostError] = []
        while True:
            try:
                return await self._client.post(sealed, self._asked, self._client.timeout)
            except WsmanFault as refusal:
                pending = clock.now() - first_sent < self._client.timeout + GRACE
                if not failures or refusal.fault.code != faults.INTERNAL_ERROR or not pending:
                    raise
                await self._wait()
            except (ConnectionLost, Unreachable) as failure:
                failures.append(failure)
                if [each.code for each in failures].count(_SILENCE) > 1:
                    raise  # it says who it is and does not say this, twice for as long as an operation may take
                await self._until_back(failure)
                if any(isinstance(each, ConnectionLost) for each in failures):
                    self._missed()

    async def _until_back(self, failure: HostError) -> None:
        """Wait until the server answers again; raises where that takes too long, or cannot be by waiting."""
        clock = self._client.clock
        self._gone_since = clock.now()
        self._bear(failure)
        self._notice(
            f"the connection to `{self._asked.host}` was interrupted ({happened(failure)}); "
            f"trying again for up to {PATIENCE / 60:.0f} minutes"
        )
        while True:
            await self._wait()
            left = self._bear(failure)
            try:
                async with asyncio.timeout(left):
                    await self._client.identify(min(left, _IDENTIFY))
            except TimeoutError:
                raise self._too_long(failure) from failure
            except (ConnectionLost, Unreachable) as error:
                failure = error
            else:
                break
            if self._pause >= _TOLD_PAUSE:
                gone = clock.now() - self._gone_since
                self._notice(
                    f"trying again to reach `{self._asked.host}`, {gone:.0f} s after the interruption"
                )
        self._gone += clock.now() - self._gone_since
        self._notice(f"the connection to `{self._asked.host}` is back")

    def _bear(self, failure: HostError) -> float:
        """How many seconds the server may still be gone; raises the failure where waiting does not cure it."""
        if failure.code not in _PASSING:
            raise failure
        since = self._client.clock.now() - self._gone_since if self._gone_since is not None else 0.0
        if (left := PATIENCE - self._gone - since) <= 0:
            raise self._too_long(failure) from failure
        return left

    def _too_long(self, failure: HostError) -> HostError:
        host = self._asked.host
        return self._asked.error(
            "network-not-restored",
            f"the connection to `{host}` was interrupted and did not come back within {PATIENCE / 60:.0f} minutes: "
            f"{happened(failure)}",
            "the script may still be running there; look before you run it again",
        )

    async def _wait(self) -> None:
        await self._client.clock.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
