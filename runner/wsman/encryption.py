"""Envelopes sealed with the login's own key: ``multipart/encrypted`` of MS-WSMV 2.2.9.1.

Over plain HTTP a login by Negotiate, Kerberos or CredSSP seals every body after itself. A part has two halves: what was
sealed (type and length), and the sealed octets, led by the length of their signature in four octets, least first.
CredSSP seals at most 16 KiB at once, so a long envelope comes in several parts, as ``multipart/x-multi-encrypted``.
"""

from __future__ import annotations

import re
import struct
from enum import StrEnum
from typing import Protocol

from spnego import WinRMWrapResult

BOUNDARY = "Encrypted Boundary"
#: What one TLS record holds, and thus one part of CredSSP (RFC 8446 5.1).
CREDSSP_PART = 16384
_DELIMITER = f"--{BOUNDARY}\r\n".encode("ascii")
_CLOSING = f"--{BOUNDARY}--\r\n".encode("ascii")
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"
_SOAP = "application/soap+xml;charset=UTF-8"
# Exchange writes a space after the dashes, and other servers end the headers of a part with another line break.
_ANY_DELIMITER = re.compile(rb"--\s*Encrypted Boundary\r\n")
_ANY_CLOSING = re.compile(rb"--\s*Encrypted Boundary--(\r\n)?\Z")
_ORIGINAL = re.compile(rb"OriginalContent:\s*type=(?P<type>.+?);\s*Length=(?P<length>[0-9]+)", re.IGNORECASE)
_OCTET_HEADER = re.compile(rb"\s*Content-Type:\s*application/octet-stream\r\n(\r\n)?", re.IGNORECASE)


class Sealing(StrEnum):
    """The ``protocol`` of a sealed message, by the scheme that the login used (MS-WSMV 2.2.9.1.1)."""

    SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
    KERBEROS = "application/HTTP-Kerberos-session-encrypted"
    CREDSSP = "application/HTTP-CredSSP-session-encrypted"


class SealingContext(Protocol):
    """A security context of spnego once the login is over."""

    def wrap_winrm(self, data: bytes) -> WinRMWrapResult:
        """Seal ``data``."""

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Open ``data`` with its signature ``header``."""


class NotSealed(Exception):
    """A body is no well-formed sealed message; says nothing of its content."""


def seal(
    context: SealingContext, sealing: Sealing, message: bytes, content: str = _SOAP
) -> tuple[str, bytes]:
    """Seal an envelope.

    Args:
        context: of the login; counts what it seals, so a connection seals and opens in order.
        sealing: the protocol to say in the headers.
        message: the envelope.
        content: media type and charset of the envelope.

    Returns:
        The Content-Type header and the body.

    """
    pieces = [message]
    kind = "multipart/encrypted"
    if sealing is Sealing.CREDSSP and len(message) > CREDSSP_PART:
        pieces = [message[at : at + CREDSSP_PART] for at in range(0, len(message), CREDSSP_PART)]
        kind = "multipart/x-multi-encrypted"
    body = bytearray()
    for piece in pieces:
        body += _part(context, sealing, piece, content)
    body += _CLOSING
    return f'{kind};protocol="{sealing}";boundary="{BOUNDARY}"', bytes(body)


def _part(context: SealingContext, sealing: Sealing, piece: bytes, content: str) -> bytes:
    sealed = context.wrap_winrm(piece)
    length = len(piece) + sealed.padding_length
    said = f"\tContent-Type: {sealing}\r\n\tOriginalContent: type={content};Length={length}\r\n"
    signature = struct.pack("<i", len(sealed.header)) + sealed.header
    return _DELIMITER + said.encode("ascii") + _DELIMITER + _OCTETS + signature + sealed.data


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type says that the body is sealed."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in {"multipart/encrypted", "multipart/x-multi-encrypted"}


def unseal(context: SealingContext, body: bytes) -> tuple[str, bytes]:
    """Open a sealed body.

    Returns:
        Media type with charset as its headers say, and the envelope.

    Raises:
        NotSealed: the body is cut or malformed, or its length is another than its headers say.
        SpnegoError: the signature is wrong.

    """
    ending = _ANY_CLOSING.search(body)
    if ending is None:
        raise NotSealed("the sealed body has no end")
    preamble, *halves = _ANY_DELIMITER.split(body[: ending.start()])
    if preamble or not halves or len(halves) % 2:
        raise NotSealed("the sealed body has not its two halves")
    content, message = "", bytearray()
    for said, sealed in zip(halves[::2], halves[1::2], strict=True):
        original, octets = _ORIGINAL.search(said), _OCTET_HEADER.match(sealed)
        if original is None or octets is None:
            raise NotSealed("a part of the sealed body lacks its headers")
        content = original["type"].decode("ascii", "replace")
        piece = _open(context, sealed[octets.end() :])
        if len(piece) != int(original["length"]):
            raise NotSealed("a part of the sealed body has another length than it says")
        message += piece
    return content, bytes(message)


def _open(context: SealingContext, octets: bytes) -> bytes:
    if len(octets) < 4:
        raise NotSealed("a part of the sealed body is cut")
    (length,) = struct.unpack_from("<i", octets)
    if not 0 <= length <= len(octets) - 4:
        raise NotSealed("the signature of the sealed body is longer than it")
    return context.unwrap_winrm(octets[4 : 4 + length], octets[4 + length :])
