"""Whole runs over a real OpenSSH: kept connections and sessions, and hosts that break, hang or change their key."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from runner.engine.observe import OutputReceived
from runner.engine.result import Status
from runner.transport.ssh import SshTransport
from tests.support.openssh import OpenSsh, running
from tests.unit.execute.running import Seen, run

pytestmark = [pytest.mark.sshd]


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    with running(tmp_path_factory.mktemp("well")) as server:
        yield server


@pytest.fixture
def ill(tmp_path: Path, well: OpenSsh) -> Iterator[OpenSsh]:
    """A second server with the same client key."""
    with running(tmp_path / "ill") as server:
        (server.folder / "authorized_keys").write_bytes(well.client_key.with_suffix(".pub").read_bytes())
        yield server


def inventory(a: OpenSsh, b: OpenSsh | int) -> str:
    port = b if isinstance(b, int) else b.port
    return dedent(f"""\
        version: 1
        connection:
          transport: ssh
          user_name: {a.user}
          connect_timeout: 2s
          session_option: {{cancel_timeout: 500ms}}
        hosts:
          a: {{address: 127.0.0.1, connection: {{port: {a.port}}}}}
          b: {{address: 127.0.0.1, connection: {{port: {port}}}}}
        """)


def book(steps: str) -> str:
    head = "version: 1\nname: x\ntargets: {all: {hosts: all}}\nsessions: {warm: {target: all}}\nsteps:\n"
    return head + dedent(steps)


async def over_ssh(folder: Path, steps: str, a: OpenSsh, b: OpenSsh | int, seen: Seen | None = None) -> Seen:
    if isinstance(b, OpenSsh):
        with a.known_hosts.open("a") as known:
            known.write(f"[127.0.0.1]:{b.port} {b.host_key}\n")
    transport = SshTransport(home=a.home, system=folder)
    return await run(folder, book(steps), inventory=inventory(a, b), transports={"ssh": transport}, seen=seen)


async def test_sessions_targets_files_and_errors(tmp_path: Path, well: OpenSsh, ill: OpenSsh) -> None:
    """One connection a host for everything: kept and fresh interpreters, files out and back, failures with lines."""
    (tmp_path / "data").write_bytes(bytes(range(256)) * 4000)
    logins = well.logins()
    seen = await over_ssh(
        tmp_path,
        f"""\
        - {{id: set, session: warm, script: 'kept=$Using:inventory_hostname; cd /'}}
        - {{id: get, session: warm, script: 'echo "$kept $PWD"'}}
        - {{id: py, target: all, shell: python, script: 'print($Using:v["k"])', using: {{v: {{k: [1, "it's"]}}}}}}
        - {{id: put, target: all, copy: {{src: data, dest: "{tmp_path}/out-{{{{ inventory_hostname }}}}"}}}}
        - id: take
          target: all
          needs: [{{step: put, wait: all}}]
          fetch: {{src: "{tmp_path}/out-*", dest: back}}
        - id: bad
          target: all
          shell: bash
          script: |
            true
            nosuchcommand
            exit 3
        """,
        well,
        ill,
    )
    assert seen.result("get", "b").output == ["b /"]
    assert seen.result("py", "a").output == ['[1, "it\'s"]']
    assert (tmp_path / "out-a").read_bytes() == (tmp_path / "data").read_bytes()
    assert len(seen.result("take", "a").output) == 2
    bad = seen.result("bad", "a")
    assert (bad.exit_code, bad.errors[0].line) == (3, 2)
    assert well.logins() == logins + 1


async def test_a_connection_cut_in_mid_step(tmp_path: Path, well: OpenSsh, ill: OpenSsh) -> None:
    """The server dies under a script: failed, it may have run, what came is there; the other host goes on."""

    def cut(event: OutputReceived) -> None:
        if event.host == "b" and "begun" in event.text:
            threading.Thread(target=ill.signal_children, args=(signal.SIGKILL,)).start()

    seen = await over_ssh(
        tmp_path,
        """\
        - {id: x, target: all, script: 'echo begun; [ $Using:inventory_hostname = a ] || sleep 30'}
        - {id: y, target: all, script: 'true'}
        """,
        well,
        ill,
        Seen(on_output=cut),
    )
    result = seen.result("x", "b")
    assert result.failure is not None
    assert (result.status, result.output, result.failure.may_have_run) == (Status.FAILED, ["begun"], True)
    assert (seen.result("y", "a").status, seen.result("y", "b").held_back) == (Status.OK, True)
    assert seen.summary is not None
    assert seen.summary.may_still_run == ("`x` on `b`",)


async def test_a_host_that_hangs_before_login(tmp_path: Path, well: OpenSsh) -> None:
    """A port that takes connections and says nothing is unreachable within the connect timeout."""
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        seen = await over_ssh(
            tmp_path, "- {id: x, target: all, script: 'true'}", well, silent.getsockname()[1]
        )
    result = seen.result("x", "b")
    assert result.failure is not None
    assert (result.status, result.failure.may_have_run) == (Status.UNREACHABLE, False)
    assert (seen.result("x", "a").status, seen.exit_code) == (Status.OK, 3)


@pytest.mark.slow
async def test_a_host_that_hangs_after_login(tmp_path: Path, well: OpenSsh, ill: OpenSsh) -> None:
    """Frozen in the middle of a step: timed out when the step's time is over, and it is told that it may still run."""

    def freeze(event: OutputReceived) -> None:
        if event.host == "b" and "begun" in event.text:
            threading.Thread(target=ill.signal_children, args=(signal.SIGSTOP,)).start()

    steps = """\
        - id: x
          target: all
          timeout: 1s
          ignore_errors: true
          script: 'echo begun; [ $Using:inventory_hostname = a ] || sleep 30'
        - {id: again, target: all, script: 'echo fine'}
        """
    try:
        async with asyncio.timeout(60):
            seen = await over_ssh(tmp_path, steps, well, ill, Seen(on_output=freeze))
    finally:
        ill.signal_children(signal.SIGCONT)
    result = seen.result("x", "b")
    assert result.failure is not None
    assert (result.status, result.output) == (Status.TIMED_OUT, ["begun"])
    assert result.failure.message == (
        "it ran longer than 1.0s and may still run on the host:"
        " it did not stop in the 3.5s that it had for that, and the host does not answer"
    )
    assert "cancel_timeout" in result.failure.hints[0]
    assert seen.result("x", "a").status is Status.OK
    # The link that did not answer was dropped, and the next step opened another.
    assert seen.result("again", "b").output == ["fine"]


async def test_a_changed_host_key_and_a_refused_login(tmp_path: Path, well: OpenSsh, ill: OpenSsh) -> None:
    """Both are unreachable, nothing ran, and the message says which of the two it is."""
    other = (well.folder / "host_key.pub").read_text().split()
    with well.known_hosts.open("a") as known:
        known.write(f"[127.0.0.1]:{ill.port} {other[0]} {other[1]}\n")
    seen = await over_ssh(tmp_path, "- {id: x, target: all, script: 'true'}", well, ill.port)
    changed = seen.result("x", "b").failure
    assert changed is not None
    assert (seen.result("x", "b").status, changed.may_have_run) == (Status.UNREACHABLE, False)
    assert "host key" in changed.message
