"""Pieces of output put together to whole lines, host by host, while they come. Pure."""

from __future__ import annotations

from typing import TypeAlias

from runner.engine.observe import OutputReceived
from runner.engine.result import Result

_LONGEST = 16 * 1024  # characters of a line that does not end; more is shown in pieces

_Key: TypeAlias = tuple[str, str, str]


class LiveLines:
    """Keeps the unfinished last line of every stream."""

    def __init__(self) -> None:
        self._unfinished: dict[_Key, str] = {}

    def feed(self, event: OutputReceived) -> list[str]:
        """The lines that a piece of output completes."""
        key = (event.step, event.host, event.stream)
        *lines, rest = (self._unfinished.pop(key, "") + event.text).split("\n")
        if len(rest) > _LONGEST:
            lines.append(rest)
        elif rest:
            self._unfinished[key] = rest
        return lines

    def end(self, result: Result) -> list[str]:
        """What came of a host in a step without a line feed at its end."""
        keys = [(result.step, result.host, stream) for stream in ("stdout", "stderr")]
        return [rest for key in keys if (rest := self._unfinished.pop(key, ""))]
