"""``-l @RUN:failed``: the hosts that fared so in an earlier run, as named sets of a host pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runner.document.reader import written_path
from runner.engine.result import Result
from runner.errors import RunnerError, UsageError
from runner.problems import suggestion
from runner.runs.hosts import STATUS_WORDS, hosts_with

_NAMED = re.compile(r"(?P<before>^|[,:&!\s])@(?P<run>[\w.-]+):(?P<word>\w+)(?=$|[,:\s])")
_ALONE = re.compile(r"(?:^|[,:&!\s])@(?P<run>[\w.-]+)(?=$|[,\s])")

ResultsOf = Callable[[str], Sequence[Result]]
"""Gives the results of a run, by its id, the beginning of one, or ``last``; without outputs.

Raises ``UsageError`` (``unknown-run``) where there is none.
"""


def named_sets(pattern: str, results_of: ResultsOf) -> tuple[str, Mapping[str, list[str]]]:
    """A pattern with ``@RUN:STATUS`` put as names of sets, and those sets.

    ``@NAME:group`` stays where NAME is a file and no run: Ansible's ``--limit @file`` beside a group.

    Raises:
        UsageError: no such run, or no status has that name.

    """
    sets: dict[str, list[str]] = {}

    def put(match: re.Match[str]) -> str:
        run, word = match["run"], match["word"]
        if written_path(run).is_file():
            return match[0]
        results = results_of(run)
        if word not in STATUS_WORDS:
            hints = suggestion(word, STATUS_WORDS, limit=0)
            raise UsageError(
                "unknown-run-status", f"`@{run}:{word}`: no status is named `{word}`", hints=hints
            )
        name = f"{run} {word}"  # no file that a pattern can name has a blank in it
        sets[name] = hosts_with(results, word)
        return f"{match['before']}@{name}"

    named = _NAMED.sub(put, pattern)
    for match in _ALONE.finditer(_NAMED.sub("", pattern)):
        _refuse_run_without_status(match["run"], results_of)
    return named, sets


def _refuse_run_without_status(run: str, results_of: ResultsOf) -> None:
    """Say what is missing where ``@NAME`` is no file but a run; what is neither the pattern's own reader tells."""
    if Path(written_path(run)).exists():
        return
    try:
        results_of(run)
    except RunnerError:
        return
    hint = f"write `@{run}:failed`, or another of: {', '.join(STATUS_WORDS)}"
    raise UsageError("run-without-status", f"`@{run}` is a run, and names no hosts of it", hints=(hint,))
