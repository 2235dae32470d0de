"""The port of what carries PSRP fragments between a runspace pool and its peer. One contract suite tests them all.

A carrier knows nothing of values, streams or states: it moves whole fragments (MS-PSRP 2.2.4) for a pool and for its
pipelines, and does the few operations that are no PSRP message: command, signal, close. The pool does not know which
carrier it has: packets over a child process or an SSH subsystem, or WSMan.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from runner.errors import HostError


class CarrierReceiver(Protocol):
    """Takes what comes from the peer. No method may block or raise."""

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        """Take one or more whole fragments, in order, for a pipeline or (None) for the pool itself."""

    def carrier_lost(self, error: HostError) -> None:
        """The carrier broke; told once, nothing comes after it. ``error`` says why, in the form for a result."""

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """The peer has given up this pipeline without a terminal state; the pool itself may live on."""

    def answer_missed(self, pipeline: UUID) -> None:
        """Fragments of this pipeline, its last ones too, may have been lost on their way; the peer is there again."""

    def notice(self, message: str) -> None:
        """Something a person should know now: a redirection that was followed, a connection being tried again."""


class Carrier(Protocol):
    """Carries one runspace pool. Owned by one pool; every method may be awaited by one task a target at a time.

    A target is the pool or one pipeline. Operations of different targets may overlap; those of one target may not:
    the pool sees to that (remoting.md 4.3). Each raises :class:`runner.errors.HostError` (``Unreachable`` in
    :meth:`open` where nothing was reached, else ``ConnectionLost``) and then the carrier is lost.
    """

    @property
    def fragment_size(self) -> int:
        """How many bytes one call of :meth:`command` or :meth:`send` takes at most, fragment headers included."""

    @property
    def lost(self) -> bool:
        """Whether it is known to be broken, or closed."""

    @property
    def heard(self) -> str:
        """What the peer has said beside fragments, on one line for a message: a banner, error output; mostly empty."""

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        """Start the peer and hand over the pool's first fragments (SESSION_CAPABILITY and INIT_RUNSPACEPOOL).

        Returns when the peer has taken them; that the pool is opened comes as a fragment. Bounded by the caller.

        Raises:
            Unreachable: could not connect, log in, or start the engine; nothing ran.

        """

    def listening(self) -> AbstractAsyncContextManager[None]:
        """While inside, fragments for the pool itself are received; outside they may be left with the peer.

        Fragments of pipelines are received from :meth:`command` to :meth:`close_pipeline` without it.
        """

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        """Begin a pipeline with the first fragments of its CREATE_PIPELINE; returns when the peer has taken them."""

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        """Send further whole fragments; ``prompt`` for answers to host calls, which have a stream of their own."""

    async def signal(self, pipeline: UUID) -> None:
        """Ask the peer to stop the pipeline; that it has stopped comes as a fragment (PIPELINE_STATE)."""

    async def close_pipeline(self, pipeline: UUID) -> None:
        """Free what the peer keeps of a pipeline that has ended. Another pipeline may begin meanwhile."""

    async def close(self) -> None:
        """Close the pool at the peer and everything below it that is its own; idempotent, never raises.

        Pipelines that are still open are closed first. Bounded in time by itself (a few seconds beyond the peer's).
        """

    def abort(self) -> None:
        """Drop everything now, without a word to the peer; idempotent."""
