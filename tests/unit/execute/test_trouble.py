"""Timeouts, stops, secrets, hosts that cannot be reached and links that break: each ends in its status."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from runner.engine.observe import AssignmentEnded, Notice, OutputReceived
from runner.engine.result import Status
from runner.errors import ConnectionLost, Unreachable
from runner.execute.run import RunControl
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalConnection, LocalProcess, LocalTransport
from runner.transport.port import Exit, Login, Receiver
from runner.values import Secret
from tests.unit.execute.running import HOSTS, Seen, run


def book(steps: str, head: str = "") -> str:
    lines = ["version: 1", "name: x", dedent(head), "targets: {all: {hosts: [a, b, c]}}"]
    lines += [
        "sessions: {warm: {target: all}, again: {target: all, on_loss: reopen}}",
        "steps:",
        dedent(steps),
    ]
    return "\n".join(lines)


APART = HOSTS.replace(
    "transport: local", "transport: ssh"
)  # local hosts are one machine and share a connection


def running(pid_file: Path) -> bool:
    """Whether the process whose number stands there still runs; one that only nobody has reaped yet does not."""
    try:
        state = Path("/proc", pid_file.read_text().strip(), "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("shell", ["sh", "bash", "python"])
async def test_a_timeout_ends_what_runs_and_keeps_what_came(tmp_path: Path, shell: str) -> None:
    """The remote process and what it started are gone, the output so far is there, the other hosts are well."""
    pid = tmp_path / "pid"
    scripts = {
        "python": f"""\
            import subprocess, time
            if $Using:number == 2:
                print("begun", flush=True)
                child = subprocess.Popen(["sleep", "60"])
                open("{pid}", "w").write(str(child.pid))
                time.sleep(60)
            """,
    }
    script = scripts.get(
        shell,
        f"""\
            [ $Using:number = 2 ] || exit 0
            echo begun
            sleep 60 &
            echo $! > {pid}
            wait
            """,
    )
    steps = f"- id: slow\n  target: all\n  shell: {shell}\n  timeout: 3s\n  script: |\n" + "".join(
        f"    {line}\n" for line in dedent(script).splitlines()
    )
    seen = await run(tmp_path, book(steps))
    slow = seen.result("slow", "b")
    assert (slow.status, slow.output) == (Status.TIMED_OUT, ["begun"])
    assert slow.failure is not None
    assert slow.failure.message == "it ran longer than 3.0s and was ended on the host"
    assert not running(pid)
    assert seen.result("slow", "a").status is Status.OK
    assert seen.exit_code == 1


async def test_a_python_session_survives_a_timeout_with_its_variables(tmp_path: Path) -> None:
    """Interrupted and asked again, it answers and is kept; the next step finds what was set before."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: set, session: warm, shell: python, script: 'kept = 5'}
            - id: slow
              session: warm
              shell: python
              timeout: 500ms
              ignore_errors: true
              script: 'import time; time.sleep(60)'
            - {id: get, session: warm, shell: python, script: 'print(kept)'}
            """
        ),
        limit="a",
    )
    assert (seen.result("slow").status, seen.result("slow").session_lost) == (Status.TIMED_OUT, False)
    assert seen.result("get").output == ["5"]


async def test_a_sh_session_is_closed_by_a_timeout_and_on_loss_decides(tmp_path: Path) -> None:
    """It cannot be unwound: the loss is told, `reopen` begins anew and `fail` fails the next step."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: slow, session: again, timeout: 300ms, ignore_errors: true, script: 'sleep 60'}
            - {id: get, session: again, script: 'echo "[${kept-}]"'}
            - {id: slow2, session: warm, timeout: 300ms, ignore_errors: true, script: 'sleep 60'}
            - {id: get2, session: warm, script: 'true'}
            """
        ),
        limit="a",
    )
    assert (seen.result("slow").session_lost, seen.result("get").output) == (True, ["[]"])
    assert any(isinstance(e, Notice) and "opened anew" in e.message for e in seen.events)
    failure = seen.result("get2").failure
    assert failure is not None
    assert failure.code == "session-lost"


async def test_a_stop_ends_processes_and_what_they_started(tmp_path: Path) -> None:
    """Ctrl-C in the middle: remote processes are ended, the rest is not started, everything is told."""
    pid, control = tmp_path / "pid", RunControl()
    seen = Seen(on_output=lambda event: control.request_stop("Ctrl-C") if "ready" in event.text else None)
    script = f"sleep 60 & echo $! > {pid}; echo ready; wait"
    steps = f"- {{id: long, hosts: a, script: '{script}'}}\n- {{id: next, target: all, script: 'true'}}"
    await run(tmp_path, book(steps), seen=seen, control=control)
    long = seen.result("long")
    assert (long.status, long.output) == (Status.CANCELLED, ["ready"])
    assert long.failure is not None
    assert long.failure.message == "the run was stopped; it was ended on the host"
    assert not running(pid)
    assert {seen.result("next", host).status for host in "abc"} == {Status.CANCELLED}
    assert seen.summary is not None
    assert (seen.summary.stopped_because, seen.summary.may_still_run) == ("Ctrl-C", ())


@pytest.mark.parametrize("throttle", [1, 3])
async def test_a_stop_within_a_loop_ends_its_items(tmp_path: Path, throttle: int) -> None:
    """Items that run are ended, items that did not begin are not begun; the host is cancelled once."""
    control = RunControl()
    seen = Seen(on_output=lambda event: control.request_stop("Ctrl-C") if "2" in event.text else None)
    loop = f"loop: {{over: '{{{{ range(1, 10) }}}}', throttle: {throttle}}}"
    script = "echo $Using:item; [ $Using:item = 1 ] || sleep 60"
    await run(
        tmp_path, book(f"- {{id: x, hosts: a, {loop}, script: '{script}'}}"), seen=seen, control=control
    )
    result = seen.result("x")
    assert result.status is Status.CANCELLED
    assert result.items[1].status is Status.CANCELLED
    assert {item.status for item in result.items} <= {Status.OK, Status.CANCELLED}
    assert len(result.items) <= throttle + 2


async def test_a_loop_on_an_unreachable_host_tries_once(tmp_path: Path) -> None:
    """A host that cannot be reached is not tried again for every item."""
    transport = Failing()
    seen = await run(
        tmp_path,
        book("- {id: x, hosts: b, loop: [1, 2, 3], script: 'true'}"),
        inventory=APART,
        transports={"ssh": transport},
    )
    assert (seen.result("x", "b").status, transport.opened) == (Status.UNREACHABLE, ["b"])


async def test_a_second_stop_does_not_wait_for_a_stubborn_process(tmp_path: Path) -> None:
    """A process that ignores TERM has its grace, ten minutes here, cut short by the second Ctrl-C."""
    control, pid = RunControl(), tmp_path / "pid"

    def twice(event: OutputReceived) -> None:
        if "ready" in event.text:
            control.request_stop("Ctrl-C")
            asyncio.get_running_loop().call_later(0.3, control.request_stop, "Ctrl-C")

    steps = f"""\
        - id: x
          hosts: a
          shell: python
          script: |
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open("{pid}", "w").write(str(os.getpid()))
            print("ready", flush=True)
            time.sleep(60)
        """
    seen = await run(
        tmp_path,
        book(steps),
        seen=Seen(on_output=twice),
        control=control,
        inventory=HOSTS.replace("transport: local", "transport: ssh, session_option: {cancel_timeout: 10m}"),
        transports={"ssh": LocalTransport()},
    )
    assert seen.result("x").status is Status.CANCELLED
    assert not running(pid)


async def test_the_runs_own_time_limit_stops_it(tmp_path: Path) -> None:
    """The playbook's `timeout` is for the whole run."""
    seen = await run(tmp_path, book("- {id: x, target: all, script: 'sleep 60'}", "timeout: 500ms"))
    assert {seen.result("x", host).status for host in "abc"} == {Status.CANCELLED}
    assert seen.summary is not None
    assert seen.summary.stopped_because == "the run's timeout of 500ms"
    assert seen.exit_code == 1


