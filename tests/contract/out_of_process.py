"""What the carrier of packets must do, whatever the process runs in: subclass with a fixture ``make``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import psrpcore
import pytest
from psrpcore.types import PSInvocationState, PSSecureString

from runner.errors import ConnectionLost, Unreachable
from runner.psrp.out_of_process import OutOfProcessCarrier
from tests.support.bare_pool import BarePool
from tests.support.engines import engine_command, replay_command, scripted_command

Make = Callable[[Sequence[str]], OutOfProcessCarrier]


async def refused(carrier: OutOfProcessCarrier) -> Unreachable:
    """The error that opening ends in; the carrier is lost and closing is quick."""
    with pytest.raises(Unreachable) as caught:
        await BarePool(carrier).open()
    assert carrier.lost
    await carrier.close()
    assert not caught.value.may_have_run
    assert caught.value.message.endswith("nothing was run")
    return caught.value


class OutOfProcessContract:
    """Opening, running, stopping, closing, and every way to break."""

    #: Whether error output arrives; OpenSSH throws that of subsystems away.
    has_stderr = True

    @pytest.mark.pwsh
    async def test_a_kept_session_runs_one_after_the_other(self, make: Make) -> None:
        """Pipelines follow each other in one session, each with its own output."""
        pool = await BarePool(make(engine_command())).open()
        assert await pool.run("'usable'") == ["usable"]
        assert await pool.run("1..3") == [1, 2, 3]
        assert await pool.run("'usable'") == ["usable"]
        await pool.carrier.close()
        assert pool.lost == []

    @pytest.mark.pwsh
    async def test_a_stop_lets_finally_speak(self, make: Make) -> None:
        """A signal stops the pipeline; what it still says comes, and the session goes on."""
        pool = await BarePool(make(engine_command())).open()
        run = await pool.start("1; try { Start-Sleep 300 } finally { 'finally' }; 2")
        await run.until(psrpcore.PipelineOutputEvent)
        await pool.carrier.signal(run.id)
        assert await pool.end(run) is PSInvocationState.Stopped
        assert run.output == [1, "finally"]
        assert await pool.run("'usable'") == ["usable"]
        await pool.carrier.close()

    @pytest.mark.pwsh
    async def test_a_pipeline_may_begin_while_the_last_is_closed(self, make: Make) -> None:
        """Close of one pipeline and Command of the next overlap, for a saved round trip."""
        pool = await BarePool(make(engine_command())).open()
        first = await pool.start("'usable'")
        await first.end
        _, second = await asyncio.gather(pool.end(first), pool.start("'usable'"))
        assert await pool.end(second) is PSInvocationState.Completed
        assert second.output == ["usable"]
        await pool.carrier.close()

    async def test_a_big_input_goes_packet_by_packet(self, make: Make) -> None:
        """A megabyte of input arrives whole and in order: each packet waits for the one before."""
        pool = await BarePool(make(scripted_command())).open()
        run = await pool.start("echo input", has_input=True)
        texts = [letter * 100_000 for letter in "abcdefghij"]
        for text in texts:
            run.powershell.send(text)
        run.powershell.send_eof()
        await pool.send_rest(run)
        await pool.end(run)
        assert run.output == texts
        await pool.carrier.close()

    async def test_secrets_go_both_ways(self, make: Make) -> None:
        """After the exchange of keys the engine reads our secure string and we its own."""
        pool = await BarePool(make(scripted_command())).open()
        await pool.exchange_key()
        plain, secret = await pool.run("unlock\nsecure s3cret", PSSecureString("wörd"))
        assert (plain, secret.decrypt()) == ("wörd", "s3cret")
        await pool.carrier.close()

    async def test_a_host_answer_has_a_stream_of_its_own(self, make: Make) -> None:
        """A call of the host is answered over `PromptResponse` while the pipeline runs."""
        pool = await BarePool(make(scripted_command())).open()
        run = await pool.start("ask")
        call = await run.until(psrpcore.PipelineHostCallEvent)
        psrpcore.ClientHostResponder(run.powershell).read_line(call.ci, "answer")
        await pool.send_rest(run)
        assert await pool.end(run) is PSInvocationState.Completed
        assert run.output == ["answer"]
        await pool.carrier.close()

    async def test_two_pipelines_at_once(self, make: Make) -> None:
        """Targets do not wait for each other."""
        pool = await BarePool(make(scripted_command())).open()
        sleeping, quick = await asyncio.gather(pool.start("sleep\nsay never"), pool.start("say quick"))
        assert await pool.end(quick) is PSInvocationState.Completed
        await pool.carrier.signal(sleeping.id)
        assert await pool.end(sleeping) is PSInvocationState.Stopped
        assert (sleeping.output, quick.output) == ([], ["quick"])
        await pool.carrier.close()

    async def test_closing_closes_what_runs(self, make: Make) -> None:
        """A close ends a running pipeline too, and can be asked for twice."""
        pool = await BarePool(make(scripted_command())).open()
        await pool.start("ignore-stop")
        await asyncio.gather(pool.carrier.close(), pool.carrier.close())
        assert pool.carrier.lost
        assert pool.lost == []
        with pytest.raises(ConnectionLost) as caught:
            await pool.start("say again")
        assert (caught.value.code, caught.value.may_have_run) == ("connection-closed", False)

    async def test_closing_is_bounded_where_nothing_answers(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An engine that never answers a close is ended."""
        monkeypatch.setattr("runner.psrp.out_of_process._CLOSE_TIMEOUT", 0.2)
        pool = await BarePool(make(scripted_command("--silent", "session"))).open()
        await pool.carrier.close()
        assert pool.carrier.lost

    @pytest.mark.parametrize("phase", ["command", "create", "input", "signal", "close"])
    async def test_silence_can_be_given_up(self, make: Make, phase: str) -> None:
        """Whatever the engine does not acknowledge, its caller can stop waiting, and an abort ends the session."""
        pool = await BarePool(make(scripted_command("--silent", phase))).open()

        async def until_silence() -> None:
            run = await pool.start("sleep", has_input=phase == "input")
            run.powershell.send_eof() if phase == "input" else None
            await pool.send_rest(run)
            if phase == "signal":
                await pool.carrier.signal(run.id)
            await pool.carrier.close_pipeline(run.id)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await until_silence()
        pool.carrier.abort()
        await pool.carrier.close()
        assert (pool.carrier.lost, pool.lost) == (True, [])

    async def test_a_silent_start_can_be_given_up(self, make: Make) -> None:
        """An engine that never takes the session keeps nobody: the wait is cancelled, the process ended."""
        pool = BarePool(make(scripted_command("--silent", "open")))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await pool.open()
        pool.carrier.abort()
        await pool.carrier.close()

    async def test_a_given_up_packet_is_still_waited_for(self, make: Make) -> None:
        """A cancelled send stays in flight: the next packet of its target goes after its acknowledgement."""
        pool = await BarePool(make(scripted_command())).open()
        run = await pool.start("echo input", has_input=True)
        run.powershell.send("x" * 30_000)
        first = pool.take()
        sending = asyncio.create_task(pool.carrier.send(first, pipeline=run.id))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        run.powershell.send_eof()
        await pool.send_rest(run)
        await pool.end(run)
        assert run.output == ["x" * 30_000]
        await pool.carrier.close()

    async def test_a_banner_is_skipped(self, make: Make) -> None:
        """What a login prints before the stream does no harm, with or without a line end."""
        banner = "Welcome to web1 <b>\n\nLast login: today\n$ "
        pool = await BarePool(make(scripted_command("--banner", banner))).open()
        assert await pool.run("say hello") == ["hello"]
        await pool.carrier.close()

    async def test_only_a_banner(self, make: Make) -> None:
        """A program that prints and ends is no PowerShell, and the message shows what it printed."""
        error = await refused(make(["sh", "-c", "echo This account is currently not available.; exit 1"]))
        assert error.code == "engine-not-speaking"
        assert "This account is currently not available." in error.message

    async def test_too_much_of_a_banner(self, make: Make) -> None:
        """A program that prints for ever is given up."""
        error = await refused(make(["sh", "-c", "yes noise; sleep 100"]))
        assert error.code == "engine-not-speaking"

    async def test_a_missing_engine(self, make: Make) -> None:
        """A program that is not there is told as such, with how to install it."""
        error = await refused(make(["/nowhere/pwsh", "-s"]))
        assert error.code == "engine-missing"
        assert any("install" in hint for hint in error.hints)
        assert error.message.count("cannot be started") <= 1

    async def test_an_engine_that_ends_at_once(self, make: Make) -> None:
        """Its exit code and its last words are told."""
        error = await refused(make(scripted_command("--end", "3", "--complain", "no space left on device")))
        assert error.code == "engine-ended"
        assert "exit code 3" in error.message
        assert ("no space left on device" in error.message) is self.has_stderr

    async def test_an_error_of_the_server_before_the_session(self, make: Make) -> None:
        """`__NamedPipeError__:` in place of the first packet is told as the engine's own words."""
        error = await refused(make(["sh", "-c", "echo '__NamedPipeError__:out of memory'; cat >/dev/null"]))
        assert error.code == "engine-error"
        assert "out of memory" in error.message

    @pytest.mark.parametrize(
        ("script", "code", "words"),
        [
            ("die 9", "engine-lost", "exit code 9"),
            ("break death-with-words the disk is full", "engine-lost", "exit code 3"),
            ("break cut-object", "engine-lost", "exit code 1"),
            ("break half-packet", "engine-lost", "exit code 1"),
            ("break no-packet motd of the day", "engine-protocol", "no packet"),
            ("break long-line", "engine-protocol", "longer than"),
            ("break wrong-ack", "engine-protocol", "SignalAck"),
            ("break server-error kaputt", "engine-error", "kaputt"),
        ],
    )
    async def test_an_engine_that_breaks_in_mid_pipeline(
        self, make: Make, script: str, code: str, words: str
    ) -> None:
        """Each way is told once, as lost with the script perhaps run, and the session takes nothing more."""
        pool = await BarePool(make(scripted_command())).open()
        run = await pool.start(f"say before\nsleep 0\n{script}\nsleep")
        with pytest.raises(ConnectionLost) as caught:
            await run.end
        error = caught.value
        assert (error.code, error.may_have_run) == (code, True)
        assert words in error.message
        assert ("the disk is full" in error.message) is (self.has_stderr and "disk" in script)
        assert error.message.endswith("the script may have run")
        assert pool.carrier.lost
        with pytest.raises(ConnectionLost):
            await pool.carrier.send(b"", pipeline=run.id)
        await pool.carrier.close()
        assert len(pool.lost) == 1

    async def test_a_closed_pipeline_runs_no_further(self, make: Make) -> None:
        """What is closed under way is forgotten by the engine, and the session takes the next pipeline."""
        pool = await BarePool(make(scripted_command())).open()
        run = await pool.start("sleep 0.2\ndie")
        await pool.carrier.close_pipeline(run.id)
        assert await pool.run("sleep 0.4\nsay still") == ["still"]
        assert pool.lost == []
        await pool.carrier.close()

    async def test_a_client_out_of_step_is_refused(self, make: Make) -> None:
        """The replay endpoint sees a second packet before the acknowledgement, which our carrier never sends."""
        pool = await BarePool(make(replay_command())).open()
        for _ in range(20):
            await pool.run("'usable'")
        await pool.carrier.close()
        assert pool.lost == []
