"""Packets of PowerShell's out-of-process framing: one XML element a line (remoting.md 4.2).

::

    <Data Stream='Default' PSGuid='00000000-0000-0000-0000-000000000000'>BASE64</Data>
    <DataAck PSGuid='…' />    <Command PSGuid='…' />   <CommandAck PSGuid='…' />
    <Close PSGuid='…' />      <CloseAck PSGuid='…' />  <Signal PSGuid='…' />   <SignalAck PSGuid='…' />

Strict in what a packet is, so that a login banner is never taken for one; tolerant where XML leaves a choice: either
kind of quote, space between the parts, the order of attributes, the case of a GUID, ``<X …></X>`` for ``<X … />``.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from string import ascii_letters
from uuid import UUID

_SPACE = b" \t\r\n"
_LETTERS = frozenset(ascii_letters.encode())
_SESSION = "00000000-0000-0000-0000-000000000000"
_STREAMS = {b"default": False, b"promptresponse": True}


class Kind(StrEnum):
    """What a packet is; the values are the names of the elements."""

    DATA = "Data"
    DATA_ACK = "DataAck"
    COMMAND = "Command"
    COMMAND_ACK = "CommandAck"
    SIGNAL = "Signal"
    SIGNAL_ACK = "SignalAck"
    CLOSE = "Close"
    CLOSE_ACK = "CloseAck"


_KINDS = {kind.value.encode(): kind for kind in Kind}

#: Which acknowledgement answers what is sent.
ACKS = {
    Kind.DATA: Kind.DATA_ACK,
    Kind.COMMAND: Kind.COMMAND_ACK,
    Kind.SIGNAL: Kind.SIGNAL_ACK,
    Kind.CLOSE: Kind.CLOSE_ACK,
}


_GUID = rb"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
_DATA = re.compile(rb"<Data Stream='Default' PSGuid='" + _GUID + rb"'>")
_END_OF_DATA = b"</Data>"
_ACK = re.compile(rb"<((?:Data|Command|Signal|Close)Ack) PSGuid='" + _GUID + rb"' />")


class NotAPacket(ValueError):
    """A line is no packet; the message says why."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet.

    Attributes:
        kind: the element.
        target: the pipeline, None for the session.
        data: whole fragments (MS-PSRP 2.2.4); empty for all but ``DATA``.
        prompt: whether the stream is ``PromptResponse``; only of ``DATA``.

    """

    kind: Kind
    target: UUID | None = None
    data: bytes = b""
    prompt: bool = False


def format_packet(packet: Packet) -> bytes:
    r"""The line for a packet, its newline included.

    >>> format_packet(Packet(Kind.CLOSE))
    b"<Close PSGuid='00000000-0000-0000-0000-000000000000' />\n"
    """
    target = str(packet.target) if packet.target is not None else _SESSION
    if packet.kind is not Kind.DATA:
        return f"<{packet.kind} PSGuid='{target}' />\n".encode()
    stream = "PromptResponse" if packet.prompt else "Default"
    start = f"<Data Stream='{stream}' PSGuid='{target}'>".encode()
    return b"".join((start, b2a_base64(packet.data, newline=False), b"</Data>\n"))


def parse_packet(line: bytes) -> Packet:
    """The packet of a line, with or without its line end.

    Raises:
        NotAPacket: the line is something else.

    """
    line = line.strip(_SPACE)
    return _as_powershell_writes_it(line) or _whatever_its_form(line)


def _as_powershell_writes_it(line: bytes) -> Packet | None:
    """The packet of a line that leaves nothing to XML's choice, in a fifth of the time; None where it is another."""
    if (found := _DATA.match(line)) is not None and line.endswith(_END_OF_DATA):
        with suppress(NotAPacket):
            return Packet(Kind.DATA, _guid(found[1]), _base64(line[found.end() : -len(_END_OF_DATA)]))
    elif (found := _ACK.fullmatch(line)) is not None:
        return Packet(_KINDS[found[1]], _guid(found[2]))
    return None


