"""What stops a run from outside: signals, an output that nobody reads any more, a host that is not held any more."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.errors import ExitCode
from runner.execute.run import RunControl

SIGNALS = {
    signal.SIGINT: ("Ctrl-C", ExitCode.INTERRUPTED),
    signal.SIGTERM: ("termination (SIGTERM)", ExitCode.TERMINATED),
    signal.SIGHUP: ("hang-up (SIGHUP)", ExitCode.HANG_UP),
}
"""What is said of each signal, and the exit code it ends the run with."""


@dataclass(slots=True)
class Interruption:
    """What stops the run from outside; the first signal decides the exit code."""

    control: RunControl = field(default_factory=RunControl)
    told: Callable[[str], None] | None = None
    """Told the reason of every stop, for the journal."""
    who_stops: Callable[[], str | None] | None = None
    """Says who asked for a termination by ``runs stop``, if anybody did."""

    def on_signal(self, number: signal.Signals) -> None:
        """Stop the run; a second time hurries it."""
        reason, code = SIGNALS[number]
        if number is signal.SIGTERM and self.who_stops is not None and (who := self.who_stops()):
            reason = f"`runs stop` by {who}"
        self._stop(reason, code)

    def on_closed_output(self) -> None:
        """Nobody reads the output any more."""
        self._stop("closed output", ExitCode.CLOSED_OUTPUT)

    def on_lost_lock(self, sentence: str) -> None:
        """A host is not held any more."""
        self._stop(sentence, ExitCode.STOPPED)

    def _stop(self, reason: str, code: ExitCode) -> None:
        if self.told is not None:
            self.told(reason)
        self.control.request_stop(reason, code)
