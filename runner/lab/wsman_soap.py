"""SOAP envelopes of WS-Management as a server reads and writes them (MS-WSMV 2.2, remoting.md 5.1)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "pwsh": "http://schemas.microsoft.com/powershell",
    "wsmid": "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd",
}
SHELL = NAMESPACES["rsp"]
"""Resource of all shells, and the start of the actions on them."""
TRANSFER = NAMESPACES["x"]
IDENTIFY = "Identify"
"""Operation of a request that asks who is there; such a one has no action."""

_ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_FAULT_NAMESPACE = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
# xs:duration as clients write it: PT20S, PT1M30.5S, P0DT0H0M4S
_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?T?(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?"
)
_UNIT_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


class NotAnEnvelope(ValueError):
    """What was posted is no SOAP envelope; a server answers that with 400 and no SOAP."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its headers say.

    ``operation`` is the last word of the action (``Create``, ``Receive`` ...), ``operation_timeout`` is in seconds,
    ``most_bytes`` the largest envelope the client takes; ``selectors`` and ``options`` are by name.
    """

    operation: str
    action: str
    resource_uri: str
    message_id: str
    to: str
    operation_timeout: float
    most_bytes: int
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    body: ET.Element

    def find(self, path: str) -> ET.Element | None:
        """The first element below the body, by a path with the prefixes of :data:`NAMESPACES`."""
        return self.body.find(path, NAMESPACES)


def read_request(data: bytes) -> Request:
    """Read an envelope.

    Raises:
        NotAnEnvelope: it is no XML, declares entities, or is no SOAP 1.2.

    """
    if b"<!" in data:  # SOAP has no DTD; without one there are no entities to expand
        raise NotAnEnvelope("a document type")
    try:
        envelope = ET.fromstring(data)  # noqa: S314 - documents with a DTD were refused above
    except ET.ParseError as error:
        raise NotAnEnvelope(str(error)) from None
    body = envelope.find("s:Body", NAMESPACES)
    header = envelope.find("s:Header", NAMESPACES)
    if body is None:
        raise NotAnEnvelope("no s:Body")
    if header is None:
        header = ET.Element("none")
    action = _text(header, "a:Action")
    is_identify = body.find("wsmid:Identify", NAMESPACES) is not None
    return Request(
        operation=IDENTIFY if is_identify else action.rpartition("/")[2],
        action=action,
        resource_uri=_text(header, "w:ResourceURI"),
        message_id=_text(header, "a:MessageID"),
        to=_text(header, "a:To"),
        operation_timeout=seconds(_text(header, "w:OperationTimeout"), default=60.0),
        most_bytes=_size(_text(header, "w:MaxEnvelopeSize")),
        selectors=_named(header, "w:SelectorSet/w:Selector"),
        options=_named(header, "w:OptionSet/w:Option"),
        body=body,
    )


def seconds(duration: str, default: float) -> float:
    """An xs:duration in seconds; ``default`` where it is empty or none."""
    found = _DURATION.fullmatch(duration)
    if found is None or not any(found.groupdict().values()):
        return default
    return sum(float(number) * _UNIT_SECONDS[unit] for unit, number in found.groupdict().items() if number)


def response(request: Request, body: str) -> bytes:
    """The answer to a request: its action with ``Response``, its id as it was written (remoting.md 8.3, 4)."""
    return _envelope(f"{request.action}Response", request.message_id, body)


def identity(vendor: str, version: str) -> bytes:
    """The answer to Identify, which has no addressing headers."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{NAMESPACES["s"]}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{NAMESPACES["wsmid"]}">'
        f"<wsmid:ProtocolVersion>{NAMESPACES['w']}</wsmid:ProtocolVersion>"
        f"<wsmid:ProductVendor>{escape(vendor)}</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{escape(version)}</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault with WinRM's detail.

    Args:
        code: number of the WSManFault; None leaves the element out, as other servers do (remoting.md 12).
        reason: a sentence for people.
        subcode: SOAP subcode with its prefix (``w:TimedOut``).
        sender: whether the request is to blame; else the server is.

    """

    code: int | None
    reason: str
    subcode: str = "w:InternalError"
    sender: bool = False

    def envelope(self, request: Request) -> bytes:
        """The fault as an answer to a request; its HTTP status is 500."""
        reason = escape(self.reason)
        detail = ""
        if self.code is not None:
            detail = (
                f'<s:Detail><f:WSManFault xmlns:f="{_FAULT_NAMESPACE}" Code="{self.code}" Machine="127.0.0.1">'
                f"<f:Message>{reason}</f:Message></f:WSManFault></s:Detail>"
            )
        return _envelope(
            _FAULT_ACTION,
            request.message_id,
            f"<s:Fault><s:Code><s:Value>s:{'Sender' if self.sender else 'Receiver'}</s:Value>"
            f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>{detail}</s:Fault>',
        )


class Faulted(Exception):
    """A request cannot be done; ``fault`` is the answer to it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


def attribute(name: str, value: str) -> str:
    """`` name="value"`` with a space before it, or nothing where the value is empty."""
    return f" {name}={quoteattr(value)}" if value else ""


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    names = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix in _IN_ANSWERS)
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="en-US"{names}><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID><a:To>{_ANONYMOUS}</a:To>{related}"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


_IN_ANSWERS = frozenset({"s", "a", "x", "w", "p", "rsp"})


def _text(parent: ET.Element, path: str) -> str:
    return (parent.findtext(path, "", NAMESPACES) or "").strip()


def _size(text: str) -> int:
    """The largest envelope a client takes; clients that say nothing get what Windows 7 sends at most."""
    if text and not text.isdecimal():
        raise NotAnEnvelope("a MaxEnvelopeSize that is no number")
    return int(text or 153_600)


def _named(header: ET.Element, path: str) -> dict[str, str]:
    return {entry.get("Name", ""): entry.text or "" for entry in header.findall(path, NAMESPACES)}
