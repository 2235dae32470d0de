"""What the carrier brings: fragments are put together, and each whole message is handed on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from runner.errors import HostError
from runner.psrp.fragments import Assembler, BadFragment, TooMuch
from runner.psrp.pool_errors import PoolErrors
from runner.psrp.protocol import Message, Unreadable, read_head

_log = logging.getLogger(__name__)  # for --trace


class Owner(Protocol):
    """Whose messages they are."""

    @property
    def lost(self) -> bool:
        """Whether nothing is wanted any more."""

    def message_received(self, message: Message) -> None:
        """Take a whole message."""

    def pool_lost(self, error: HostError) -> None:
        """The carrier broke, or what it brought cannot be trusted."""

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """The peer has given up a pipeline."""

    def answer_missed(self, pipeline: UUID) -> None:
        """A part of what a pipeline sent may have been lost."""

    def noticed(self, message: str) -> None:
        """Something a person should know."""


class Inbox:
    """A :class:`runner.transport.carrier.CarrierReceiver`; ``assembler_of`` has the stream of a pipeline that runs."""

    def __init__(
        self,
        owner: Owner,
        errors: PoolErrors,
        pool: Assembler,
        assembler_of: Callable[[UUID], Assembler | None],
    ) -> None:
        self._owner = owner
        self._errors = errors
        self._pool = pool
        self._assembler_of = assembler_of

    def fragments_received(self, data: bytes, pipeline: UUID | None) -> None:
        """Take whole fragments; those of a pipeline that has ended, or is not ours, are nobody's."""
        if self._owner.lost:
            return
        assembler = self._pool if pipeline is None else self._assembler_of(pipeline)
        if assembler is None:
            return
        try:
            for whole in assembler.feed(data):
                if not self._hand_on(whole):
                    return
        except BadFragment as error:
            self._owner.pool_lost(self._errors.bad_fragment(str(error)))
        except TooMuch as error:
            self._owner.pool_lost(self._errors.too_much(error))

    def carrier_lost(self, error: HostError) -> None:
        """The carrier broke."""
        self._owner.pool_lost(error)

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        """The peer has given up a pipeline without a last state."""
        self._owner.pipeline_lost(pipeline, error)

    def answer_missed(self, pipeline: UUID) -> None:
        """A part of what a pipeline sent may have been lost."""
        self._owner.answer_missed(pipeline)

    def notice(self, message: str) -> None:
        """Something a person should know now."""
        self._owner.noticed(message)

    def _hand_on(self, whole: bytes) -> bool:
        """Hand a message on; False where nothing more is wanted after it."""
        try:
            message = read_head(whole)
        except Unreadable as error:
            self._owner.noticed(f"{self._errors.peer} sent {error.reason}, which was left out")
        else:
            _log.debug("%s sends %s, %d octets", self._errors.peer, message.kind.name, len(whole))
            try:
                self._owner.message_received(message)
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody may wait for this message for ever
                what = f"a message ({message.kind.name}: {type(error).__name__})"
                self._owner.pool_lost(self._errors.end_unreadable(what))
        return not self._owner.lost
