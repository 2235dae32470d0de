"""Counting what became of a run, and the exit code that says it (cli.md, "Exit codes"). Pure."""

from __future__ import annotations

from collections import Counter

from runner.engine.observe import Summary
from runner.engine.result import WORST_FIRST, Result, Status
from runner.errors import ExitCode

_RANK = {status: rank for rank, status in enumerate(WORST_FIRST)}


class Tally:
    """Counts results as they come; a host counts under its worst one, an ignored one there as ``ok``."""

    def __init__(self) -> None:
        self._results: Counter[Status] = Counter()
        self._hosts: dict[str, Status] = {}
        self._bad: set[Status] = set()
        self._ignored = 0

    def add(self, result: Result) -> None:
        """Count one assignment's result."""
        self._results[result.status] += 1
        self._ignored += result.ignored
        if result.bad:
            self._bad.add(result.status)
        status = Status.OK if result.ignored else result.status
        worst = self._hosts.setdefault(result.host, status)
        if _RANK[status] < _RANK[worst]:
            self._hosts[result.host] = status

    def summary(
        self,
        *,
        duration: float,
        stopped_because: str | None = None,
        may_still_run: tuple[str, ...] = (),
        bug: bool = False,
        stop_code: ExitCode | None = None,
    ) -> Summary:
        """All counts so far; ``duration`` in seconds, ``bug`` says that the runner itself failed.

        ``stop_code`` is the exit code of the signal that stopped the run, if one did.
        """
        hosts = Counter(self._hosts.values())
        return Summary(
            results={status: self._results[status] for status in Status if self._results[status]},
            hosts={status: hosts[status] for status in Status if hosts[status]},
            ignored=self._ignored,
            duration=duration,
            exit_code=ExitCode.BUG if bug else stop_code or self._exit_code(stopped_because),
            stopped_because=stopped_because,
            may_still_run=may_still_run,
        )

    def _exit_code(self, stopped_because: str | None) -> ExitCode:
        """1 before 3 before 0; a run that was stopped did not do all it was asked to, so it is at least 1."""
        if self._bad & {Status.FAILED, Status.TIMED_OUT, Status.UNKNOWN} or stopped_because is not None:
            return ExitCode.FAILED
        if Status.UNREACHABLE in self._bad:
            return ExitCode.UNREACHABLE
        return ExitCode.SUCCESS
