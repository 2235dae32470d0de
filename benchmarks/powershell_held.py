"""A thousand WinRM sessions held open by one controller, each to a host of its own: memory, threads, connections.

Each session is opened and runs a step; then all of them stay idle, which is what a run does with most of them.
The hosts are a process of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from benchmarks.powershell_carriers import LOGIN, winrm_endpoint
from benchmarks.powershell_hosts import SCRIPT, Hosts, hosts, more_files
from benchmarks.winrm_wire import memory
from runner.psrp.from_ps import from_ps
from runner.psrp.pool import Pool
from runner.psrp.request import Argument, PoolSettings, RecordKind
from runner.psrp.script import Settings, script_request
from runner.transport.endpoint import Authentication
from runner.wsman.transport import WinrmTransport

KINDS = ("http", "https")
_AT_ONCE = 32


class Outputs:
    """Reads what comes; a :class:`runner.psrp.request.PipelineReceiver`."""

    def output_received(self, value: object) -> None:
        """Read it."""
        from_ps(value)

    def record_received(self, kind: RecordKind, record: object) -> None:
        """None is expected."""
        raise AssertionError(kind, record)


async def hold(there: Hosts, kind: str, count: int) -> dict[str, float]:
    """MiB grown, threads and connections with ``count`` sessions that are idle, after a step each."""
    endpoint = winrm_endpoint(there, tls=kind == "https", authentication=Authentication.BASIC)
    transport, places, pools = WinrmTransport(), asyncio.Semaphore(_AT_ONCE), list[Pool]()

    async def one() -> None:
        async with places:
            link = await transport.connect(endpoint, LOGIN)
            pool = Pool(link.carrier(), PoolSettings())
            await pool.open()
            await pool.run(script_request(SCRIPT, Settings(), arguments=[Argument("r1")]), Outputs())
            pools.append(pool)

    await one()
    gc.collect()
    before = memory()
    await asyncio.gather(*(one() for _ in range(count - 1)))
    await asyncio.sleep(1)
    gc.collect()
    return {
        "mib": memory() - before,
        "whole": memory(),
        "threads": threading.active_count(),
        "sockets": _sockets(),
    }


def _sockets() -> int:
    return sum(path.is_socket() for path in Path("/proc/self/fd").iterdir() if path.exists())


def main() -> None:
    """Hold sessions of each kind in a process of its own, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks powershell_held", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--sessions", type=int, default=1000, help="sessions [1000]")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "HOSTS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    more_files()
    if given.one is not None:
        place = json.loads(given.one[1])
        there = Hosts(Path(place.pop("folder")), **place)
        print(json.dumps(asyncio.run(hold(there, given.one[0], given.sessions))), flush=True)
        os._exit(0)  # closing them is not measured
    print(
        f"{given.sessions:,} sessions, idle after a step: memory grown, whole process, threads, connections"
    )
    with hosts() as there:
        place = {"folder": str(there.folder), "http": there.http, "https": there.https, "ssh": there.ssh}
        for kind in KINDS:
            command = [sys.executable, "-m", "benchmarks.powershell_held", "--sessions", str(given.sessions)]
            found = json.loads(subprocess.check_output([*command, "--one", kind, json.dumps(place)]))
            print(
                f"{kind:8} {found['mib']:6.0f} MiB {found['whole']:6.0f} MiB {found['threads']:4} {found['sockets']:6}",
                flush=True,
            )


if __name__ == "__main__":
    main()
