"""What a body did, before the step's own conditions judge it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from runner.engine.result import Difference, ErrorRecord, Failure, Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The outcome of a body: as in :class:`runner.engine.result.Result`.

    ``failure`` is what the body's own rules say of it; ``judged`` False keeps ``failed_when`` from replacing that,
    because the body did not come to an end that could be judged. ``skipped`` is why it did nothing, where it did
    nothing (``--check``): then the result is a neutral skip.
    """

    output: Any = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    errors: tuple[ErrorRecord, ...] = ()
    streams: Streams = field(default_factory=Streams)
    exit_code: int | None = None
    signal: str | None = None
    failure: Failure | None = None
    judged: bool = True
    changed: bool = False
    truncated: bool = False
    output_file: str | None = None
    session_lost: bool = False
    would_change: bool = False
    difference: Difference | None = None
    waited: float = 0.0
    skipped: str | None = None


class Body(Protocol):
    """One body on one host, prepared: every template is evaluated and nothing is sent yet."""

    async def open(self) -> None:
        """Connect and open what it needs; not counted in the step's ``timeout``.

        Raises:
            HostError: it could not be; nothing ran.

        """

    async def run(self) -> Done:
        """Do it.

        Raises:
            HostError: it could not be sent, or the link broke.

        """

    async def close(self) -> None:
        """Give up what :meth:`open` took for this body alone; bounded in time, never raises, not cut short.

        Not counted in the step's ``timeout``. Called once, also where :meth:`open` failed.
        """

    def partial(self) -> Done:
        """What has come so far, after :meth:`run` was cut short."""
