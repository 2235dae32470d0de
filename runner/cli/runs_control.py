"""``runner runs stop`` and ``approve``: what one process says to the run of another."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from runner.cli.gatekeeper import user_name
from runner.errors import UsageError
from runner.execute.executor import GATE_SHUT
from runner.journal.store import RunDirectory
from runner.problems import suggestion

_LOOK: Final = 0.1
"""Seconds between looks whether a run that was told to stop is over."""


def stop(
    directory: RunDirectory,
    *,
    kill: Callable[[int, int], None] = os.kill,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Tell a run to stop, and wait until it has; asked again meanwhile it hurries.

    Raises:
        UsageError: nobody runs it, or it belongs to somebody else.

    """
    pid = directory.is_running()
    if not pid:
        raise UsageError(
            "run-not-running",
            f"run `{directory.run}` is not going on, so there is nothing to stop",
            hints=(f"`runner runs show {directory.run}` shows what became of it",),
        )
    again = directory.control.stop_requested() is not None
    directory.control.request_stop(user_name(), datetime.now(UTC))
    try:
        kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return  # it has just ended
    except PermissionError as error:
        raise UsageError(
            "run-not-stopped",
            f"run `{directory.run}` is in process {pid} of another user, and was not told to stop",
            hints=(f"as that user: `runner runs stop {directory.run}`",),
        ) from error
    sys.stderr.write(f"{'hurrying' if again else 'stopping'} run {directory.run} (process {pid})\n")
    while directory.is_running() == pid:
        sleep(_LOOK)


def approve(directory: RunDirectory, step: str, *, go: bool) -> str:
    """Answer a gate that waits, or one at which the run ended; gives what to tell.

    Raises:
        UsageError: no such gate waits.

    """
    control = directory.control
    if directory.is_running() is not None:
        words, then = "does not wait", ""
    else:
        words, then = "did not end", f"; go on with: runner resume {directory.run}"
    gates = open_gates(directory)
    if step not in gates:
        raise _no_such_gate(directory, step, gates, words)
    control.answer(step, go=go, who=user_name(), at=datetime.now(UTC))
    return f"gate `{step}` of run {directory.run} is {'approved' if go else 'rejected'}{then}"


def open_gates(directory: RunDirectory) -> list[str]:
    """Gates that an answer would help: those that wait, and where nobody runs the run those that it ended at."""
    if directory.is_running() is not None:
        return [gate.step for gate in directory.control.waiting()]
    results = directory.replay(outputs=False).results.values()
    shut = (one.step for one in results if one.failure is not None and one.failure.code in GATE_SHUT)
    return list(dict.fromkeys(shut))


def _no_such_gate(directory: RunDirectory, step: str, gates: list[str], words: str) -> UsageError:
    hints = suggestion(step, gates) or (
        f"`runner runs show {directory.run}` shows how it stands",
        f"`runner runs watch {directory.run}` tells when a gate waits",
    )
    return UsageError("no-such-gate", f"run `{directory.run}` {words} at a gate `{step}`", hints=hints)
