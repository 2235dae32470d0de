"""What a CREATE_PIPELINE asks for, in a form in which equal requests are equal; and the requests that went over a wire.

Kept are the statements, their commands, arguments and ``--%`` values with the type that each container says it is of.
Left out are ids, the order of ``--%`` entries (PowerShell looks them up by key), the encrypted text of secure strings,
which differs in each session, and the text that goes with an object, which no engine reads.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from runner.psrp.fragments import Assembler
from runner.psrp.packets import Kind, parse_packet
from runner.psrp.protocol import read_head

VALUES = "--%"


@dataclass(frozen=True)
class AskedCommand:
    """One command. ``arguments`` are names with values; ``using`` is text of an expression -> value, None for none."""

    text: str
    is_script: bool
    local_scope: str | None
    arguments: tuple[tuple[str | None, Any], ...]
    using: Any


@dataclass(frozen=True)
class Asked:
    """A pipeline that is asked for: commands of each statement, and its input (None says that there is none)."""

    statements: tuple[tuple[AskedCommand, ...], ...]
    input: tuple[Any, ...] | None


def asked(clixml: str, given: tuple[str, ...] | None = None) -> Asked:
    """Read the body of a CREATE_PIPELINE, and those of the PIPELINE_INPUTs that followed."""
    root = ET.fromstring(clixml)
    body = root.find("MS/Obj[@N='PowerShell']/MS")
    assert body is not None
    has_input = root.findtext("MS/B[@N='NoInput']") == "false"
    assert has_input == (given is not None), "NoInput and what followed are at odds"
    reader = _Reader(root)
    extra = body.find("Obj[@N='ExtraCmds']/LST")
    sources = [body] if extra is None else extra.findall("Obj/MS")
    statements = tuple(
        tuple(reader.command(command) for command in source.findall("Obj[@N='Cmds']/LST/Obj/MS"))
        for source in sources
    )
    items = None if given is None else tuple(map(canonical, given))
    return Asked(statements, items)


def settings(clixml: str) -> dict[str, Any]:
    """Everything in a CREATE_PIPELINE but the texts and arguments of its commands: history, host, streams, merging."""
    root = ET.fromstring(clixml)
    reader, found = _Reader(root), dict[str, Any]()
    commands = root.findall(".//Obj[@N='Cmds']/LST/Obj/MS")
    parts = [("", root.find("MS")), ("PowerShell", root.find("MS/Obj[@N='PowerShell']/MS"))]
    for name, part in [*parts, *((f"command {number}", command) for number, command in enumerate(commands))]:
        for member in part if part is not None else ():
            if member.get("N") not in {"PowerShell", "Cmds", "Cmd", "IsScript", "Args"}:
                found[f"{name}/{member.get('N')}"] = _in_order(reader.value(member))
    return found


def _in_order(value: Any) -> Any:
    """A member with its own members by name, as a receiver looks them up; the order is the sender's whim."""
    if isinstance(value, tuple) and value[0] == "MS":
        return ("MS", *sorted(value[1:]))
    return tuple(map(_in_order, value)) if isinstance(value, tuple) else value


def canonical(clixml: str) -> Any:
    """One value."""
    root = ET.fromstring(clixml)
    return _Reader(root).value(root)


def unescaped(text: str) -> str:
    """A text of CLIXML, in which ``_x000A_`` is a character (MS-PSRP 2.2.5.3.2)."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def text_of_key(key: str) -> str:
    """The using expression that a key of ``--%`` stands for (remoting.md 1.4)."""
    return base64.b64decode(key).decode("utf-16-le")


class _Reader:
    def __init__(self, root: ET.Element) -> None:
        self._names = {names.get("RefId"): names for names in root.iter("TN")}
        self._objects = {element.get("RefId"): element for element in root.iter("Obj")}

    def command(self, command: ET.Element) -> AskedCommand:
        using, arguments = None, []
        for argument in command.findall("Obj[@N='Args']/LST/Obj/MS"):
            name, value = argument.findtext("S[@N='N']"), argument.find("*[@N='V']")
            assert value is not None
            entries = value.find("DCT")
            if name == VALUES and entries is not None:
                assert using is None, "two `--%` arguments"
                using = {text_of_key(entry[0].text or ""): self.value(entry[1]) for entry in entries}
            else:
                arguments.append((name, self.value(value)))
        scope = command.find("B[@N='UseLocalScope']")
        return AskedCommand(
            unescaped(command.findtext("S[@N='Cmd']") or ""),
            command.findtext("B[@N='IsScript']") == "true",
            None if scope is None else scope.text,
            tuple(arguments),
            using,
        )

    def value(self, element: ET.Element) -> Any:
        """A value as its tag with what it holds; an object with the first of its type names."""
        if element.tag == "Ref":
            return self.value(self._objects[element.get("RefId")])
        if element.tag == "SS":
            return ("SS",)
        if element.tag != "Obj":
            return (element.tag, element.text or "")
        return (
            "Obj",
            self._type(element),
            *(self._part(part) for part in element if part.tag not in _LEFT_OUT),
        )

    def _part(self, part: ET.Element) -> Any:
        if part.tag in {"LST", "IE", "STK", "QUE"}:
            return (part.tag, *map(self.value, part))
        if part.tag == "DCT":
            return ("DCT", *((self.value(entry[0]), self.value(entry[1])) for entry in part))
        if part.tag in {"MS", "Props"}:
            return (part.tag, *((each.get("N"), self.value(each)) for each in part))
        return self.value(part)

    def _type(self, element: ET.Element) -> str | None:
        names = element.find("TN")
        reference = element.find("TNRef")
        if names is None and reference is not None:
            names = self._names[reference.get("RefId")]
        return None if names is None else names.findtext("T")


_LEFT_OUT = frozenset({"TN", "TNRef", "ToString"})


@dataclass(frozen=True)
class Sent:
    """A pipeline that went over a wire."""

    creation: str
    input: tuple[str, ...] | None

    @property
    def asked(self) -> Asked:
        """What it asked for."""
        return asked(self.creation, self.input)


@dataclass(frozen=True)
class Heard:
    """What one client sent to an engine: the body of its INIT_RUNSPACEPOOL, and its pipelines in order."""

    opening: str
    pipelines: tuple[Sent, ...]


def heard(tape: Path) -> Heard:
    """Read the packets that a client wrote, as `tee` kept them."""
    assemblers: dict[Any, Assembler] = {}
    creations: dict[Any, str] = {}
    given: dict[Any, list[str]] = {}
    ended, opening = set(), ""
    for line in tape.read_bytes().splitlines():
        packet = parse_packet(line)
        if packet.kind is not Kind.DATA:
            continue
        for whole in assemblers.setdefault((packet.target, packet.prompt), Assembler()).feed(packet.data):
            message = read_head(whole)
            body, name = message.body.decode("utf-8-sig"), message.kind.name
            if name == "InitRunspacePool":
                opening = body
            elif name == "CreatePipeline":
                creations[packet.target] = body
            elif name == "PipelineInput":
                given.setdefault(packet.target, []).append(body)
            elif name == "EndOfPipelineInput":
                ended.add(packet.target)
    sent = [
        Sent(body, tuple(given.get(target, ())) if target in ended else None)
        for target, body in creations.items()
    ]
    return Heard(opening, tuple(sent))
