"""What a recorded or received CREATE_PIPELINE asks for, as a text that is equal where the requests mean the same.

Left out is what no engine's answer depends on: ids, type names, texts of objects, the order of ``$using:`` values, and
how a script's lines end. Encrypted secrets are left out too: every session encrypts them with a key of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from xml.etree import ElementTree as ET

Value = list["str | Value | None"]

_NOISE = frozenset({"TN", "TNRef", "ToString"})
_USING = "--%"


@dataclass(frozen=True, slots=True)
class Request:
    """A pipeline that is asked for.

    Attributes:
        key: equal for equal requests; input is no part of it.
        name: the first words of the last statement, for messages.
        has_input: whether input follows.

    """

    key: str
    name: str
    has_input: bool


def read_request(clixml: str) -> Request:
    """Read the body of a CREATE_PIPELINE.

    Raises:
        ValueError: it is no CREATE_PIPELINE.

    """
    try:
        root = ET.fromstring(clixml)  # noqa: S314 - the client is this machine's own
    except ET.ParseError as error:
        raise ValueError(f"the request is no XML: {error}") from error
    objects = {element.get("RefId", ""): element for element in root.iter("Obj")}
    body = root.find("MS/Obj[@N='PowerShell']/MS")
    if body is None:
        raise ValueError("the request has no PowerShell object")
    statements = [[_command(command, objects) for command in commands] for commands in _statements(body)]
    last = statements[-1] if statements else []
    return Request(
        json.dumps(statements, ensure_ascii=False),
        " | ".join(str(command[0]) for command in last),
        root.findtext("MS/B[@N='NoInput']") == "false",
    )


def read_value(clixml: str) -> Value:
    """A value (PIPELINE_INPUT's body), so that equal values are equal."""
    root = ET.fromstring(clixml)  # noqa: S314 - the client is this machine's own
    return _value(root, {element.get("RefId", ""): element for element in root.iter("Obj")})


def read_member(clixml: str, path: str) -> str:
    """The text of one member of a message, ``S[@N='PublicKey']``; empty where there is none."""
    return ET.fromstring(clixml).findtext(f"MS/{path}") or ""  # noqa: S314 - the client is this machine's own


def _statements(body: ET.Element) -> list[list[ET.Element]]:
    """The commands of each statement; ``ExtraCmds`` holds all of them where there are several."""
    extra = body.find("Obj[@N='ExtraCmds']/LST")
    sources = [body] if extra is None else extra.findall("Obj/MS")
    return [source.findall("Obj[@N='Cmds']/LST/Obj") for source in sources]


def _command(command: ET.Element, objects: dict[str, ET.Element]) -> list[object]:
    text = command.findtext("MS/S[@N='Cmd']") or ""
    arguments = command.findall("MS/Obj[@N='Args']/LST/Obj")
    return [
        text.replace("_x000D_", "").replace("_x000A_", "\n").strip(),
        command.findtext("MS/B[@N='IsScript']"),
        [_argument(argument, objects) for argument in arguments],
    ]


def _argument(argument: ET.Element, objects: dict[str, ET.Element]) -> list[object]:
    parts = {part.get("N"): part for part in argument.findall("MS/*")}
    name = parts["N"].text if "N" in parts else None
    value: object = _value(parts["V"], objects) if "V" in parts else None
    if name == _USING and "V" in parts and (entries := parts["V"].find("DCT")) is not None:
        value = sorted(json.dumps(_value(entry, objects)) for entry in entries)
    return [name, value]


def _value(element: ET.Element, objects: dict[str, ET.Element], depth: int = 0) -> Value:
    name = element.get("N")
    if element.tag == "Ref" and depth < 50:  # an object that holds itself goes round for ever
        element = objects.get(element.get("RefId", ""), element)
    text = "" if element.tag == "SS" else element.text or ""
    return [
        element.tag,
        name,
        text,
        [_value(child, objects, depth + 1) for child in element if child.tag not in _NOISE],
    ]
