"""SOAP envelopes: written from one prepared text, read without trusting the peer.

A request differs from the next in a few values only, so the header of a client is prepared once and the values are put
in; no tree is built. What comes back is read by expat with everything refused that WSMan never uses: document types and
with them entities, and elements nested beyond reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from runner.wsman import names

#: What a server of protocol 2.2 and later takes and sends in one envelope, in bytes, and what an older one does.
ENVELOPE_SIZE = 500 * 1024
OLD_ENVELOPE_SIZE = 150 * 1024

#: No answer is read that is longer: a server keeps to MaxEnvelopeSize, give or take its own headers.
MAXIMUM_ANSWER = 16 * 1024 * 1024
_MAXIMUM_DEPTH = 64

#: ``OperationTimeout`` is a number of milliseconds at the server; this one means that there is no limit.
NO_TIMEOUT = 2147483.647

# What XML 1.0 cannot hold even escaped (section 2.2).
_NOT_XML = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd"
)

_NAMESPACES = (
    f'xmlns:s="{names.SOAP}" xmlns:wsa="{names.ADDRESSING}" xmlns:wsman="{names.WSMAN}"'
    f' xmlns:wsmv="{names.WSMV}" xmlns:rsp="{names.SHELL}"'
)

_MUST_COMPLY = ' MustComply="true"'


class UnreadableEnvelope(ValueError):
    """What came is no SOAP envelope, or not one for us; the text says why, as the end of a sentence."""


class Option(NamedTuple):
    """One option of an operation (DSP0226 6.4). ``must_comply``: the server refuses what it does not know."""

    name: str
    value: str
    must_comply: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What one operation says beside the headers every operation has; ``body`` is XML."""

    action: str
    body: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope ready to go out. The message's id is what its answer must relate to."""

    message_id: str
    content: bytes


class Envelopes:
    """Writes the envelopes of one client: those that share address, resource and session.

    Args:
        resource_uri: what the operations are about: the URI of a session configuration.
        session: the id of this client; a server lets a disconnected shell be taken up again only under the same.
        locale: the language of messages, for the server's user interface.
        data_locale: the culture of numbers and dates.
        envelope_size: the longest answer we take, in bytes.

    """

    __slots__ = ("_after_id", "_after_timeout", "_before_action", "_before_id", "_selected", "_selectors")

    def __init__(
        self,
        resource_uri: str,
        session: UUID,
        *,
        locale: str = "en-US",
        data_locale: str = "en-US",
        envelope_size: int = ENVELOPE_SIZE,
    ) -> None:
        self._before_action = (
            f'<s:Envelope {_NAMESPACES}><s:Header><wsa:Action s:mustUnderstand="true">'  # the action follows
        )
        self._before_id = (
            f'</wsa:Action><wsmv:DataLocale s:mustUnderstand="false" xml:lang={attribute(data_locale)}/>'
            f'<wsman:Locale s:mustUnderstand="false" xml:lang={attribute(locale)}/>'
            f'<wsman:MaxEnvelopeSize s:mustUnderstand="true">{envelope_size}</wsman:MaxEnvelopeSize><wsa:MessageID>'
        )
        self._after_id = "</wsa:MessageID><wsman:OperationTimeout>"
        self._after_timeout = (
            '</wsman:OperationTimeout><wsa:ReplyTo><wsa:Address s:mustUnderstand="true">'
            f'{names.ANONYMOUS}</wsa:Address></wsa:ReplyTo><wsman:ResourceURI s:mustUnderstand="true">'
            f'{text(resource_uri)}</wsman:ResourceURI><wsmv:SessionId s:mustUnderstand="false">'
            f"uuid:{str(session).upper()}</wsmv:SessionId><wsa:To>"
        )
        # The last selectors and their text: those of a client's shell do not change.
        self._selectors: tuple[tuple[str, str], ...] = ()
        self._selected = ""

    def seal(
        self, request: Request, *, to: str, selectors: tuple[tuple[str, str], ...] = (), timeout: float
    ) -> Sealed:
        """An envelope with a new message id.

        Args:
            request: the operation.
            to: the URL it goes to.
            selectors: name and value of what picks the instance: the shell's.
            timeout: seconds the server may take for the operation.

        """
        message_id = f"uuid:{str(uuid4()).upper()}"
        if selectors != self._selectors:
            self._selectors, self._selected = selectors, _selector_set(selectors)
        content = "".join(
            (
                self._before_action,
                request.action,
                self._before_id,
                message_id,
                self._after_id,
                duration(timeout),
                self._after_timeout,
                text(to),
                "</wsa:To>",
                _option_set(request.options),
                self._selected,
                "</s:Header><s:Body>",
                request.body,
                "</s:Body></s:Envelope>",
            )
        )
        return Sealed(message_id, content.encode())


