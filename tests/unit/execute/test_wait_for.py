"""`wait_for`: looks from here or from the host until it is so, without a slot between two looks."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from runner.engine.observe import Waits
from runner.engine.result import Status
from runner.errors import Unreachable
from runner.execute.bodies import wait_scripts
from runner.execute.bodies.wait_for import LONGEST_LOOK
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalConnection, LocalTransport
from runner.transport.port import Login
from tests.support.powershell_host import Call, FakeHost, FakeWinrm, Refused
from tests.unit.execute.alone import Done, SkippingClock, do


async def wait(folder: Path, what: str, *, clock: SkippingClock | None = None) -> Done:
    return await do(folder, f"- {{id: x, target: all, wait_for: {{{what}}}}}\n", clock=clock)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def serve(port: int = 0, answer: bytes = b"") -> tuple[asyncio.Server, int]:
    """Something that listens on loopback; to whoever speaks it says ``answer``."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", port)
    return server, int(server.sockets[0].getsockname()[1])


async def test_a_port_that_answers_is_seen_at_once(tmp_path: Path) -> None:
    """The first look is made at once; nothing is sent to the host and nothing is changed."""
    server, port = await serve()
    async with server:
        result = (await wait(tmp_path, f"port: {port}")).result()
    assert (result.status, result.changed, result.transport) == (Status.OK, False, None)
    assert (result.output["tries"], result.waited) == (1, 0)


async def test_a_port_that_never_answers(tmp_path: Path) -> None:
    """The last look is made when the time is over, and the message has what it saw."""
    port, clock = free_port(), SkippingClock()
    done = await wait(tmp_path, f"port: {port}, timeout: 10s, interval: 4s", clock=clock)
    assert clock.sleeps == [4, 4, 2]
    assert done.code() == "wait-timeout"
    assert f"port {port} of a was waited for 10.0s in vain (4 looks)" in done.message()
    assert "refused" in done.message().lower()
    assert done.result().waited == 10


async def test_what_is_waited_for_is_told_once(tmp_path: Path) -> None:
    """Watchers hear that it waits and until when, again only where it sees something else; slots are given back."""
    clock = SkippingClock()
    done = await wait(tmp_path, f"port: {free_port()}, timeout: 5s", clock=clock)
    (waits,) = done.waits()
    assert waits.what is Waits.CONDITION
    assert done.slots.log == ["away"] * 5


def appear(path: Path, now: float) -> None:
    """The file is made when two seconds have passed."""
    if now >= 2:
        path.touch()


async def test_a_path_here_and_on_the_host(tmp_path: Path) -> None:
    """`from` says whose files are looked at; both are waited for until they are there."""
    for origin in ("controller", "host"):
        path = tmp_path / f"ready by {origin}"
        clock = SkippingClock(partial(appear, path))
        done = await wait(tmp_path, f"path: '{path}', from: {origin}", clock=clock)
        assert done.result().output == {"elapsed": 2, "tries": 3}
        assert done.slots.log == (["start 1"] if origin == "host" else []) + ["away"] * 2


async def test_a_host_looks_at_its_own_port(tmp_path: Path) -> None:
    """From the host it is the host's loopback that must answer."""
    server, port = await serve()
    async with server:
        assert (await wait(tmp_path, f"port: {port}, from: host")).result().status is Status.OK
    done = await wait(tmp_path, f"port: {free_port()}, from: host, timeout: 1s")
    assert done.code() == "wait-timeout"
    assert "refused" in done.message().lower()


