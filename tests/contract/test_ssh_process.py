"""Commands over a real OpenSSH: bytes, ends, stopping with everything that was started, limits, and broken links."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import ConnectionLost, ExecutionFailed
from runner.transport.endpoint import SessionOptions
from runner.transport.port import Exit
from tests.contract.recorder import Recorder
from tests.contract.ssh_fixtures import connected, needs_sshd, processes_with, run
from tests.support import openssh
from tests.support.openssh import OpenSsh

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    with openssh.running(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OpenSsh]:
    """A server of the test's own, which may come to harm."""
    with openssh.running(tmp_path / "sshd") as running:
        yield running


async def test_streams_and_code(server: OpenSsh) -> None:
    """Standard output, standard error and the exit code stay apart."""
    async with connected(server) as connection:
        ended = await run(connection, ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert ended == (Exit(code=7), b"out\n", b"err\n")


async def test_arguments_arrive_as_they_are(server: OpenSsh) -> None:
    """Blanks, quotes, dollars, newlines and backslashes in argv reach the program unchanged."""
    words = ["a b", "it's", '"', "$HOME", "`id`", "\\", "\\'", "\n", "*", "", "ä", "!x", "-n"]
    async with connected(server) as connection:
        _, stdout, _ = await run(connection, ["printf", "%s\\0", *words])
    assert stdout.decode().split("\0")[:-1] == words


async def test_bytes_both_ways(server: OpenSsh) -> None:
    """10 MiB of any bytes go in and come out unchanged."""
    data = os.urandom(1 << 20) * 10
    async with connected(server) as connection:
        ended, stdout, _ = await run(connection, ["cat"], data)
    assert ended == Exit(code=0)
    assert stdout == data


async def test_signal_is_no_code(server: OpenSsh) -> None:
    """A command that a signal ended has the signal's name and no code."""
    async with connected(server) as connection:
        ended, _, _ = await run(connection, ["sh", "-c", "kill -KILL $$"])
    assert ended == Exit(signal="KILL")


async def test_welcome_of_the_login_shell_is_not_output(server: OpenSsh) -> None:
    """What the account's start-up files print is no output of the command."""
    if "bash" not in os.environ.get("SHELL", "bash"):
        pytest.skip("the login shell reads no start-up file for a command")
    startup = server.folder / "remote-home" / ".bashrc"
    startup.write_text("echo welcome to this host\n")
    try:
        async with connected(server) as connection:
            _, stdout, _ = await run(connection, ["echo", "hi"])
    finally:
        startup.unlink()
    assert stdout == b"hi\n"


async def test_stop_ends_the_whole_group(server: OpenSsh) -> None:
    """Stopping ends the command and its children although they ignore TERM, and says that nothing is left."""
    script = "trap '' TERM; sleep 987001 & sleep 987001 & echo ready; sleep 987001"
    gathered = Recorder()
    async with connected(server) as connection:
        process = await connection.start(["sh", "-c", script], gathered)
        await gathered.until(b"ready")
        assert len(processes_with("sleep 987001")) >= 3
        assert await process.stop(0.2) is True
        assert processes_with("sleep 987001") == []
        assert await process.wait() == Exit(signal="KILL")
        assert await process.stop(0.2) is True


async def test_stop_lets_the_command_clean_up(server: OpenSsh) -> None:
    """A command that handles TERM has the grace to end by itself, and what it says then is received."""
    script = "trap 'echo cleaning; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    gathered = Recorder()
    async with connected(server) as connection:
        process = await connection.start(["sh", "-c", script], gathered)
        await gathered.until(b"ready")
        assert await process.stop(10) is True
        assert await process.wait() == Exit(code=5)
    assert b"cleaning" in gathered.stdout


async def test_stop_hurries_when_asked_again(server: OpenSsh) -> None:
    """A second stop with a shorter grace shortens the first."""
    gathered = Recorder()
    async with connected(server) as connection:
        process = await connection.start(["sh", "-c", "trap '' TERM; echo ready; sleep 987002"], gathered)
        await gathered.until(b"ready")
        first = asyncio.create_task(process.stop(3600))
        await asyncio.sleep(0.1)
        assert await process.stop(0) is True
        assert await first is True


async def test_stop_reaches_children_left_behind(server: OpenSsh) -> None:
    """Children that outlive the command, in its group, are ended by a stop too."""
    async with connected(server) as connection:
        gathered = Recorder()
        process = await connection.start(["sh", "-c", "sleep 987003 >/dev/null 2>&1 & echo ready"], gathered)
        assert await process.wait() == Exit(code=0)
        assert len(processes_with("sleep 987003")) == 1
        assert await process.stop(1) is True
        assert processes_with("sleep 987003") == []


async def test_closing_ends_what_runs(server: OpenSsh) -> None:
    """Closing the connection leaves no command behind; a second close does nothing."""
    gathered = Recorder()
    async with connected(server) as connection:
        await connection.start(["sh", "-c", "echo ready; sleep 987004"], gathered)
        await gathered.until(b"ready")
        await connection.close()
        assert connection.lost
    assert processes_with("sleep 987004") == []


async def test_interrupt(server: OpenSsh) -> None:
    """An interrupt is SIGINT to the group, and False once the command has ended."""
    gathered = Recorder()
    async with connected(server) as connection:
        script = "trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.05; done"
        process = await connection.start(["sh", "-c", script], gathered)
        await gathered.until(b"ready")
        assert await process.interrupt() is True
        assert await process.wait() == Exit(code=6)
        assert await process.interrupt() is False


async def test_cancelled_start_leaves_nothing(server: OpenSsh) -> None:
    """A start that is cancelled half-way ends its command as soon as that is there."""
    async with connected(server) as connection:
        for _ in range(5):
            starting = asyncio.create_task(connection.start(["sleep", "987005"], Recorder()))
            await asyncio.sleep(0.001)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
    assert processes_with("sleep 987005") == []


async def test_more_commands_than_sessions(server: OpenSsh) -> None:
    """Thirty commands at once over one connection all run, although sshd allows ten."""
    async with connected(server) as connection:
        results = await asyncio.gather(
            *(run(connection, ["sh", "-c", f"sleep 0.05; echo {number}"]) for number in range(30))
        )
    assert [stdout for _, stdout, _ in results] == [f"{number}\n".encode() for number in range(30)]


async def test_host_that_allows_two_sessions(tmp_path: Path) -> None:
    """Where sshd allows fewer sessions than are used, the commands wait for each other."""
    with openssh.running(tmp_path / "sshd", {"MaxSessions": "2"}) as server:
        async with connected(server) as connection:
            results = await asyncio.gather(
                *(run(connection, ["sh", "-c", "sleep 0.05; echo done"]) for _ in range(6))
            )
    assert [stdout for _, stdout, _ in results] == [b"done\n"] * 6


async def test_host_that_allows_no_session(tmp_path: Path) -> None:
    """Where sshd allows no session at all, that is told at once, and that nothing was run."""
    with openssh.running(tmp_path / "sshd", {"MaxSessions": "0"}) as server:
        async with connected(server) as connection:
            with pytest.raises(ExecutionFailed) as caught:
                await connection.start(["true"], Recorder())
    assert caught.value.code == "channel-refused"
    assert caught.value.may_have_run is False


async def test_forced_command(tmp_path: Path) -> None:
    """Under ForceCommand its output comes through whole, and stopping it is honest about not being sure."""
    with openssh.running(tmp_path / "sshd", {"ForceCommand": "echo forced; exec sleep 3"}) as server:
        async with connected(server) as connection:
            ended, stdout, _ = await run(connection, ["echo", "hi"])
    assert ended == Exit(code=0)
    assert stdout == b"forced\n"


async def test_link_cut_while_a_command_runs(own: OpenSsh) -> None:
    """When sshd's process for the connection dies, the command ends in ConnectionLost that may have run."""
    gathered = Recorder()
    async with connected(own) as connection:
        process = await connection.start(["sh", "-c", "echo ready; sleep 3"], gathered)
        await gathered.until(b"ready")
        own.signal_children(signal.SIGKILL)
        with pytest.raises(ConnectionLost) as caught:
            await process.wait()
        assert caught.value.code == "connection-lost"
        assert caught.value.may_have_run is True
        assert connection.lost
        assert await process.stop(0) is False
        with pytest.raises(ConnectionLost) as again:
            await connection.start(["true"], Recorder())
        assert again.value.may_have_run is False
        assert await connection.probe(1) is False


async def test_host_that_hangs_after_the_login(own: OpenSsh) -> None:
    """A host that does not start a command in time is given up, and a dead peer does not hold up the closing."""
    async with connected(own, connect_timeout=1.0) as connection:
        assert await connection.probe(5) is True
        own.signal_children(signal.SIGSTOP)
        try:
            assert await connection.probe(0.2) is False
            with pytest.raises(ConnectionLost) as caught:
                await connection.start(["true"], Recorder())
            assert caught.value.code == "open-timeout"
            assert caught.value.may_have_run is False
            assert connection.lost
            await connection.close()
        finally:
            own.signal_children(signal.SIGCONT)


async def test_opening_has_a_time_of_its_own(own: OpenSsh) -> None:
    """`deadlines: {open: ...}` bounds the start of a command, whatever connecting is given."""
    brief = SessionOptions(open_timeout=0.5)
    async with connected(own, connect_timeout=600.0, session_options=brief) as connection:
        assert await connection.probe(5) is True
        own.signal_children(signal.SIGSTOP)
        try:
            with pytest.raises(ConnectionLost) as caught:
                await connection.start(["true"], Recorder())
            assert caught.value.code == "open-timeout"
            await connection.close()
        finally:
            own.signal_children(signal.SIGCONT)


async def test_keepalive_notices_a_dead_peer(own: OpenSsh) -> None:
    """A peer that answers no keepalive is lost, while a command runs."""
    gathered = Recorder()
    options = (("ServerAliveCountMax", "2"),)
    async with connected(own, keepalive=0.2, options=options) as connection:
        process = await connection.start(["sh", "-c", "echo ready; sleep 3"], gathered)
        await gathered.until(b"ready")
        own.signal_children(signal.SIGSTOP)
        try:
            with pytest.raises(ConnectionLost) as caught:
                await process.wait()
        finally:
            own.signal_children(signal.SIGCONT)
    assert caught.value.may_have_run is True
    assert "keepalive" in caught.value.message


async def test_variables_of_the_configuration(tmp_path: Path) -> None:
    """SetEnv reaches the command where sshd accepts it."""
    with openssh.running(tmp_path / "sshd", {"AcceptEnv": "FLEET_*"}) as server:
        async with connected(server, options=(("SetEnv", "FLEET_NAME=north"),)) as connection:
            assert (await run(connection, ["printenv", "FLEET_NAME"]))[1] == b"north\n"
