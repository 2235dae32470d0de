"""A pool over the carrier, fed what Windows answered: it asks for the same pipelines and comes to the same results."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import psrpcore
import pytest
from psrpcore.types import PSRPMessageType

from runner.errors import Unreachable
from runner.psrp.pool import Pool
from runner.psrp.request import (
    Argument,
    Command,
    PipelineEnd,
    PipelineRequest,
    PipelineState,
    PoolSettings,
    RecordKind,
    Statement,
)
from runner.wsman.carrier import WsmanCarrier
from runner.wsman.client import Client, ClientSettings, MonotonicClock
from runner.wsman.operations import ShellSettings
from runner.wsman.port import Answer
from tests.unit.wsman.recorded import RecordedWire, Turn, turns

OURS = (
    "test_psrp_application_args.yml",
    "test_psrp_error_failed.yml",
    "test_psrp_long_running_cmdlet.yml",
    "test_psrp_multiple_invocations.yml",
    "test_psrp_no_profile.yml",
    "test_psrp_run_protocol_version_2.2.yml",
    "test_psrp_run_protocol_version_2.3.yml",
    "test_psrp_small_msg_size.yml",
    "test_psrp_stream_no_output_invocation.yml",
    "test_psrp_stream_output_invocation.yml",
    "test_psrp_with_input.yml",
    "test_psrp_with_jea_configuration.yml",
)
#: Not asked for by a step: merged streams, nested pipelines, history, a host that answers, several runspaces, metadata,
#: a key that was made for pypsrp's own. Their requests and answers are played to the carrier in test_recordings.py.

pytestmark = pytest.mark.windows_recordings

_HEAD, _MESSAGE_HEAD = 21, 40
_END_OF_INPUT = 0x00041003
_STATES = {3: PipelineState.STOPPED, 4: PipelineState.COMPLETED, 5: PipelineState.FAILED}
_KINDS = {
    PSRPMessageType.ErrorRecord: RecordKind.ERROR,
    PSRPMessageType.WarningRecord: RecordKind.WARNING,
    PSRPMessageType.VerboseRecord: RecordKind.VERBOSE,
    PSRPMessageType.DebugRecord: RecordKind.DEBUG,
    PSRPMessageType.InformationRecord: RecordKind.INFORMATION,
    PSRPMessageType.ProgressRecord: RecordKind.PROGRESS,
}


@dataclass
class Seen:
    """What a pipeline gave, in order."""

    output: list[Any] = field(default_factory=list)
    kinds: list[RecordKind] = field(default_factory=list)

    def output_received(self, value: Any) -> None:
        """Keep."""
        self.output.append(value)

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """Keep."""
        del record
        self.kinds.append(kind)


_STREAM = re.compile(rb"(<rsp:Stream [^>]*>)([^<]*)")


def _with_mended_text(wished: UUID, stream: re.Match[bytes]) -> bytes:
    return stream[1] + b64encode(mended(b64decode(stream[2]), wished))


def _input_of(turn: Turn) -> bytes:
    return turn.payload("rsp:Send/rsp:Stream")


def messages(data: bytes) -> list[tuple[int, str]]:
    """Type and text of each whole message in fragments, read without the product or psrpcore."""
    whole, found, place = bytearray(), [], 0
    while place < len(data):
        length = int.from_bytes(data[place + 17 : place + _HEAD], "big")
        whole += data[place + _HEAD : place + _HEAD + length]
        if data[place + 16] & 2:
            text = bytes(whole[_MESSAGE_HEAD:]).decode("utf-8-sig")
            found.append((int.from_bytes(whole[4:8], "little"), text))
            whole.clear()
        place += _HEAD + length
    return found


def mended(data: bytes, wished: UUID) -> bytes:
    """Fragments with the pipeline's id in .NET's order of bytes: most recordings' pypsrp wrote it in the other."""
    mended, place = bytearray(data), 0
    while place < len(data):
        length = int.from_bytes(data[place + 17 : place + _HEAD], "big")
        at = slice(place + _HEAD + 24, place + _HEAD + _MESSAGE_HEAD)
        if data[place + 16] & 1 and data[at] == wished.bytes:
            mended[at] = wished.bytes_le
        place += _HEAD + length
    return bytes(mended)


