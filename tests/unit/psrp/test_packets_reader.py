"""Packets out of an engine's output: banners before, and nothing else after."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.psrp.engine_errors import Heard, told
from runner.psrp.packet_reader import BadStream, NotSpeaking, PacketReader, ServerError
from runner.psrp.packets import Kind, NotAPacket, Packet, format_packet, parse_packet

PACKETS = [
    Packet(Kind.DATA, None, b"fragment"),
    Packet(Kind.DATA_ACK),
    Packet(Kind.COMMAND_ACK, UUID(int=1)),
    Packet(Kind.DATA, UUID(int=1), b"\x00" * 50),
]
STREAM = b"".join(format_packet(packet) for packet in PACKETS)


def read(data: bytes, heard: Heard | None = None) -> list[Packet]:
    return list(PacketReader(heard or Heard()).feed(data))


def _is_banner(text: str) -> bool:
    line = text.encode()
    try:
        parse_packet(line)
    except NotAPacket:
        return b"<Data" not in line and not line.startswith(b"__NamedPipeError__:")
    return False


@given(st.lists(st.text(max_size=30).filter(_is_banner), max_size=5), st.booleans())
def test_a_banner_is_kept_and_skipped(lines: list[str], ends: bool) -> None:
    """Whatever stands before the first packet is no part of the stream, with or without a line end."""
    heard = Heard()
    banner = "\n".join(lines).encode() + (b"\n" if ends else b"")
    assert read(banner + STREAM, heard) == PACKETS
    assert bytes(heard.noise).strip() in banner


def test_pieces_mean_nothing() -> None:
    """Byte by byte the same packets come out."""
    reader = PacketReader(Heard())
    assert [packet for byte in STREAM for packet in reader.feed(bytes([byte]))] == PACKETS


def test_a_line_between_packets_breaks_the_stream() -> None:
    """After the first packet a line that is none is told by its length and its fault, not by what it holds."""
    with pytest.raises(BadStream, match="a line of 11 bytes is no packet") as caught:
        read(STREAM + b"p4ssword!!!\n")
    assert "p4ssword" not in str(caught.value)


def test_an_empty_line_between_packets_is_nothing() -> None:
    """A blank line is no packet and no harm."""
    assert read(STREAM + b"\r\n\n" + STREAM) == PACKETS * 2


def test_packets_before_a_break_are_given() -> None:
    """What came whole before the break was said by the engine, and is read."""
    packets = PacketReader(Heard()).feed(STREAM + b"x\n" + STREAM)
    assert [next(packets) for _ in PACKETS] == PACKETS
    with pytest.raises(BadStream):
        next(packets)


@pytest.mark.parametrize("before", [b"", b"banner\n", STREAM])
def test_an_error_of_the_server(before: bytes) -> None:
    """The marker of `pwsh -sshs` is an error wherever it stands; its text is the engine's own."""
    with pytest.raises(ServerError) as caught:
        read(before + b"__NamedPipeError__:out of memory\n")
    assert caught.value.text == b"out of memory"


def test_too_much_noise() -> None:
    """A stream that never becomes packets is given up, and only its beginning is kept."""
    heard = Heard()
    with pytest.raises(NotSpeaking):
        read(b"y\n" * 200_000, heard)
    assert len(heard.noise) < 5000


def test_a_line_without_end() -> None:
    """A line that does not end is refused before it fills the memory."""
    with pytest.raises(BadStream, match="longer than"):
        read(STREAM + b"x" * (5 << 20))


def test_the_last_words_need_no_line_end() -> None:
    """What was printed before the end is kept though it is no whole line; a cut packet is not told."""
    heard = Heard()
    reader = PacketReader(heard)
    assert list(reader.feed(b"access denied")) == []
    reader.end()
    assert heard.words() == "access denied"
    later = Heard()
    reader = PacketReader(later)
    assert list(reader.feed(STREAM + b"<Data Str")) == PACKETS
    reader.end()
    assert later.words() == ""


@given(st.binary(max_size=3000), st.booleans())
def test_told_is_one_printable_line(text: bytes, end: bool) -> None:
    """Whatever a host prints cannot move the cursor, colour the terminal or fill the screen."""
    line = told(text, end=end)
    assert line.isprintable()
    assert len(line) <= 403


def test_of_much_error_output_the_end_is_told() -> None:
    """Of standard error the last words count, and only so much is kept."""
    heard = Heard()
    for number in range(10_000):
        heard.add_stderr(f"line {number} of a long story\n".encode())
    assert len(heard.stderr) <= 128 * 1024
    assert heard.words().endswith("line 9999 of a long story")
