"""200 hosts with a kept PowerShell session each, 64 at once: the whole product, from the plan to the summary.

The hosts are a process of their own; measured is the computing of the controller: plan, templates, engine, pools,
carriers, results, quiet output. A run of twice the steps tells what a step costs beside opening and closing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import Spread
from benchmarks.powershell_carriers import LOGIN
from benchmarks.powershell_hosts import SCRIPT, USER, Hosts, OneAnswer, hosts, more_files
from benchmarks.powershell_null import NullPowerShell
from benchmarks.powershell_peers import naive_ssh, pypsrp_session
from benchmarks.whole import SystemClock
from runner.cli.prepare import Given, prepare
from runner.execute.run import run_plan
from runner.present.open import open_presenters
from runner.present.terminal import Screen
from runner.transport.port import Transport
from runner.transport.ssh import SshTransport
from runner.wsman.transport import WinrmTransport

HOSTS, STEPS, PARALLEL = 200, 10, 64
WAYS = (
    "at once",
    "ssh",
    "winrm",
    "winrm-tls",
    "winrm-ntlm",
    "ssh: naive loop",
    "winrm: pypsrp",
    "winrm-ntlm: pypsrp",
)


def write(folder: Path, way: str, there: Hosts, steps: int) -> tuple[Path, Path]:
    """A playbook that gives each step one variable of the host, and the inventory."""
    inventory, playbook = folder / "hosts.yml", folder / "playbook.yml"
    connection: dict[str, Any] = {"shell": "powershell"}
    if way == "ssh":
        connection |= {
            "transport": "ssh",
            "user_name": USER,
            "port": there.ssh,
            "key_file_path": str(there.folder / "id_ed25519"),
            "known_hosts": str(there.folder / "known_hosts"),
        }
    else:
        tls, ntlm = way == "winrm-tls", way == "winrm-ntlm"
        connection |= {
            "transport": "winrm",
            "use_ssl": tls,
            "port": there.https if tls else there.http,
            "authentication": "negotiate" if ntlm else "basic",
            "credential": "windows",
            "trusted_hosts": ["127.0.0.1"],
            "session_option": {"no_encryption": not tls and not ntlm},
        }
    names = {
        # What is reached in the same way shares a connection; here each host has its own, as in a fleet.
        f"host{number:03}": {
            "address": "127.0.0.1",
            "vars": {"rack": f"r{number}"},
            "connection": {"connect_timeout": 100 + number},
        }
        for number in range(HOSTS)
    }
    inventory.write_text(json.dumps({"version": 1, "connection": connection, "hosts": names}))
    content = {
        "version": 1,
        "name": "Steps on kept sessions",
        "credentials": {"windows": {"username": USER, "password": {"env": "BENCH_PASSWORD"}}},
        "targets": {"fleet": {"hosts": "all"}},
        "sessions": {"kept": {"target": "fleet"}},
        "steps": [
            {"id": f"step{number}", "session": "kept", "script": SCRIPT, "args": ["{{ rack }}"]}
            for number in range(steps)
        ],
    }
    playbook.write_text(json.dumps(content))
    return playbook, inventory


def run(folder: Path, way: str, there: Hosts, steps: int) -> None:
    """One run of the product in this process."""
    os.environ["SSL_CERT_FILE"] = str(there.folder / "ca.pem")
    playbook, inventory = write(folder, way, there, steps)
    prepared = prepare(str(playbook), Given(inventory=(str(inventory),), throttle=PARALLEL))
    if prepared.plan is None:
        raise SystemExit(f"there is no plan: {[str(problem) for problem in prepared.problems.sorted()[:3]]}")
    transports: Mapping[str, Transport] = {
        "ssh": SshTransport(environment={}),
        "winrm": NullPowerShell(OneAnswer(there.folder / "recordings").opening)
        if way == "at once"
        else WinrmTransport(),
    }
    with (folder / "output").open("w") as output:
        presenters = open_presenters(("quiet",), screen=Screen(stdout=output, stderr=output), mask=str)
        gc.freeze()  # as the command does
        summary = asyncio.run(
            run_plan(
                prepared.plan,
                transports=transports,
                logins={"windows": LOGIN},
                observer=presenters,
                clock=SystemClock(),
            )
        )
        presenters.close()
    if summary.exit_code != 0:
        raise SystemExit(f"the run ended with {summary.exit_code}: {(folder / 'output').read_text()[:2000]}")


async def run_peer(way: str, there: Hosts, steps: int) -> None:
    """The same by somebody else: every session opened, then its steps, as many at once."""
    places = asyncio.Semaphore(PARALLEL)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(PARALLEL))

    async def one() -> None:
        async with places, _session(way, there) as step:
            for _ in range(steps):
                await step()

    await asyncio.gather(*(one() for _ in range(HOSTS)))


@asynccontextmanager
async def _session(way: str, there: Hosts) -> AsyncIterator[Any]:
    kind, _, _ = way.partition(":")
    async with naive_ssh(there) if kind == "ssh" else pypsrp_session(there, kind) as step:
        yield step


def measure(way: str, there: Hosts, steps: int) -> dict[str, float]:
    """Seconds of computing, of it by the kernel; peak memory in MiB."""
    before = os.times()
    with tempfile.TemporaryDirectory() as name:
        if ":" in way:
            asyncio.run(run_peer(way, there, steps))
        else:
            run(Path(name), way, there, steps)
    after = os.times()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"user": after.user - before.user, "kernel": after.system - before.system, "memory": peak}


def main() -> None:
    """Measure every way in processes of their own, in turns, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks powershell_fleet", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=5, help="turns [5]")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "STEPS", "HOSTS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    more_files()
    if given.one is not None:
        there = json.loads(given.one[2])
        print(json.dumps(measure(given.one[0], Hosts(Path(there.pop("folder")), **there), int(given.one[1]))))
        return
    print(
        f"{HOSTS} sessions x {STEPS} steps, {PARALLEL} at once; milliseconds of computing a step, median (range)"
    )
    print(
        f"{'':20} {'all, opening too':>20} {'user':>20} {'kernel':>20} {'a further step':>20} {'memory':>9}"
    )
    with hosts() as there:
        found: dict[str, list[tuple[dict[str, float], dict[str, float]]]] = {way: [] for way in given.ways}
        for _ in range(given.runs):
            for way in given.ways:
                found[way].append((_apart(way, STEPS, there), _apart(way, 2 * STEPS, there)))
        for way, runs in found.items():
            show(way, runs)


def show(way: str, runs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    """One line."""
    each = 1000 / (HOSTS * STEPS)
    user, kernel = ([short[part] * each for short, _ in runs] for part in ("user", "kernel"))
    total = [sum(pair) for pair in zip(user, kernel, strict=True)]
    further = [
        (long["user"] + long["kernel"]) * each - all_of_it
        for (_, long), all_of_it in zip(runs, total, strict=True)
    ]
    columns = " ".join(f"{Spread.of(numbers).shown():>20}" for numbers in (total, user, kernel, further))
    print(f"{way:20} {columns} {max(short['memory'] for short, _ in runs):5.0f} MiB", flush=True)


def _apart(way: str, steps: int, there: Hosts) -> dict[str, float]:
    place = json.dumps(
        {"folder": str(there.folder), "http": there.http, "https": there.https, "ssh": there.ssh}
    )
    command = [sys.executable, "-m", "benchmarks.powershell_fleet", "--one", way, str(steps), place]
    taken: dict[str, float] = json.loads(subprocess.check_output(command).splitlines()[-1])
    return taken


if __name__ == "__main__":
    main()