async def test_secrets_are_masked_in_everything_that_is_told(tmp_path: Path) -> None:
    """A secret input and a password: real on the host and for later steps, stars everywhere else."""
    seen = await run(
        tmp_path,
        book(
            """\
            - id: say
              hosts: a
              register: said
              script: 'echo "[$Using:token]"; echo ${Using:credentials.ops.password} >&2'
            - id: use
              hosts: a
              using: {v: "{{ said.output[0] }}"}
              script: 'test "$Using:v" = "[t0ken-value]" && echo right'
            - {id: bad, hosts: a, script: 'echo $Using:token >&2; exit 1', ignore_errors: true}
            - {id: not, hosts: a, assert: {that: "false", message: "no {{ token }}"}}
            """,
            """\
            inputs: {token: {type: string, secret: true}}
            credentials: {ops: {username: ops, password: {env: OPS}}}
            """,
        ),
        extra=("token=t0ken-value",),
        logins={"ops": Login(username="ops", password=Secret("hunter2"))},
        output_dir=tmp_path / "out",
    )
    told = repr(seen.events)
    assert "t0ken-value" not in told
    assert "hunter2" not in told
    say = seen.result("say")
    assert (say.output, say.stderr, say.secret) == (["[********]"], ["********"], True)
    assert seen.result("use").output == ["right"]


