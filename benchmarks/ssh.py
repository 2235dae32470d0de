"""50 hosts x 10 steps of ``echo``, 32 hosts at once, over one real OpenSSH, beside peers and beside asyncssh alone.

Run: ``python -m benchmarks ssh [--runs N] [--without PEER]``. All contestants meet the same sshd with the same ed25519
key in the same minutes: they take turns, a warm-up first, and ratios are made within a turn. The line is timed from the
first connection that sshd sees to the last result that the program tells; the whole command is timed beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import contestants, peers
from benchmarks.contestants import Contestant
from benchmarks.fleet import Fleet, fleet, in_namespace, missing
from benchmarks.measure import Run, Spread, paired_ratios, run
from benchmarks.work import HOSTS, PARALLEL, STEPS


@dataclass(slots=True)
class Times:
    """Seconds of each turn of one contestant."""

    line: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)
    hosts_computing: list[float] = field(default_factory=list)

    def add(self, taken: Turn) -> None:
        """One more turn."""
        self.line.append(taken.line)
        self.whole.append(taken.run.whole)
        self.computing.append(taken.run.computing)
        self.hosts_computing.append(taken.hosts_computing)


_FLOORS = {
    "runner, session": "bare asyncssh, session",
    "runner, target": "bare asyncssh, target",
}
_FLOOR_LIMIT = 1.25
_PEER_LIMITS = {"parallel-ssh": 2.0, "pyinfra": 3.0, "ansible, command": 25.0}
"""What issue 3 asks for: at most so many times the floor, and so many times as fast as each peer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a contestant. Seconds: from the first connection to the last result, and computing of the hosts."""

    run: Run
    line: float
    hosts_computing: float


def turn(contestant: Contestant, running: Fleet) -> Turn:
    """Let a contestant do the work once, and wait until its connections are gone."""
    running.settle()
    before = running.computing()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(running.home),
        "LANG": "C.UTF-8",
        **contestant.environment,
    }
    ended = run(contestant.command, environment, contestant.mark)
    if ended.exit_code != 0 or ended.marked_at is None or running.first_connection is None:
        raise SystemExit(f"{contestant.name} failed with {ended.exit_code}:\n{ended.output[-3000:]}")
    line = ended.marked_at - running.first_connection
    running.settle()
    return Turn(ended, line, running.computing() - before)


def take_turns(taking_part: Sequence[Contestant], running: Fleet, runs: int) -> dict[str, Times]:
    """A warm-up and ``runs`` turns of everybody, one after another."""
    times = {contestant.name: Times() for contestant in taking_part}
    for number in range(runs + 1):
        for contestant in taking_part:
            taken = turn(contestant, running)
            if number:
                times[contestant.name].add(taken)
        print(f"turn {number} of {runs}{' (warm-up)' if not number else ''}", file=sys.stderr, flush=True)
    return times


def table(times: dict[str, Times]) -> Iterator[str]:
    """Seconds of all, as median (lowest..highest)."""
    headings = ("first connect to last result", "whole command", "its computing", "the hosts' computing")
    yield f"{'seconds':24}" + "".join(f"{heading:30}" for heading in headings)
    for name, taken in times.items():
        columns = (taken.line, taken.whole, taken.computing, taken.hosts_computing)
        yield f"{name:24}" + "".join(f"{Spread.of(numbers).shown():30}" for numbers in columns)


def ratios(times: dict[str, Times]) -> Iterator[str]:
    """What issue 3 asks for of the line, and whole commands beside it."""
    yield f"{'ratio':44}{'first connect to last result':32}{'demand':26}whole command"
    for own, floor in _FLOORS.items():
        over_floor = paired_ratios(times[own].line, times[floor].line)
        met = "met" if over_floor.median <= _FLOOR_LIMIT else "missed"
        yield _ratio(times, own, floor, f"<= {_FLOOR_LIMIT}: {met}")
        for peer in (name for name in times if name not in {*_FLOORS, *_FLOORS.values()}):
            yield _ratio(times, peer, own, _told(times, peer, own))


def _told(times: dict[str, Times], peer: str, own: str) -> str:
    """Whether we are as much faster as asked; where asyncssh alone is not either, the floor's demand stands for it."""
    limit = _PEER_LIMITS.get(peer)
    if limit is None:
        return ""
    if paired_ratios(times[peer].line, times[own].line).median >= limit:
        return f">= {limit:g}: met"
    of_floor = paired_ratios(times[peer].line, times[_FLOORS[own]].line).median
    if of_floor < limit * _FLOOR_LIMIT:
        return f">= {limit:g}: the floor has {of_floor:.2f}"
    return f">= {limit:g}: missed"


def _ratio(times: dict[str, Times], of: str, by: str, told: str) -> str:
    line, whole = (
        paired_ratios(times[of].line, times[by].line),
        paired_ratios(times[of].whole, times[by].whole),
    )
    return f"{f'{of} / {by}':44}{line.shown():32}{told:26}{whole.shown()}"


def inside(options: argparse.Namespace, found: Sequence[str]) -> int:
    """The benchmark itself, in its namespace, with the peers that were found."""
    with tempfile.TemporaryDirectory() as name, fleet(Path(name), options.hosts) as running:
        folder = Path(name) / "work"
        folder.mkdir()
        taking_part = contestants.ours(running, folder)
        for peer in found:
            made = contestants.PEERS[peer](running, folder)
            taking_part.extend(made if isinstance(made, list) else [made])
        times = take_turns(taking_part, running, options.runs)
    print(
        f"{options.hosts} hosts x {STEPS} steps, {PARALLEL} at once: median of {options.runs} (lowest..highest)\n"
    )
    print(*table(times), "", *ratios(times), sep="\n")
    return 0


def main() -> int:
    """Measure and print; the machine's noise is shown, so nothing but a failed run is an error."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks ssh", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=5, help="turns of everybody [5]")
    parser.add_argument("--hosts", type=int, default=HOSTS, help=f"how many hosts [{HOSTS}]")
    parser.add_argument(
        "--without", action="append", default=[], choices=sorted(peers.PACKAGES), help="leave a peer out"
    )
    parser.add_argument("--inside", metavar="PEERS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is not None:
        return inside(options, options.inside.split(",") if options.inside else [])
    reason = missing()
    if reason is not None:
        print(f"the SSH benchmark is left out: {reason}")
        return 0
    wanted = [peer for peer in peers.PACKAGES if peer not in options.without]
    versions = peers.install() if wanted else {}
    found = [peer for peer in wanted if peer in versions]
    print("beside", ", ".join(f"{peer} {versions[peer]}" for peer in found) or "no peer", flush=True)
    return in_namespace(["-m", "benchmarks.ssh", *sys.argv[1:], "--inside", ",".join(found)])


if __name__ == "__main__":
    sys.exit(main())
