"""A host that speaks PowerShell remoting inside the test's process: psrpcore's server side behind the carrier's port.

It is no engine. It does the few commands that the runner itself sends (``Set-Location``, ``Set-Item Env:`` ...), its
fixed scripts by Python on a directory of the test, and any other script by a function that the test gives. Every
request is kept in ``asked``, so that a test sees what reached the host.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psrpcore
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    HostMethodIdentifier,
    NETException,
    PipelineState,
    PSCustomObject,
    PSInvocationState,
    PSVersion,
)

from runner.errors import ConnectionLost
from runner.psrp import script as our_scripts
from runner.transport.carrier import CarrierReceiver
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login

FRAGMENT = 32768


class Refused(Exception):
    """A script throws: the pipeline fails with this message."""


class Stays(Exception):
    """A script runs until it is stopped."""


@dataclass
class Call:
    """One command or script that is run, with what came with it; ``write`` and ``exit`` answer."""

    host: FakeHost
    pipeline: psrpcore.ServerPipeline
    text: str
    arguments: list[Any]
    named: dict[str, Any]
    input: list[Any]

    def write(self, *values: Any) -> None:
        """Output."""
        for value in values:
            self.pipeline.write_output(value)

    def error(self, message: str) -> None:
        """A record on the error stream."""
        record = error_record(message)
        self.pipeline.write_error(record.Exception, record.CategoryInfo, None, record.FullyQualifiedErrorId)

    def exit(self, code: int) -> None:
        """``exit N``: a host call that wants no answer."""
        self.pipeline.host_call(HostMethodIdentifier.SetShouldExit, [code])


Script = Callable[[Call], None]


@dataclass
class FakeHost:
    """What the host is: its scripts by text, and the state of the one runspace of each session."""

    scripts: dict[str, Script] = field(default_factory=dict)
    directories: set[str] = field(default_factory=lambda: {"/", "/tmp", "/home/ops"})
    version: str = "7.6.5"
    can_reset: bool = True
    asked: list[str] = field(default_factory=list)
    opened: int = 0
    carriers: list[InProcessCarrier] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)

    def texts(self) -> list[str]:
        """What was asked, without what the runner looks up for itself."""
        return [
            text
            for text in self.asked
            if not text.startswith(("param([string[]]$Preference", "\nparam([int[]]"))
        ]


@dataclass
class Runspace:
    """What stays from pipeline to pipeline."""

    location: str = "/home/ops"
    environment: dict[str, str] = field(default_factory=dict)
    preferences: dict[str, str] = field(
        default_factory=lambda: {
            "ErrorActionPreference": "Continue",
            "WarningPreference": "Continue",
            "InformationPreference": "SilentlyContinue",
            "VerbosePreference": "SilentlyContinue",
            "DebugPreference": "SilentlyContinue",
        }
    )
    strict: int = 0
    variables: dict[str, Any] = field(default_factory=dict)
    last_exit_code: int | None = None


def error_record(message: str) -> ErrorRecord:
    """An error as an engine sends it."""
    exception = NETException(Message=message)
    return ErrorRecord(
        Exception=exception,
        CategoryInfo=ErrorCategoryInfo(Category=ErrorCategory.NotSpecified, Reason="RuntimeException"),
        FullyQualifiedErrorId=message.partition(" ")[0],
    )


class InProcessCarrier:
    """A :class:`runner.transport.carrier.Carrier` whose peer is in this process; answers come with the next turn."""

    fragment_size = FRAGMENT

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        table = {"PSVersionTable": {"PSVersion": PSVersion(host.version)}}
        self._pool = psrpcore.ServerRunspacePool(table)
        self.runspace = Runspace()
        self._receiver: CarrierReceiver | None = None
        self._running: dict[UUID, tuple[psrpcore.ServerPipeline, list[Any]]] = {}
        self._staying: set[UUID] = set()
        self.lost = False
        self.deaf = False
        host.carriers.append(self)

    async def open(self, pool: UUID, opening: bytes, receiver: CarrierReceiver) -> None:
        self._receiver = receiver
        self._host.opened += 1
        self._feed(opening, None)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        yield

    async def command(self, pipeline: UUID, creation: bytes) -> None:
        self._check()
        self._running[pipeline] = (psrpcore.ServerPipeline(self._pool, pipeline), [])
        self._feed(creation, pipeline)

    async def send(self, data: bytes, *, pipeline: UUID | None = None, prompt: bool = False) -> None:
        self._check()
        self._feed(data, pipeline)
        await asyncio.sleep(0)

    async def signal(self, pipeline: UUID) -> None:
        self._check()
        if pipeline in self._staying and not self.deaf:
            self._staying.remove(pipeline)
            self._end(self._running[pipeline][0], PSInvocationState.Stopped, error_record("stopped"))
            self._drain()

    async def close_pipeline(self, pipeline: UUID) -> None:
        self._running.pop(pipeline, None)
        self._pool.pipeline_table.pop(pipeline, None)

    async def close(self) -> None:
        self.lost = True

    def abort(self) -> None:
        self.lost = True

    def cut(self) -> None:
        """The link breaks."""
        self.lost = True
        if self._receiver is not None:
            self._receiver.carrier_lost(
                ConnectionLost("connection-lost", "the link to `win` broke", may_have_run=True)
            )

    def _check(self) -> None:
        if self.lost:
            raise ConnectionLost("connection-lost", "the link to `win` broke", phase="send")

    def _feed(self, data: bytes, target: UUID | None) -> None:
        self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, target))
        while (event := self._pool.next_event()) is not None:
            self._event(event)
        self._drain()

    def _event(self, event: Any) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            if event.pipeline.no_input:
                self._run(event.pipeline_id)
        elif isinstance(event, psrpcore.PipelineInputEvent):
            self._running[event.pipeline_id][1].append(event.data)
        elif isinstance(event, psrpcore.EndOfPipelineInputEvent):
            self._run(event.pipeline_id)
        elif isinstance(event, psrpcore.ResetRunspaceStateEvent):
            self.runspace.variables.clear()
            self._pool.runspace_availability_response(event.ci, self._host.can_reset)
        elif isinstance(event, psrpcore.GetAvailableRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, 1)

    def _run(self, number: UUID) -> None:
        pipeline, given = self._running[number]
        pipeline.state = PSInvocationState.Running
        commands = getattr(pipeline.metadata, "commands", [])
        try:
            for place, command in enumerate(commands):
                named = {name: value for name, value in command.parameters if name is not None}
                arguments = [value for name, value in command.parameters if name is None]
                self._host.asked.append(_shown(command.command_text, arguments, named))
                call = Call(self._host, pipeline, command.command_text, arguments, named, given)
                try:
                    self._do(call, is_script=command.is_script)
                except Refused as error:
                    if place == len(commands) - 1:
                        raise
                    call.error(str(error))
        except Refused as error:
            self._end(pipeline, PSInvocationState.Failed, error_record(str(error)))
        except Stays:
            self._staying.add(number)
        else:
            self._end(pipeline, PSInvocationState.Completed)

    def _do(self, call: Call, *, is_script: bool) -> None:
        script = self._host.scripts.get(call.text)
        if script is not None:
            script(call)
        elif is_script:
            self._own_script(call)
        else:
            _COMMANDS[call.text](self.runspace, call)

    def _own_script(self, call: Call) -> None:
        runspace = self.runspace
        if call.text == our_scripts._LOOK:
            call.write(_look(runspace, call))
        elif call.text == "$LASTEXITCODE":
            call.write(runspace.last_exit_code)
        elif call.text == "$global:LASTEXITCODE = $null":
            runspace.last_exit_code = None
        else:
            raise Refused(f"CommandNotFound: this host knows no script {call.text[:60]!r}")

    def _end(
        self, pipeline: psrpcore.ServerPipeline, state: PSInvocationState, error: ErrorRecord | None = None
    ) -> None:
        pipeline.state = state
        message = PipelineState(PipelineState=int(state))
        if error is not None:
            message.ExceptionAsErrorRecord = error
        pipeline.prepare_message(message)

    def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while (payload := self._pool.data_to_send(FRAGMENT)) is not None:
            loop.call_soon(self._deliver, payload.data, payload.pipeline_id)

    def _deliver(self, data: bytes, pipeline: UUID | None) -> None:
        if self._receiver is not None and not self.lost:
            self._receiver.fragments_received(data, pipeline)


def _shown(text: str, arguments: Iterable[Any], named: Mapping[str, Any]) -> str:
    words = [*map(str, arguments), *(f"-{name} {value}" for name, value in named.items() if name != "--%")]
    return " ".join([text, *words])


def _look(runspace: Runspace, call: Call) -> PSCustomObject:
    directory = call.named["Directory"]
    return PSCustomObject(
        Location=runspace.location,
        StrictMode=runspace.strict,
        Preferences=[runspace.preferences[name] for name in call.named["Preference"]],
        Environment=[runspace.environment.get(name) for name in call.named["Environment"]],
        DirectoryFound=not directory or directory in call.host.directories,
    )


def _set_location(runspace: Runspace, call: Call) -> None:
    path = call.named["LiteralPath"]
    if path not in call.host.directories:
        raise Refused(f"PathNotFound: {path}")
    runspace.location = path


def _set_item(runspace: Runspace, call: Call) -> None:
    runspace.environment[call.named["LiteralPath"].removeprefix("Env:")] = call.named["Value"]


def _remove_item(runspace: Runspace, call: Call) -> None:
    runspace.environment.pop(call.named["LiteralPath"].removeprefix("Env:"), None)


def _set_strict_mode(runspace: Runspace, call: Call) -> None:
    versions = {"Latest": 3, "1.0": 1, "2.0": 2, "3.0": 3}
    runspace.strict = 0 if call.named.get("Off") else versions[call.named["Version"]]


def _set_variable(runspace: Runspace, call: Call) -> None:
    runspace.preferences[call.named["Name"]] = call.named["Value"]


def _test_path(runspace: Runspace, call: Call) -> None:
    del runspace
    call.write(call.named["LiteralPath"] in call.host.directories)


_COMMANDS: dict[str, Callable[[Runspace, Call], None]] = {
    "Set-Location": _set_location,
    "Set-Item": _set_item,
    "Remove-Item": _remove_item,
    "Set-StrictMode": _set_strict_mode,
    "Set-Variable": _set_variable,
    "Test-Path": _test_path,
}


@dataclass
class FakeLink:
    """A link that carries PowerShell and nothing else; a :class:`runner.transport.port.PowerShellLink`."""

    host: FakeHost
    endpoint: Endpoint
    lost: bool = False

    def carrier(self, *, name: str | None = None) -> InProcessCarrier:
        self.host.names.append(name)
        return InProcessCarrier(self.host)

    async def probe(self, timeout: float) -> bool:
        return not self.lost

    async def close(self) -> None:
        self.lost = True


@dataclass
class FakeWinrm:
    """A transport to fake hosts by name; a :class:`runner.transport.port.Transport`."""

    hosts: Mapping[str, FakeHost]
    name: str = "winrm"

    async def connect(self, endpoint: Endpoint, login: Login | None) -> FakeLink:
        return FakeLink(self.hosts[endpoint.host], endpoint)

    async def close(self) -> None:
        """Nothing is shared."""
