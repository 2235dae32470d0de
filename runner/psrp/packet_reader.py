"""What an engine writes, read as packets; what is no packet is told apart by when it comes (remoting.md 4.5)."""

from __future__ import annotations

from collections.abc import Iterator

from runner.psrp.engine_errors import Heard
from runner.psrp.packet_lines import LineSplitter, LineTooLong
from runner.psrp.packets import NotAPacket, Packet, parse_packet

#: Bytes of banner that are borne before the first packet.
_NOISE_LIMIT = 256 * 1024
#: What leads an error of ``pwsh -sshs``, which has no standard error of its own (remoting.md 4.1).
_SERVER_ERROR = b"__NamedPipeError__:"


class ServerError(Exception):
    """The engine said that it is broken; the argument is its text."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class NotSpeaking(Exception):
    """Nothing that came was a packet, and it was too much for a banner."""


class BadStream(Exception):
    """After packets something else came; the message says what."""


class PacketReader:
    """Reads one engine's output. ``heard`` keeps the banner that a login may print before the first packet."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._lines = LineSplitter()
        self._speaking = False

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that end in ``data``.

        Raises:
            ServerError: the engine reports an error instead.
            NotSpeaking: more than a banner has come, and no packet.
            BadStream: a line is no packet though there were packets before, or has no end.

        """
        try:
            lines = self._lines.feed(data)
        except LineTooLong as error:
            raise BadStream(str(error)) from error
        for line in lines:
            if (packet := self._read(line)) is not None:
                yield packet

    def end(self) -> None:
        """The output has ended; an unended line is told as what it is where nothing but a banner came."""
        rest = self._lines.rest()
        if rest and not self._speaking:
            self._heard.add_noise(rest)

    def _read(self, line: bytes) -> Packet | None:
        if line.startswith(_SERVER_ERROR):
            raise ServerError(line.removeprefix(_SERVER_ERROR))
        if not self._speaking:
            return self._first(line)
        try:
            return parse_packet(line)
        except NotAPacket as error:
            if not line.strip():
                return None
            raise BadStream(f"a line of {len(line)} bytes is no packet, {error}") from error

    def _first(self, line: bytes) -> Packet | None:
        """The first packet; a banner without a line end may lead it."""
        start = line.find(b"<Data")
        try:
            packet = parse_packet(line[max(start, 0) :])
        except NotAPacket:
            self._heard.add_noise(line)
            if self._heard.noise_size > _NOISE_LIMIT:
                raise NotSpeaking from None
            return None
        if start > 0:
            self._heard.add_noise(line[:start])
        self._speaking = True
        return packet