def text(value: str) -> str:
    """A value as the text of an element; what XML cannot hold becomes U+FFFD."""
    return escape(value.translate(_NOT_XML))


def attribute(value: str) -> str:
    """A value as that of an attribute, with its quotes."""
    return quoteattr(value.translate(_NOT_XML))


def duration(seconds: float) -> str:
    """Seconds as WSMan writes them: ``PT180.000S``."""
    return f"PT{seconds:.3f}S"


@lru_cache(maxsize=16)
def _option_set(options: tuple[Option, ...]) -> str:
    if not options:
        return ""
    inside = "".join(
        f"<wsman:Option{_MUST_COMPLY if option.must_comply else ''}"
        f" Name={attribute(option.name)}>{text(option.value)}</wsman:Option>"
        for option in options
    )
    return f'<wsman:OptionSet s:mustUnderstand="true">{inside}</wsman:OptionSet>'


def _selector_set(selectors: tuple[tuple[str, str], ...]) -> str:
    inside = "".join(
        f"<wsman:Selector Name={attribute(name)}>{text(value)}</wsman:Selector>" for name, value in selectors
    )
    return f"<wsman:SelectorSet>{inside}</wsman:SelectorSet>" if inside else ""


def read(content: bytes) -> ET.Element:
    """The envelope of an answer.

    Raises:
        UnreadableEnvelope: it is too long, no XML, has a document type, or is no SOAP envelope with a body.

    """
    if len(content) > MAXIMUM_ANSWER:
        raise UnreadableEnvelope(f"it is {len(content)} bytes long, over the {MAXIMUM_ANSWER} that are read")
    try:
        envelope = ET.XML(content, None if _is_harmless(content) else ET.XMLParser(target=_Careful()))  # noqa: S314
    except ET.ParseError as error:
        raise UnreadableEnvelope(f"it is no XML ({error})") from None
    except (LookupError, ValueError) as error:
        # An encoding that nobody knows, or what _Careful refused.
        raise UnreadableEnvelope(str(error)) from None
    if envelope.tag != f"{{{names.SOAP}}}Envelope" or envelope.find(f"{{{names.SOAP}}}Body") is None:
        raise UnreadableEnvelope("it is XML, but no SOAP 1.2 envelope")
    return envelope


def body_of(envelope: ET.Element) -> ET.Element:
    """The body of an envelope that :func:`read` gave."""
    body = envelope.find(f"{{{names.SOAP}}}Body")
    if body is None:
        raise UnreadableEnvelope("it is XML, but no SOAP 1.2 envelope")
    return body


def check_relation(envelope: ET.Element, message_id: str) -> None:
    """See that an answer is the one to our message; one that does not say to which it belongs is taken.

    Raises:
        UnreadableEnvelope: it belongs to another message.

    """
    related = envelope.findtext(f"{{{names.SOAP}}}Header/{{{names.ADDRESSING}}}RelatesTo", "").strip()
    if related and related.upper() != message_id.upper():
        raise UnreadableEnvelope("it answers another message than ours")


def _is_harmless(content: bytes) -> bool:
    """Whether an envelope can hold nothing of what :class:`_Careful` looks for, so that it is read twice as fast.

    It begins with an element, and so is UTF-8 (XML 1.0 4.3.3) and can be searched as it is; it has no document type;
    and it has no more tags than elements may be nested deep. Nearly every answer is like that.
    """
    return (
        content[:1] == b"<"
        and content[1:2].isalpha()
        and content.count(b"<") <= _MAXIMUM_DEPTH
        and b"<!" not in content
    )


class _Careful(ET.TreeBuilder):
    """Builds the tree and stops at what no WSMan server sends but an attacker would."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise UnreadableEnvelope("it has a document type, which is refused because of what entities can do")

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._depth += 1
        if self._depth > _MAXIMUM_DEPTH:
            raise UnreadableEnvelope(f"its elements are nested more than {_MAXIMUM_DEPTH} deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        self._depth -= 1
        return super().end(tag)
