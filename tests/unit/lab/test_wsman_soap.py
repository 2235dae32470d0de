"""SOAP envelopes as a server reads and writes them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.lab.wsman_faults import TIMED_OUT
from runner.lab.wsman_soap import NAMESPACES, NotAnEnvelope, read_request, response, seconds

_NAMES = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())


def envelope(header: str, body: str = "") -> bytes:
    """An envelope with these parts."""
    return f"<s:Envelope{_NAMES}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


def test_headers_are_read() -> None:
    """Action, ids, limits, selectors and options."""
    request = read_request(
        envelope(
            "<a:Action>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive</a:Action>"
            "<a:MessageID>uuid:ABC</a:MessageID><w:MaxEnvelopeSize>512000</w:MaxEnvelopeSize>"
            "<w:OperationTimeout>PT1M2.5S</w:OperationTimeout>"
            '<w:SelectorSet><w:Selector Name="ShellId">S</w:Selector></w:SelectorSet>'
            '<w:OptionSet><w:Option Name="protocolversion">2.3</w:Option></w:OptionSet>',
            "<rsp:Receive/>",
        )
    )
    assert request.operation == "Receive"
    assert (request.message_id, request.most_bytes, request.operation_timeout) == ("uuid:ABC", 512_000, 62.5)
    assert (request.selectors, request.options) == ({"ShellId": "S"}, {"protocolversion": "2.3"})
    assert request.find("rsp:Receive") is not None


def test_an_answer_relates_to_its_request() -> None:
    """By the id as it was written, with the action's own answer; a fault by the id too."""
    request = read_request(
        envelope("<a:Action>urn:x/Get</a:Action><a:MessageID>uuid:&lt;a&gt;</a:MessageID>")
    )
    for answer, action in (
        (response(request, "<rsp:Shell/>"), "urn:x/GetResponse"),
        (TIMED_OUT.envelope(request), "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"),
    ):
        header = ET.fromstring(answer).find("s:Header", NAMESPACES)
        assert header is not None
        assert header.findtext("a:RelatesTo", namespaces=NAMESPACES) == "uuid:<a>"
        assert header.findtext("a:Action", namespaces=NAMESPACES) == action


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT20S", 20),
        ("PT1H", 3600),
        ("P1DT2H3M4.5S", 93_784.5),
        ("P0DT0H0M4S", 4),
        ("", 7),
        ("P", 7),
        ("20", 7),
    ],
)
def test_durations(text: str, expected: float) -> None:
    """As clients write them; what is none is the default."""
    assert seconds(text, default=7) == expected


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_whatever_is_posted_is_read_or_refused(data: bytes) -> None:
    """Nothing but NotAnEnvelope is raised."""
    with pytest.raises(NotAnEnvelope):
        read_request(data)


def test_entities_are_not_expanded() -> None:
    """A document type is refused before anything is read."""
    with pytest.raises(NotAnEnvelope):
        read_request(b'<!DOCTYPE a [<!ENTITY b "c">]>' + envelope(""))
