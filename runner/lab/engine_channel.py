"""What stands where ``pwsh -s`` would: packets on standard input and output, with the manners of the engine.

An endpoint acknowledges in the order in which it handles, and it sees to it that its client keeps to the discipline of
remoting.md 4.3: PowerShell itself loses a pipeline when a packet comes before the last one of its target was
acknowledged, but only now and then; here the session ends with a sentence, every time that it can be seen.
"""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from uuid import UUID

from runner.psrp.packet_lines import LineSplitter, LineTooLong
from runner.psrp.packets import ACKS, Kind, NotAPacket, Packet, format_packet, parse_packet

_READ = 1 << 18
_FROM_CLIENT = frozenset({Kind.DATA, Kind.COMMAND, Kind.SIGNAL, Kind.CLOSE})

#: What ``pwsh -s`` ends with when its input ends (4000, of which POSIX keeps eight bits; remoting.md 4.1).
ENDED_BY_CLIENT = 160


class BadClient(Exception):
    """The client broke the protocol; the message is what the endpoint says on standard error."""


class EngineChannel:
    """Packets of one client; descriptors are those of standard input and output unless told otherwise."""

    def __init__(self, source: int = 0, target: int = 1) -> None:
        self._source = source
        self._target = target
        self._lines = LineSplitter()
        self._waiting: deque[Packet] = deque()
        self._ended = False

    def receive(self, seconds: float | None = None) -> Packet | None:
        """The next packet; None at the end of the input, or when none came within ``seconds``.

        Raises:
            BadClient: a line is no packet a client may send.

        """
        while not self._waiting and not self._ended:
            if not self._fill(seconds):
                break
        return self._waiting.popleft() if self._waiting else None

    @property
    def ended(self) -> bool:
        """Whether the client has ended its input and everything that it sent was received."""
        return self._ended and not self._waiting

    def acknowledge(self, packet: Packet) -> None:
        """Answer what was received.

        Raises:
            BadClient: the client has already sent the next order or data for the same target.

        """
        if packet.kind in {Kind.DATA, Kind.COMMAND}:
            while not self._ended and self._fill(0):
                pass
            if any(each.target == packet.target for each in self._waiting):
                raise BadClient(
                    f"a packet came before the {packet.kind} for the same target was acknowledged"
                )
        self.send(Packet(ACKS[packet.kind], packet.target))

    def send(self, packet: Packet) -> None:
        """Send a packet."""
        self.send_raw(format_packet(packet))

    def send_data(self, pieces: list[bytes], pipeline: UUID | None) -> None:
        """Send each piece as a packet, in one write."""
        self.send_raw(b"".join(format_packet(Packet(Kind.DATA, pipeline, piece)) for piece in pieces))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._target, rest) :]

    def _fill(self, seconds: float | None) -> bool:
        """Read what is there, waiting at most ``seconds``; False where nothing came."""
        if not select.select([self._source], [], [], seconds)[0]:
            return False
        data = os.read(self._source, _READ)
        try:
            lines = self._lines.feed(data)
        except LineTooLong as error:
            raise BadClient(str(error)) from error
        for line in lines:
            if not line.strip():  # an empty line ends the input, as the end of it does
                self._ended = True
                return True
            self._waiting.append(_from_client(line))
        self._ended = self._ended or not data
        return True


def _from_client(line: bytes) -> Packet:
    try:
        packet = parse_packet(line)
    except NotAPacket as error:
        raise BadClient(f"an unknown element was received: {error}") from error
    if packet.kind not in _FROM_CLIENT:
        raise BadClient(f"a client may not send {packet.kind}")
    if packet.target is None and packet.kind in {Kind.SIGNAL, Kind.COMMAND}:
        raise BadClient(f"a {packet.kind} needs a pipeline")
    return packet


def say(message: str) -> None:
    """A line on standard error."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
