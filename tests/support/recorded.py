"""Recorded conversations of PowerShell as tests read them: what was asked, and what came of it.

The CLIXML is the truth (tests/recordings); what is made of it here goes through psrpcore and the product's own tables,
``from_ps``, ``error_record`` and ``stream_record``, whose tests compare them with the engine's words for each value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

from psrpcore import PSRPEvent
from psrpcore.types import HostMethodIdentifier, PSRPMessageType

from runner.engine.result import ErrorRecord, Streams
from runner.objects import PSObject
from runner.psrp.from_ps import from_ps
from runner.psrp.records import error_record
from runner.psrp.request import RecordKind
from runner.psrp.streams import StreamKeeper
from tests.support.clixml import RECORDINGS, read
from tests.support.recorded_requests import Asked, asked, text_of_key

_NOBODY = UUID(int=0)
_RECORDS = {
    "WarningRecord": RecordKind.WARNING,
    "VerboseRecord": RecordKind.VERBOSE,
    "DebugRecord": RecordKind.DEBUG,
    "InformationRecord": RecordKind.INFORMATION,
    "ProgressRecord": RecordKind.PROGRESS,
}
_FORMATTING = "Microsoft.PowerShell.Commands.Internal.Format."
#: Stands for the text of a recorded secure string: its session's key is gone.
UNREADABLE = "unreadable"
_STATES = {3: "stopped", 4: "completed", 5: "failed"}


@dataclass
class Recorded:
    """What a run gave: public values. ``formatted`` says that drawing instructions were among the outputs.

    ``order`` has the stream of each output and record but progress, ``stdout`` for outputs.
    """

    output: list[Any] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    streams: Streams = field(default_factory=Streams)
    state: str = ""
    exit_code: int | None = None
    formatted: bool = False


@dataclass(frozen=True)
class Run:
    """One pipeline: ``creation`` is the CLIXML that asked for it, ``input`` that of each item, None for no input."""

    recording: str
    number: int
    pipeline: str
    document: dict[str, Any]
    creation: str
    input: tuple[str, ...] | None
    answer: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """``22-error.1``; the first run of a recording is 0."""
        return f"{self.recording}.{self.number}"

    @property
    def asked(self) -> Asked:
        """Commands, arguments and ``--%`` values, with the input."""
        return asked(self.creation, self.input)

    @property
    def recorded(self) -> Recorded:
        """What came of it."""
        return result_of(self.answer)

    def using(self) -> dict[str, Any]:
        """Text of each using expression -> the public value that was sent for it."""
        root = ET.fromstring(self.creation)
        found: dict[str, Any] = {}
        for argument in root.iterfind(".//Obj[@N='Args']/LST/Obj/MS"):
            if argument.findtext("S[@N='N']") == "--%":
                for entry in argument.iterfind("Obj[@N='V']/DCT/En"):
                    key = text_of_key(entry.findtext("S[@N='Key']") or "")
                    found[key] = value_of(entry.find("*[@N='Value']"), root)
        return found

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """The public values of the last command's arguments: by position, by name."""
        root = ET.fromstring(self.creation)
        commands = root.findall(".//Obj[@N='Cmds']/LST/Obj/MS")
        return arguments_of(commands[-1], root)

    def items(self) -> list[Any] | None:
        """The public values of the input; None where there was none."""
        return None if self.input is None else [public(item) for item in self.input]


