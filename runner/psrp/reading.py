"""What a pool's messages say, and who is told of it.

What is not known for sure counts as lost; what can be done without is left out, and said so (remoting.md 9.5, bug 11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from psrpcore import (
    GetRunspaceAvailabilityEvent,
    PipelineHostCallEvent,
    PipelineStateEvent,
    PSRPEvent,
    RunspacePoolHostCallEvent,
    RunspacePoolStateEvent,
    SetRunspaceAvailabilityEvent,
)
from psrpcore.types import (
    ErrorRecord,
    HostMethodIdentifier,
    PSInvocationState,
    PSRPMessageType,
    RunspacePoolState,
)

from runner.errors import HostError
from runner.psrp.key_exchange import KeyExchange
from runner.psrp.outbox import Outbox
from runner.psrp.pipeline import Pipeline, bare_state
from runner.psrp.pool_errors import PoolErrors
from runner.psrp.pool_state import PoolState
from runner.psrp.protocol import Message, Protocol, Unreadable
from runner.psrp.questions import Questions
from runner.psrp.records import error_record

#: The call id of what wants no answer (remoting.md 2.6).
_NO_ANSWER_WANTED = -100
_VOID_CALL = b'<I64 N="ci">-100</I64>'
_GONE = frozenset({RunspacePoolState.Broken, RunspacePoolState.Closed, RunspacePoolState.Closing})
#: Without these a pool is not open, or not known to be.
_VITAL = frozenset(
    {
        PSRPMessageType.SessionCapability,
        PSRPMessageType.ApplicationPrivateData,
        PSRPMessageType.RunspacePoolState,
    }
)


class Reader:
    """Takes the whole messages of one pool.

    ``on_lost`` is told why the pool is of no use any more, ``on_notice`` what a person should know.
    """

    def __init__(
        self,
        protocol: Protocol,
        state: PoolState,
        outbox: Outbox,
        questions: Questions,
        key: KeyExchange,
        errors: PoolErrors,
        *,
        on_lost: Callable[[HostError], None],
        on_notice: Callable[[str], None],
    ) -> None:
        self._protocol = protocol
        self._state = state
        self._outbox = outbox
        self._questions = questions
        self._key = key
        self._errors = errors
        self._on_lost = on_lost
        self._on_notice = on_notice
        key.on_settled = self._key_settled

    def take(self, message: Message) -> None:
        """Take a whole message; one for a pipeline that does not run is nobody's."""
        if message.pipeline is None:
            self._take_for_pool(message)
            return
        pipeline = self._state.current
        if pipeline is None or pipeline.identifier != message.pipeline:
            return
        if pipeline.held or (message.has_secret and not self._key.settled):
            pipeline.held.append(message)
            self._key.want()
        else:
            self._take_for_pipeline(pipeline, message)

    # For the pool.

    def _take_for_pool(self, message: Message) -> None:
        if message.kind is PSRPMessageType.PublicKeyRequest:
            self._key.want()
            return
        try:
            event = self._protocol.read(message)
        except Unreadable as error:
            self._missed_for_pool(error)
            return
        if isinstance(event, RunspacePoolStateEvent):
            self._take_state(event)
        elif isinstance(event, RunspacePoolHostCallEvent):
            self._answer_call(event.ci, None)
        elif isinstance(event, SetRunspaceAvailabilityEvent):
            self._questions.answered(event.ci, int(event.success))
        elif isinstance(event, GetRunspaceAvailabilityEvent):
            self._questions.answered(event.ci, event.count)
        elif message.kind is PSRPMessageType.EncryptedSessionKey:
            self._key.received()

    def _missed_for_pool(self, unreadable: Unreadable) -> None:
        if unreadable.kind is PSRPMessageType.EncryptedSessionKey:
            self._key.failed(self._errors.no_key("what it sent cannot be read"))
        elif unreadable.kind in _VITAL and self._state.opened is not None:
            self._on_lost(self._errors.not_opened(f"its answer cannot be read ({unreadable.reason})"))
        else:
            self._left_out(unreadable)

    def _take_state(self, event: RunspacePoolStateEvent) -> None:
        opened = self._state.opened
        if event.state is RunspacePoolState.Opened:
            if opened is not None and not opened.done():
                opened.set_result(None)
        elif event.state in _GONE:
            reason = _words(event.reason) or event.state.name
            if opened is not None:
                self._on_lost(self._errors.not_opened(reason))
            else:
                self._on_lost(self._errors.broken(reason, running=self._state.running))
        elif opened is None:
            self._protocol.opened()

    # For the pipeline that runs.

    def _take_for_pipeline(self, pipeline: Pipeline, message: Message) -> None:
        try:
            event: PSRPEvent[Any, Any] = self._protocol.read(message)
        except Unreadable as error:
            self._missed_for_pipeline(pipeline, message, error)
            return
        if isinstance(event, PipelineStateEvent):
            self._take_pipeline_state(pipeline, event.state, event.reason)
        elif isinstance(event, PipelineHostCallEvent):
            if event.method_identifier is HostMethodIdentifier.SetShouldExit:
                pipeline.exit_code = _exit_code(event.method_parameters)
            self._answer_call(event.ci, pipeline.identifier)
        else:
            self._hand_on(pipeline, message, event)

    def _hand_on(self, pipeline: Pipeline, message: Message, event: PSRPEvent[Any, Any]) -> None:
        try:
            pipeline.take(event)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # psrpcore makes an object of whatever comes; what it lacks to be a record shows when it is used.
            unreadable = Unreadable(message.kind, f"{message.kind.name}: {type(error).__name__}")
            self._missed_for_pipeline(pipeline, message, unreadable)

    def _missed_for_pipeline(self, pipeline: Pipeline, message: Message, unreadable: Unreadable) -> None:
        """Go on without a message where that is possible."""
        if message.kind is PSRPMessageType.PipelineState:
            state = bare_state(message)
            if state is None:
                self._on_lost(self._errors.end_unreadable("the end of the script in a form"))
                return
            if isinstance(state, PSInvocationState):
                self._take_pipeline_state(pipeline, state, None)
        elif message.kind is PSRPMessageType.PipelineHostCall and _VOID_CALL not in message.data:
            self._on_lost(self._errors.end_unreadable("a question in a form"))
            return
        elif pipeline.missed(unreadable):
            return
        self._left_out(unreadable)

    def _take_pipeline_state(self, pipeline: Pipeline, state: PSInvocationState, reason: Any) -> None:
        if pipeline.ended(state, reason):
            self._state.current = None
            self._outbox.close_pipeline(pipeline.identifier, self._protocol.forget)

    def _key_settled(self, error: HostError | None) -> None:
        """Hand on what waited for the key."""
        pipeline = self._state.current
        if pipeline is None or not pipeline.held:
            return
        if error is not None:
            self._on_lost(self._errors.broken(error.message, running=True))
            return
        held = list(pipeline.held)
        pipeline.held.clear()
        for message in held:
            if self._state.current is pipeline:
                self._take_for_pipeline(pipeline, message)

    # For both.

    def _answer_call(self, call: int, pipeline: UUID | None) -> None:
        if call != _NO_ANSWER_WANTED:
            messages = self._protocol.no_answer(call)
            self._outbox.start(self._outbox.send(messages, pipeline, prompt=True))

    def _left_out(self, unreadable: Unreadable) -> None:
        self._on_notice(
            f"a message of {self._errors.peer} cannot be read and was left out ({unreadable.reason})"
        )


def _words(reason: object) -> str:
    """Why the peer gave up, in its own words; nothing where it gave none that are an error record."""
    return error_record(reason).message if isinstance(reason, ErrorRecord) else ""


def _exit_code(parameters: list[Any]) -> int:
    """The number of SetShouldExit; 1 where it is none, as PowerShell has it (remoting.md 2.7)."""
    try:
        return int(parameters[0])
    except (IndexError, TypeError, ValueError):
        return 1
