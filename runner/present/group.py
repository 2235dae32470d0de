"""Several presenters as one observer that never raises into the run; what went wrong is told at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner.engine.observe import RunEvent
from runner.present.port import Presenter
from runner.present.sink import OutputClosed


class Presenters:
    """Gives every event to every presenter; one that has a bug, or cannot write its file, gets no further events.

    One whose reader went away goes on: what it writes elsewhere, such as what may still run on hosts, is wanted.

    Args:
        presenters: in the order in which they show an event.
        on_closed: called once, at once, when the reader of an output went away, so that the run can be stopped.

    """

    def __init__(self, presenters: Sequence[Presenter], on_closed: Callable[[], None] | None = None) -> None:
        self._working = list(presenters)
        self._broken: list[Presenter] = []
        self._errors: list[Exception] = []
        self._on_closed = on_closed

    @property
    def asks(self) -> bool:
        """Whether one of them shows the question of a gate where it is answered, so that nobody else has to."""
        return any(getattr(presenter, "asks", False) for presenter in self._working)

    def on_event(self, event: RunEvent) -> None:
        """Show one event; raises nothing."""
        for presenter in tuple(self._working):
            try:
                presenter.on_event(event)
            except Exception as error:  # noqa: BLE001 - kept and raised by close; the run must go on
                self._note(error)
                if not isinstance(error, OutputClosed):
                    self._working.remove(presenter)
                    self._broken.append(presenter)

    def close(self) -> None:
        """Close all presenters.

        Raises:
            OutputClosed: who read an output went away (exit code 141).
            OutputNotWritten: an output is not whole.
            Exception: whatever a presenter failed with, which is a bug of ours.

        """
        for presenter in [*self._working, *self._broken]:
            try:
                presenter.close()
            except Exception as error:  # noqa: BLE001 - the others are to be closed all the same
                if presenter not in self._broken:
                    self._note(error)
        self._working, self._broken = [], []
        if self._errors:
            # A bug of ours hides nothing behind itself, and a reader that went away on purpose is least of all.
            raise min(self._errors, key=lambda error: isinstance(error, OutputClosed))

    def _note(self, error: Exception) -> None:
        closed_before = any(isinstance(known, OutputClosed) for known in self._errors)
        self._errors.append(error)
        if isinstance(error, OutputClosed) and not closed_before and self._on_closed is not None:
            self._on_closed()
