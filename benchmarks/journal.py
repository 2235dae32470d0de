"""The journal alone: what a started and ended assignment costs, in time, on disk and in memory, and reading it again.

Prints for a run of many hosts x steps, with as many at once as given, the microseconds an assignment beside the same
loop with a recorder that keeps nothing, the bytes an assignment, syncs, the peak memory while writing and while
replaying. Run: ``python -m benchmarks journal [--hosts N] [--steps N] [--throttle N] [--output BYTES]``.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.engine.observe import Summary
from runner.engine.port import Recorder
from runner.engine.result import Result, Status
from runner.journal.disk import LocalDisk
from runner.journal.record import RunHeader, StepCount
from runner.journal.store import RunDirectory, RunStore
from runner.journal.writer import JournalWriter

SIZES = ((50, 10), (1_000, 100), (10_000, 100))


class CountingDisk(LocalDisk):
    """The real one, with its syncs counted."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        super().sync(descriptor)


class NullRecorder:
    """Keeps nothing and answers at once."""

    async def started(self, step: str, host: str, attempt: int, item: int | None) -> None:
        await asyncio.sleep(0)

    def ended(self, step: str, host: str, result: Result) -> None:
        pass


async def drive(recorder: Any, hosts: int, steps: int, throttle: int, output: int) -> None:
    """Every host through every step, ``throttle`` hosts at once; an assignment is over as soon as it is recorded."""
    names = iter([f"host-{number:05}.example.net" for number in range(hosts)])
    ids = [f"step-{number:02}" for number in range(steps)]
    moment = datetime.now(UTC)

    async def worker() -> None:
        for host in names:
            for step in ids:
                await recorder.started(step, host, 1, None)
                result = Result(
                    step=step,
                    host=host,
                    status=Status.OK,
                    started_at=moment,
                    duration=0.412345,
                    exit_code=0,
                    output=[f"{host} {step} " + "x" * output],
                    transport="ssh",
                )
                recorder.ended(step, host, result)

    await asyncio.gather(*(worker() for _ in range(throttle)))


def write(folder: str, hosts: int, steps: int, throttle: int, output: int) -> dict[str, float]:
    now = datetime.now(UTC)
    header = RunHeader(
        run="2026-11-21T015000Z-7f3a",
        playbook="benchmark",
        path="benchmark.yml",
        started_at=now,
        now=now,
        plan="0" * 64,
        steps=tuple(StepCount(f"step-{number:02}", hosts) for number in range(steps)),
        hosts=hosts,
    )
    directory, disk = RunStore(Path(folder)).create(header), CountingDisk()

    async def main() -> None:
        async with JournalWriter(directory, disk=disk) as writer:
            recorder: Recorder = writer
            await drive(recorder, hosts, steps, throttle, output)
            writer.finished(Summary({Status.OK: hosts * steps}, {Status.OK: hosts}, 0, 1.0, 0))

    begin, busy = time.perf_counter(), time.process_time()
    asyncio.run(main())
    return {
        "seconds": time.perf_counter() - begin,
        "busy": time.process_time() - busy,
        "bytes": sum(file.stat().st_size for file in directory.path.rglob("*") if file.is_file()),
        "syncs": disk.syncs,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def nothing(hosts: int, steps: int, throttle: int, output: int) -> dict[str, float]:
    begin = time.perf_counter()
    asyncio.run(drive(NullRecorder(), hosts, steps, throttle, output))
    return {"seconds": time.perf_counter() - begin}


def read(folder: str, outputs: bool) -> dict[str, float]:
    begin = time.perf_counter()
    history = RunDirectory(Path(folder) / "runs" / "2026-11-21T015000Z-7f3a").replay(outputs=outputs)
    assert not history.unknown
    return {
        "seconds": time.perf_counter() - begin,
        "results": len(history.results),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def apart(work: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """In a process of its own, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--throttle", type=int, default=128)
    parser.add_argument("--output", type=int, default=40, help="bytes of output beside its names")
    parser.add_argument("--folder", help="where to write; a folder of the disk in question")
    given = parser.parse_args()
    for hosts, steps in ((given.hosts, given.steps),) if given.hosts else SIZES:
        throttle, count = min(given.throttle, hosts), hosts * steps
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            floor = apart(nothing, hosts, steps, throttle, given.output)
            wrote = apart(write, folder, hosts, steps, throttle, given.output)
            whole, bare = apart(read, folder, True), apart(read, folder, False)
        print(f"{hosts:,} hosts x {steps} steps, {throttle} at once")
        print(
            f"  write   {wrote['seconds']:8.2f} s ({wrote['busy']:.2f} s busy), "
            f"{wrote['seconds'] / count * 1e6:7.1f} us each, without {floor['seconds'] / count * 1e6:.1f} us; "
            f"{wrote['bytes'] / count:.0f} bytes each, {wrote['bytes'] / 1e6:.0f} MB; "
            f"{wrote['syncs']:,.0f} syncs; peak {wrote['peak']:.0f} MiB"
        )
        for name, found in (("replay", whole), ("without outputs", bare)):
            print(
                f"  {name:15} {found['seconds']:6.2f} s, {found['seconds'] / count * 1e6:5.1f} us each; "
                f"peak {found['peak']:.0f} MiB"
            )


if __name__ == "__main__":
    main()
