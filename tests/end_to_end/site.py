"""A folder with a playbook and an inventory, a home of its own, and `python -m runner` run there as a person would."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

from jsonschema import Draft202012Validator

from runner.lab.dotnet import engine_needs
from runner.schema_files import schema_text
from tests.support.openssh import OpenSsh

REPOSITORY = Path(__file__).parents[2]

PATIENCE = 60.0
"""Seconds within which a run of these tests must end, whatever hangs in it: far more than any deadline that it has."""


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text(name)))


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The document of ``-o json``, held to its schema."""
        document: dict[str, Any] = json.loads(self.stdout)
        assert "problems" not in document, document
        _validator("result").validate(document)
        return document

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of ``-o jsonl``, each held to its schema."""
        events = [json.loads(line) for line in self.stdout.splitlines()]
        for event in events:
            _validator("events").validate(event)
        return events

    def result(self, step: str, host: str) -> dict[str, Any]:
        """The one result of a step on a host."""
        (found,) = [r for r in self.document["results"] if (r["step"], r["host"]) == (step, host)]
        return dict(found)

    def output(self, step: str, host: str) -> Any:
        """What a step gave on a host."""
        return self.result(step, host)["output"]

    def statuses(self, step: str) -> dict[str, str]:
        """Host to status of one step."""
        return {r["host"]: r["status"] for r in self.document["results"] if r["step"] == step}


@dataclass
class Run:
    """A run that goes on."""

    process: asyncio.subprocess.Process

    async def line(self, text: str) -> str:
        """Wait for a line of standard output that holds the text."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stdout:
                if text in line.decode():
                    return line.decode()
        raise AssertionError(f"the output ended without {text!r}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the runner itself."""
        self.process.send_signal(number)

    async def finish(self) -> Finished:
        """Wait for the end; a run that outlives every deadline is killed, and an error."""
        try:
            async with asyncio.timeout(PATIENCE):
                stdout, stderr = await self.process.communicate()
        except TimeoutError:
            self.process.kill()
            stdout, stderr = await self.process.communicate()
            raise AssertionError(f"the run did not end in {PATIENCE} s:\n{stdout!r}\n{stderr!r}") from None
        assert self.process.returncode is not None
        return Finished(self.process.returncode, stdout.decode(), stderr.decode())


@dataclass
class Site:
    """Where a test's files are. ``home`` is the runner's HOME: the server's key and host key are in its ``.ssh``."""

    folder: Path
    server: OpenSsh
    environment: dict[str, str] = field(default_factory=dict)
    _runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        ssh = self.home / ".ssh"
        ssh.mkdir(parents=True, mode=0o700)
        (ssh / "id_ed25519").write_bytes(self.server.client_key.read_bytes())
        (ssh / "id_ed25519").chmod(0o600)
        self.know(self.server)

    @property
    def home(self) -> Path:
        """The HOME of the runner."""
        return self.folder / "home"

    def know(self, server: OpenSsh) -> None:
        """Add a server's host key, for any loopback address, to known_hosts."""
        with (self.home / ".ssh" / "known_hosts").open("a") as known:
            known.write(f"[127.0.0.*]:{server.port} {server.host_key}\n")

    def write(self, name: str, text: str) -> Path:
        """A file of the site."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def hosts(self, *names: str, **connection: Any) -> str:
        """An inventory of hosts that are all the server; sixteen have an address, and so a connection, of their own."""
        words = {"transport": "ssh", "user_name": self.server.user, "port": self.server.port} | connection
        hosts = {name: {"address": f"127.0.0.{number % 16 + 1}"} for number, name in enumerate(names)}
        inventory = {"version": 1, "connection": words, "hosts": hosts}
        self.write("inventory.yml", json.dumps(inventory, indent=1))
        return "inventory.yml"

    def book(self, steps: str, head: str = "") -> str:
        """A playbook ``book.yml`` with these steps; ``all`` is a target of all hosts, ``warm`` a session there."""
        text = "version: 1\nname: test\n" + dedent(head)
        if "targets:" not in head:
            text += "targets: {all: {hosts: all}}\n"
        if "sessions:" not in head:
            text += "sessions: {warm: {target: all}}\n"
        self.write("book.yml", text + "steps:\n" + dedent(steps))
        return "book.yml"

    def words(self, *arguments: str, output: str | None = "json") -> list[str]:
        """The words of ``runner run`` of the site's files; an argument ``-i`` takes the place of the inventory."""
        words = [sys.executable, "-m", "runner", "run", "book.yml", *arguments]
        if "-i" not in arguments and (self.folder / "inventory.yml").exists():
            words += ["-i", "inventory.yml"]
        return words if output is None else [*words, "-o", output]

    def variables(self) -> dict[str, str]:
        """The environment of the runner: nothing of whoever runs the tests but the path, and where .NET is."""
        return {
            **engine_needs(),
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
        } | self.environment

    async def start(self, *arguments: str, output: str | None = "json", **popen: Any) -> Run:
        """Start a run."""
        words: Mapping[str, Any] = {"stdout": subprocess.PIPE, "stdin": subprocess.DEVNULL} | popen
        process = await asyncio.create_subprocess_exec(
            *self.words(*arguments, output=output),
            cwd=self.folder,
            env=self.variables(),
            stderr=subprocess.PIPE,
            limit=1 << 26,
            **words,
        )
        self._runs.append(Run(process))
        return self._runs[-1]

    async def close(self) -> None:
        """Kill what a failed test left running."""
        for run in self._runs:
            if run.process.returncode is None:
                run.process.kill()
                await run.process.communicate()

    async def run(self, *arguments: str, output: str | None = "json") -> Finished:
        """Run to the end."""
        return await (await self.start(*arguments, output=output)).finish()

    async def run_steps(self, steps: str, *arguments: str, head: str = "") -> Finished:
        """Run a playbook of these steps to the end."""
        self.book(steps, head)
        return await self.run(*arguments)


def nap() -> str:
    """Seconds for ``sleep`` that no other process sleeps: far beyond any test, and told apart in a process list."""
    return f"9{secrets.randbelow(10**9):09}"


def processes_with(text: str) -> list[str]:
    """Command lines of living processes that hold the text."""
    found = []
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal():
            continue
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it has ended
        if text in line:
            found.append(line)
    return found


async def until_gone(text: str) -> None:
    """Wait until no process holds the text."""
    async with asyncio.timeout(PATIENCE):
        while processes_with(text):
            await asyncio.sleep(0.05)
