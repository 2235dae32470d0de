"""The exceptions of the runner and the exit codes they end in.

::

    RunnerError                      code, message, span, hints
    ├── UsageError                   arguments or settings are wrong                       exit 2
    ├── DocumentError                problems of playbooks and inventories (``problems``)  exit 2
    ├── CredentialError              the source of a credential gave nothing               exit 2
    ├── LockHeld                     another run holds a host                              exit 2
    ├── JournalError                 a run's record cannot be written, read or gone on with  exit 4
    └── HostError                    one host, the run goes on: becomes a result, never an exit
        ├── Unreachable              could not connect or log in; nothing ran
        ├── ConnectionLost           the link broke; ``may_have_run`` says what is known
        └── ExecutionFailed          ran (or could not be prepared) and failed

Exit codes are in cli.md: 0 all well, 1 failed, 2 nothing was run, 3 unreachable, 4 stopped by a policy, 5 a
difference, 70 a bug of ours, 129/130/141/143 a signal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from runner.problems import Problem
from runner.values import Span


class ExitCode(IntEnum):
    """What the process ends with."""

    SUCCESS = 0
    FAILED = 1
    REFUSED = 2
    UNREACHABLE = 3
    STOPPED = 4
    DIFFERENT = 5
    BUG = 70
    HANG_UP = 129
    INTERRUPTED = 130
    CLOSED_OUTPUT = 141
    TERMINATED = 143


class RunnerError(Exception):
    """The root: a stable code, one sentence, a place where there is one, and what to do about it."""

    exit_code = ExitCode.REFUSED

    def __init__(
        self, code: str, message: str, span: Span | None = None, *, hints: Iterable[str] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.hints = tuple(hints)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The error as problems, for printing and for ``-o json``."""
        return (Problem(self.code, self.message, self.span, hints=self.hints),)


class UsageError(RunnerError):
    """Arguments, options or settings are wrong."""


class DocumentError(RunnerError):
    """A playbook, an inventory or what they name has problems; all of them are here."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._problems = tuple(problems)
        first = self._problems[0]
        super().__init__(first.code, first.message, first.span, hints=first.hints)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, sorted by position."""
        return self._problems


class CredentialError(RunnerError):
    """The source of a credential or a secret gave nothing usable."""


class JournalError(RunnerError):
    """The record of a run cannot be written, read, or gone on with; what is recorded already is not lost."""

    exit_code = ExitCode.STOPPED


class LockHeld(RunnerError):
    """Somebody else holds a host, and it was not given back in the time that may be waited."""


class HostError(RunnerError):
    """Something went wrong on one host; becomes that host's result and never stops another host.

    ``phase`` is ``connect``, ``open``, ``send``, ``execute`` or ``decode``. ``may_have_run`` says whether the
    author's script may have run, wholly or in part.
    """

    phase = "execute"

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hints: Iterable[str] = (),
        phase: str | None = None,
        may_have_run: bool = False,
    ) -> None:
        super().__init__(code, message, hints=hints)
        self.phase = phase or type(self).phase
        self.may_have_run = may_have_run


class Unreachable(HostError):
    """The host could not be connected to or refused the login; nothing ran there."""

    phase = "connect"


class ConnectionLost(HostError):
    """The link to the host broke while something was, or may have been, running."""


class ExecutionFailed(HostError):
    """The step could not be prepared, sent, run or read on this host."""
