"""What the journal costs a run of 50 hosts x 10 steps over real SSH: the same command with it and without, in turns.

Run: ``python -m benchmarks control [--runs N]``. All hosts are one real OpenSSH server, as in ``benchmarks ssh``.
Issue 5 allows 10 % of wall time. Without the journal the command makes the run's directory, but nothing is recorded and
nothing is waited for: that is a switch of this benchmark, not of the product.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import contestants
from benchmarks.contestants import Contestant
from benchmarks.fleet import Fleet, fleet, in_namespace, missing
from benchmarks.measure import paired_ratios
from benchmarks.ssh import Times, table, take_turns
from benchmarks.work import HOSTS, PARALLEL, STEPS
from runner.cli import running
from runner.cli.main import run_command_line
from runner.engine.observe import Summary
from runner.execute.run import run_plan

_LIMIT = 1.10
_WITH, _WITHOUT = "with", "without"


async def _unrecorded(*arguments: Any, **ports: Any) -> Summary:
    return await run_plan(*arguments, **{**ports, "recorder": None})


def command_line(way: str, words: list[str]) -> int:
    """Be the command line, with or without a journal."""
    if way == _WITHOUT:
        vars(running)["run_plan"] = _unrecorded
    return run_command_line(words)


def taking_part(running_fleet: Fleet, folder: Path) -> Iterator[Contestant]:
    """A kept session and a new interpreter for each step, each with the journal and without, beside each other."""
    for ours in contestants.ours(running_fleet, folder):
        if not ours.name.startswith("runner, "):
            continue
        words = ours.command[3:]  # behind `python -m runner`
        for way in (_WITH, _WITHOUT):
            command = (sys.executable, "-m", "benchmarks.control", "--as", way, "--", *words)
            yield replace(ours, name=f"{ours.name.removeprefix('runner, ')}, {way}", command=command)


def ratios(times: dict[str, Times]) -> Iterator[str]:
    """The cost, of what is timed and of computing."""
    yield f"{'with / without the journal':30}{'first connect to last result':44}{'whole command':26}its computing"
    for kind in ("session", "target"):
        on, off = times[f"{kind}, {_WITH}"], times[f"{kind}, {_WITHOUT}"]
        line, whole, computing = (
            paired_ratios(getattr(on, part), getattr(off, part)) for part in ("line", "whole", "computing")
        )
        told = f"<= {_LIMIT}: {'met' if line.median <= _LIMIT else 'missed'}"
        yield f"{kind:30}{f'{line.shown()} {told}':44}{whole.shown():26}{computing.shown()}"


def inside(options: argparse.Namespace) -> int:
    """The benchmark itself, in its namespace."""
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as name,
        fleet(Path(name), options.hosts) as running_fleet,
    ):
        folder = Path(name) / "work"
        folder.mkdir()
        times = take_turns(list(taking_part(running_fleet, folder)), running_fleet, options.runs)
    print(
        f"{options.hosts} hosts x {STEPS} steps, {PARALLEL} at once: median of {options.runs} (lowest..highest)\n"
    )
    print(*table(times), "", *ratios(times), sep="\n")
    return 0


def main() -> int:
    """Measure and print; the machine's noise is shown, so nothing but a failed run is an error."""
    if sys.argv[1:2] == ["--as"]:
        return command_line(sys.argv[2], sys.argv[4:])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks control", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=9, help="turns of everybody [9]")
    parser.add_argument("--hosts", type=int, default=HOSTS, help=f"how many hosts [{HOSTS}]")
    parser.add_argument("--folder", help="where to record; a folder of the disk in question")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options)
    reason = missing()
    if reason is not None:
        print(f"the benchmark of the journal's cost is left out: {reason}")
        return 0
    return in_namespace(["-m", "benchmarks.control", *sys.argv[1:], "--inside"])


if __name__ == "__main__":
    sys.exit(main())
