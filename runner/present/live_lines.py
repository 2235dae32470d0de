"""Pieces of output put together to whole lines, host by host, while they come. Pure."""

from __future__ import annotations

from typing import TypeAlias

from runner.engine.observe import OutputReceived
from runner.engine.result import Result
from runner.present.streams import StreamLine

_LONGEST = 16 * 1024  # characters of a line that does not end; more is shown in pieces

_Place: TypeAlias = tuple[str, str]  # step and host


class LiveLines:
    """Keeps the unfinished last line of every stream, with the first colour that a piece of it asked for."""

    def __init__(self) -> None:
        self._unfinished: dict[_Place, dict[str, StreamLine]] = {}

    def feed(self, event: OutputReceived) -> list[StreamLine]:
        """The lines that a piece of output completes."""
        place = (event.step, event.host)
        begun = self._unfinished.get(place, {}).pop(event.stream, None)
        color = (begun.color if begun else None) or event.color
        *texts, rest = ((begun.text if begun else "") + event.text).split("\n")
        lines = [
            StreamLine(event.stream, text, event.color if number else color)
            for number, text in enumerate(texts)
        ]
        unfinished = StreamLine(event.stream, rest, event.color if texts else color)
        if len(rest) > _LONGEST:
            lines.append(unfinished)
        elif rest:
            self._unfinished.setdefault(place, {})[event.stream] = unfinished
        return lines

    def end(self, result: Result) -> list[StreamLine]:
        """What came of a host in a step without a line feed at its end."""
        return list(self._unfinished.pop((result.step, result.host), {}).values())
