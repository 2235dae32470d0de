"""Engine and driver alone: many hosts x steps against an executor that answers at once.

Prints for each size the microseconds an assignment (median of the rounds), the growth from the smaller to the larger
size and the peak memory of the process; beside it the floor: as many bare asyncio tasks under one semaphore, which have
no order, no limits but one, no results and no events. Run: ``python benchmarks/scale.py [--rounds N]``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from runner.engine.driver import Driver
from runner.engine.observe import RunEvent
from runner.engine.port import Turn, Verdict
from runner.engine.result import Result, Status
from runner.engine.shape import Assignment, Edge, RunShape, StepShape

STEPS = 10
SIZES = (1_000, 10_000)
THROTTLE = 32


class NullExecutor:
    """Every assignment is done as soon as it starts."""

    def judge(self, assignment: Assignment) -> Verdict:
        return Verdict(True)

    async def run(self, assignment: Assignment, turn: Turn) -> Result:
        return Result(step="step", host="host", status=Status.OK)

    def skipped(self, assignment: Assignment, reason: str, *, held_back: bool) -> Result:
        return Result(
            step="step", host="host", status=Status.SKIPPED, skip_reason=reason, held_back=held_back
        )

    def ended(self, assignment: Assignment, result: Result) -> None:
        pass

    def passed(self, assignment: Assignment, *, entered: bool, bad: bool, rescued: bool) -> None:
        pass

    async def check_wave(self, policy: int, wave: int) -> str | None:
        return None

    def hurry(self) -> None:
        pass

    async def close(self) -> tuple[str, ...]:
        return ()


class NullObserver:
    """Drops every event."""

    def on_event(self, event: RunEvent) -> None:
        pass


class WallClock:
    """Real time."""

    def monotonic(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def chain(hosts: int, *, sessions: bool, judged: bool = False) -> RunShape:
    """Steps one behind the other on all hosts: limits of step, run and ten groups, and a lane a host with sessions."""
    limits = (*[THROTTLE] * STEPS, 4 * THROTTLE, *[THROTTLE] * 10, *[1] * hosts)
    one = [(counter, 1) for counter in range(len(limits))]
    steps = []
    for number in range(STEPS):
        lanes = [
            tuple(
                one[counter] for counter in (number, 10, 11 + host % 10, *((21 + host,) if sessions else ()))
            )
            for host in range(hosts)
        ]
        steps.append(
            StepShape(range(hosts), (Edge(number - 1),) if number else (), judged=judged, counters=lanes)
        )
    return RunShape(tuple(steps), limits)


async def drive(shape: RunShape) -> None:
    label = ("step", "host")
    driver = Driver(shape, NullExecutor(), observer=NullObserver(), clock=WallClock(), label=lambda _: label)
    outcome = await driver.run()
    assert outcome.bug is None


async def floor(hosts: int) -> None:
    """The same number of coroutines under one semaphore, and nothing else."""
    semaphore = asyncio.Semaphore(THROTTLE)

    async def one() -> Result:
        async with semaphore:
            return Result(step="step", host="host", status=Status.OK)

    for _ in range(STEPS):
        await asyncio.gather(*(one() for _ in range(hosts)))


def measure(work: Callable[[], Awaitable[None]], hosts: int, rounds: int) -> float:
    """Microseconds an assignment, the median of the rounds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        begin = time.perf_counter()
        asyncio.run(_await(work))
        times.append((time.perf_counter() - begin) / (hosts * STEPS) * 1e6)
    return statistics.median(times)


async def _await(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    kinds: dict[str, Callable[[int], Callable[[], Awaitable[None]]]] = {
        "targets": lambda hosts: lambda: drive(chain(hosts, sessions=False)),
        "sessions": lambda hosts: lambda: drive(chain(hosts, sessions=True)),
        "with when": lambda hosts: lambda: drive(chain(hosts, sessions=True, judged=True)),
        "gather (floor)": lambda hosts: lambda: floor(hosts),
    }
    print(f"{'':16}" + "".join(f"{size:>12,} hosts" for size in SIZES) + f"{'growth':>10}")
    for name, make in kinds.items():
        costs = [measure(make(hosts), hosts, rounds) for hosts in SIZES]
        print(
            f"{name:16}" + "".join(f"{cost:>15.1f} us" for cost in costs) + f"{costs[-1] / costs[0]:>9.2f}x"
        )
        if name != "gather (floor)":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{'':16}peak memory so far {peak:.0f} MiB")


if __name__ == "__main__":
    main()
