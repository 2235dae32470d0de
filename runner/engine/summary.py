"""Counting what became of a run, and the exit code that says it (cli.md, "Exit codes"). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from runner.engine.observe import Summary
from runner.engine.result import WORST_FIRST, Result, Status
from runner.errors import ExitCode


class Tally:
    """Counts results as they come; a host counts under its worst one, an ignored or rescued one there as ``ok``."""

    def __init__(self) -> None:
        self._results: Counter[Status] = Counter()
        self._hosts: dict[str, dict[Status, int]] = {}
        self._bad: Counter[Status] = Counter()
        self._bad_of: dict[str, list[Result]] = {}
        self._ignored = 0
        self._rescued = 0
        self._would_change = 0

    def add(self, result: Result) -> None:
        """Count one assignment's result."""
        self._results[result.status] += 1
        self._ignored += result.ignored
        self._would_change += result.would_change
        if result.bad:
            self._bad[result.status] += 1
            self._bad_of.setdefault(result.host, []).append(result)
        status = Status.OK if result.ignored else result.status
        counts = self._hosts.setdefault(result.host, {})
        counts[status] = counts.get(status, 0) + 1

    def rescue(self, host: str, steps: Collection[str]) -> None:
        """A block was mended on a host: the bad results of its steps there count as ``ok`` for host and exit code."""
        self._rescued += 1
        left: list[Result] = []
        for result in self._bad_of.pop(host, []):
            if result.step not in steps:
                left.append(result)
                continue
            self._bad[result.status] -= 1
            counts = self._hosts[host]
            counts[result.status] -= 1
            counts[Status.OK] = counts.get(Status.OK, 0) + 1
        if left:
            self._bad_of[host] = left

    def summary(
        self,
        *,
        duration: float,
        stopped_because: str | None = None,
        may_still_run: tuple[str, ...] = (),
        bug: bool = False,
        stop_code: ExitCode | None = None,
        policy: str | None = None,
        restored: int = 0,
        check: bool = False,
    ) -> Summary:
        """All counts so far.

        Args:
            duration: seconds.
            stopped_because: why not everything ran.
            may_still_run: names of what may still run on hosts.
            bug: the runner itself failed.
            stop_code: the exit code of the signal that stopped the run, or of what else did.
            policy: the first limit that was exceeded, as a sentence.
            restored: how many results an earlier part of the run recorded.
            check: nothing was to be changed, so that what would change is a difference to tell (exit 5).

        """
        hosts = Counter(_worst(counts) for counts in self._hosts.values())
        code = stop_code or (ExitCode.STOPPED if policy is not None else None)
        return Summary(
            results={status: self._results[status] for status in Status if self._results[status]},
            hosts={status: hosts[status] for status in Status if hosts[status]},
            ignored=self._ignored,
            duration=duration,
            exit_code=ExitCode.BUG if bug else code or self._exit_code(stopped_because, check=check),
            stopped_because=stopped_because,
            may_still_run=may_still_run,
            rescued=self._rescued,
            would_change=self._would_change,
            restored=restored,
            policy=policy,
        )

    def _exit_code(self, stopped_because: str | None, *, check: bool) -> ExitCode:
        """1 before 3 before 5 before 0; a run that was stopped did not do all it was asked to, so it is at least 1."""
        failed = sum(self._bad[status] for status in (Status.FAILED, Status.TIMED_OUT, Status.UNKNOWN))
        if failed or stopped_because is not None:
            return ExitCode.FAILED
        if self._bad[Status.UNREACHABLE]:
            return ExitCode.UNREACHABLE
        if check and self._would_change:
            return ExitCode.DIFFERENT
        return ExitCode.SUCCESS


def _worst(counts: dict[Status, int]) -> Status:
    return next(status for status in WORST_FIRST if counts.get(status))