class Windows:
    """What psrpcore's server makes of the fragments a client sends."""

    def __init__(self) -> None:
        self.pool = psrpcore.ServerRunspacePool()

    def take(self, data: bytes, pipeline: UUID | None = None) -> list[Any]:
        """The events of some fragments."""
        if pipeline is not None and pipeline not in self.pool.pipeline_table:
            psrpcore.ServerPipeline(self.pool, pipeline)
        self.pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline))
        return list(iter(self.pool.next_event, None))


def pipelines(sent: list[tuple[str, UUID, bytes]]) -> list[tuple[UUID, Any, list[Any]]]:
    """Each pipeline that was sent: its id, what was to run, its input."""
    found: list[tuple[UUID, Any, list[Any]]] = []
    server = Windows()
    for action, target, data in sent:
        if action == "Command":
            server.pool.pipeline_table.pop(target, None)
        for event in server.take(data, None if action == "Create" else target):
            if isinstance(event, psrpcore.CreatePipelineEvent):
                found.append((target, event.pipeline, []))
            elif isinstance(event, psrpcore.PipelineInputEvent):
                found[-1][2].append(event.data)
    return found


def sent(recorded: list[Turn]) -> list[tuple[str, UUID, bytes]]:
    """The fragments of requests, with the action and the target they are for; an old server's ids as wished."""
    wished: dict[str, UUID] = {}
    data: list[tuple[str, UUID, bytes]] = []
    for turn in recorded:
        if turn.action == "Create":
            data.append(("Create", turn.shell, turn.payload("rsp:Shell/pwsh:creationXml")))
        elif turn.action == "Command":
            target = UUID(turn.command_id)
            given = turn.response.partition("<rsp:CommandId>")[2].partition("<")[0]
            wished[given or str(target).upper()] = target
            data.append(("Command", target, mended(turn.payload("rsp:CommandLine/rsp:Arguments"), target)))
        elif turn.action == "Send" and turn.command_id is not None:
            target = wished.get(turn.command_id, UUID(turn.command_id))
            data.append(("Send", target, mended(turn.payload("rsp:Send/rsp:Stream"), target)))
    return data


def said(pipeline: Any) -> list[tuple[Any, ...]]:
    """The commands of a pipeline as plain values."""
    return [
        (
            c.command_text,
            c.is_script,
            c.use_local_scope,
            c.end_of_statement,
            [(n, str(v)) for n, v in c.parameters],
        )
        for c in pipeline.commands
    ]


def as_request(target: UUID, pipeline: Any, items: list[Any]) -> PipelineRequest:
    """The recorded pipeline as a step would ask for it."""
    statements: list[list[Command]] = [[]]
    for command in pipeline.commands:
        arguments = tuple(Argument(value, name) for name, value in command.parameters)
        statements[-1].append(
            Command(command.command_text, command.is_script, arguments, command.use_local_scope)
        )
        if command.end_of_statement and command is not pipeline.commands[-1]:
            statements.append([])
    return PipelineRequest(
        statements=tuple(Statement(tuple(commands)) for commands in statements),
        input=None if pipeline.no_input else items,
        pipeline=target,
    )


