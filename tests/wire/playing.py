"""Playbooks that ask what was recorded: run by the product's own code, with a tape of what each engine was sent."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.cli.interruption import Interruption
from runner.cli.prepare import Given, Prepared, prepare
from runner.cli.run_command import read_logins
from runner.cli.running import run_under_signals
from runner.credentials.redact import Redactor
from runner.engine.observe import AssignmentEnded, OutputReceived, RunEvent
from runner.engine.result import Result
from runner.lab.engines import child_engine, engine_environment
from runner.problems import Severity
from tests.support import openssh
from tests.support.engines import engine_command, real_engine, replay_command, subsystem
from tests.support.recorded_requests import Heard, heard
from tests.support.winrm_lab import USER, front_end

LOGIN_VARIABLE = "WIN_PASSWORD"
"""The variable of the environment that holds the password of hosts behind WinRM."""

SESSION = "win"
"""The host with the kept session; hosts that have a pool for one step are called otherwise."""


@dataclass
class Book:
    """A playbook. ``steps`` have an id each; ``alone`` are those that run in a pool of their own, by id."""

    steps: list[dict[str, Any]]
    head: dict[str, Any] = field(default_factory=dict)
    alone: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    session_option: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts; each has at most one pool."""
        return (SESSION, *(f"alone-{step}" for step in self.alone))

    def document(self) -> dict[str, Any]:
        """The playbook; JSON is YAML."""
        targets = {SESSION: {"hosts": SESSION}} | {
            f"alone_{name}": {"hosts": f"alone-{name}"} for name in self.alone
        }
        steps = [
            {
                **({"target": f"alone_{step['id']}"} if step["id"] in self.alone else {"session": "kept"}),
                **step,
            }
            for step in self.steps
        ]
        return {
            "version": 1,
            "name": "recorded",
            "targets": targets,
            "sessions": {"kept": {"target": SESSION}},
            **self.head,
            "steps": steps,
        }


@dataclass
class Played:
    """What came of a playbook: results and the order of streams by step, and what the engine of each host heard."""

    results: dict[str, Result]
    order: dict[str, list[str]]
    heard: dict[str, Heard]


@dataclass
class Reached:
    """How hosts are reached: a connection of each, and what stands at the head of a playbook for them."""

    connections: dict[str, dict[str, Any]]
    head: dict[str, Any] = field(default_factory=dict)


Way = Callable[[Path, Mapping[str, str]], AbstractAsyncContextManager[Reached]]
"""Makes hosts reachable, each of which has a program that is its engine, for as long as the block lasts."""


@asynccontextmanager
async def local(folder: Path, programs: Mapping[str, str]) -> AsyncIterator[Reached]:
    """Each host is this machine, its engine a child process."""
    del folder
    yield Reached(
        {host: {"transport": "local", "interpreter": program} for host, program in programs.items()}
    )


@asynccontextmanager
async def ssh(folder: Path, programs: Mapping[str, str]) -> AsyncIterator[Reached]:
    """Each engine is a subsystem of an sshd."""
    lines = "".join(subsystem([program], host) for host, program in programs.items())
    with openssh.running(folder / "sshd", extra=lines) as server:
        login = {
            "transport": "ssh",
            "user_name": server.user,
            "port": server.port,
            "key_file_path": str(server.client_key),
            "known_hosts": str(server.known_hosts),
        }
        yield Reached({host: {**login, "subsystem": host} for host in programs})


@asynccontextmanager
async def winrm(folder: Path, programs: Mapping[str, str]) -> AsyncIterator[Reached]:
    """Each engine is behind a WSMan front end of its own, which starts a process for each shell."""
    head = {
        "credentials": {"win": {"username": USER, "password": {"env": LOGIN_VARIABLE}}},
        "session_options": {"wire": {"no_encryption": True}},
    }
    login = {"transport": "winrm", "credential": "win", "authentication": "basic", "session_option": "wire"}
    login["trusted_hosts"] = "*"  # the address is an IP address, which proves nothing
    async with AsyncExitStack() as stack:
        connections = {}
        for host, program in programs.items():
            engine = child_engine([program], engine_environment(folder / "home"))
            front = await stack.enter_async_context(front_end(engine=engine))
            connections[host] = {**login, "port": front.port}
        yield Reached(connections, head)