def _whatever_its_form(line: bytes) -> Packet:
    if not line.startswith(b"<"):
        raise NotAPacket("it does not begin with `<`")
    at = _end_of_name(line, 1)
    kind = _KINDS.get(line[1:at])
    if kind is None:
        raise NotAPacket("it is no element of the protocol")
    attributes, at, empty = _attributes(line, at)
    text = b"" if empty else _content(line, at, kind)
    if empty and at != len(line):
        raise NotAPacket("something follows the element")
    target = _guid(attributes.pop(b"PSGuid", None))
    if kind is Kind.DATA:
        prompt = _STREAMS.get(attributes.pop(b"Stream", b"").lower())
        if prompt is None:
            raise NotAPacket("`Stream` is neither `Default` nor `PromptResponse`")
        packet = Packet(kind, target, _base64(text), prompt)
    elif text:
        raise NotAPacket("an acknowledgement or an order holds text")
    else:
        packet = Packet(kind, target)
    if attributes:
        raise NotAPacket("it has an unknown attribute")
    return packet


def _end_of_name(line: bytes, at: int) -> int:
    """Where the run of ASCII letters ends that begins at ``at``."""
    start, size = at, len(line)
    while at < size and line[at] in _LETTERS:
        at += 1
    if at == start:
        raise NotAPacket("a name is missing")
    return at


def _attributes(line: bytes, at: int) -> tuple[dict[bytes, bytes], int, bool]:
    """The attributes, where the tag has ended, and whether the element is empty (``/>``)."""
    found: dict[bytes, bytes] = {}
    while True:
        start, at = at, _skip_space(line, at)
        if line.startswith(b"/>", at):
            return found, at + 2, True
        if line.startswith(b">", at):
            return found, at + 1, False
        if at == start:
            raise NotAPacket("there is no space before an attribute")
        end = _end_of_name(line, at)
        name = line[at:end]
        at = _skip_space(line, end)
        if not line.startswith(b"=", at):
            raise NotAPacket("an attribute has no value")
        at = _skip_space(line, at + 1)
        quote = line[at : at + 1]
        close = line.find(quote, at + 1) if quote in {b"'", b'"'} else -1
        if close < 0 or name in found:
            raise NotAPacket("an attribute is not quoted, or is there twice")
        found[name] = line[at + 1 : close]
        at = close + 1


def _skip_space(line: bytes, at: int) -> int:
    while line[at : at + 1] in {b" ", b"\t"}:
        at += 1
    return at


def _content(line: bytes, at: int, kind: Kind) -> bytes:
    """What stands between the tags; the end tag must be the line's end."""
    close = line.rfind(b"</")
    if close < at or line[close + 2 : -1].rstrip(_SPACE) != kind.value.encode() or line[-1:] != b">":
        raise NotAPacket("the element is not closed")
    return line[at:close].strip(_SPACE)


@lru_cache(maxsize=256)
def _guid(text: bytes | None) -> UUID | None:
    if text is None or len(text) != len(_SESSION):
        raise NotAPacket("`PSGuid` is missing or no GUID")
    parts = text.split(b"-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12] or not b"".join(parts).isalnum():
        raise NotAPacket("`PSGuid` is no GUID")
    try:
        number = int(b"".join(parts), 16)
    except ValueError:
        raise NotAPacket("`PSGuid` is no GUID") from None
    return UUID(int=number) if number else None


def _base64(text: bytes) -> bytes:
    try:
        data = a2b_base64(text)
    except Base64Error:
        raise NotAPacket("the data is not base64") from None
    # The fast reader skips what is no base64, so that the result is short; its strict mode takes three times as long.
    if len(data) * 4 != len(text) * 3 - 4 * (len(text) - len(text.rstrip(b"="))):
        raise NotAPacket("the data is not base64")
    return data
