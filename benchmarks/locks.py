"""Many runs over one set of hosts at once: at most one holder of each at any time, no deadlock, no lock left.

Each run is a process of its own and takes some of the hosts, so that their sets overlap. Its steps enter and leave a
ledger on each host; what the ledger says in the end is the proof. Wall time says how long the last one waited.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner.locks.database import Database
from runner.locks.store import LockStore
from tests.support.postgresql import postgresql, programs

ROOT = Path(__file__).parents[1]

BOOK = """\
version: 1
name: locks
lock: {kind}
inputs: {{who: {{type: string}}}}
targets: {{all: {{hosts: all}}}}
steps:
  - id: enter
    target: all
    using: {{who: "{{{{ who }}}}", place: "{{{{ host.name }}}}"}}
    script: echo "enter $Using:who" >>"{ledger}/$Using:place"
  - id: leave
    target: all
    needs: [{{step: enter, wait: all}}]
    using: {{who: "{{{{ who }}}}", place: "{{{{ host.name }}}}"}}
    script: echo "leave $Using:who" >>"{ledger}/$Using:place"
"""


@dataclass
class Outcome:
    """What came of it. ``wrong`` is empty where all is as it should be."""

    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    grants: int = 0


class Runs:
    """A folder with a playbook, hosts that are this machine, and a ledger for each of them."""

    def __init__(self, folder: Path, *, hosts: int, kind: str, database: str) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.ledger.mkdir(parents=True)
        self.names = [f"host{number:02}" for number in range(1, hosts + 1)]
        self.database = database
        connection = {"transport": "local"}
        inventory = {"version": 1, "connection": connection, "hosts": {name: {} for name in self.names}}
        (folder / "hosts.yml").write_text(json.dumps(inventory))
        (folder / "book.yml").write_text(BOOK.format(kind=kind, ledger=self.ledger))

    async def all(self, count: int, *, wait: str, seed: int = 5) -> Outcome:
        """Start that many runs together, wait for all of them, and read the ledgers."""
        chance, outcome, begin = random.Random(seed), Outcome(), time.monotonic()
        chosen = [sorted(chance.sample(self.names, chance.randint(1, len(self.names)))) for _ in range(count)]
        ended = await asyncio.gather(
            *(self.one(number, hosts, wait=wait) for number, hosts in enumerate(chosen))
        )
        outcome.seconds = time.monotonic() - begin
        outcome.wrong += [
            f"run {number} ended with {code}: {said}" for number, (code, said) in enumerate(ended) if code
        ]
        expected = Counter(name for hosts in chosen for name in hosts)
        outcome.wrong += self.read_ledgers(expected)
        outcome.grants = expected.total()
        outcome.wrong += self.left()
        return outcome

    async def one(self, number: int, hosts: list[str], *, wait: str) -> tuple[int, str]:
        """One run; its exit code and what it said of errors."""
        words = [sys.executable, "-m", "runner", "run", "book.yml", "-i", "hosts.yml", "-l", ",".join(hosts)]
        words += ["-e", f"who={number}", "--lock-wait", wait, "--database", self.database, "-o", "quiet"]
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(self.folder)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace").strip()[:300]

    def read_ledgers(self, expected: Counter[str]) -> Iterator[str]:
        """What is wrong: somebody who entered before another had left, or did not come at all."""
        for name in self.names:
            path = self.ledger / name
            lines = path.read_text().splitlines() if path.exists() else []
            for entered, left in zip(lines[::2], lines[1::2], strict=False):
                if entered.partition(" ")[0] != "enter" or left != entered.replace("enter", "leave"):
                    yield f"{name}: `{entered}` is followed by `{left}`"
            if len(lines) != 2 * expected[name]:
                yield f"{name}: {len(lines)} lines, expected {2 * expected[name]}"

    def left(self) -> Iterator[str]:
        """Locks that nobody has given back."""
        for held in LockStore(Database(self.database)).held():
            yield f"{held.host} is still held by run {held.holder.run}"


@contextmanager
def databases(wanted: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of the kind."""
    if wanted == "postgresql":
        with postgresql() as url:
            yield url
    else:
        yield f"sqlite:///{folder}/locks.db"


def main() -> int:
    """Run each case; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--only", choices=("sqlite", "postgresql", "target"), help="one of the cases")
    options = parser.parse_args()
    cases = [("run", "sqlite"), ("target", "sqlite")]
    if programs() is not None:
        cases.insert(1, ("run", "postgresql"))
    cases = [case for case in cases if options.only in {None, case[0], case[1] if case[0] == "run" else None}]
    bad = False
    for kind, database in cases:
        with tempfile.TemporaryDirectory() as name, databases(database, Path(name)) as url:
            runs = Runs(Path(name) / "runs", hosts=options.hosts, kind=kind, database=url)
            outcome = asyncio.run(runs.all(options.runs, wait="30m"))
        where = database if kind == "run" else "the hosts"
        print(
            f"lock: {kind:6} in {where:10}  {options.runs} runs, {outcome.grants} grants of {options.hosts} hosts, "
            f"{outcome.seconds:.1f} s, {len(outcome.wrong)} wrong"
        )
        for wrong in outcome.wrong:
            print(f"  {wrong}")
        bad = bad or bool(outcome.wrong)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
