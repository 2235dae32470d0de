"""psrpcore, which reads and writes messages without doing any input or output; what it gets wrong is mended here.

Remoting.md 9.5 has its bugs by number. Whole messages only are given to it, one at a time, so that one it cannot read
spoils no other (7, 10, 11), and it is never asked to cut what it writes (8, 16).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from struct import Struct
from typing import Any
from uuid import UUID

from psrpcore import (
    ApplicationPrivateDataEvent,
    ClientPowerShell,
    ClientRunspacePool,
    Command,
    PSRPEvent,
    PSRPPayload,
    RunspacePoolStateEvent,
    StreamType,
)
from psrpcore.types import (
    EndOfPipelineInput,
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    NETException,
    PipelineState,
    PSInvocationState,
    PSRPMessageType,
    RemoteStreamOptions,
    RunspacePoolState,
    SessionCapability,
)

from runner.psrp.creation import plain_creation, plain_value
from runner.psrp.direct import read_output
from runner.psrp.fragments import cut, objects
from runner.psrp.request import PipelineRequest, PoolSettings

# At DEBUG psrpcore prints the body of every message, scripts and values of `$Using:` among them (13). Its loggers are
# made when it is imported and disabled here for good, for a level would not hold against one that somebody else sets.
for _name in list(logging.root.manager.loggerDict):
    if _name.partition(".")[0] == "psrpcore":
        logging.getLogger(_name).disabled = True

#: Destination, type, pool and pipeline; little-endian (MS-PSRP 2.2.1).
_HEAD = Struct("<II16s16s")
_TO_CLIENT, _TO_SERVER = 1, 2
_NOBODY = UUID(int=0)
#: Objects that are written here and not by psrpcore: far from the numbers it counts up from 1.
_OWN_OBJECTS = 1 << 62
#: What a peer speaks that has not told: the one before PowerShell 2 came out.
_OLDEST_PROTOCOL = (2, 0)
#: What a host says of itself when a pool opens: the same on all hosts of a kind, and 2 ms of psrpcore's computing. What
#: is longer, bytes, is not kept.
_OPENING = frozenset(
    {
        PSRPMessageType.SessionCapability,
        PSRPMessageType.ApplicationPrivateData,
        PSRPMessageType.RunspacePoolState,
    }
)
_LONGEST_KEPT = 8 << 10
_CATEGORY = re.compile(rb'(<I32 N="ErrorCategory_Category">)(-?\d+)(</I32>)')
_CATEGORIES = frozenset(str(int(category)).encode() for category in ErrorCategory)
#: What nearly every message of a script that gives text is: one string that stands as it is, and its end. What XML
#: forbids or reads as something else is none (markup, control characters, two-byte line ends, U+FFFE), nor an escape.
_TEXT = re.compile(rb"<S>((?:[^<&_\0-\x08\x0b-\x1f\xef]+|_(?![xX]))*)</S>")
_PLAIN_END = re.compile(rb'<Obj RefId="0"><MS><I32 N="PipelineState">([345])</I32></MS></Obj>')
_ENDS = {
    str(int(state)).encode(): PipelineState(PipelineState=state)
    for state in (PSInvocationState.Stopped, PSInvocationState.Completed, PSInvocationState.Failed)
}


class Unreadable(Exception):
    """A message cannot be read; ``kind`` is its type. The messages after it can."""

    def __init__(self, kind: PSRPMessageType | None, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came: its type, the pipeline it is for, and all of its bytes."""

    kind: PSRPMessageType
    pipeline: UUID | None
    data: bytes

    @property
    def body(self) -> bytes:
        """The CLIXML."""
        return self.data[_HEAD.size :]

    @property
    def has_secret(self) -> bool:
        """Whether a secure string is in it; markup is escaped wherever it is text."""
        return b"<SS" in self.data