class Played:
    """A recording, run through pool and carrier."""

    def __init__(self, name: str) -> None:
        self.turns = [turn for turn in turns(name) if turn.action != "Get"]
        self.wire = RecordedWire(self.turns)
        self.recorded = pipelines(sent(self.turns))
        self.fed = asyncio.Event()
        if all(pipeline.no_input for _, pipeline, _ in self.recorded):
            self.fed.set()
        self.notices: list[str] = []
        self.seen: list[Seen] = []
        self.ends: list[PipelineEnd] = []
        self.asked: list[Turn] = []

    async def run(self) -> None:
        """Every pipeline of the recording, one after the other."""
        first = self.turns[0]
        settings = ClientSettings(
            host="windows",
            resource_uri=first.header("wsman:ResourceURI"),
            session=uuid4(),
            envelope_size=int(self.turns[-1].header("wsman:MaxEnvelopeSize")),
        )
        carrier = WsmanCarrier(Client(self, settings, MonotonicClock()), ShellSettings())
        pool = Pool(carrier, PoolSettings(pool=first.shell, open_timeout=60))
        pool.on_notice = self.notices.append
        await pool.open()
        for target, pipeline, items in self.recorded:
            seen = Seen()
            self.seen.append(seen)
            self.ends.append(await pool.run(as_request(target, pipeline, items), seen))
        await pool.close()

    @property
    def url(self) -> str:
        """The wire's."""
        return self.wire.url

    async def post(self, envelope: bytes, *, timeout: float) -> Any:
        """Keep the request, and let the recording answer."""
        asked = Turn(ET.fromstring(envelope), "", {})
        if asked.action == "Send" and any(kind == _END_OF_INPUT for kind, _ in messages(_input_of(asked))):
            self.fed.set()
        if asked.action == "Receive" and asked.command_id is not None:
            await self.fed.wait()  # Windows read all the input before it said anything
        answer = await self.wire.post(envelope, timeout=timeout)
        asked.response = answer.body.decode()
        self.asked.append(asked)
        body = answer.body
        for target, _, _ in self.recorded:
            body = _STREAM.sub(partial(_with_mended_text, target), body)
        return Answer(answer.status, body)

    def redirect(self, url: str) -> None:
        """No recording has a redirection."""
        self.wire.redirect(url)

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("name", OURS)
async def test_windows_is_asked_for_the_same_pipelines(name: str) -> None:
    """Commands, scripts, arguments, scopes and input are what pypsrp asked for, as psrpcore's server reads both."""
    played = Played(name)
    async with asyncio.timeout(120):
        await played.run()

    theirs, ours = pipelines(sent(played.turns)), pipelines(sent(played.asked))
    assert [target for target, _, _ in ours] == [target for target, _, _ in theirs]
    assert [said(pipeline) for _, pipeline, _ in ours] == [said(pipeline) for _, pipeline, _ in theirs]
    assert [items for _, _, items in ours] == [items for _, _, items in theirs]


async def test_windows_powershell_2_is_refused() -> None:
    """It answered, but half of what it says cannot be read; that is told as the session opens, and nothing is run."""
    played = Played("test_psrp_run_protocol_version_2.1.yml")
    with pytest.raises(Unreachable) as caught:
        async with asyncio.timeout(120):
            await played.run()
    assert caught.value.code == "pool-too-old"
    assert [turn.action for turn in played.asked].count("Command") == 0


@pytest.mark.parametrize("name", OURS)
async def test_what_windows_answered_comes_out(name: str) -> None:
    """As many objects and records of each kind as were sent, in order, plain texts as they were, and the same end."""
    played = Played(name)
    async with asyncio.timeout(120):
        await played.run()

    came = b"".join(t.streams for t in played.turns if t.action == "Receive" and t.command_id is not None)
    answered = messages(came)
    objects = [text for kind, text in answered if kind == PSRPMessageType.PipelineOutput]
    output = [value for seen in played.seen for value in seen.output]
    assert len(output) == len(objects)
    for value, text in zip(output, objects, strict=True):
        if plain := re.fullmatch(r"<S>([^<&_]*)</S>", text):
            assert value == plain[1]
        if number := re.fullmatch(r"<I32>(-?\d+)</I32>", text):
            assert value == int(number[1])
    records = [_KINDS[PSRPMessageType(kind)] for kind, _ in answered if PSRPMessageType(kind) in _KINDS]
    assert [kind for seen in played.seen for kind in seen.kinds] == records
    assert played.notices == []
    states = [text for kind, text in answered if kind == PSRPMessageType.PipelineState]
    numbers = [int(re.findall(r'N="PipelineState">(\d)<', text)[0]) for text in states]
    assert [end.state for end in played.ends] == [_STATES[number] for number in numbers]
