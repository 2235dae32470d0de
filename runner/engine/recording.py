"""The run's record as its driver writes it: what cannot be recorded does not begin; the first error stops the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runner.engine.port import Recorder
from runner.engine.result import Result
from runner.engine.shape import Assignment
from runner.errors import JournalError


class Recording:
    """Writes to a recorder where there is one.

    Args:
        recorder: keeps what happened where it outlives this process; None keeps nothing.
        label: the names of an assignment.
        on_error: told of the first error of the record; :attr:`error` keeps it.
        on_bug: told of what else goes wrong in the recorder.

    """

    def __init__(
        self,
        recorder: Recorder | None,
        label: Callable[[Assignment], tuple[str, str]],
        on_error: Callable[[], None],
        on_bug: Callable[[BaseException], None],
    ) -> None:
        self._recorder = recorder
        self._label = label
        self._on_error = on_error
        self._on_bug = on_bug
        self.error: JournalError | None = None

    async def started(self, assignment: Assignment, attempt: int, item: int | None) -> None:
        """Note that a host is about to be acted on; returns when that is safe.

        Raises:
            JournalError: it could not be, or something before it could not.

        """
        if self._recorder is None:
            return
        if (known := self.error) is not None:
            raise JournalError(known.code, known.message, hints=known.hints)
        step, host = self._label(assignment)
        try:
            await self._recorder.started(step, host, attempt, item)
        except JournalError as error:
            self._note(error)
            raise

    def ended(self, result: Result) -> None:
        """Note that an assignment is over."""
        if self._recorder is not None:
            self._write(partial(self._recorder.ended, result.step, result.host, result))

    def wave_passed(self, name: str, wave: int) -> None:
        """Note that the next wave may begin."""
        if self._recorder is not None:
            self._write(partial(self._recorder.wave_passed, name, wave))

    def broke(self, name: str | None, reason: str) -> None:
        """Note that a limit is exceeded."""
        if self._recorder is not None:
            self._write(partial(self._recorder.broke, name, reason))

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except JournalError as error:
            self._note(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not leave the run hanging
            self._on_bug(error)

    def _note(self, error: JournalError) -> None:
        if self.error is None:
            self.error = error
            self._on_error()