def read_head(data: bytes) -> Message:
    """What kind of message it is and whose.

    Raises:
        Unreadable: it has no whole head, or is of a kind that nobody knows.

    """
    if len(data) < _HEAD.size:
        raise Unreadable(None, f"a message of {len(data)} bytes")
    _, kind, _, pipeline = _HEAD.unpack_from(data)
    try:
        known = PSRPMessageType(kind)
    except ValueError:
        raise Unreadable(None, f"a message of the unknown kind 0x{kind:08x}") from None
    target = UUID(bytes_le=pipeline)
    return Message(known, None if target == _NOBODY else target, data)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The keys of one pool that secure strings' key travels under; ``message`` is the body of PUBLIC_KEY."""

    private: Any = field(repr=False)
    message: bytes

    @classmethod
    def make(cls) -> KeyPair:
        """A new pair: 30 to 250 ms of computing. Touches nothing else, so a thread may do it."""
        return _ClientPool().new_key_pair()


class _ClientPool(ClientRunspacePool):
    """psrpcore's, whose keys may be made elsewhere: psrpcore would compute them within the event loop."""

    _exchange_key: Any

    def new_key_pair(self) -> KeyPair:
        """Keys that psrpcore makes, and its message of them."""
        self.state = RunspacePoolState.Opened
        self.exchange_key()
        payload = self.data_to_send()
        assert payload is not None  # noqa: S101 - it has just been given a message
        ((_, whole),) = objects(payload.data)
        return KeyPair(self._exchange_key, read_head(whole).body)

    def take_key_pair(self, pair: KeyPair) -> None:
        """Read the key that comes with these."""
        self._exchange_key = pair.private
        self._key_requested = True


