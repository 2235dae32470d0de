"""What a message does that breaks the one who takes it."""

from __future__ import annotations

import struct
from uuid import UUID

from psrpcore.types import PSRPMessageType

from runner.errors import HostError
from runner.psrp.fragments import Assembler, cut
from runner.psrp.inbox import Inbox
from runner.psrp.pool_errors import PoolErrors
from runner.psrp.protocol import Message

#: MS-PSRP 2.2.1: destination, kind, pool, pipeline.
OUTPUT = struct.pack("<II", 1, PSRPMessageType.PipelineOutput) + bytes(32) + b"<S>text</S>"


class Tripping:
    """An owner that no message gets through."""

    def __init__(self) -> None:
        self.error: HostError | None = None

    @property
    def lost(self) -> bool:
        return self.error is not None

    def message_received(self, message: Message) -> None:
        raise RecursionError(message.kind.name)

    def pool_lost(self, error: HostError) -> None:
        self.error = error

    def pipeline_lost(self, pipeline: UUID, error: HostError) -> None:
        raise AssertionError(pipeline, error)

    def answer_missed(self, pipeline: UUID) -> None:
        raise AssertionError(pipeline)

    def noticed(self, message: str) -> None:
        raise AssertionError(message)


def test_a_message_nobody_foresaw_loses_the_pool() -> None:
    """Who waits for the end of the script would wait for ever where the message were only dropped."""
    owner = Tripping()
    errors = PoolErrors("PowerShell on `web1`")
    inbox = Inbox(owner, errors, Assembler(1 << 20, 1 << 20), lambda _: None)
    for fragment in cut(1, OUTPUT, 1 << 10):
        inbox.fragments_received(fragment, None)
    assert owner.error is not None
    assert owner.error.code == "pool-message-broken"
    assert "a message (PipelineOutput: RecursionError)" in owner.error.message
