"""A whole run with the ports that control it: a record, locks, results of before, paced connections, deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from runner.engine.observe import AssignmentEnded, BlockRescued, DeadlineSet, Notice, RunStarted
from runner.engine.result import Result, Status
from runner.errors import JournalError, LockHeld, Unreachable
from runner.execute.run import RunControl
from runner.runs.outcome import taken_for_done
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Link, Login
from tests.unit.execute.running import Seen, SkippingClock, run


def book(steps: str, head: str = "") -> str:
    return f"version: 1\nname: x\n{head}targets: {{all: {{hosts: [a, b, c]}}}}\nsteps:\n" + dedent(steps)


@dataclass
class MemoryRecord:
    """What would be on disk, in order; ``full_at`` is the start that finds the disk full."""

    lines: list[str] = field(default_factory=list)
    full_at: int | None = None

    async def started(self, step: str, host: str, attempt: int, item: int | None) -> None:
        await asyncio.sleep(0)
        if self.full_at is not None and len(self.lines) >= self.full_at:
            raise JournalError("journal-full", "the disk is full")
        self.lines.append(f"start {step} {host} {attempt}" + (f" [{item}]" if item is not None else ""))

    def ended(self, step: str, host: str, result: Result) -> None:
        self.lines.append(f"end {step} {host} {result.status}")

    def wave_passed(self, step: str, wave: int) -> None:
        self.lines.append(f"wave {step} {wave}")

    def broke(self, step: str | None, reason: str) -> None:
        self.lines.append(f"broke {step}")

    def rescued(self, block: str, host: str, steps: Collection[str]) -> None:
        self.lines.append(f"rescued {block} {host} {','.join(sorted(steps))}")


class Refusing:
    """This machine, which no connection reaches."""

    name = "local"

    async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
        raise Unreachable("ssh-refused", "the host refused the connection")

    async def close(self) -> None:
        """Holds nothing."""


async def test_every_attempt_is_recorded_before_it_acts(tmp_path: Path) -> None:
    """A start for each attempt and item before anything runs, one end an assignment."""
    record = MemoryRecord()
    await run(
        tmp_path,
        book(
            f"""\
            - id: flaky
              hosts: a
              retry: {{attempts: 2, delay: 1s}}
              script: 'test -e {tmp_path}/done || {{ touch {tmp_path}/done; exit 1; }}'
            - {{id: each, hosts: a, loop: [x, y], script: 'true'}}
            - {{id: hold, hosts: a, assert: {{that: number == 1}}}}
            """
        ),
        clock=SkippingClock(),
        ports={"recorder": record},
    )
    assert record.lines == [
        "start flaky a 1",
        "start flaky a 2",
        "end flaky a ok",
        "start each a 1 [0]",
        "start each a 1 [1]",
        "end each a ok",
        "end hold a ok",
    ]


async def test_a_host_that_was_not_reached_has_no_start(tmp_path: Path) -> None:
    """Nothing can have run on it, so a crash leaves nothing to ask about."""
    record = MemoryRecord()
    seen = await run(
        tmp_path,
        book("- {id: work, hosts: a, script: 'true'}"),
        transports={"local": Refusing()},
        ports={"recorder": record},
    )
    assert record.lines == ["end work a unreachable"]
    assert seen.exit_code == 3


async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    """A full disk: nothing is sent any more, the run ends in order with 4, and the results say why."""
    record = MemoryRecord(full_at=2)
    seen = await run(
        tmp_path,
        book(
            f"""\
            - {{id: one, hosts: a, script: 'echo one >> {tmp_path}/ledger'}}
            - {{id: two, hosts: a, script: 'echo two >> {tmp_path}/ledger'}}
            """
        ),
        ports={"recorder": record},
    )
    assert (tmp_path / "ledger").read_text() == "one\n"
    two = seen.result("two")
    assert two.failure is not None
    assert (two.status, two.failure.code, two.failure.may_have_run) == (
        Status.CANCELLED,
        "journal-full",
        False,
    )
    assert seen.exit_code == 4


async def test_restored_results_are_not_run_again_and_are_read_as_before(tmp_path: Path) -> None:
    """Their steps are over at once, later steps read them, nothing of them is recorded again."""
    record = MemoryRecord()
    before = Result(step="look", host="a", status=Status.OK, output=["from before"])
    seen = await run(
        tmp_path,
        book(
            f"""\
            - {{id: look, hosts: a, register: found, script: 'touch {tmp_path}/ran'}}
            - {{id: use, hosts: a, script: 'echo $Using:it', using: {{it: "{{{{ found.output[0] }}}}"}}}}
            """
        ),
        ports={"recorder": record, "restored": {("look", "a"): before}},
    )
    assert not (tmp_path / "ran").exists()
    assert seen.result("use").output == ["from before"]
    assert record.lines == ["start use a 1", "end use a ok"]
    assert [e.restored for e in seen.events if isinstance(e, AssignmentEnded)] == [True, False]
    assert seen.summary is not None
    assert seen.summary.restored == 1


async def test_a_restored_secret_is_refused_to_whoever_reads_it(tmp_path: Path) -> None:
    """The step that registered it is named; nothing is sent, and stars are never taken for the value."""
    before = Result(step="login", host="a", status=Status.OK, output=["***"], secret=True)
    seen = await run(
        tmp_path,
        book(
            f"""\
            - {{id: login, hosts: a, register: token, script: 'true'}}
            - {{id: knows, hosts: a, when: token is succeeded, script: 'true'}}
            - id: use
              hosts: a
              script: 'touch {tmp_path}/ran; echo $Using:it'
              using: {{it: "{{{{ token.output[0] }}}}"}}
            """
        ),
        ports={"restored": {("login", "a"): before}},
    )
    assert seen.result("knows").status is Status.OK
    failure = seen.result("use").failure
    assert failure is not None
    assert (failure.code, "`login`" in failure.message, failure.may_have_run) == (
        "resumed-secret",
        True,
        False,
    )
    assert not (tmp_path / "ran").exists()


READERS = {
    "using": "script: 'touch RAN; echo ${Using:found.output[0]}'",
    "whole": 'shell: python, script: \'open("RAN", "w"); print($Using:found)\'',
    "results": "script: 'touch RAN; echo ${Using:results.found.a.output[0]}'",
    "template": "script: touch RAN, environment: {IT: '{{ found.output | join }}'}",
    "lone": "script: touch RAN, input_object: '{{ found }}'",
    "when": "script: touch RAN, when: found.output | length > 0",
    "loop": "script: touch RAN, loop: found.output",
}


@pytest.mark.parametrize("reader", READERS)
async def test_what_nobody_saw_is_refused_to_whoever_reads_it(tmp_path: Path, reader: str) -> None:
    """A step that is taken for done gave something that nobody knows: never is emptiness taken for it."""
    seen = await run(
        tmp_path,
        book(
            f"""\
            - {{id: look, hosts: a, register: found, rerun: never, script: 'true'}}
            - {{id: use, hosts: a, {READERS[reader].replace("RAN", f"{tmp_path}/ran")}}}
            """
        ),
        ports={"restored": {("look", "a"): taken_for_done(("look", "a"))}},
    )
    failure = seen.result("use").failure
    assert failure is not None
    assert (failure.code, failure.may_have_run) == ("resumed-unseen", False)
    assert "`look`" in failure.message
    assert not (tmp_path / "ran").exists()


async def test_who_asks_whether_it_is_known_goes_on(tmp_path: Path) -> None:
    """`is defined` and `default` are answers to it, and its status is known."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: look, hosts: a, register: found, rerun: never, script: 'true'}
            - {id: asks, hosts: a, when: found.output is defined, script: 'true'}
            - {id: knows, hosts: a, when: found is skipped, script: 'true'}
            - {id: other, hosts: a, script: 'echo $Using:it', using: {it: "{{ found.output | default('none') }}"}}
            """
        ),
        ports={"restored": {("look", "a"): taken_for_done(("look", "a"))}},
    )
    assert seen.result("asks").status is Status.SKIPPED
    assert seen.result("knows").status is Status.OK
    assert seen.result("other").output == ["none"]


async def test_a_rescue_is_told_and_recorded(tmp_path: Path) -> None:
    """Once for the host, with the steps whose failures count no more."""
    record = MemoryRecord()
    seen = await run(
        tmp_path,
        book(
            """\
            - id: deploy
              hosts: a
              block:
                - {id: one, script: exit 1}
              rescue:
                - {id: mend, script: 'true'}
            """
        ),
        ports={"recorder": record},
    )
    assert [(e.block, e.host) for e in seen.events if isinstance(e, BlockRescued)] == [("deploy", "a")]
    assert "rescued deploy a mend,one" in record.lines
    assert seen.exit_code == 0


@dataclass
class MemoryLocks:
    """Locks that are free, held by somebody, or waited for."""

    held_by: str | None = None
    waits: asyncio.Event | None = None
    log: list[str] = field(default_factory=list)

    async def acquire(self, hosts: Collection[str]) -> None:
        self.log.append(f"acquire {','.join(sorted(hosts))}")
        if self.held_by is not None:
            raise LockHeld("lock-held", f"`a` is held by {self.held_by}")
        if self.waits is not None:
            self.waits.set()
            await asyncio.Event().wait()

    async def release(self) -> None:
        self.log.append("release")


LOCKED = "- {id: work, hosts: [a, b], lock: run, script: 'true'}\n"


async def test_locks_are_held_from_before_the_run_to_its_end(tmp_path: Path) -> None:
    """All hosts that ask for it, and given back when everything is closed."""
    locks = MemoryLocks()
    seen = await run(tmp_path, book(LOCKED), ports={"run_locks": locks})
    assert (locks.log, seen.exit_code) == (["acquire a,b", "release"], 0)


async def test_a_held_host_refuses_the_run(tmp_path: Path) -> None:
    """Nothing is told of a run that did not begin."""
    locks, seen = MemoryLocks(held_by="somebody"), Seen()
    with pytest.raises(LockHeld):
        await run(tmp_path, book(LOCKED), seen=seen, ports={"run_locks": locks})
    assert seen.events == []
    assert locks.log[-1] == "release"


async def test_a_stop_ends_the_wait_for_a_lock(tmp_path: Path) -> None:
    """Nothing was run, the run is told in order, and what was held is given back."""
    control, waits = RunControl(), asyncio.Event()
    locks = MemoryLocks(waits=waits)
    running = asyncio.ensure_future(run(tmp_path, book(LOCKED), control=control, ports={"run_locks": locks}))
    await waits.wait()
    control.request_stop("Ctrl-C")
    seen = await running
    assert {result.status for result in seen.results.values()} == {Status.CANCELLED}
    assert isinstance(seen.events[0], RunStarted)
    assert locks.log[-1] == "release"


@dataclass
class CountingGate:
    """Lets everybody in, and notes how it went."""

    log: list[str] = field(default_factory=list)

    async def enter(self, pools: Collection[str]) -> None:
        self.log.append(f"enter {','.join(sorted(pools))}")

    def leave(self, pools: Collection[str], *, ok: bool, seconds: float) -> None:
        self.log.append(f"leave {ok}")


POOLS = "pools: {wide: 5, narrow: {throttle: 2, adaptive: true}}\n"


async def test_connections_of_adaptive_pools_pass_the_gate(tmp_path: Path) -> None:
    """Only those of adaptive pools, once for each connection, told whether it was opened."""
    gate = CountingGate()
    steps = """\
    - {id: work, hosts: a, pool: narrow, script: 'true'}
    - {id: more, hosts: a, pool: narrow, script: 'true'}
    """
    await run(tmp_path, book(steps, POOLS), ports={"connect_gate": gate})
    assert gate.log == ["enter narrow", "leave True"]
    refused, other = CountingGate(), CountingGate()
    await run(tmp_path, book(steps, POOLS), transports={"local": Refusing()}, ports={"connect_gate": refused})
    assert refused.log[:2] == ["enter narrow", "leave False"]
    await run(
        tmp_path,
        book("- {id: work, hosts: a, pool: wide, script: 'true'}\n", POOLS),
        ports={"connect_gate": other},
    )
    assert other.log == []


async def test_phases_are_told_with_their_deadlines(tmp_path: Path) -> None:
    """Connecting, opening, running: each with the end of its time; the next step needs no connection any more."""
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: one, hosts: a, timeout: 1m, script: 'true'}
            - {id: two, hosts: a, script: 'true'}
            - {id: three, hosts: a, timeout: 2m, script: 'true'}
            """
        ),
    )
    told = [
        (e.step, e.phase, e.until and (e.until - e.at).seconds)
        for e in seen.events
        if isinstance(e, DeadlineSet)
    ]
    assert told == [
        ("one", "connect", 30),
        ("one", "open", None),
        ("one", "step", 60),
        ("three", "step", 120),
    ]


