"""The whole line but for the hosts: from playbook and inventory to the summary, over a transport that answers at once.

Run: ``python -m benchmarks whole [--rounds N] [--hosts N] [--steps N] [--journal | --recorded]``. Each size and way
runs in a process of its own, so that its memory is its own; issue 3 allows 300 MB for 10,000 hosts x 10 steps. With
``--journal`` the run is recorded, and ``resume`` is measured too: the journal read again, each assignment of a plan
made again decided, and all of them restored. With ``--recorded`` that alone: every assignment is recorded as done
without being run. Issue 5 allows 500 MB and 1 GB written for 10,000 hosts x 100 steps.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Spread
from benchmarks.null_transport import NullTransport
from benchmarks.work import PARALLEL, STEPS
from runner.cli.kept import Journaling
from runner.cli.prepare import Given, Origin, Prepared, prepare
from runner.cli.recording import header_of
from runner.engine.observe import Observer, Summary
from runner.engine.result import Result, Status
from runner.execute.run import run_plan
from runner.journal.replay import Key
from runner.journal.store import RunDirectory, RunStore
from runner.journal.writer import JournalWriter
from runner.plan.model import Plan
from runner.present.open import open_presenters
from runner.present.terminal import Screen
from runner.runs.going_on import go_on

SIZES = (1_000, 10_000)
WAYS = ("session", "target")


class SystemClock:
    """Real time."""

    def monotonic(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def write(folder: Path, way: str, hosts: int, steps: int) -> tuple[Path, Path]:
    """A playbook and an inventory with one variable a host that the script is given."""
    inventory, playbook = folder / "hosts.ini", folder / "playbook.yml"
    inventory.write_text("[fleet]\n" + "".join(f"host{n:05} rack=r{n % 100}\n" for n in range(hosts)))
    place = {"session": {"session": "kept"}, "target": {"target": "fleet"}}[way]
    content = {
        "version": 1,
        "name": "Echoes",
        "targets": {"fleet": {"hosts": "fleet", "transport": "ssh"}},
        "sessions": {"kept": {"target": "fleet"}},
        "steps": [{"id": f"echo{n}", **place, "script": f"echo hello {n} $Using:rack"} for n in range(steps)],
    }
    playbook.write_text(json.dumps(content))
    return playbook, inventory


def _given(inventory: Path) -> Given:
    return Given(inventory=(str(inventory),))


def planned(playbook: Path, inventory: Path, origin: Origin | None = None) -> tuple[Prepared, Plan]:
    """The plan, as the command makes it."""
    prepared = prepare(str(playbook), _given(inventory), origin=origin)
    if prepared.plan is None:
        raise SystemExit(f"there is no plan: {prepared.problems.sorted()[:3]}")
    return prepared, prepared.plan


def measure(folder: Path, way: str, hosts: int, steps: int, *, record: bool) -> dict[str, float]:
    """Seconds of each part of one run, peak memory in MiB, links open at once, and bytes of its record."""
    playbook, inventory = write(folder, way, hosts, steps)
    begin = time.perf_counter()
    prepared, plan = planned(playbook, inventory)
    made = time.perf_counter()
    transport, busy = NullTransport(), time.process_time()
    with (folder / "output").open("w") as output:
        presenters = open_presenters(("plain",), screen=Screen(stdout=output, stderr=output), mask=str)
        gc.freeze()  # as the command does
        if record:
            running = _recorded(folder, prepared, plan, transport, presenters)
        else:
            running = _run(plan, transport, presenters, None)
        summary = asyncio.run(running)
        presenters.close()
    ended, computing = time.perf_counter(), time.process_time() - busy
    if summary.exit_code != 0:
        raise SystemExit(f"the run ended with {summary.exit_code}: {summary}")
    written = sum(file.stat().st_size for file in folder.glob("runs/**/*") if file.is_file())
    return {
        "plan": made - begin,
        "run": ended - made,
        "computing": computing,
        "memory": _peak(),
        "open": transport.most_open,
        "written": written,
    }


async def _run(
    plan: Plan,
    transport: NullTransport,
    observer: Observer,
    recorder: JournalWriter | None,
    restored: Mapping[Key, Result] | None = None,
) -> Summary:
    return await run_plan(
        plan,
        transports={"ssh": transport},
        logins={},
        observer=observer,
        clock=SystemClock(),
        recorder=recorder,
        restored=restored,
    )


async def _recorded(
    folder: Path, prepared: Prepared, plan: Plan, transport: NullTransport, presenters: Observer
) -> Summary:
    """The run with its journal, as the command keeps it."""
    given = _given(folder / "hosts.ini")
    header = header_of(prepared, plan, given, path=str(folder / "playbook.yml"), logins={})
    writer = JournalWriter(RunStore(folder).create(header))
    journaling = Journaling(writer, presenters)
    summary = await _run(plan, transport, journaling, writer)
    await journaling.finish(summary)
    return summary


async def _record(directory: RunDirectory, plan: Plan) -> None:
    """Every assignment as done, as many started at once as are run at once."""
    writer, now = JournalWriter(directory), datetime.now(UTC)
    for planned in plan.steps:
        step = planned.step.id
        for first in range(0, len(planned.placements), PARALLEL):
            hosts = [placement.host for placement in planned.placements[first : first + PARALLEL]]
            await asyncio.gather(*(writer.started(step, host, 1, None) for host in hosts))
            for host in hosts:
                done = Result(
                    step=step,
                    host=host,
                    status=Status.OK,
                    started_at=now,
                    duration=0.000412345,
                    exit_code=0,
                    output=["hello"],
                    transport="ssh",
                )
                writer.ended(step, host, done)
    await writer.close()


def record_only(folder: Path, way: str, hosts: int, steps: int) -> dict[str, float]:
    """Seconds and bytes of recording a run that never was, by the writer of a real one."""
    playbook, inventory = write(folder, way, hosts, steps)
    prepared, plan = planned(playbook, inventory)
    header = header_of(prepared, plan, _given(inventory), path=str(playbook), logins={})
    begin, busy = time.perf_counter(), time.process_time()
    asyncio.run(_record(RunStore(folder).create(header), plan))
    return {
        "run": time.perf_counter() - begin,
        "computing": time.process_time() - busy,
        "written": sum(file.stat().st_size for file in folder.glob("runs/**/*") if file.is_file()),
    }


def read_again(folder: Path) -> dict[str, float]:
    """Seconds and peak memory in MiB of what ``resume`` does of a run that is done: it connects to nobody."""
    begin = time.perf_counter()
    history = RunStore(folder).find("last").replay()
    read, peak = time.perf_counter(), _peak()
    header = history.header
    origin = Origin(header.run, header.now, header.seed)
    _, plan = planned(folder / "playbook.yml", folder / "hosts.ini", origin)
    made = time.perf_counter()
    going = go_on(plan, history, decisions={})
    if going.left:
        raise SystemExit(f"{going.left} assignments are left")
    decided, peak_of_deciding = time.perf_counter(), _peak()
    with (folder / "output").open("w") as output:
        presenters = open_presenters(("plain",), screen=Screen(stdout=output, stderr=output), mask=str)
        summary = asyncio.run(_run(plan, NullTransport(), presenters, None, going.restored))
        presenters.close()
    if summary.restored != len(going.restored):
        raise SystemExit(f"not everything was restored: {summary}")
    return {
        "read": read - begin,
        "decided": decided - made,
        "restored": time.perf_counter() - decided,
        "peak of reading": peak,
        "peak of deciding": peak_of_deciding,
        "memory": _peak(),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Measure every way and size, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks whole", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each [3]")
    parser.add_argument("--hosts", type=int, help="one size in place of both")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps of a host [{STEPS}]")
    parser.add_argument("--way", choices=WAYS, help="one way in place of both")
    parser.add_argument("--journal", action="store_true", help="record the run, and read it again")
    parser.add_argument(
        "--recorded", action="store_true", help="record a run that never was, and read it again"
    )
    parser.add_argument("--one", nargs=2, metavar=("WAY", "HOSTS"), help=argparse.SUPPRESS)
    parser.add_argument("--again", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.again is not None:
        print(json.dumps(read_again(given.again)))
        return 0
    if given.one is not None:
        way, hosts = given.one[0], int(given.one[1])
        if given.recorded:
            print(json.dumps(record_only(given.folder, way, hosts, given.steps)))
            return 0
        print(json.dumps(measure(given.folder, way, hosts, given.steps, record=given.journal)))
        return 0
    if given.recorded:
        return _tell_recorded(given)
    print(
        f"{given.steps} steps, one variable a host, throttle {PARALLEL}: median of {given.rounds} (lowest..highest)"
    )
    print(
        f"{'':10}{'hosts':>7}  {'plan, us an assignment':30}{'run, us an assignment':30}{'computing':30}"
        f"{'peak memory':14}open at once"
    )
    for way in (given.way,) if given.way else WAYS:
        for hosts in (given.hosts,) if given.hosts else SIZES:
            runs = [_apart(way, hosts, given.steps, journal=given.journal) for _ in range(given.rounds)]
            plan, run, computing = (
                Spread.of([taken[part] / (hosts * given.steps) * 1e6 for taken in runs]).shown(1)
                for part in ("plan", "run", "computing")
            )
            memory = f"{max(taken['memory'] for taken in runs):.0f} MiB"
            print(
                f"{way:10}{hosts:>7,}  {plan:30}{run:30}{computing:30}{memory:14}{runs[0]['open']:.0f}",
                flush=True,
            )
            if given.journal:
                print(*_journal_lines(runs), sep="\n", flush=True)
    return 0


def _tell_recorded(given: argparse.Namespace) -> int:
    hosts = given.hosts or max(SIZES)
    found = []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            sized = ("--steps", str(given.steps), "--folder", folder, "--recorded")
            found.append(_asked("--one", given.way or WAYS[0], str(hosts), *sized))
            again = _asked("--again", folder)
            found[-1] |= again | {"memory again": again["memory"]}
    computing = Spread.of([taken["computing"] / (hosts * given.steps) * 1e6 for taken in found])
    print(
        f"{hosts:,} hosts x {given.steps} steps, recorded in {computing.shown(1)} us of computing an assignment"
    )
    print(*_journal_lines(found), sep="\n")
    return 0


def _journal_lines(runs: Sequence[Mapping[str, float]]) -> Iterator[str]:
    def most(part: str) -> float:
        return max(taken[part] for taken in runs)

    yield f"          written {most('written') / 1e6:.0f} MB"
    yield (
        f"          read again in {Spread.of([taken['read'] for taken in runs]).shown()} s, "
        f"peak {most('peak of reading'):.0f} MiB; "
        f"decided in {Spread.of([taken['decided'] for taken in runs]).shown()} s, "
        f"peak {most('peak of deciding'):.0f} MiB with the plan; "
        f"restored in {Spread.of([taken['restored'] for taken in runs]).shown()} s, peak {most('memory again'):.0f} MiB"
    )


def _apart(way: str, hosts: int, steps: int, *, journal: bool) -> dict[str, float]:
    """One run, and reading it again, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        sized = ("--steps", str(steps), "--folder", folder, *(("--journal",) if journal else ()))
        taken = _asked("--one", way, str(hosts), *sized)
        if journal:
            again = _asked("--again", folder)
            taken |= again | {"memory": taken["memory"], "memory again": again["memory"]}
    return taken


def _asked(*words: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.whole", *words]
    taken: dict[str, float] = json.loads(subprocess.check_output(command))
    return taken


if __name__ == "__main__":
    sys.exit(main())
