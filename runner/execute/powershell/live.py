"""A pipeline's output as it comes, told to whoever watches the run: masked, in colour, progress at a bearable rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from runner.credentials.redact import Redactor, StreamMask
from runner.engine.observe import OutputReceived, ProgressReceived, RunEvent

_PROGRESS_INTERVAL = 0.2
"""Seconds between two events of one activity: scripts tell of thousands of steps, people read five a second."""

_LONGEST = 1 << 16
"""Characters of one text that are shown live."""

Tell = Callable[[RunEvent], None]


class LiveStreams:
    """Output and records of one pipeline as events; a secret is masked also where it comes in two pieces."""

    def __init__(self, step: str, host: str, redactor: Redactor, tell: Tell) -> None:
        self._step = step
        self._host = host
        self._redactor = redactor
        self._tell = tell
        self._masks: dict[str, StreamMask] = {}
        self._colors: dict[str, str | None] = {}

    def text(self, stream: str, text: str, *, color: str | None = None, line: bool = True) -> None:
        """Tell a text, with a line end behind it unless ``line`` is false."""
        if len(text) > _LONGEST:
            text = text[:_LONGEST] + "..."
        if line and not text.endswith("\n"):
            text += "\n"
        mask = self._masks.get(stream)
        if mask is None:
            mask = self._masks[stream] = StreamMask(self._redactor)
        self._colors[stream] = color
        self._show(stream, mask.feed(text))

    def finish(self) -> None:
        """Tell what was held back."""
        for stream, mask in self._masks.items():
            self._show(stream, mask.finish())

    def _show(self, stream: str, text: str) -> None:
        if text:
            self._tell(OutputReceived(self._step, self._host, stream, text, self._colors[stream]))


class LiveProgress:
    """Progress of one pipeline as events: the first at once, then the newest a few times a second."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._shown: dict[str, ProgressReceived] = {}
        self._waiting: dict[str, ProgressReceived] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def add(self, event: ProgressReceived) -> None:
        """Take what a script says of an activity."""
        name = event.activity
        if event.completed:
            self._stop(name)
            if self._shown.pop(name, None) is not None:
                self._tell(event)
        elif name in self._timers:
            self._waiting[name] = event
        else:
            self._show(event)

    def finish(self) -> None:
        """Take every activity away that the script left."""
        for name, event in list(self._shown.items()):
            self.add(replace(event, completed=True))
            self._stop(name)

    def _show(self, event: ProgressReceived) -> None:
        name = event.activity
        self._shown[name] = event
        self._timers[name] = asyncio.get_running_loop().call_later(_PROGRESS_INTERVAL, self._due, name)
        self._tell(event)

    def _due(self, name: str) -> None:
        del self._timers[name]
        event = self._waiting.pop(name, None)
        if event is not None:
            self._show(event)

    def _stop(self, name: str) -> None:
        self._waiting.pop(name, None)
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
