"""Receive, again and again, for one target: through quiet times, bare answers, and a network that goes and comes back.

A Receive is the only operation that is sent again after the network failed: the server goes on running the script, and
it keeps its answer to a message it has seen, so the same envelope, with the same message id, brings what was lost.
While it works on the first one it says "internal error" to the second; then we wait (both seen by others on Windows).
What is lost in spite of it is a gap in the fragments, which the pool sees and does not guess at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from runner.errors import ConnectionLost, HostError, Unreachable
from runner.wsman import faults, operations
from runner.wsman.client import GRACE, Client
from runner.wsman.envelope import Sealed, UnreadableEnvelope
from runner.wsman.fault_errors import Asked, unreadable
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

#: A server that answers at once that it has nothing would have us spin (remoting.md 12, last row).
_QUICK = 1.0
_FIRST_REST = 0.05
_LONGEST_REST = 1.0

_NOTHING = Received(())

#: What the wire calls a network that may come back; a refused login or a wrong certificate is there the next time too.
_PASSING = frozenset(
    {
        "answer-timeout",
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
    """The Receives of one target: a command, or (None) the pool."""

    client: Client
    selectors: tuple[tuple[str, str], ...]
    command_id: str | None
    notice: Callable[[str], None]
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
            received = operations.received(await _Persistent(self.client, asked, self.notice).post(sealed))
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

    def __init__(self, client: Client, asked: Asked, notice: Callable[[str], None]) -> None:
        self._client = client
        self._asked = asked
        self._notice = notice
        self._pause = _FIRST_PAUSE
        self._failing_since: float | None = None

    async def post(self, sealed: Sealed) -> ET.Element:
        clock = self._client.clock
        first_sent = clock.now()
        repeated = False
        while True:
            try:
                body = await self._client.post(sealed, self._asked, self._client.timeout)
            except WsmanFault as refusal:
                self._restored()
                pending = clock.now() - first_sent < self._client.timeout + GRACE
                if not repeated or refusal.fault.code != faults.INTERNAL_ERROR or not pending:
                    raise
                await self._wait()
            except (ConnectionLost, Unreachable) as failure:
                self._bear(failure)
                repeated = True
                await self._wait()
            else:
                self._restored()
                return body

    def _bear(self, failure: HostError) -> None:
        """Note that the network failed; raises where it has for too long, or will not come back by waiting."""
        host, now = self._asked.host, self._client.clock.now()
        if failure.code not in _PASSING:
            raise failure
        if self._failing_since is None:
            self._failing_since = now
            self._pause = _FIRST_PAUSE
            self._notice(
                f"the connection to `{host}` was interrupted ({failure.message}); "
                f"trying again for up to {PATIENCE / 60:.0f} minutes"
            )
        gone = now - self._failing_since
        if gone >= PATIENCE:
            raise self._asked.error(
                "network-not-restored",
                f"the connection to `{host}` was interrupted and did not come back within {PATIENCE / 60:.0f} minutes: "
                f"{failure.message}",
                "the script may still be running there; look before you run it again",
            ) from failure
        if self._pause >= _TOLD_PAUSE:
            self._notice(f"trying again to reach `{host}`, {gone:.0f} s after the interruption")

    def _restored(self) -> None:
        if self._failing_since is not None:
            self._failing_since = None
            self._notice(f"the connection to `{self._asked.host}` is back")

    async def _wait(self) -> None:
        await self._client.clock.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
