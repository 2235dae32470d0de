"""A step on a kept PowerShell session: a pool, beside psrpcore alone over the same carrier, and beside peers.

The other end is a process of its own; what is measured is this one: seconds of computing (and of the clock) a step.
Contestants take turns, and ratios are made within a turn.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Spread, paired_ratios
from benchmarks.powershell_carriers import CARRIERS
from benchmarks.powershell_hosts import ANSWER, SCRIPT, Hosts, hosts
from benchmarks.powershell_peers import naive_ssh, pypsrp_session
from runner.psrp.from_ps import from_ps
from runner.psrp.pool import Pool
from runner.psrp.request import Argument, PoolSettings, RecordKind
from runner.psrp.script import Settings, script_request
from runner.transport.carrier import Carrier
from tests.support.bare_pool import BarePool

Step = Callable[[], Awaitable[Any]]


class Outputs:
    """What a pipeline gives, as public values; a :class:`runner.psrp.request.PipelineReceiver`."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def output_received(self, value: Any) -> None:
        """Read and keep it."""
        self.values.append(from_ps(value))

    def record_received(self, kind: RecordKind, record: Any) -> None:
        """None is expected."""
        raise AssertionError(kind, record)


@asynccontextmanager
async def ours(make: Callable[[], Carrier]) -> AsyncIterator[Step]:
    """The product's pool."""
    pool = Pool(make(), PoolSettings())
    await pool.open()

    async def step() -> list[Any]:
        outputs = Outputs()
        await pool.run(script_request(SCRIPT, Settings(), arguments=[Argument("r1")]), outputs)
        return outputs.values

    yield step
    await pool.close()


@asynccontextmanager
async def bare(make: Callable[[], Carrier]) -> AsyncIterator[Step]:
    """psrpcore alone, over the product's carrier."""
    pool = await BarePool(make()).open()
    yield lambda: pool.run(SCRIPT, "r1")
    await pool.carrier.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step, microseconds: of this process's computing, and of the clock."""

    computing: float
    clock: float


async def cost(step: Step, steps: int) -> Cost:
    """What a step costs, one after the other on one session."""
    begin, began = time.process_time(), time.perf_counter()
    for _ in range(steps):
        if list(await step()) != [ANSWER]:
            raise SystemExit("a step gave something else")
    return Cost((time.process_time() - begin) / steps * 1e6, (time.perf_counter() - began) / steps * 1e6)


async def turns(contestants: dict[str, Step], runs: int, steps: int) -> dict[str, list[Cost]]:
    """Each contestant once a turn, after one turn to warm up."""
    found: dict[str, list[Cost]] = {name: [] for name in contestants}
    for turn in range(runs + 1):
        for name, step in contestants.items():
            one = await cost(step, steps if turn else max(steps // 10, 1))
            if turn:
                found[name].append(one)
    return found


def show(name: str, costs: list[Cost], against: list[Cost]) -> None:
    """One line: computing, its ratio to what it is held against, and the clock's."""
    computing, clock = ([getattr(each, which) for each in costs] for which in ("computing", "clock"))
    ratio, clock_ratio = (
        paired_ratios(mine, [getattr(each, which) for each in against]).shown()
        for mine, which in ((computing, "computing"), (clock, "clock"))
    )
    print(
        f"{name:24} {Spread.of(computing).shown(0):>20} {ratio:>20} {Spread.of(clock).shown(0):>20} {clock_ratio:>20}",
        flush=True,
    )


async def measure(there: Hosts, carriers: list[str], runs: int, steps: int) -> None:
    """Every carrier, and the peers that speak over it."""
    for name in carriers:
        async with CARRIERS[name](there) as make, ours(make) as our_step, bare(make) as bare_step:
            contestants = {f"{name}: psrpcore alone": bare_step, f"{name}: runner": our_step}
            async with peers(name, there) as others:
                found = await turns(contestants | others, runs, steps)
        floor, mine = found[f"{name}: psrpcore alone"], found[f"{name}: runner"]
        for contestant, costs in found.items():
            show(contestant, costs, floor if costs is mine else mine)


@asynccontextmanager
async def peers(name: str, there: Hosts) -> AsyncIterator[dict[str, Step]]:
    """Who else speaks over this."""
    if name == "ssh":
        async with naive_ssh(there) as step:
            yield {"ssh: naive loop, asyncssh": step}
    elif name.startswith("winrm"):
        async with pypsrp_session(there, name) as step:
            yield {f"{name}: pypsrp": step}
    else:
        yield {}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks powershell", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=7, help="turns of each contestant [7]")
    parser.add_argument("--steps", type=int, default=200, help="steps a turn [200]")
    parser.add_argument("--carriers", nargs="*", choices=CARRIERS, default=list(CARRIERS))
    given = parser.parse_args()
    print(
        f"load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; microseconds a step, median (range)"
    )
    print(f"{'':24} {'computing':>20} {'ratio*':>20} {'clock':>20} {'ratio*':>20}")
    with hosts() as there:
        asyncio.run(measure(there, given.carriers, given.runs, given.steps))
    print("* runner to psrpcore alone; everybody else to runner")


if __name__ == "__main__":
    main()
