"""The whole line but for the hosts: from playbook and inventory to the summary, over a transport that answers at once.

Run: ``python -m benchmarks whole [--rounds N]``. Each size and way runs in a process of its own, so that its memory is
its own; issue 3 allows 300 MB for 10,000 hosts x 10 steps.
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
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Spread
from benchmarks.null_transport import NullTransport
from benchmarks.work import PARALLEL, commands
from runner.cli.prepare import Given, prepare
from runner.execute.run import run_plan
from runner.present.open import open_presenters
from runner.present.terminal import Screen

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


def write(folder: Path, way: str, hosts: int) -> tuple[Path, Path]:
    """A playbook and an inventory with one variable a host that the script is given."""
    inventory, playbook = folder / "hosts.ini", folder / "playbook.yml"
    inventory.write_text("[fleet]\n" + "".join(f"host{n:05} rack=r{n % 100}\n" for n in range(hosts)))
    place = {"session": {"session": "kept"}, "target": {"target": "fleet"}}[way]
    content = {
        "version": 1,
        "name": "Ten echoes",
        "targets": {"fleet": {"hosts": "fleet", "transport": "ssh"}},
        "sessions": {"kept": {"target": "fleet"}},
        "steps": [
            {"id": f"echo{n}", **place, "script": f"{command} $Using:rack"}
            for n, command in enumerate(commands())
        ],
    }
    playbook.write_text(json.dumps(content))
    return playbook, inventory


def measure(folder: Path, way: str, hosts: int) -> dict[str, float]:
    """Seconds of each part of one run, peak memory in MiB, and links open at once."""
    playbook, inventory = write(folder, way, hosts)
    begin = time.perf_counter()
    prepared = prepare(str(playbook), Given(inventory=(str(inventory),)))
    planned = time.perf_counter()
    if prepared.plan is None:
        raise SystemExit(f"there is no plan: {prepared.problems.sorted()[:3]}")
    transport = NullTransport()
    with (folder / "output").open("w") as output:
        presenters = open_presenters(("plain",), screen=Screen(stdout=output, stderr=output), mask=str)
        gc.freeze()  # as the command does
        running = run_plan(
            prepared.plan, transports={"ssh": transport}, logins={}, observer=presenters, clock=SystemClock()
        )
        summary = asyncio.run(running)
        presenters.close()
    ended = time.perf_counter()
    if summary.exit_code != 0:
        raise SystemExit(f"the run ended with {summary.exit_code}: {summary}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"plan": planned - begin, "run": ended - planned, "memory": peak, "open": transport.most_open}


def main() -> int:
    """Measure every way and size, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks whole", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each [3]")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "HOSTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(measure(Path(name), options.one[0], int(options.one[1]))))
        return 0
    steps = len(commands())
    print(
        f"{steps} steps, one variable a host, throttle {PARALLEL}: median of {options.rounds} (lowest..highest)"
    )
    print(
        f"{'':10}{'hosts':>7}  {'plan, us an assignment':30}{'run, us an assignment':30}{'peak memory':14}open at once"
    )
    for way in WAYS:
        for hosts in SIZES:
            runs = [_apart(way, hosts) for _ in range(options.rounds)]
            plan, run = (
                Spread.of([taken[part] / (hosts * steps) * 1e6 for taken in runs]).shown(1)
                for part in ("plan", "run")
            )
            memory = f"{max(taken['memory'] for taken in runs):.0f} MiB"
            print(f"{way:10}{hosts:>7,}  {plan:30}{run:30}{memory:14}{runs[0]['open']:.0f}")
    return 0


def _apart(way: str, hosts: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.whole", "--one", way, str(hosts)]
    taken: dict[str, float] = json.loads(subprocess.check_output(command))
    return taken


if __name__ == "__main__":
    sys.exit(main())