class Protocol:
    """One pool's messages. Every method that makes one gives the whole of it; :meth:`fragments` cuts it."""

    def __init__(self, settings: PoolSettings) -> None:
        self._pool = _ClientPool(
            application_arguments=dict(settings.application_arguments), runspace_pool_id=settings.pool
        )
        self._count = 0

    @property
    def pool_id(self) -> UUID:
        """The pool's id."""
        return self._pool.runspace_pool_id

    @property
    def engine_version(self) -> tuple[int, ...] | None:
        """The peer's ``$PSVersionTable.PSVersion``, None where it has not told."""
        table = self._pool.application_private_data.get("PSVersionTable")
        version = table.get("PSVersion") if isinstance(table, dict) else None
        if version is None:
            return None
        numbers = re.match(r"\d+(?:\.\d+)*", str(version))
        return tuple(int(number) for number in numbers[0].split(".")) if numbers else None

    def opening(self) -> list[tuple[int, bytes]]:
        """SESSION_CAPABILITY and INIT_RUNSPACEPOOL."""
        if self._pool.application_arguments:
            self._pool.open()
            return self._written()
        self._pool.state = RunspacePoolState.Opening
        return [self._own(kind, None, body) for kind, body in _plain_opening()]

    def opened(self) -> None:
        """The pool is open, whatever odd state the peer has told since."""
        self._pool.state = RunspacePoolState.Opened

    def create(self, request: PipelineRequest, pipeline: UUID) -> list[tuple[int, bytes]]:
        """CREATE_PIPELINE as Invoke-Command sends it (remoting.md 1.7)."""
        body = plain_creation(request, self.peer_protocol)
        if body is None:
            return self._create_by_psrpcore(request, pipeline)
        self._pool.pipeline_table[pipeline] = _any_pipeline()
        return [self._own(PSRPMessageType.CreatePipeline, pipeline, body)]

    def _create_by_psrpcore(self, request: PipelineRequest, pipeline: UUID) -> list[tuple[int, bytes]]:
        shell = ClientPowerShell(
            self._pool,
            add_to_history=True,
            no_input=request.input is None,
            remote_stream_options=(
                RemoteStreamOptions.AddInvocationInfo if request.invocation_info else RemoteStreamOptions.none
            ),
            pipeline_id=pipeline,
        )
        for number, statement in enumerate(request.statements):
            if number:
                shell.add_statement()
            for command in statement.commands:
                shell.add_command(
                    Command(command.text, command.is_script, use_local_scope=command.use_local_scope)
                )
                for argument in command.arguments:
                    shell.add_parameter(argument.name, argument.value)
        try:
            shell.start()
        except BaseException:
            self.forget(pipeline)
            raise
        return self._written()

    def item(self, pipeline: UUID, value: Any) -> list[tuple[int, bytes]]:
        """PIPELINE_INPUT. A null is always written here: psrpcore would send it as output of ours, lost for all (6)."""
        body = plain_value(value)
        if body is not None:
            return [self._own(PSRPMessageType.PipelineInput, pipeline, body)]
        self._pool.prepare_message(value, PSRPMessageType.PipelineInput, pipeline)
        return self._written()

    def end_of_input(self, pipeline: UUID) -> list[tuple[int, bytes]]:
        """END_OF_PIPELINE_INPUT."""
        self._pool.prepare_message(EndOfPipelineInput(), pipeline_id=pipeline)
        return self._written()

    def no_answer(self, call: int) -> list[tuple[int, bytes]]:
        """The answer to a host call that nobody can answer: an error record."""
        exception = NETException(Message="The host program has nobody to answer this.", HResult=-2146233087)
        record = ErrorRecord(
            Exception=exception,
            CategoryInfo=ErrorCategoryInfo(Category=ErrorCategory.NotImplemented),
            FullyQualifiedErrorId="HostFunctionNotImplemented",
        )
        self._pool.host_response(call, error_record=record)
        return self._written()

    def public_key(self, pair: KeyPair) -> list[tuple[int, bytes]]:
        """PUBLIC_KEY, of a pair of keys for this pool alone."""
        self._pool.take_key_pair(pair)
        return [self._own(PSRPMessageType.PublicKey, None, pair.message)]

    def ask_available(self) -> tuple[int, list[tuple[int, bytes]]]:
        """GET_AVAILABLE_RUNSPACES, with the number its answer has."""
        call = self._pool.get_available_runspaces()
        return call, self._written()

    def ask_reset(self) -> tuple[int, list[tuple[int, bytes]]]:
        """RESET_RUNSPACE_STATE, with the number its answer has.

        Raises:
            InvalidProtocolVersion: the peer cannot.

        """
        call = self._pool.reset_runspace_state()
        return call, self._written()

    def forget(self, pipeline: UUID) -> None:
        """The peer has closed the pipeline; what psrpcore thinks of its state is no reason to keep it (9, 15)."""
        self._pool.pipeline_table.pop(pipeline, None)

    def read(self, message: Message) -> PSRPEvent[Any, Any]:
        """What a message says.

        Raises:
            Unreadable: it is no CLIXML, or says what nobody knows.

        """
        if (known := self._read_plain(message)) is not None:
            return known
        data = message.data
        if message.kind in (PSRPMessageType.ErrorRecord, PSRPMessageType.PipelineState):
            data = _CATEGORY.sub(_known_category, data)
        if b"<!DOCTYPE" in data:
            raise Unreadable(message.kind, "a document type has no place in a message")
        self._count += 1
        try:
            if message.kind in _OPENING and len(data) <= _LONGEST_KEPT and not message.has_secret:
                return self._read_opening(message)
            event = _event(self._pool, self._count, data, message.pipeline)
        except Exception as error:  # whatever psrpcore trips over is this message's fault
            raise Unreadable(message.kind, f"{message.kind.name}: {type(error).__name__}") from error
        if event is None:
            raise Unreadable(message.kind, f"{message.kind.name} came to nothing")
        return event

    def _read_plain(self, message: Message) -> PSRPEvent[Any, Any] | None:
        """A message that needs no psrpcore, which would take ten times as long; the data of an output is public."""
        kind, data = message.kind, message.data
        content: Any = None
        if kind is PSRPMessageType.PipelineOutput:
            text = _TEXT.fullmatch(data, _HEAD.size)
            content = _decoded(text[1]) if text else read_output(message.body)
        elif kind is PSRPMessageType.PipelineState and (end := _PLAIN_END.fullmatch(data, _HEAD.size)):
            content = _ENDS[end[1]]
        if content is None:
            return None
        return PSRPEvent.create(kind, content, self.pool_id, message.pipeline)

    def _read_opening(self, message: Message) -> PSRPEvent[Any, Any]:
        """What a host says of itself: where another has said the same, it is not read again."""
        event, capability = _said_before(message.kind, message.body)
        if capability is not None:
            self._pool.their_capability = capability
        elif isinstance(event, ApplicationPrivateDataEvent):
            self._pool.application_private_data = event.data
        elif isinstance(event, RunspacePoolStateEvent):
            self._pool.state = event.state
        return event

    @property
    def peer_protocol(self) -> tuple[int, int]:
        """The remoting protocol that the peer speaks: ``(2, 3)``."""
        capability: Any = self._pool.their_capability
        version = None if capability is None else capability.protocolversion
        return (version.major, version.minor) if version is not None else _OLDEST_PROTOCOL

    def _own(self, kind: PSRPMessageType, pipeline: UUID | None, body: bytes) -> tuple[int, bytes]:
        """A message that is not written by this pool's psrpcore."""
        self._count += 1
        head = _HEAD.pack(_TO_SERVER, kind.value, self.pool_id.bytes_le, (pipeline or _NOBODY).bytes_le)
        return _OWN_OBJECTS + self._count, head + body

    def _written(self) -> list[tuple[int, bytes]]:
        """What psrpcore has queued: number and content of each message. Without a size it cuts nothing."""
        written: list[tuple[int, bytes]] = []
        while (payload := self._pool.data_to_send()) is not None:
            written.extend(objects(payload.data))
        return written


