"""Kills runs with SIGKILL at random points, resumes them, and holds what ran against what the journal says.

``python -m benchmarks.crash --points 1000`` takes about half an hour on two cores. Each point is a run of 20 hosts x 8
steps over local shells, whose steps write to a ledger a host. It is killed after a random time, or when its journal has
a random number of lines; every third one is killed once more while it is resumed. Half of the runs have steps with
``rerun: safe``; the others are resumed with ``--unknown skip``. Afterwards:

1. no step that was recorded as done when the run was killed ran again,
2. none of them is lost, and everything else has run,
3. where all steps are ``rerun: safe`` the final state is the uninterrupted run's,
4. every unknown that was skipped is listed, and the ledger differs by at most those.

All randomness comes from ``--seed``; where the processes are at a given moment does not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HOSTS, STEPS = 20, 8
_LOOK = 0.0005  # seconds between two looks at the journal of a run that is to be killed
_PATIENCE = 900.0  # seconds for a run of two; one took 240 where fifty other runs had the same two cores

Key = tuple[str, str]


@dataclass
class Point:
    """Where a run is killed: after ``seconds``, or when its journal has ``lines``."""

    seconds: float | None = None
    lines: int | None = None

    def __str__(self) -> str:
        return f"after {self.seconds:.3f} s" if self.seconds is not None else f"at line {self.lines}"


@dataclass
class Found:
    """What was seen over all points, and every broken promise as a sentence."""

    runs: int = 0
    kills: int = 0
    too_late: int = 0
    done_before: int = 0
    unknown: int = 0
    broken: list[str] = field(default_factory=list)


class Site:
    """A folder with the playbook, the inventory and what the steps write."""

    def __init__(self, folder: Path, *, safe: bool, hosts: int, steps: int) -> None:
        self.folder = folder
        self.hosts = [f"host{number:02}" for number in range(1, hosts + 1)]
        self.steps = [f"step{number}" for number in range(1, steps + 1)]
        (folder / "ledger").mkdir(parents=True)
        (folder / "state").mkdir()
        inventory = {
            "version": 1,
            "connection": {"transport": "local"},
            "hosts": {host: {} for host in self.hosts},
        }
        (folder / "hosts.yml").write_text(json.dumps(inventory))
        book = {
            "version": 1,
            "name": "crash",
            "targets": {"all": {"hosts": "all"}},
            "steps": [
                {
                    "id": step,
                    "target": "all",
                    "rerun": "safe" if safe else "ask",
                    "script": f"echo {step} >> ledger/$Using:inventory_hostname\n"
                    f"echo {step} > state/$Using:inventory_hostname.{step}\n",
                }
                for step in self.steps
            ],
        }
        (folder / "book.yml").write_text(json.dumps(book))

    @property
    def keys(self) -> list[Key]:
        """Every assignment."""
        return [(step, host) for step in self.steps for host in self.hosts]

    def journal(self) -> Path | None:
        """The journal of the only run, where there is one yet."""
        return next(iter(self.folder.glob("rec/runs/*/journal.jsonl")), None)

    def ledger(self) -> Counter[Key]:
        """How often each assignment ran."""
        return Counter(
            (step, path.name)
            for path in (self.folder / "ledger").iterdir()
            for step in path.read_text().split()
        )

    def state(self) -> dict[str, str]:
        """What the steps left."""
        return {path.name: path.read_text() for path in (self.folder / "state").iterdir()}

    def recorded(self) -> set[Key]:
        """What the journal says is done, by its lines alone."""
        journal = self.journal()
        done = set()
        for line in _whole_lines(journal) if journal is not None else ():
            record = json.loads(line)
            if record["type"] == "ended" and record["result"]["status"] in {"ok", "changed"}:
                done.add((record["step"], record["host"]))
        return done

    def skipped(self) -> set[Key]:
        """What `runs show` lists as taken for done without a result."""
        done = self.start("runs", "show", "last", "-o", "json", "--record", "rec").end()
        shown = json.loads(done.out)
        return {(one["step"], one["host"]) for one in shown["taken_for_done"]}

    def start(self, *words: str) -> Process:
        """Type a command."""
        return Process(self.folder, words)


@dataclass
class Ended:
    """How a command ended; code None was killed."""

    code: int
    out: str
    err: str


class Process:
    """A command in a process of its own, forked so that nothing is imported anew."""

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        self._folder = folder
        self.pid = os.fork()
        if self.pid == 0:
            _become(folder, words)

    def kill_at(self, point: Point, journal: Callable[[], Path | None]) -> bool:
        """Kill it there; False where it had ended before.

        Raises:
            TimeoutError: neither came; it is killed.

        """
        begin = time.monotonic()
        while time.monotonic() - begin < _PATIENCE:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return False
            if point.seconds is not None:
                due = time.monotonic() - begin >= point.seconds
            else:
                path = journal()
                due = path is not None and path.read_bytes().count(b"\n") >= (point.lines or 0)
            if due:
                os.kill(self.pid, signal.SIGKILL)
                return True
            time.sleep(_LOOK)
        os.kill(self.pid, signal.SIGKILL)
        self.end()
        raise TimeoutError

    def end(self) -> Ended:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        out, err = (self._written(name) for name in ("stdout", "stderr"))
        return Ended(os.waitstatus_to_exitcode(status), out, err)

    def _written(self, name: str) -> str:
        path = self._folder / name
        return path.read_text(errors="replace") if path.exists() else ""  # killed before it opened it


def _become(folder: Path, words: Sequence[str]) -> None:
    """In the forked process: be the command line, and end with it."""
    from runner.cli.main import run_command_line  # noqa: PLC0415 - loaded before the fork

    code = 70
    try:
        os.chdir(folder)
        for number, name in enumerate(("stdout", "stderr"), 1):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - for good
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        code = run_command_line(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _whole_lines(journal: Path) -> Iterator[bytes]:
    yield from journal.read_bytes().split(b"\n")[:-1]


RUN = ("run", "book.yml", "-i", "hosts.yml", "--record", "rec", "-o", "quiet", "--no-input")
RESUME = ("resume", "last", "--record", "rec", "-o", "quiet", "--no-input")


def crash_once(
    site: Site, points: Sequence[Point], found: Found, *, safe: bool, want: dict[str, str]
) -> None:
    """Run, kill at each point, resume to the end, and hold the result against the promises."""
    name = f"{'safe' if safe else 'skip'}, killed {', then '.join(map(str, points))}"
    words: tuple[str, ...] = RUN
    done: dict[Key, int] = {}
    for point in points:
        process = site.start(*words)
        try:
            killed = process.kill_at(point, site.journal)
        except TimeoutError:
            found.broken.append(f"{name}: after {_PATIENCE:.0f} s it was neither over nor {point}")
            return
        process.end()
        found.kills += killed
        found.too_late += not killed
        if site.journal() is None:  # killed before the run was recorded: nothing ran, and it begins again
            if site.ledger():
                found.broken.append(f"{name}: something ran before the run was recorded")
            continue
        ran = site.ledger()
        for key in site.recorded():
            done.setdefault(key, ran[key])
        words = RESUME if safe else (*RESUME, "--unknown", "skip")
    found.done_before += len(done)
    last = site.start(*words).end()
    _check(site, found, name, last, done, safe=safe, want=want)
    found.runs += 1


def _check(
    site: Site,
    found: Found,
    name: str,
    last: Ended,
    done: dict[Key, int],
    *,
    safe: bool,
    want: dict[str, str],
) -> None:
    ran, skipped = site.ledger(), set() if safe else site.skipped()
    found.unknown += len(skipped)
    if last.code != 0:
        found.broken.append(f"{name}: the resumed run ended with {last.code}: {last.err[-2000:]}")
    for key in site.keys:
        words = f"{name}: `{key[0]}` on `{key[1]}`"
        if key in done and (not done[key] or ran[key] != done[key]):
            found.broken.append(f"{words} was recorded as done, had run {done[key]} times and ran {ran[key]}")
        elif safe and ran[key] < 1:
            found.broken.append(f"{words} never ran")
        elif not safe and ran[key] != 1 and not (key in skipped and ran[key] == 0):
            found.broken.append(f"{words} ran {ran[key]} times and is not among the skipped")
        if key in skipped and key in done:
            found.broken.append(f"{words} was recorded as done and is listed as unknown")
    if safe and site.state() != want:
        found.broken.append(f"{name}: the final state is another one than without the crash")


def crash(folder: Path, *, points: int, seed: int, hosts: int = HOSTS, steps: int = STEPS) -> Found:
    """Try so many random points, or as many as there are before Ctrl-C; gives what was found."""
    import runner.cli.resuming  # noqa: PLC0415 - here, so that every forked process has all of it
    import runner.cli.run_command  # noqa: PLC0415
    import runner.cli.runs_command  # noqa: PLC0415
    import runner.cli.runs_show  # noqa: F401, PLC0415

    chance, found = random.Random(seed), Found()
    whole = Site(folder / "whole", safe=True, hosts=hosts, steps=steps)
    begin = time.monotonic()
    ended = whole.start(*RUN).end()
    lasts = time.monotonic() - begin
    journal = whole.journal()
    if ended.code != 0 or journal is None:
        raise SystemExit(f"the uninterrupted run ended with {ended.code}: {ended.err}")
    lines = journal.read_bytes().count(b"\n")
    with suppress(KeyboardInterrupt):
        for number in range(points):
            safe = number % 2 == 0
            count = 2 if number % 3 == 2 else 1
            where = [
                Point(seconds=chance.uniform(0, lasts))
                if chance.random() < 0.5
                else Point(lines=chance.randint(1, lines))
                for _ in range(count)
            ]
            site = Site(folder / str(number), safe=safe, hosts=hosts, steps=steps)
            broken = len(found.broken)
            crash_once(site, where, found, safe=safe, want=whole.state())
            if len(found.broken) == broken:
                shutil.rmtree(site.folder)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{number + 1}/{points} ")
    return found


def main() -> int:
    """Try the points of the command line; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--folder", type=Path, help="where the runs are made; broken ones stay there")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="runner-crash-"))
    begin = time.monotonic()
    found = crash(folder, points=given.points, seed=given.seed, hosts=given.hosts, steps=given.steps)
    print(
        f"{found.runs} runs of {given.hosts} hosts x {given.steps} steps, {found.kills} kills"
        f" ({found.too_late} points came after the end), seed {given.seed}, {time.monotonic() - begin:.0f} s\n"
        f"{found.done_before} assignments were recorded as done when their run was killed;"
        f" {found.unknown} were unknown and skipped\n"
        f"{len(found.broken)} broken promises"
    )
    for sentence in found.broken:
        print(f"  {sentence}")
    if not found.broken and given.folder is None:
        shutil.rmtree(folder)
    elif found.broken:
        print(f"the runs are in {folder}")
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
