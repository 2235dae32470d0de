"""What every transport must do: subclass with a fixture ``connection`` (and ``cut_link`` where a link can break)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from runner.errors import ConnectionLost
from runner.transport.port import Connection, Exit
from tests.contract.recorder import Recorder, run_command

TEN_MEBIBYTES = 10 << 20


async def processes_alive(connection: Connection, pids: list[int]) -> list[int]:
    """Those of ``pids`` that run on the host; a zombie does not."""
    script = (
        "for pid do if read -r line </proc/$pid/stat; then "
        "case ${line##*) } in [ZX]*) ;; *) echo $pid;; esac; fi; done 2>/dev/null"
    )
    ran = await run_command(connection, ["sh", "-c", script, "sh", *map(str, pids)])
    return [int(pid) for pid in ran.stdout.split()]


class TransportContract:
    """Starting, feeding, hearing, stopping and closing."""

    async def test_argv_arrives_as_it_is(self, connection: Connection) -> None:
        """Blanks, quotes, newlines and shell words in argv are data."""
        words = ["a b", "it's", '"$HOME"', "`id`", "line\nline", "", "*", "!x", "\\"]
        ran = await run_command(connection, ["printf", "%s\\0", *words])
        assert ran.stdout.split(b"\0")[:-1] == [word.encode() for word in words]

    @pytest.mark.parametrize("code", [0, 1, 2, 126, 127, 255])
    async def test_exit_codes(self, connection: Connection, code: int) -> None:
        """The exit code of the program is told as it is."""
        assert (await run_command(connection, ["sh", "-c", f"exit {code}"])).exit == Exit(code=code)

    @pytest.mark.parametrize("name", ["TERM", "KILL", "HUP", "INT"])
    async def test_a_signal_is_no_code(self, connection: Connection, name: str) -> None:
        """Death by a signal is told by the signal's name, not by a code."""
        assert (await run_command(connection, ["sh", "-c", f"kill -{name} $$"])).exit == Exit(signal=name)

    async def test_streams_are_apart(self, connection: Connection) -> None:
        """Standard output and standard error do not mix."""
        ran = await run_command(connection, ["sh", "-c", "echo out; echo err >&2"])
        assert (ran.stdout, ran.stderr) == (b"out\n", b"err\n")

    async def test_ten_mebibytes_out(self, connection: Connection) -> None:
        """Much output arrives whole, in order."""
        script = (
            "i=0; while [ $i -lt 160 ]; do head -c 65536 /dev/zero | tr '\\0' $((i % 10)); i=$((i+1)); done"
        )
        ran = await run_command(connection, ["sh", "-c", script])
        assert ran.stdout == b"".join(str(i % 10).encode() * 65536 for i in range(160))

    async def test_ten_mebibytes_in(self, connection: Connection) -> None:
        """Much input arrives whole, though the program reads late."""
        data = bytes(range(256)) * (TEN_MEBIBYTES // 256)
        ran = await run_command(connection, ["sh", "-c", "sleep 0.2; cksum"], data)
        assert ran.stdout.split()[1] == str(TEN_MEBIBYTES).encode()
        again = await run_command(connection, ["cat"], data)
        assert again.stdout == data

    async def test_bytes_are_bytes(self, connection: Connection) -> None:
        """Every byte passes in and out, NUL and what is no UTF-8 included."""
        data = bytes(range(256)) + b"\xff\xfe\r\n\x03\x04"
        assert (await run_command(connection, ["cat"], data)).stdout == data

    async def test_input_ends(self, connection: Connection) -> None:
        """Without input a reader meets the end of file."""
        assert (await run_command(connection, ["cat"])).stdout == b""

    async def test_input_is_a_conversation(self, connection: Connection) -> None:
        """Output comes while input is open, and input can answer it."""
        recorder = Recorder()
        process = await connection.start(["sh", "-c", "echo ask; read a; echo got $a"], recorder)
        await recorder.until(b"ask\n")
        await process.write(b"answer\n")
        await recorder.until(b"got answer\n")
        await process.write_eof()
        assert await process.wait() == Exit(code=0)

    async def test_writing_to_the_ended_is_dropped(self, connection: Connection) -> None:
        """Input that nobody reads is no error and hangs nobody."""
        recorder = Recorder()
        process = await connection.start(["sh", "-c", "exec 0<&-; echo closed; exit 4"], recorder)
        await process.write(b"x" * TEN_MEBIBYTES)
        await process.write_eof()
        assert await process.wait() == Exit(code=4)
        await process.write(b"more")
        await process.write_eof()

    async def test_two_at_once(self, connection: Connection) -> None:
        """Processes of one connection do not wait for each other and do not mix."""
        first, second = Recorder(), Recorder()
        one = await connection.start(["sh", "-c", "echo one; read x; echo $x"], first)
        two = await connection.start(["sh", "-c", "echo two; read x; echo $x"], second)
        await asyncio.gather(first.until(b"one\n"), second.until(b"two\n"))
        await two.write(b"2\n")
        assert await two.wait() == Exit(code=0)
        await one.write(b"1\n")
        assert await one.wait() == Exit(code=0)
        assert (bytes(first.stdout), bytes(second.stdout)) == (b"one\n1\n", b"two\n2\n")

    async def test_stop_leaves_no_process(self, connection: Connection) -> None:
        """A stop ends the process and its children."""
        recorder = Recorder()
        process = await connection.start(["sh", "-c", "sleep 300 & echo $$ $! ready; wait"], recorder)
        await recorder.until(b"ready\n")
        pids = [int(word) for word in recorder.stdout.split()[:2]]
        assert await process.stop(5.0)
        assert await processes_alive(connection, pids) == []
        assert await process.wait() == Exit(signal="TERM")
        assert await process.stop(5.0)

    async def test_stop_kills_what_ignores_it(self, connection: Connection) -> None:
        """What ignores TERM is killed after the grace."""
        recorder = Recorder()
        script = (
            "trap '' TERM; sh -c 'while :; do sleep 1; done' & echo $$ $! ready; while :; do sleep 1; done"
        )
        process = await connection.start(["sh", "-c", script], recorder)
        await recorder.until(b"ready\n")
        pids = [int(word) for word in recorder.stdout.split()[:2]]
        assert await process.stop(0.2)
        assert await processes_alive(connection, pids) == []
        assert await process.wait() == Exit(signal="KILL")

    async def test_stop_ends_what_a_dead_leader_left(self, connection: Connection) -> None:
        """Children are stopped though the process that started them has ended."""
        recorder = Recorder()
        process = await connection.start(["sh", "-c", "sleep 300 & echo $!; exit 0"], recorder)
        await recorder.until(b"\n")
        pid = int(recorder.stdout)
        assert await process.wait() == Exit(code=0)
        assert await processes_alive(connection, [pid]) == [pid]
        assert await process.stop(5.0)
        assert await processes_alive(connection, [pid]) == []

    async def test_what_is_left_behind_does_not_hang(self, connection: Connection) -> None:
        """The end is told though a child still holds the output open, and nothing said before it is missing."""
        recorder = Recorder()
        process = await connection.start(["sh", "-c", "sleep 300 & echo said; exit 3"], recorder)
        assert await process.wait() == Exit(code=3)
        assert bytes(recorder.stdout) == b"said\n"
        assert await process.stop(5.0)

    async def test_interrupt_is_ctrl_c(self, connection: Connection) -> None:
        """An interrupt reaches the process as INT."""
        recorder = Recorder()
        script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.05; done"
        process = await connection.start(["sh", "-c", script], recorder)
        await recorder.until(b"ready\n")
        assert await process.interrupt()
        assert await process.wait() == Exit(code=9)
        assert b"interrupted\n" in recorder.stdout
        assert not await process.interrupt()

    async def test_waiting_can_be_given_up(self, connection: Connection) -> None:
        """A cancelled wait leaves a process that can be stopped and waited for."""
        process = await connection.start(["sleep", "300"], Recorder())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await process.wait()
        assert await process.stop(5.0)
        assert await process.wait() == Exit(signal="TERM")

    async def test_a_probe_answers(self, connection: Connection) -> None:
        """An open connection answers a probe and is not lost."""
        assert await connection.probe(5.0)
        assert not connection.lost

    async def test_close_twice_and_start_after(self, connection: Connection) -> None:
        """Closing is idempotent; after it nothing starts, and the error says that nothing ran."""
        await connection.close()
        await connection.close()
        assert connection.lost
        assert not await connection.probe(1.0)
        with pytest.raises(ConnectionLost) as caught:
            await connection.start(["true"], Recorder())
        assert not caught.value.may_have_run

    async def test_close_under_a_running_process(self, connection: Connection) -> None:
        """A close while something runs ends the wait for it, one way or the other."""
        process = await connection.start(["sleep", "300"], Recorder())
        await connection.close()
        outcome = (await asyncio.gather(process.wait(), return_exceptions=True))[0]
        assert isinstance(outcome, ConnectionLost) or outcome == Exit(signal="TERM")


class LinkContract:
    """What a transport with a link that can break must do; ``cut_link`` breaks the link of ``connection``."""

    async def test_a_cut_ends_the_wait(
        self, connection: Connection, cut_link: Callable[[], Awaitable[None]]
    ) -> None:
        """A broken link is told to who waits, to the next start and to a probe, and closing is quick."""
        process = await connection.start(["sleep", "300"], Recorder())
        await cut_link()
        with pytest.raises(ConnectionLost):
            await process.wait()
        assert not await connection.probe(2.0)
        with pytest.raises(ConnectionLost):
            await connection.start(["true"], Recorder())
        async with asyncio.timeout(20):
            await connection.close()
