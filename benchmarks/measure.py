"""Runs a command and says how long it took, and how much computing; medians, noise and paired ratios of many runs."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from benchmarks.listen import timed_lines


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command. Seconds: of the whole command, from its start to ``marked_at`` and of computing."""

    began_at: float
    whole: float
    computing: float
    marked_at: float | None
    output: str
    exit_code: int


def run(command: Sequence[str], environment: Mapping[str, str], mark: str) -> Run:
    """Run a command to its end; ``marked_at`` is when the last line that matches ``mark`` came, on the monotonic clock.

    The computing is the command's own and that of the children it has waited for.
    """
    pattern, lines, marked = re.compile(mark), list[str](), None
    begin = time.monotonic()
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for seen, line in timed_lines(_output(process)):
        lines.append(line)
        if pattern.search(line):
            marked = seen
    _, status, usage = os.wait4(process.pid, 0)
    whole = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        began_at=begin,
        whole=whole,
        computing=usage.ru_utime + usage.ru_stime,
        marked_at=marked,
        output="\n".join(lines),
        exit_code=process.returncode,
    )


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise RuntimeError("the process was started without a pipe")
    return process.stdout


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some numbers, and how far they lie apart."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """The spread of at least one number."""
        return cls(statistics.median(numbers), min(numbers), max(numbers))

    def shown(self, digits: int = 2) -> str:
        """Median and noise, as ``1.20 (1.10..1.40)``."""
        return f"{self.median:.{digits}f} ({self.lowest:.{digits}f}..{self.highest:.{digits}f})"


def paired_ratios(numbers: Sequence[float], others: Sequence[float]) -> Spread:
    """The spread of the ratios of runs that were made side by side: what slows the machine slows both."""
    return Spread.of([number / other for number, other in zip(numbers, others, strict=True)])
