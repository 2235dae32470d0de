"""Packets, one element a line: what is one, what is none, and that what is written is read again."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.psrp.packets import ACKS, Kind, NotAPacket, Packet, format_packet, parse_packet

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings" / "server").glob("*.json"))
ID = "0bd02f77-d8a2-4c3f-9d7e-7f1f3c2b9f4e"
SESSION = "00000000-0000-0000-0000-000000000000"

targets = st.one_of(st.none(), st.uuids().filter(lambda each: each.int != 0))
packets = st.one_of(
    st.builds(Packet, st.just(Kind.DATA), targets, st.binary(max_size=300), st.booleans()),
    st.builds(Packet, st.sampled_from([kind for kind in Kind if kind is not Kind.DATA]), targets),
)


@given(packets)
def test_what_is_written_is_read(packet: Packet) -> None:
    """Every packet survives its line, and the line is one line."""
    line = format_packet(packet)
    assert parse_packet(line) == packet
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")


@given(packets, st.sampled_from(["'", '"']), st.booleans(), st.booleans(), st.sampled_from(["", " ", " \t"]))
def test_every_spelling_of_xml_is_read(
    packet: Packet, quote: str, upper: bool, reverse: bool, space: str
) -> None:
    """Quotes, the case of ids, the order of attributes and the space between them mean nothing."""
    line = format_packet(packet).decode()
    if upper and packet.target is not None:
        line = line.replace(str(packet.target), str(packet.target).upper())
    if reverse and packet.kind is Kind.DATA:
        start, rest = line.split(">", 1)
        name, stream, guid = start.split(" ")
        line = f"{name} {guid} {stream}>{rest}"
    line = line.replace("'", quote).replace("=", f"{space}={space}", 1).replace(" />", f"{space}/>")
    assert parse_packet(f"{space}{line.rstrip()}\r\n".encode()) == packet


def test_exactly_what_powershell_writes() -> None:
    """The lines are those of PowerShell's own client, byte for byte."""
    data = Packet(Kind.DATA, UUID(ID), b"abc", True)
    assert format_packet(data) == f"<Data Stream='PromptResponse' PSGuid='{ID}'>YWJj</Data>\n".encode()
    assert format_packet(Packet(Kind.CLOSE)) == f"<Close PSGuid='{SESSION}' />\n".encode()


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recorded_packets(path: Path) -> None:
    """What a real engine sent and took is read, in its attributes and its data."""
    for recorded in json.loads(path.read_bytes())["transcript"]:
        target = UUID(recorded["PSGuid"])
        packet = Packet(
            Kind(recorded["packet"]),
            target if target.int else None,
            parse_packet(_data_line(recorded)).data if recorded["packet"] == "Data" else b"",
            recorded.get("Stream") == "PromptResponse",
        )
        assert parse_packet(format_packet(packet)) == packet


def _data_line(recorded: dict[str, str]) -> bytes:
    return f"<Data Stream='{recorded['Stream']}' PSGuid='{recorded['PSGuid']}'>{recorded['data']}</Data>".encode()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Welcome to web1",
        "<",
        "<>",
        "<Data",
        "<!-- a comment -->",
        f"<dataack PSGuid='{ID}' />",
        f"<Motd PSGuid='{ID}' />",
        "<DataAck />",
        f"<DataAck PSGuid={ID} />",
        f"<DataAck PSGuid='{ID}\" />",
        f"<DataAck PSGuid='{ID}'",
        f"<DataAck PSGuid='{ID}'/>x",
        f"<DataAck PSGuid='{ID}' PSGuid='{ID}' />",
        f"<DataAck PSGuid='{ID}' Stream='Default' />",
        f"<DataAck PSGuid='{ID}'>text</DataAck>",
        f"<DataAck PSGuid='{ID}'></Data>",
        f"<DataAckPSGuid='{ID}' />",
        f"<DataAck PSGuid='{{{ID}}}' />",
        f"<DataAck PSGuid='{ID[:-1]}' />",
        f"<DataAck PSGuid='{ID[:-1]}g' />",
        f"<DataAck PSGuid='{ID.replace('-', '_')}' />",
        "<DataAck PSGuid='0bd02f77-d8a2-4c3f-9d7e-7f1f3c2b9f_4' />",
        f"<Data PSGuid='{ID}'>YWJj</Data>",
        f"<Data Stream='Other' PSGuid='{ID}'>YWJj</Data>",
        f"<Data Stream='Default' PSGuid='{ID}' Third=''>YWJj</Data>",
        f"<Data Stream='Default' PSGuid='{ID}'>YWJ</Data>",
        f"<Data Stream='Default' PSGuid='{ID}'>YW Jj</Data>",
        f"<Data Stream='Default' PSGuid='{ID}'>YW*j</Data>",
        f"<Data Stream='Default' PSGuid='{ID}'>YQ==YQ==</Data>",
        f"<Data Stream='Default' PSGuid='{ID}'>YWJj",
        f"<Data Stream='Default' PSGuid='{ID}'>YWJj</Data>x",
        f"<Data Stream='Default' PSGuid='{ID}'>YWJj</Data><DataAck PSGuid='{ID}' />",
    ],
)
def test_what_is_no_packet(line: str) -> None:
    """Banners, comments, wrong names, wrong ids, text where none may be, and cut lines are refused."""
    with pytest.raises(NotAPacket):
        parse_packet(line.encode())


@given(st.binary(max_size=200))
@example(b"<Data Stream='Default' PSGuid='")
def test_noise_is_refused_and_nothing_else(line: bytes) -> None:
    """Whatever comes, the answer is a packet or the one error."""
    try:
        packet = parse_packet(line)
    except NotAPacket:
        return
    assert parse_packet(format_packet(packet)) == packet


@given(packets, st.data())
def test_a_damaged_packet_is_never_read_as_another_kind(packet: Packet, data: st.DataObject) -> None:
    """One changed byte gives an error, or a packet whose own line it is: nothing is guessed."""
    line = bytearray(format_packet(packet))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255))
    try:
        read = parse_packet(bytes(line))
    except NotAPacket:
        return
    assert parse_packet(format_packet(read)) == read
    assert read.kind is packet.kind or bytes(line).lstrip().startswith(f"<{read.kind}".encode())


def test_every_order_has_an_acknowledgement() -> None:
    """Data, Command, Signal and Close are answered by the kind of their name."""
    assert {order.value: ack.value for order, ack in ACKS.items()} == {
        name: f"{name}Ack" for name in ("Data", "Command", "Signal", "Close")
    }