class Failing(LocalTransport):
    """This machine, but one host cannot be reached and connections are counted."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.links: list[LocalConnection] = []

    async def connect(self, endpoint: Endpoint, login: Login | None) -> LocalConnection:
        self.opened.append(endpoint.host)
        await asyncio.sleep(0)
        if endpoint.host == "b":
            raise Unreachable("connect-refused", "`b` refuses connections", hints=("is it up?",))
        link = await super().connect(endpoint, login)
        self.links.append(link)
        return link


async def test_an_unreachable_host_is_held_back_and_the_others_go_on(tmp_path: Path) -> None:
    """The first step says why, nothing ran, later steps are held back, the exit code is 3."""
    transport = Failing()
    steps = """\
        - {id: x, hosts: b, script: 'true'}
        - {id: y, target: all, needs: [], script: 'true'}
        - {id: z, target: all, script: 'true'}
        """
    seen = await run(tmp_path, book(steps), inventory=APART, transports={"ssh": transport})
    failed = seen.result("y", "b")
    assert failed.failure is not None
    assert (failed.status, failed.failure.code, failed.failure.may_have_run) == (
        Status.UNREACHABLE,
        "connect-refused",
        False,
    )
    assert (seen.result("z", "b").held_back, seen.result("z", "a").status) == (True, Status.OK)
    assert seen.exit_code == 3


async def test_each_name_of_one_endpoint_is_named_in_its_own_failure(tmp_path: Path) -> None:
    """They share the one attempt to connect, whose error names the host it was made for; nobody else reads of it."""

    class Away(Failing):
        async def connect(self, endpoint: Endpoint, login: Login | None) -> LocalConnection:
            self.opened.append(endpoint.host)
            await asyncio.sleep(0)
            hint = f"look with `runner doctor` at `{endpoint.host}`"
            raise Unreachable("connect-refused", f"`{endpoint.host}` is not there", hints=(hint,))

    transport = Away()
    steps = "- {id: x, target: all, script: 'true'}"
    seen = await run(tmp_path, book(steps), transports={"local": transport})
    assert transport.opened == ["a"]
    for host in "abc":
        failure = seen.result("x", host).failure
        assert failure is not None
        assert failure.message == f"`{host}` is not there"
        assert failure.hints == (f"look with `runner doctor` at `{host}`",)


async def test_one_connection_serves_a_host_and_is_closed_with_its_last_step(tmp_path: Path) -> None:
    """Steps that begin at once share one opening; every connection is closed at the end."""
    transport = Failing()
    steps = "\n".join(f"- {{id: s{n}, hosts: a, needs: [], script: 'true'}}" for n in range(5))
    closed_early: list[bool] = []

    class Watching(Seen):
        def on_event(self, event: object) -> None:
            super().on_event(event)  # type: ignore[arg-type]
            if isinstance(event, AssignmentEnded) and event.result.step == "late":
                closed_early.append(transport.links[0].lost)

    late = "- {id: late, hosts: c, needs: [s0, s1, s2, s3, s4], script: 'sleep 0.1'}"
    await run(tmp_path, book(f"{steps}\n{late}"), transports={"local": transport}, seen=Watching())
    # All local endpoints are the same machine, so one connection serves every host of it.
    assert transport.opened == ["a"]
    assert closed_early == [False]
    assert [link.lost for link in transport.links] == [True]


class Cut(LocalTransport):
    """This machine over a link that breaks when the first script has begun, or before the second one starts."""

    def __init__(self, *, running: bool) -> None:
        self.running = running
        self.count = 0

    async def connect(self, endpoint: Endpoint, login: Login | None) -> LocalConnection:
        self.count += 1
        return CutConnection(endpoint, self)


class CutConnection(LocalConnection):
    """Breaks once."""

    def __init__(self, endpoint: Endpoint, transport: Cut) -> None:
        super().__init__(endpoint)
        self._transport = transport
        self._starts = 0
        self._broken = False

    @property
    def lost(self) -> bool:
        return self._broken or super().lost

    async def start(self, command: Sequence[str], receiver: Receiver, *, kept: bool = False) -> LocalProcess:
        self._starts += 1
        if not self._transport.running and self._transport.count == 1 and self._starts == 2:
            self._broken = True
            raise ConnectionLost("connection-lost", "the link broke")
        process = await super().start(command, receiver, kept=kept)
        if self._transport.running:

            async def wait() -> Exit:
                await LocalProcess.wait(process)
                self._broken = True
                raise ConnectionLost("connection-lost", "the link broke")

            process.wait = wait  # type: ignore[method-assign]
        return process


async def test_a_link_cut_while_a_script_runs_fails_and_says_that_it_may_have_run(tmp_path: Path) -> None:
    """Failed, not unreachable; the output so far is there, and the summary names what may still run."""
    seen = await run(
        tmp_path,
        book("- {id: x, hosts: a, script: 'echo half'}"),
        transports={"local": Cut(running=True)},
    )
    result = seen.result("x")
    assert result.failure is not None
    assert (result.status, result.output) == (Status.FAILED, ["half"])
    assert (result.failure.code, result.failure.may_have_run) == ("connection-lost", True)
    assert seen.summary is not None
    assert seen.summary.may_still_run == ("`x` on `a`",)


async def test_a_link_that_broke_between_two_steps_is_opened_again(tmp_path: Path) -> None:
    """Nothing was lost but the link, so nobody hears of it."""
    transport = Cut(running=False)
    seen = await run(
        tmp_path,
        book("- {id: x, hosts: a, script: 'true'}\n- {id: y, hosts: a, script: 'echo fine'}"),
        transports={"local": transport},
    )
    assert (seen.result("y").output, transport.count) == (["fine"], 2)


async def test_a_bug_ends_the_run_in_order_and_is_raised(tmp_path: Path) -> None:
    """An exception that nobody expected: exit code 70 in the last event, then the exception itself."""

    class Broken(LocalTransport):
        async def connect(self, endpoint: Endpoint, login: Login | None) -> LocalConnection:
            raise ZeroDivisionError("a bug")

    seen = Seen()
    with pytest.raises(ZeroDivisionError):
        await run(
            tmp_path, book("- {id: x, hosts: a, script: 'true'}"), transports={"local": Broken()}, seen=seen
        )
    failure = seen.result("x").failure
    assert failure is not None
    assert failure.code == "internal"
    assert seen.events[-1].summary.exit_code == 70  # type: ignore[union-attr]