def arguments_of(command: ET.Element, root: ET.Element) -> tuple[list[Any], dict[str, Any]]:
    """A command's arguments by position and by name, ``--%`` left out."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for argument in command.iterfind("Obj[@N='Args']/LST/Obj/MS"):
        name, value = argument.findtext("S[@N='N']"), argument.find("*[@N='V']")
        if name is None:
            positional.append(value_of(value, root))
        elif name != "--%":
            named[name] = value_of(value, root)
    return positional, named


def value_of(element: ET.Element | None, root: ET.Element) -> Any:
    """The public value of a part of a message; type names and objects may be told earlier in it."""
    assert element is not None
    names = {names.get("RefId"): names for names in root.iter("TN")}
    text = ET.tostring(element, encoding="unicode")
    for number in {reference.get("RefId") for reference in element.iter("TNRef")}:
        if f'<TN RefId="{number}"' not in text:
            told = ET.tostring(names[number], encoding="unicode")
            text = text.replace(f'<TNRef RefId="{number}" />', told, 1)
    return public(text)


def public(clixml: str) -> Any:
    """The public value of CLIXML; of a null nothing is sent. What a secure string held nobody can read any more."""
    return from_ps(read(clixml), lambda secret: UNREADABLE) if clixml.strip("\ufeff") else None


@cache
def recording(name: str) -> dict[str, Any]:
    """One recorded conversation of a server."""
    path = RECORDINGS / "server" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@cache
def recordings() -> tuple[str, ...]:
    """The names of all server recordings."""
    return tuple(sorted(path.stem for path in (RECORDINGS / "server").glob("*.json")))


@cache
def runs(name: str) -> tuple[Run, ...]:
    """The runs of a server recording."""
    return runs_of(recording(name))


def runs_of(document: dict[str, Any]) -> tuple[Run, ...]:
    """The runs of a recording."""
    said: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for packet in document["transcript"]:
        sides = said.setdefault(packet["PSGuid"], {"C": [], "S": []})
        sides[packet["dir"]] += [(each["name"], each["clixml"]) for each in packet.get("messages") or ()]
    found = []
    for number, run in enumerate(document["runs"]):
        client, server = said[run["pipeline"]]["C"], said[run["pipeline"]]["S"]
        (creation,) = [clixml for name, clixml in client if name == "CreatePipeline"]
        ended = any(name == "EndOfPipelineInput" for name, _ in client)
        given = tuple(clixml for name, clixml in client if name == "PipelineInput")
        found.append(
            Run(
                document["name"],
                number,
                run["pipeline"],
                run,
                creation,
                given if ended else None,
                tuple(server),
            )
        )
    return tuple(found)


def application_arguments(document: dict[str, Any]) -> dict[str, Any]:
    """What the client said of itself as the pool was opened."""
    for packet in document["transcript"]:
        for message in packet.get("messages") or ():
            if message["name"] == "InitRunspacePool":
                root = ET.fromstring(message["clixml"])
                said = root.find("MS/Obj[@N='ApplicationArguments']")
                return dict(value_of(said, root)) if said is not None else {}
    return {}


def result_of(answer: tuple[tuple[str, str], ...]) -> Recorded:
    """What a pipeline's messages come to."""
    found, keeper = Recorded(), StreamKeeper()
    for name, clixml in answer:
        _MESSAGES[name](found, keeper, name, clixml)
    found.streams = keeper.streams()
    return found


def _event(name: str, clixml: str) -> Any:
    return PSRPEvent.create(PSRPMessageType[name], read(clixml), _NOBODY, _NOBODY)


def _output(found: Recorded, keeper: StreamKeeper, name: str, clixml: str) -> None:
    value = public(clixml)
    if isinstance(value, PSObject) and any(_FORMATTING in each for each in value.type_names[:1]):
        found.formatted = True
    else:
        found.output.append(value)
        found.order.append("stdout")


def _error(found: Recorded, keeper: StreamKeeper, name: str, clixml: str) -> None:
    found.errors.append(error_record(_event(name, clixml).record))
    found.order.append("error")


def _record(found: Recorded, keeper: StreamKeeper, name: str, clixml: str) -> None:
    keeper.add(_RECORDS[name], _event(name, clixml).record)
    if _RECORDS[name] is not RecordKind.PROGRESS:
        found.order.append(_RECORDS[name].value)


def _state(found: Recorded, keeper: StreamKeeper, name: str, clixml: str) -> None:
    event = _event(name, clixml)
    state = _STATES.get(int(event.state.value))
    if state is not None:
        found.state = state
        if event.reason is not None:
            found.errors.append(error_record(event.reason))
            found.order.append("error")


def _host_call(found: Recorded, keeper: StreamKeeper, name: str, clixml: str) -> None:
    event = _event(name, clixml)
    if event.method_identifier is HostMethodIdentifier.SetShouldExit:
        found.exit_code = int(event.method_parameters[0])


_MESSAGES: dict[str, Callable[[Recorded, StreamKeeper, str, str], None]] = {
    "PipelineOutput": _output,
    "ErrorRecord": _error,
    "PipelineState": _state,
    "PipelineHostCall": _host_call,
    **dict.fromkeys(_RECORDS, _record),
}