class _Seen:
    def __init__(self) -> None:
        self.results: dict[str, Result] = {}
        self.order: dict[str, list[str]] = {}

    def on_event(self, event: RunEvent) -> None:
        """Keep results, and which stream each output came on."""
        if isinstance(event, AssignmentEnded):
            self.results[event.result.step] = event.result
        elif isinstance(event, OutputReceived):
            self.order.setdefault(event.step, []).append(event.stream)


async def play(folder: Path, book: Book, recordings: Iterable[Mapping[str, Any]], way: Way = local) -> Played:
    """Run a playbook. ``recordings`` are all that the replay knows."""
    kept = folder / "recordings"
    kept.mkdir(parents=True)
    for number, recording in enumerate(recordings):
        (kept / f"{number}.json").write_text(json.dumps(recording), encoding="utf-8")
    _make_home(folder)
    seen = _Seen()
    async with way(folder, {host: _taped(folder, host, kept) for host in book.hosts}) as reached:
        prepared = _prepared(folder, book, reached)
        assert prepared.plan is not None, [(p.code, p.message) for p in prepared.problems.sorted()]
        logins = read_logins(prepared, prepared.plan, no_input=True)
        await run_under_signals(prepared.plan, logins, seen, Redactor(), Interruption(), folder / "output")
    tapes = {host: folder / f"{host}.tape" for host in book.hosts}
    return Played(
        seen.results, seen.order, {host: heard(tape) for host, tape in tapes.items() if tape.exists()}
    )


def problems(folder: Path, book: Book) -> list[str]:
    """The codes of what is wrong with a playbook."""
    prepared = _prepared(folder, book, Reached({SESSION: {"transport": "local"}}))
    return [problem.code for problem in prepared.problems.sorted() if problem.severity is Severity.ERROR]


def _prepared(folder: Path, book: Book, reached: Reached) -> Prepared:
    inventory = {
        "version": 1,
        "connection": {"shell": "powershell"},
        "hosts": {
            host: {"address": "127.0.0.1", "connection": connection}
            for host, connection in reached.connections.items()
        },
    }
    document = book.document()
    for key, entries in reached.head.items():
        document[key] = {**document.get(key, {}), **entries}
    if book.session_option:
        document["session_options"]["wire"] = {**document["session_options"]["wire"], **book.session_option}
    for name, content in (("inventory", inventory), ("book", document), ("extra", dict(book.extra))):
        (folder / f"{name}.yml").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    given = Given(inventory=(str(folder / "inventory.yml"),), extra=(f"@{folder / 'extra.yml'}",))
    return prepare(str(folder / "book.yml"), given)


_AT_HOME = ("aa.pdf", "ab.pdf", "ac.pdf", "az.pdf", "b.pdf", "a.txt")
"""Files of the account that was recorded: example 11 makes them, and example 12 finds one."""


def _make_home(folder: Path) -> None:
    """A home for engines: scripts of the recordings write there, and nobody's own home is to be written to."""
    home = folder / "home"
    home.mkdir()
    for name in _AT_HOME:
        (home / name).touch()


def _taped(folder: Path, host: str, recordings: Path) -> str:
    """A program that is the engine, begins at its home, and writes down what it is told."""
    command = engine_command() if real_engine() else replay_command(recordings)
    tape, home = shlex.quote(f"{folder / host}.tape"), shlex.quote(str(folder / "home"))
    path = folder / f"pwsh-{host}"
    path.write_text(
        f"#!/bin/sh\nHOME={home}\nexport HOME\ncd {home}\ntee -a {tape} | exec {shlex.join(command)}\n"
    )
    path.chmod(0o755)
    return str(path)
