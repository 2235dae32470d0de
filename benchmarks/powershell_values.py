"""Values of PowerShell: 100,000 objects read, beside psrpcore alone, and 100,000 items sent as a pipeline's input.

``from_ps`` is the share of making public values of psrpcore's; what is read without psrpcore is public already.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psrpcore

from benchmarks.measure import Spread, paired_ratios
from benchmarks.powershell_carriers import CARRIERS
from benchmarks.powershell_held import Outputs
from benchmarks.powershell_hosts import SCRIPT, Hosts, hosts
from runner.psrp.fragments import cut
from runner.psrp.from_ps import from_ps
from runner.psrp.pool import Pool
from runner.psrp.protocol import Protocol, read_head
from runner.psrp.request import PoolSettings
from runner.psrp.script import Settings, script_request

_OUTPUT = 0x00041004
_OBJECT = (
    '<Obj RefId="0"><TN RefId="0"><T>Selected.System.Diagnostics.Process</T>'
    "<T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN>"
    '<MS><S N="Name">svc-{0}</S><I32 N="Id">{0}</I32><B N="Ok">true</B><S N="Path">/usr/bin/x</S></MS></Obj>'
)
#: The same, which psrpcore must read: it holds a reference.
_REFERRING = _OBJECT.replace("</MS>", '<Obj N="A" RefId="1"><MS /></Obj><Ref N="B" RefId="1" /></MS>')
_TEXT = "<S>line {0}</S>"


def messages(form: str, count: int) -> list[bytes]:
    """As many PIPELINE_OUTPUT messages."""
    head = (1).to_bytes(4, "little") + _OUTPUT.to_bytes(4, "little") + bytes(16) + UUID(int=7).bytes_le
    return [head + form.format(number).encode() for number in range(count)]


def by_psrpcore(whole: list[bytes]) -> None:
    """psrpcore's events, and nothing made of them."""
    pool = psrpcore.ClientRunspacePool()
    for number, message in enumerate(whole, 1):
        (fragment,) = cut(number, message, len(message) + 21)
        pool.receive_data(psrpcore.PSRPPayload(fragment, psrpcore.StreamType.default, UUID(int=7)))
        if pool.next_event() is None:
            raise SystemExit("nothing came")


def by_runner(whole: list[bytes]) -> None:
    """Public values, as a step's result has them."""
    protocol = Protocol(PoolSettings())
    for message in whole:
        event: Any = protocol.read(read_head(message))
        from_ps(event.data)


def from_ps_alone(whole: list[bytes]) -> float:
    """Seconds of computing that reading takes of what psrpcore has read."""
    protocol = Protocol(PoolSettings())
    events: list[Any] = [protocol.read(read_head(message)) for message in whole]
    begin = time.process_time()
    for event in events:
        from_ps(event.data)
    return time.process_time() - begin


def taken(work: Callable[[list[bytes]], None], whole: list[bytes]) -> float:
    """Seconds of computing."""
    begin = time.process_time()
    work(whole)
    return time.process_time() - begin


def decode(form: str, name: str, count: int, runs: int) -> None:
    """Read them in turns, and print."""
    whole = messages(form, count)
    pairs = [(taken(by_psrpcore, whole), taken(by_runner, whole), from_ps_alone(whole)) for _ in range(runs)]
    theirs, ours, own = zip(*pairs, strict=True)
    share = Spread.of([100 * part / all_of_it for part, all_of_it in zip(own, ours, strict=True)])
    print(
        f"{count:,} {name}: psrpcore {Spread.of(theirs).shown()} s, runner {Spread.of(ours).shown()} s, "
        f"ratio {paired_ratios(ours, theirs).shown()}, from_ps {share.shown(1)} % of it",
        flush=True,
    )


async def send(there: Hosts, count: int, runs: int) -> None:
    """Numbers as input over each carrier, and print."""
    for name in ("process", "ssh", "winrm"):
        costs: list[tuple[float, float]] = []
        async with CARRIERS[name](there) as make:
            pool = Pool(make(), PoolSettings())
            await pool.open()
            for _ in range(runs):
                request = script_request(SCRIPT, Settings(), values=list(range(count)))
                begin, began = time.process_time(), time.perf_counter()
                await pool.run(request, Outputs())
                costs.append((time.process_time() - begin, time.perf_counter() - began))
            await pool.close()
        computing, clock = (Spread.of(part).shown() for part in zip(*costs, strict=True))
        print(f"{count:,} items of input over {name}: computing {computing} s, clock {clock} s", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks powershell_values", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=3, help="turns [3]")
    parser.add_argument("--count", type=int, default=100_000, help="objects and items [100000]")
    given = parser.parse_args()
    decode(_OBJECT, "objects of four properties", given.count, given.runs)
    decode(_REFERRING, "objects with a reference", given.count // 10, given.runs)
    decode(_TEXT, "lines of text", given.count, given.runs)
    with hosts() as there:
        asyncio.run(send(there, given.count, given.runs))


if __name__ == "__main__":
    main()
