"""The operations on a PowerShell shell: what each says, and what its answer means (remoting.md 5.2, MS-WSMV 3.1.4).

Pure functions; fragments go in and come out as bytes, base64 is theirs.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from uuid import UUID
from xml.etree import ElementTree as ET

from runner.wsman import names
from runner.wsman.envelope import Option, Request, UnreadableEnvelope, attribute, duration, text

_KEEP_ALIVE = (Option("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "TRUE"),)
_PROTOCOL = Option("protocolversion", "2.3", must_comply=True)
_NO_PROFILE = Option("WINRS_NOPROFILE", "1", must_comply=True)

_RECEIVE_POOL = Request(
    names.RECEIVE,
    f"<rsp:Receive><rsp:DesiredStream>{names.OUTPUT_STREAM}</rsp:DesiredStream></rsp:Receive>",
    _KEEP_ALIVE,
)
_DELETE = Request(names.DELETE)

#: The question every WSMan server answers, about itself and without a shell (DSP0226 11); it has no headers.
IDENTIFY = (
    f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:wsmid="{names.IDENTITY}"><s:Header/>'
    "<s:Body><wsmid:Identify/></s:Body></s:Envelope>"
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellSettings:
    """How a shell is asked for (remoting.md 3.1).

    Attributes:
        name: the session's name, as a person sees it when listing sessions on the host.
        idle_timeout: seconds the server keeps a shell nobody talks to; None is the server's own (two hours).
        no_machine_profile: do not load the user's profile.
        buffering: ``Block`` or ``Drop``, what happens to output while nobody takes it; None is the server's own.

    """

    name: str | None = None
    idle_timeout: float | None = None
    no_machine_profile: bool = False
    buffering: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A shell that was made: the selectors that pick it from now on, whatever id was wished for."""

    selectors: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Received:
    """What one Receive brought: whole fragments in order, and whether the server says that the command is done."""

    pieces: tuple[bytes, ...]
    done: bool = False


def create(pool: UUID, opening: bytes, settings: ShellSettings) -> Request:
    """Make a shell with the pool's id and hand over its first fragments."""
    optional = ""
    if settings.idle_timeout is not None:
        optional += f"<rsp:IdleTimeOut>{duration(settings.idle_timeout)}</rsp:IdleTimeOut>"
    if settings.name is not None:
        optional += f"<rsp:Name>{text(settings.name)}</rsp:Name>"
    if settings.buffering is not None:
        optional += f"<rsp:BufferMode>{text(settings.buffering)}</rsp:BufferMode>"
    body = (
        f'<rsp:Shell ShellId="{identifier(pool)}">'
        f"<rsp:InputStreams>{names.INPUT_STREAM} {names.PROMPT_STREAM}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{names.OUTPUT_STREAM}</rsp:OutputStreams>{optional}"
        f'<creationXml xmlns="{names.POWERSHELL}">{encode(opening)}</creationXml></rsp:Shell>'
    )
    options = (_PROTOCOL, _NO_PROFILE) if settings.no_machine_profile else (_PROTOCOL,)
    return Request(names.CREATE, body, options)


def created(body: ET.Element) -> Created:
    """The shell of a CreateResponse.

    Raises:
        UnreadableEnvelope: it names no shell.

    """
    found = body.find(
        f"{{{names.TRANSFER}}}ResourceCreated/{{{names.ADDRESSING}}}ReferenceParameters/{{{names.WSMAN}}}SelectorSet"
    )
    selectors = tuple(
        (selector.get("Name", "").strip(), (selector.text or "").strip())
        for selector in (found if found is not None else ())
    )
    if not any(name.lower() == "shellid" and value for name, value in selectors):
        raise UnreadableEnvelope("it names no shell")
    return Created(selectors)


def command(pipeline: UUID, creation: bytes) -> Request:
    """Begin a pipeline with the first fragments of its CREATE_PIPELINE; the command's text itself stays empty."""
    return Request(
        names.COMMAND,
        f'<rsp:CommandLine CommandId="{identifier(pipeline)}"><rsp:Command/>'
        f"<rsp:Arguments>{encode(creation)}</rsp:Arguments></rsp:CommandLine>",
    )


def command_id(body: ET.Element, wished: UUID) -> str:
    """The id a CommandResponse gives; servers of protocol 2.1 choose their own, some say nothing."""
    found = body.findtext(f"{{{names.SHELL}}}CommandResponse/{{{names.SHELL}}}CommandId", "").strip()
    return found or identifier(wished)


def send(data: bytes, command_id: str | None, *, prompt: bool) -> Request:
    """Whole fragments for a command, or (None) for the pool."""
    stream = names.PROMPT_STREAM if prompt else names.INPUT_STREAM
    command = "" if command_id is None else f" CommandId={attribute(command_id)}"
    return Request(
        names.SEND,
        f'<rsp:Send><rsp:Stream Name="{stream}"{command}>{encode(data)}</rsp:Stream></rsp:Send>',
    )


def receive(command_id: str | None) -> Request:
    """Ask for what a command, or (None) the pool, has to say; answered when there is something, or after a while."""
    if command_id is None:
        return _RECEIVE_POOL
    return Request(
        names.RECEIVE,
        f"<rsp:Receive><rsp:DesiredStream CommandId={attribute(command_id)}>{names.OUTPUT_STREAM}"
        "</rsp:DesiredStream></rsp:Receive>",
        _KEEP_ALIVE,
    )


def received(body: ET.Element) -> Received:
    """What a ReceiveResponse brought; an empty one is no error.

    Raises:
        UnreadableEnvelope: a stream is no base64.

    """
    response = body.find(f"{{{names.SHELL}}}ReceiveResponse")
    if response is None:
        return Received(())
    try:
        pieces = tuple(
            piece
            for stream in response.iterfind(f"{{{names.SHELL}}}Stream")
            if stream.text and (piece := b64decode(stream.text))
        )
    except (binascii.Error, ValueError) as error:
        raise UnreadableEnvelope(f"a stream in it is no base64 ({str(error).lower()})") from None
    state = response.find(f"{{{names.SHELL}}}CommandState")
    return Received(pieces, state is not None and state.get("State") == names.COMMAND_DONE)


def signal(command_id: str, code: str) -> Request:
    """Send a command one of the codes of :mod:`runner.wsman.names`."""
    return Request(
        names.SIGNAL,
        f"<rsp:Signal CommandId={attribute(command_id)}><rsp:Code>{text(code)}</rsp:Code></rsp:Signal>",
    )


def delete() -> Request:
    """Close the shell and everything in it."""
    return _DELETE


def identifier(value: UUID) -> str:
    """An id as WSMan writes it: in capitals."""
    return str(value).upper()


def encode(data: bytes) -> str:
    """Fragments as the text of an element."""
    return b64encode(data).decode("ascii")