@cache
def _plain_opening() -> tuple[tuple[PSRPMessageType, bytes], ...]:
    """What psrpcore opens a pool with that has no arguments of its own: but for the head the same for all of them."""
    pool = ClientRunspacePool()
    pool.open()
    payload = pool.data_to_send()
    messages = [read_head(whole) for _, whole in objects(payload.data)] if payload is not None else []
    return tuple((message.kind, message.body) for message in messages)


@cache
def _any_pipeline() -> ClientPowerShell:
    """Stands for every pipeline whose creation is written here: psrpcore notes its state there, and nobody reads it."""
    return ClientPowerShell(ClientRunspacePool())


@lru_cache(maxsize=64)
def _said_before(kind: PSRPMessageType, body: bytes) -> tuple[PSRPEvent[Any, Any], SessionCapability | None]:
    """A message of a pool that opens, read by a pool that is nobody's; what it says the peer can do."""
    pool = ClientRunspacePool()
    event = _event(pool, 1, _HEAD.pack(_TO_CLIENT, kind.value, _NOBODY.bytes, _NOBODY.bytes) + body, None)
    if event is None:
        raise ValueError("it came to nothing")
    return event, pool.their_capability


def _event(
    pool: ClientRunspacePool, number: int, data: bytes, pipeline: UUID | None
) -> PSRPEvent[Any, Any] | None:
    """What psrpcore makes of a whole message."""
    (fragment,) = cut(number, data, len(data) + 21)
    pool.receive_data(PSRPPayload(fragment, StreamType.default, pipeline))
    return pool.next_event()


def cut_all(messages: Iterable[tuple[int, bytes]], size: int) -> Iterator[bytes]:
    """The fragments of messages, each of at most ``size`` bytes."""
    for object_id, data in messages:
        yield from cut(object_id, data, size)


def _decoded(text: bytes) -> str | None:
    """The text; None where it is no UTF-8, which is for psrpcore to refuse."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def _known_category(found: re.Match[bytes]) -> bytes:
    """A category that psrpcore does not know becomes NotSpecified, so that the record is not lost (11)."""
    return found[0] if found[2] in _CATEGORIES else found[1] + b"0" + found[3]
