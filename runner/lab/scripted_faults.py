"""Ways in which the scripted engine breaks its own stream, each named by what a client sees."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from psrpcore import ServerPipeline

from runner.lab.engine_channel import EngineChannel, say
from runner.lab.scripted_commands import Died
from runner.psrp.packets import Kind, Packet, format_packet

#: Object ids that no message of the session has.
_OBJECT, _OTHER_OBJECT = 1 << 40, 1 << 41
_START, _MIDDLE, _END = 1, 0, 2
#: Bytes of a line that is longer than any client should take.
_LONG_LINE = 8 << 20


class Faults:
    """Writes what should never be written; ``channel`` is the way to the client."""

    def __init__(self, channel: EngineChannel) -> None:
        self._channel = channel

    def __call__(self, fault: str, argument: str, pipeline: ServerPipeline) -> None:
        """Do it.

        Raises:
            Died: the engine ends with it.
            KeyError: there is no such fault.

        """
        _FAULTS[fault](self, argument, pipeline)

    def _data(self, data: bytes, pipeline: ServerPipeline) -> None:
        self._channel.send_data([data], pipeline.pipeline_id)

    def _truncated_fragment(self, argument: str, pipeline: ServerPipeline) -> None:
        """A fragment that is shorter than its head says."""
        del argument
        self._data(_fragment(_OBJECT, 0, _START | _END, b"short", length=500), pipeline)

    def _foreign_fragment(self, argument: str, pipeline: ServerPipeline) -> None:
        """An object is begun, and a piece of another one follows."""
        del argument
        self._data(_fragment(_OBJECT, 0, _START, b"\x01\x00\x00\x00"), pipeline)
        self._data(_fragment(_OTHER_OBJECT, 1, _MIDDLE, b"piece"), pipeline)

    def _cut_object(self, argument: str, pipeline: ServerPipeline) -> None:
        """An object is begun, and the engine ends."""
        del argument
        self._data(_fragment(_OBJECT, 0, _START, b"\x01\x00\x00\x00"), pipeline)
        raise Died(1)

    def _bad_message(self, argument: str, pipeline: ServerPipeline) -> None:
        """A whole object that is no message at all."""
        del argument
        self._data(_fragment(_OBJECT, 0, _START | _END, b"\xff" * 60), pipeline)

    def _endless_object(self, size: str, pipeline: ServerPipeline) -> None:
        """An object of so many bytes, of which nothing is ever the end."""
        piece, left, number = b"x" * 32000, int(size), 0
        while left > 0:
            self._data(_fragment(_OBJECT, number, _MIDDLE if number else _START, piece[:left]), pipeline)
            left -= len(piece)
            number += 1

    def _no_packet(self, text: str, pipeline: ServerPipeline) -> None:
        """A line that is no packet."""
        del pipeline
        self._channel.send_raw(f"{text or 'hello'}\n".encode())

    def _half_packet(self, argument: str, pipeline: ServerPipeline) -> None:
        """The line of a packet is begun, and the engine ends."""
        del argument
        self._channel.send_raw(format_packet(Packet(Kind.DATA, pipeline.pipeline_id, b"x" * 100))[:60])
        raise Died(1)

    def _long_line(self, argument: str, pipeline: ServerPipeline) -> None:
        """A line that does not end."""
        del argument, pipeline
        self._channel.send_raw(b"<Data " + b"x" * _LONG_LINE)

    def _wrong_ack(self, argument: str, pipeline: ServerPipeline) -> None:
        """An acknowledgement of nothing."""
        del argument
        self._channel.send(Packet(Kind.SIGNAL_ACK, pipeline.pipeline_id))

    def _server_error(self, text: str, pipeline: ServerPipeline) -> None:
        """An error of the engine in place of packets, as ``pwsh -sshs`` writes it."""
        del pipeline
        self._channel.send_raw(f"__NamedPipeError__:{text}\n".encode())

    def _death_with_words(self, text: str, pipeline: ServerPipeline) -> None:
        """The engine says why on standard error, and ends."""
        del pipeline
        say(text)
        raise Died(3)


_FAULTS: Mapping[str, Callable[[Faults, str, ServerPipeline], None]] = {
    name.removeprefix("_").replace("_", "-"): fault
    for name, fault in vars(Faults).items()
    if not name.startswith("__") and name != "_data"
}


def _fragment(number: int, index: int, flags: int, data: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">QQBI", number, index, flags, len(data) if length is None else length) + data
