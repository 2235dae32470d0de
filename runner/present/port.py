"""What every way of showing a run is: an observer that is closed at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from runner.engine.observe import RunEvent

Mask: TypeAlias = Callable[[str], str]
"""Gives a text back with every known secret replaced by stars; every shown or written text passes one."""


class Presenter(Protocol):
    """Shows a run. Never blocks on anything but its own output."""

    def on_event(self, event: RunEvent) -> None:
        """Show one event.

        Raises:
            OutputClosed: who read the output is gone.
            OutputNotWritten: a file could not be written.

        """

    def close(self) -> None:
        """Finish what is open and give the terminal back; called once, also after a failed run.

        Raises:
            OutputClosed: who read the output is gone.
            OutputNotWritten: a file could not be written.

        """