async def test_a_wave_waits_for_its_pause(tmp_path: Path) -> None:
    """The pause is told and waited for once, between the waves; a recorded one is not waited for again."""
    steps = """\
    - {id: patch, target: all, waves: [{size: 1, pause: 10m}, 100%], script: 'true'}
    """
    record, clock = MemoryRecord(), SkippingClock()
    seen = await run(tmp_path, book(steps), clock=clock, ports={"recorder": record})
    notices = [e.message for e in seen.events if isinstance(e, Notice)]
    assert notices == ["wave 1 of 2 of `patch` is done; the next one is 10m 00s away"]
    assert 600 in clock.slept
    assert "wave patch 0" in record.lines
    again = SkippingClock()
    await run(tmp_path, book(steps), clock=again, ports={"passed_waves": {("patch", 0)}})
    assert again.slept == []


APART = """\
version: 1
connection: {transport: ssh, shell: sh}
hosts: {a: {vars: {number: 1}}, b: {vars: {number: 2}}, c: {vars: {number: 3}}}
"""
"""Hosts that share no connection."""


async def test_health_reaches_hosts_whose_connection_was_done(tmp_path: Path) -> None:
    """The check runs on the wave's hosts after their last step, and closes what it opened."""

    @dataclass
    class Counting:
        name: str = "ssh"
        opened: int = 0
        real: LocalTransport = field(default_factory=LocalTransport)

        async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
            self.opened += 1
            return await self.real.connect(endpoint, login)

        async def close(self) -> None:
            await self.real.close()

    transport = Counting()
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: patch
              target: all
              waves: [1, 100%]
              health: {{script: 'echo $Using:number >> {tmp_path}/looked'}}
              script: 'true'
            """
        ),
        transports={"ssh": transport},
        inventory=APART,
    )
    assert seen.exit_code == 0
    assert (tmp_path / "looked").read_text().split()[0] == "1"
    assert transport.opened == 3 + 1


async def test_a_step_that_another_host_stops_says_so(tmp_path: Path) -> None:
    """`any_errors: stop`: the run itself was not stopped, and what ran was ended."""
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: work
              hosts: [a, b]
              any_errors: stop
              script: |
                if [ $Using:number = 1 ]; then until test -e {tmp_path}/begun; do sleep 0.02; done; exit 1; fi
                touch {tmp_path}/begun; sleep 60
            """
        ),
    )
    result = seen.result("work", "b")
    assert result.failure is not None
    assert (result.status, result.failure.code) == (Status.CANCELLED, "step-stopped")
    assert (
        result.failure.message == "the step was stopped because another host failed; it was ended on the host"
    )
    assert seen.exit_code == 4
