"""What a server says when it says no: read from whatever it answered. Pure.

WSMan's own fault has a code that Windows writes unsigned, PowerShell signed; some servers send a SOAP fault without it,
an empty body, or no SOAP at all, and a proxy sends a page (remoting.md 5.2 and 12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from runner.wsman import names
from runner.wsman.envelope import UnreadableEnvelope, body_of, read
from runner.wsman.port import Answer

# Codes of wsmerror.h and winerror.h that decide what we do next; what is only worded is in fault_errors.py.
OPERATION_TIMED_OUT = 0x80338029
OPERATION_ABORTED = 995
CANCELLED = 0x4C7
UNEXPECTED_SELECTORS = 0x8033805B
SHELL_DISCONNECTED = 0x803381C4
STREAM_DISCONNECTED = 0x803381DE
REDIRECT_REQUESTED = 0x80338199
#: The answer to a Receive whose message id is that of one the server still works on.
INTERNAL_ERROR = 0x54F

#: A message is longer than the server takes, or says that it may answer (wsmerror.h, DSP0226 14.6).
ENCODING_LIMIT = 0x80338035
TOO_LARGE = frozenset({0x80338026, ENCODING_LIMIT, 0x80338047, 0x80338048, 0x80338049})
#: The same of a web server that reads no further (RFC 9110 15.5.14).
_CONTENT_TOO_LARGE = 413

#: The command, the stream or the whole shell that was asked about is no longer there.
GONE = frozenset({OPERATION_ABORTED, CANCELLED, UNEXPECTED_SELECTORS})
#: Somebody has disconnected the shell; it lives on, but not for us.
DISCONNECTED = frozenset({SHELL_DISCONNECTED, STREAM_DISCONNECTED})

#: Subcodes that say the same without a code, of servers that know no codes (DSP0226 14.6).
_SUBCODES = {
    "timedout": OPERATION_TIMED_OUT,
    "invalidselectors": UNEXPECTED_SELECTORS,
    "accessdenied": 5,
    "encodinglimit": ENCODING_LIMIT,
}

_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_LONGEST_TEXT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal.

    Attributes:
        status: of HTTP.
        code: unsigned, 32 bits; None where the server gave none.
        subcode: of SOAP, without its prefix: ``QuotaLimit``.
        text: the best sentence the server gave, in one line; empty where it gave none.
        provider: what the plugin behind the server added, in one line.
        location: where a redirection leads.
        is_soap: False for a page, a bare status or rubbish.

    """

    status: int
    code: int | None = None
    subcode: str = ""
    text: str = ""
    provider: str = ""
    location: str = ""
    is_soap: bool = True


class WsmanFault(Exception):
    """A server answered an operation with a fault. Whoever asked decides what that means."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text or f"HTTP {fault.status}")
        self.fault = fault


def envelope_or_fault(answer: Answer) -> ET.Element:
    """The envelope of a good answer.

    Raises:
        WsmanFault: it is a fault, whatever its form.
        UnreadableEnvelope: it says that all is well, but is nothing that can be read.

    """
    try:
        envelope = read(answer.body)
    except UnreadableEnvelope:
        if 200 <= answer.status < 300 and answer.body.strip():
            raise
        raise WsmanFault(_without_soap(answer)) from None
    found = body_of(envelope).find(f"{{{names.SOAP}}}Fault")
    if found is not None:
        raise WsmanFault(_soap_fault(answer.status, found))
    if not 200 <= answer.status < 300:
        raise WsmanFault(Fault(status=answer.status))
    return envelope


def says_nothing(fault: Fault) -> bool:
    """Whether the answer was a success without a body, which some servers give where there is no output yet."""
    return not fault.is_soap and 200 <= fault.status < 300 and not fault.text


def is_too_large(fault: Fault) -> bool:
    """Whether the message was too long, so that nothing of it was taken."""
    return fault.code in TOO_LARGE or (not fault.is_soap and fault.status == _CONTENT_TOO_LARGE)


def signed(code: int) -> int:
    """A code as PowerShell shows it."""
    return code - (1 << 32) if code >= 1 << 31 else code


def _soap_fault(status: int, fault: ET.Element) -> Fault:
    subcode = fault.findtext(f"{{{names.SOAP}}}Code/{{{names.SOAP}}}Subcode/{{{names.SOAP}}}Value", "")
    subcode = subcode.strip().rpartition(":")[2]
    detail = fault.find(f"{{{names.SOAP}}}Detail")
    own = detail.find(f"{{{names.FAULT}}}WSManFault") if detail is not None else None
    code = _code(detail, own)
    message = own.find(f"{{{names.FAULT}}}Message") if own is not None else None
    provider = message.find(f"{{{names.FAULT}}}ProviderFault") if message is not None else None
    return Fault(
        status=status,
        code=_SUBCODES.get(subcode.lower()) if code is None else code,
        subcode=subcode,
        text=(
            _one_line(message.text if message is not None else "")
            or _one_line(_child_text(detail, "error_WindowsErrorMessage"))
            or _one_line(fault.findtext(f"{{{names.SOAP}}}Reason/{{{names.SOAP}}}Text", ""))
        ),
        provider=_one_line(" ".join(provider.itertext())) if provider is not None else "",
        location=_location(detail),
    )


def _code(detail: ET.Element | None, own: ET.Element | None) -> int | None:
    """The code of the fault itself, or the one WMI puts beside it."""
    if own is not None and (code := _number(own.get("Code", ""))) is not None:
        return code
    return _number(_child_text(detail, "error_Code"))


def _number(value: str) -> int | None:
    """A code, signed or not, decimal or hexadecimal, as an unsigned number of 32 bits."""
    value = value.strip()
    try:
        number = int(value, 16) if _HEXADECIMAL.fullmatch(value) else int(value)
    except ValueError:
        return None
    return number & 0xFFFFFFFF


def _child_text(detail: ET.Element | None, name: str) -> str:
    """The text of the first element of that name anywhere in the detail, whatever its namespace."""
    if detail is None:
        return ""
    return next((e.text or "" for e in detail.iter() if e.tag.rpartition("}")[2].lower() == name.lower()), "")


def _location(detail: ET.Element | None) -> str:
    """Where a fault sends us: servers disagree about the element, not about the word in its name."""
    if detail is None:
        return ""
    for element in detail.iter():
        if "redirect" in element.tag.rpartition("}")[2].lower() and (found := (element.text or "").strip()):
            return found
    return ""


def _without_soap(answer: Answer) -> Fault:
    """What can be said of an answer that is no envelope: a page's title, or its words."""
    decoded = answer.body[: 64 * 1024].decode("utf-8", "replace")
    title = _TITLE.search(decoded)
    words = title.group(1) if title else _MARKUP.sub(" ", decoded)
    return Fault(status=answer.status, text=_one_line(words), is_soap=False)


def _one_line(value: str | None) -> str:
    """Text from the peer, fit for a message: one line, nothing that moves a cursor, not endless, no full stop."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value or "").split()).rstrip(".")
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"
