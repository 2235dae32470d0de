"""One pipeline while it runs: what it has said so far, and how it ends."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import Any
from uuid import UUID

from psrpcore import (
    DebugRecordEvent,
    ErrorRecordEvent,
    InformationRecordEvent,
    PipelineOutputEvent,
    ProgressRecordEvent,
    PSRPEvent,
    VerboseRecordEvent,
    WarningRecordEvent,
)
from psrpcore.types import PSInvocationState, PSRPMessageType

from runner.errors import ExecutionFailed, HostError
from runner.psrp.fragments import Assembler
from runner.psrp.protocol import Message, Unreadable
from runner.psrp.request import PipelineEnd, PipelineReceiver, PipelineState, RecordKind

_RECORDS: dict[type[PSRPEvent[Any, Any]], RecordKind] = {
    ErrorRecordEvent: RecordKind.ERROR,
    WarningRecordEvent: RecordKind.WARNING,
    VerboseRecordEvent: RecordKind.VERBOSE,
    DebugRecordEvent: RecordKind.DEBUG,
    InformationRecordEvent: RecordKind.INFORMATION,
    ProgressRecordEvent: RecordKind.PROGRESS,
}
_ENDS = {
    PSInvocationState.Completed: PipelineState.COMPLETED,
    PSInvocationState.Failed: PipelineState.FAILED,
    PSInvocationState.Stopped: PipelineState.STOPPED,
}
_STATE = re.compile(rb'<I32 N="PipelineState">(-?\d+)</I32>')
#: What a step's result would be wrong without.
_NEEDED = frozenset({PSRPMessageType.PipelineOutput, PSRPMessageType.ErrorRecord})


class Pipeline:
    """Hands what comes to the receiver, in order.

    ``end`` is done when the peer has told how it ended, or has the error by which nobody will ever know.
    """

    def __init__(self, identifier: UUID, receiver: PipelineReceiver, assembler: Assembler) -> None:
        self.identifier = identifier
        self.assembler = assembler
        self.end: asyncio.Future[PipelineEnd] = asyncio.get_running_loop().create_future()
        #: Messages that wait for the session key, behind one with a secure string.
        self.held: deque[Message] = deque()
        self.exit_code: int | None = None
        self._receiver = receiver
        self._unreadable: Unreadable | None = None

    def take(self, event: PSRPEvent[Any, Any]) -> None:
        """Take an output or a record."""
        if isinstance(event, PipelineOutputEvent):
            self._receiver.output_received(event.data)
        elif (kind := _RECORDS.get(type(event))) is not None:
            record: Any = event
            self._receiver.record_received(kind, record.record)

    def missed(self, unreadable: Unreadable) -> bool:
        """Note that a message cannot be read; True where the result is wrong without it, which its end will tell."""
        needed = unreadable.kind in _NEEDED
        if needed:
            self._unreadable = self._unreadable or unreadable
        return needed

    def ended(self, state: PSInvocationState, reason: object) -> bool:
        """Take a state; True where it is the last: PowerShell sends only those, psrpcore also that it runs."""
        last = _ENDS.get(state)
        if last is None or self.end.done():
            return False
        if self._unreadable is None:
            self.end.set_result(PipelineEnd(state=last, error=reason, exit_code=self.exit_code))
        else:
            self._fail(_unreadable(self._unreadable))
        return True

    def lost(self, error: HostError) -> None:
        """Nobody will know how it ended."""
        if not self.end.done():
            self._fail(error)

    def _fail(self, error: HostError) -> None:
        self.end.set_exception(error)
        self.end.exception()  # seen: who waited may be gone


def bare_state(message: Message) -> PSInvocationState | int | None:
    """The state in a PIPELINE_STATE that cannot be read: its number where nobody knows it, None where it has none."""
    found = _STATE.search(message.data)
    if found is None:
        return None
    number = int(found[1])
    return PSInvocationState(number) if number in {int(state) for state in PSInvocationState} else number


def _unreadable(missed: Unreadable) -> ExecutionFailed:
    return ExecutionFailed(
        "pool-message-unreadable",
        f"the script ran, but part of what it gave back cannot be read ({missed.reason})",
        hints=("give back plain values: `... | ConvertTo-Json`, or `Select-Object` of what is needed",),
        phase="decode",
        may_have_run=True,
    )
