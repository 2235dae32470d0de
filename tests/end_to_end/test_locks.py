"""Locks of whole runs as people type them: refused, waited for, lost, left by the dead; a sample of the race."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.locks import ROOT, Runs, databases
from tests.end_to_end.site import PATIENCE, Site
from tests.support.postgresql import programs

HOLDS = """\
version: 1
name: holds
lock: run
targets: {all: {hosts: all}}
steps:
  - {id: work, target: all, script: 'echo >>BEGUN; until [ -e GO ]; do sleep 0.05; done'}
"""


class Folder:
    """A folder with a playbook whose step goes on until the test says so, and its own state."""

    def __init__(self, path: Path, book: str = HOLDS) -> None:
        self.path = path
        self.begun, self.go = path / "begun", path / "go"
        (path / "book.yml").write_text(book.replace("BEGUN", str(self.begun)).replace("GO", str(self.go)))
        hosts: dict[str, Any] = {f"web{number:02}": {} for number in range(1, 5)}
        inventory = {"version": 1, "connection": {"transport": "local"}, "hosts": hosts}
        (path / "hosts.yml").write_text(json.dumps(inventory))

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runner", *words),
            cwd=self.path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.path),
                "PYTHONPATH": str(ROOT),
                "LANG": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    async def run(self, *words: str) -> asyncio.subprocess.Process:
        return await self.start("run", "book.yml", "-i", "hosts.yml", *words)

    async def done(self, process: asyncio.subprocess.Process) -> tuple[int, str]:
        """The exit code, and all that was printed."""
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, (out + err).decode()

    async def typed(self, *words: str) -> tuple[int, str]:
        return await self.done(await self.start(*words))

    async def held(self) -> list[dict[str, Any]]:
        code, said = await self.typed("locks", "list", "-o", "json")
        assert code == 0, said
        locks: list[dict[str, Any]] = json.loads(said)["locks"]
        return locks

    @property
    def hosts_begun(self) -> int:
        """On how many hosts the step has begun, in all runs."""
        return self.begun.read_bytes().count(b"\n") if self.begun.exists() else 0

    async def until_begun(self, hosts: int = 4) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.hosts_begun < hosts:
                await asyncio.sleep(0.05)


async def test_a_second_run_is_refused_then_waits(tmp_path: Path) -> None:
    """Refused with who holds what, exit code 2, nothing run; with --lock-wait it runs after the first."""
    folder = Folder(tmp_path)
    first = await folder.run()
    await folder.until_begun()
    (entry,) = {each["run"] for each in await folder.held()}
    code, said = await folder.done(await folder.run("-l", "web02,web03"))
    assert code == 2
    assert "error[lock-held]" in said
    assert f"`web[02-03]` by run `{entry}`" in said
    assert f"process {first.pid}" in said
    assert "nothing was run" in said
    assert folder.hosts_begun == 4
    waiting = await folder.run("--lock-wait", "2m", "-o", "jsonl")
    assert waiting.stdout is not None
    async with asyncio.timeout(PATIENCE):
        line = b""
        while b"waits up to" not in line:
            line = await waiting.stdout.readline()
            assert line, await waiting.stderr.read() if waiting.stderr else ""
    folder.go.touch()
    assert (await folder.done(first))[0] == 0
    assert (await folder.done(waiting))[0] == 0
    assert folder.hosts_begun == 8
    assert await folder.held() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_run_that_is_stopped_gives_its_hosts_back(tmp_path: Path, number: signal.Signals) -> None:
    """Whatever stops it."""
    folder = Folder(tmp_path)
    run = await folder.run()
    await folder.until_begun()
    run.send_signal(number)
    assert (await folder.done(run))[0] == 128 + number
    assert await folder.held() == []


async def test_what_a_killed_run_held_is_taken_over(tmp_path: Path) -> None:
    """At once, for its process is gone; the next run says from whom."""
    folder = Folder(tmp_path)
    run = await folder.run()
    await folder.until_begun()
    run.kill()
    await folder.done(run)
    held = await folder.held()
    assert {entry["alive"] for entry in held} == {False}
    folder.go.touch()
    code, said = await folder.done(await folder.run())
    assert code == 0, said
    assert "took hosts over from a run that is gone (its process has ended)" in said
    assert held[0]["run"] in said
    assert await folder.held() == []


async def test_a_step_may_ask_for_the_lock(tmp_path: Path) -> None:
    """Then its hosts alone are held, for the whole run."""
    book = HOLDS.replace("lock: run\n", "").replace(
        "{id: work, target: all", "{id: work, target: some, lock: run"
    )
    folder = Folder(tmp_path, book.replace("targets: {all", "targets: {some: {hosts: 'web01,web02'}, all"))
    run = await folder.run()
    await folder.until_begun(2)
    assert [entry["host"] for entry in await folder.held()] == ["web01", "web02"]
    folder.go.touch()
    assert (await folder.done(run))[0] == 0


@pytest.mark.sshd
async def test_a_lock_on_the_host_over_ssh(site: Site) -> None:
    """Of two runs one waits for the other; over connections that are names of one machine."""
    site.hosts("a", "b")
    site.book(
        """\
        - {id: enter, target: all, script: 'echo enter >>LEDGER'}
        - {id: leave, target: all, needs: [{step: enter, wait: all}], script: 'echo leave >>LEDGER'}
        """.replace("LEDGER", str(site.folder / "ledger")),
        head="lock: target\n",
    )
    runs = await asyncio.gather(*(site.run("--lock-wait", "2m") for _ in range(2)))
    assert [run.code for run in runs] == [0, 0], [run.stdout for run in runs]
    lines = (site.folder / "ledger").read_text().split()
    assert lines == ["enter", "enter", "leave", "leave"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "database"), [("run", "sqlite"), ("run", "postgresql"), ("target", "sqlite")]
)
async def test_many_runs_at_once(tmp_path: Path, kind: str, database: str) -> None:
    """A sample of `python -m benchmarks locks`: one holder of each host at a time, none left."""
    if database == "postgresql" and programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with databases(database, tmp_path) as url:
        outcome = await Runs(tmp_path / "runs", hosts=5, kind=kind, database=url).all(8, wait="5m")
    assert outcome.wrong == []
    assert outcome.grants > 8


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("enter 1\nleave 1\nenter 2\nleave 2\n", 0),
        ("enter 1\nenter 2\nleave 1\nleave 2\n", 2),
        ("enter 1\nleave 2\nenter 2\nleave 1\n", 2),
        ("enter 1\nleave 1\n", 1),
        ("", 1),
    ],
)
def test_the_race_would_be_seen(tmp_path: Path, lines: str, wrong: int) -> None:
    """A ledger with two inside, or with one who never came, is told as wrong."""
    runs = Runs(tmp_path / "runs", hosts=1, kind="run", database=f"sqlite:///{tmp_path}/locks.db")
    (runs.ledger / "host01").write_text(lines)
    assert len(list(runs.read_ledgers(Counter(host01=2)))) == wrong
