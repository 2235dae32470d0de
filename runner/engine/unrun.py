"""Results of what was not run, or was run by a runner that failed itself. Pure."""

from __future__ import annotations

from runner.engine.result import Failure, Result, Status
from runner.errors import JournalError


def cancelled(step: str, host: str, why: str, *, run: bool = True) -> Result:
    """It was not started any more, because the run was stopped, or its step alone."""
    failure = Failure("run-stopped" if run else "step-stopped", f"not started: {why}", phase="plan")
    return Result(step=step, host=host, status=Status.CANCELLED, failure=failure)


def unrecorded(step: str, host: str, error: JournalError, *, acted: bool) -> Result:
    """Its start could not be recorded, so it was not begun; ``acted``: an attempt before it was."""
    what = "no further attempt was made" if acted else "nothing was run"
    failure = Failure(
        error.code, f"{what}: {error.message}", phase="plan", may_have_run=acted, hints=error.hints
    )
    return Result(step=step, host=host, status=Status.CANCELLED, failure=failure)


def internal(step: str, host: str, error: BaseException) -> Result:
    """Our bug as a result, so that the run still ends in order."""
    message = f"the runner itself failed: {type(error).__name__}: {error}"
    failure = Failure("internal", message, may_have_run=True)
    return Result(step=step, host=host, status=Status.FAILED, failure=failure)