@pytest.mark.parametrize("origin", ["controller", "host"])
async def test_a_url_must_answer_with_its_status(tmp_path: Path, origin: str) -> None:
    """200 unless `status` says otherwise; what it was answered with is told, and no query of the URL."""
    server, port = await serve(answer=b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    async with server:
        url = f"http://127.0.0.1:{port}/health?key=hunter22"
        done = await wait(tmp_path, f"url: '{url}', from: {origin}, timeout: 1s")
        assert done.code() == "wait-timeout"
        assert "it was answered with 503" in done.message()
        assert "hunter22" not in done.message()
        done = await wait(tmp_path, f"url: '{url}', from: {origin}, status: 500-599")
        assert done.result().status is Status.OK


@pytest.mark.parametrize("tool", ["curl", "python3", "wget"])
async def test_a_host_asks_a_url_with_what_it_has(tmp_path: Path, tool: str) -> None:
    """curl, else python3, else wget; the URL with what logs in is in no argv."""
    server, port = await serve(answer=b"HTTP/1.1 418 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    found = sys.executable if tool == "python3" else shutil.which(tool)
    if not found:
        pytest.skip(f"`{tool}` is not installed")
    (programs / tool).write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >>{tmp_path}/argv\nexec {found} "$@"\n')
    (programs / tool).chmod(0o755)
    for name in ("sh", "sed", "tail"):
        (programs / name).symlink_to(Path("/bin") / name)
    async with server:
        url = f"http://127.0.0.1:{port}/?a='b\"c\\d&key=hunter22"
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", wait_scripts.URL, "sh", url, "5",
            env={"PATH": str(programs)}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await process.communicate()
    assert (output.decode().strip(), process.returncode) == ("418", 0), errors
    assert "hunter22" not in (tmp_path / "argv").read_text()


@pytest.mark.parametrize("what", ["port: '{{ 70000 }}'", "port: '{{ \"https\" }}'", "path: '{{ \"\" }}'"])
async def test_what_makes_no_sense_is_told_before_it_waits(tmp_path: Path, what: str) -> None:
    """A port that is none and an empty path fail the host at once."""
    clock = SkippingClock()
    assert (await wait(tmp_path, what, clock=clock)).code() == "wait-what"
    assert clock.sleeps == []


class Away(LocalTransport):
    """A host that cannot be reached until the clock says so."""

    def __init__(self, clock: SkippingClock, until: float) -> None:
        super().__init__()
        self._clock = clock
        self._until = until

    async def connect(self, endpoint: Endpoint, login: Login | None) -> LocalConnection:
        if self._clock.now < self._until:
            raise Unreachable("ssh-refused", "nobody listens there")
        return await super().connect(endpoint, login)


async def test_a_host_that_looks_may_still_be_away(tmp_path: Path) -> None:
    """Not being reached is not seeing it yet, and is no failure before the time is over."""
    clock = SkippingClock()
    steps = "- {id: x, target: all, wait_for: {path: /, from: host, timeout: 20s, interval: 4s}}\n"
    done = await do(tmp_path, steps, clock=clock, transports={"local": Away(clock, 10)})
    assert done.result().output == {"elapsed": 12, "tries": 4}
    clock = SkippingClock()
    done = await do(tmp_path, steps, clock=clock, transports={"local": Away(clock, 100)})
    assert done.code() == "wait-timeout"
    assert "nobody listens there" in done.message()


async def test_windows_looks_by_its_own_scripts(tmp_path: Path) -> None:
    """A host that speaks PowerShell gets the PowerShell form of each look, with its words by position."""
    asked: list[tuple[str, list[object]]] = []

    def look(name: str) -> object:
        def script(call: Call) -> None:
            asked.append((name, call.arguments))
            if name == "url":
                call.write(200)
            elif name == "path" and len(asked) < 3:
                raise Refused("it is not there")

        return script

    scripts = {
        wait_scripts.PORT_POWERSHELL: look("port"),
        wait_scripts.PATH_POWERSHELL: look("path"),
        wait_scripts.URL_POWERSHELL: look("url"),
    }
    steps = (
        "- {id: path, target: all, wait_for: {path: 'C:\\x', from: host}}\n"
        "- {id: port, target: all, wait_for: {port: 443, from: host}}\n"
        "- {id: url, target: all, wait_for: {url: 'http://localhost/', from: host}}\n"
    )
    done = await do(
        tmp_path,
        steps,
        head="targets: {all: {hosts: win}}\n",
        inventory="version: 1\nconnection: {transport: winrm, use_ssl: true}\nhosts: {win: {}}\n",
        transports={"winrm": FakeWinrm({"win": FakeHost(scripts=scripts)})},  # type: ignore[arg-type]
    )
    assert {done.result(step, "win").status for step in ("path", "port", "url")} == {Status.OK}
    limit = f"{LONGEST_LOOK:.0f}"
    assert asked == [
        *[("path", ["C:\\x"])] * 3, ("port", ["127.0.0.1", "443", limit]), ("url", ["http://localhost/", limit])
    ]  # fmt: skip
