"""Envelopes: what is written can be read by any reader of XML, what is read is not trusted."""

from __future__ import annotations

from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.wsman import names
from runner.wsman.envelope import (
    MAXIMUM_ANSWER,
    Envelopes,
    Option,
    Request,
    UnreadableEnvelope,
    body_of,
    check_relation,
    duration,
    read,
)
from tests.unit.wsman.scripted_wire import NAMESPACES, envelope

SESSION = UUID("33333333-3333-4333-8333-333333333333")


_REQUEST = Request("urn:do")


def sealed(request: Request = _REQUEST, **more: object) -> ET.Element:
    """An envelope of ours, read by somebody else."""
    given = {"to": "http://web01:5985/wsman", "timeout": 180.0, **more}
    envelopes = Envelopes("urn:resource", SESSION, locale="de-DE", data_locale="sv-SE", envelope_size=1000)
    return ET.fromstring(envelopes.seal(request, **given).content)  # type: ignore[arg-type]


def test_an_envelope_has_every_header_of_the_protocol() -> None:
    """Action, languages, size, id, time, reply address, resource, session, address, options, selectors."""
    root = sealed(
        Request("urn:do", "<x/>", (Option("a", "1", must_comply=True), Option("b", "2"))),
        selectors=[("S", "v")],
    )
    header = root.find("s:Header", NAMESPACES)

    assert header is not None
    assert header.findtext("wsa:Action", "", NAMESPACES) == "urn:do"
    assert header.findtext("wsa:To", "", NAMESPACES) == "http://web01:5985/wsman"
    assert header.findtext("wsman:ResourceURI", "", NAMESPACES) == "urn:resource"
    assert header.findtext("wsman:MaxEnvelopeSize", "", NAMESPACES) == "1000"
    assert header.findtext("wsman:OperationTimeout", "", NAMESPACES) == "PT180.000S"
    assert header.findtext("wsa:ReplyTo/wsa:Address", "", NAMESPACES) == names.ANONYMOUS
    assert header.findtext(f"{{{names.WSMV}}}SessionId") == f"uuid:{str(SESSION).upper()}"
    languages = [e.get("{http://www.w3.org/XML/1998/namespace}lang") for e in header if "Locale" in e.tag]
    assert languages == ["sv-SE", "de-DE"]
    options = [
        (e.get("Name"), e.text, e.get("MustComply")) for e in header.iterfind("wsman:OptionSet/*", NAMESPACES)
    ]
    assert options == [("a", "1", "true"), ("b", "2", None)]
    selectors = [(e.get("Name"), e.text) for e in header.iterfind("wsman:SelectorSet/*", NAMESPACES)]
    assert selectors == [("S", "v")]
    assert [e.tag for e in root.find("s:Body", NAMESPACES) or ()] == ["x"]


def test_every_envelope_has_an_id_of_its_own() -> None:
    """An answer is matched by it, and a server keeps its answer by it."""
    envelopes = Envelopes("urn:resource", SESSION)
    ids = {envelopes.seal(Request("urn:do"), to="http://a", timeout=1).message_id for _ in range(100)}

    assert len(ids) == 100


def test_sets_that_are_empty_are_left_out() -> None:
    """An OptionSet must have an option (DSP0226 6.4)."""
    root = sealed()

    assert root.find("s:Header/wsman:OptionSet", NAMESPACES) is None
    assert root.find("s:Header/wsman:SelectorSet", NAMESPACES) is None


@given(st.text(), st.text(), st.text())
def test_values_stay_values(address: str, name: str, value: str) -> None:
    """Whatever is in an address, a name or a value, the envelope is well-formed and says just that."""
    root = sealed(Request("urn:do", "", (Option(name, value),)), to=address)
    option = root.find("s:Header/wsman:OptionSet/wsman:Option", NAMESPACES)

    assert option is not None
    assert len(root.findall(".//wsman:Option", NAMESPACES)) == 1
    if value.isprintable() and name.isprintable():
        assert (option.get("Name"), option.text or "") == (name, value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(180, "PT180.000S"), (0.5, "PT0.500S"), (2147483.647, "PT2147483.647S")]
)
def test_a_time_is_written_as_windows_writes_it(seconds: float, text: str) -> None:
    """Seconds with three decimals, never an exponent."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no XML"),
        (b"<html><br></html>", "no XML"),
        (b"<html/>", "no SOAP"),
        (f'<e:Envelope xmlns:e="{names.SOAP}"/>'.encode(), "no SOAP"),
        (b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>', "no SOAP"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "document type"),
        (b"<a>" * 1000, "nested"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "encoding"),
        (b"x" * (MAXIMUM_ANSWER + 1), "bytes long"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_envelope_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    """Hostile and broken answers end in one kind of error, before anything is built from them."""
    with pytest.raises(UnreadableEnvelope, match=reason):
        read(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No byte of a peer raises anything else."""
    try:
        read(content)
    except UnreadableEnvelope as refused:
        reason = str(refused)
    else:
        reason = "read"

    assert reason


def test_an_answer_must_be_the_one_to_our_message() -> None:
    """An answer to another message is refused, one that does not say is taken, and case does not matter."""
    check_relation(read(envelope("")), "uuid:A")
    check_relation(read(envelope("", relates_to=" uuid:a ")), "uuid:A")
    with pytest.raises(UnreadableEnvelope, match="another message"):
        check_relation(read(envelope("", relates_to="uuid:B")), "uuid:A")


def test_the_body_is_found() -> None:
    """What is read has a body."""
    assert [e.tag for e in body_of(read(envelope("<x/>")))] == ["x"]
