"""Attempt after attempt on this machine: retries, `until`, hosts that come back late; nobody waits for the clock."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent

from runner.engine.observe import AssignmentWaits, Waits
from runner.engine.result import Result, Status
from runner.errors import Unreachable
from runner.execute.run import RunControl
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Link, Login
from tests.unit.execute.running import Seen, SkippingClock, run


def book(steps: str) -> str:
    return "version: 1\nname: x\ntargets: {all: {hosts: [a, b, c]}}\nsteps:\n" + dedent(steps)


def counting(folder: Path, good_at: int) -> str:
    """A line of sh that counts its attempts and ends well at the given one."""
    file = folder / "attempts"
    return f'n=$(($(cat {file} 2>/dev/null || echo 0) + 1)); echo $n > {file}; echo "attempt $n"; test $n -ge {good_at}'


def waits(seen: Seen) -> list[AssignmentWaits]:
    return [event for event in seen.events if isinstance(event, AssignmentWaits)]


class LateTransport:
    """This machine, which cannot be reached the first ``refusals`` times."""

    name = "local"

    def __init__(self, refusals: int) -> None:
        self.left = refusals
        self.asked = 0
        self._real = LocalTransport()

    async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise Unreachable("ssh-refused", "the host refused the connection")
        return await self._real.connect(endpoint, login)

    async def close(self) -> None:
        await self._real.close()


async def test_a_failed_step_is_repeated_until_it_ends_well(tmp_path: Path) -> None:
    """The result is that of the last attempt, with its number and the time waited; delays grow."""
    clock = SkippingClock()
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: flaky
              hosts: a
              retry: {{attempts: 5, delay: 2s, backoff: 3}}
              script: |
                {counting(tmp_path, 3)}
            """
        ),
        clock=clock,
    )
    result = seen.result("flaky")
    assert (result.status, result.attempt, result.output) == (Status.OK, 3, ["attempt 3"])
    assert [slept for slept in clock.slept if slept >= 2] == [2, 6]
    assert result.waited >= 8
    told = waits(seen)
    assert [(event.what, event.attempt) for event in told] == [(Waits.RETRY, 1), (Waits.RETRY, 2)]
    assert told[0].reason == "the script ended with exit code 1"


async def test_attempts_that_are_used_up_leave_the_last_failure(tmp_path: Path) -> None:
    """It failed as often as it may, and fails the host with its own reason."""
    seen = await run(
        tmp_path,
        book("- {id: bad, hosts: a, retry: {attempts: 3, delay: 1s}, script: 'exit 7'}"),
        clock=SkippingClock(),
    )
    result = seen.result("bad")
    assert (result.status, result.attempt, result.exit_code) == (Status.FAILED, 3, 7)
    assert seen.exit_code == 1


async def test_ignored_failures_are_repeated_too(tmp_path: Path) -> None:
    """`ignore_errors` has the last word, after the last attempt."""
    seen = await run(
        tmp_path,
        book("- {id: bad, hosts: a, retry: 2, ignore_errors: true, script: 'exit 7'}"),
        clock=SkippingClock(),
    )
    result = seen.result("bad")
    assert (result.status, result.attempt, result.ignored) == (Status.FAILED, 2, True)


async def test_only_what_on_names_is_repeated(tmp_path: Path) -> None:
    """A status that `on` leaves out fails at once; an expression about the result repeats it."""
    clock = SkippingClock()
    seen = await run(
        tmp_path,
        book(
            """\
            - {id: once, hosts: a, retry: {attempts: 4, on: [timed_out]}, script: 'exit 1'}
            - id: busy
              hosts: a
              run_if: always
              retry: {attempts: 4, on: ["result.exit_code == 75"]}
              script: exit 75
            """
        ),
        clock=clock,
    )
    assert seen.result("once").attempt == 1
    assert seen.result("busy").attempt == 4


async def test_until_repeats_what_ended_well(tmp_path: Path) -> None:
    """It runs until the expression about its own result is true."""
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: state
              hosts: b
              until: "'attempt 4' in result.output"
              retry: {{attempts: 9, delay: 1s}}
              script: |
                {counting(tmp_path, 0)}
            """
        ),
        clock=SkippingClock(),
    )
    result = seen.result("state", "b")
    assert (result.status, result.attempt, result.output) == (Status.OK, 4, ["attempt 4"])
    assert waits(seen)[0].reason == "`until` does not hold yet"


async def test_an_until_that_never_holds_fails_with_its_own_code(tmp_path: Path) -> None:
    """The last output stays; the failure says how often it ran and which expression it was."""
    seen = await run(
        tmp_path,
        book(
            "- {id: state, hosts: a, until: \"'ready' in result.output\", retry: 3, script: 'echo starting'}"
        ),
        clock=SkippingClock(),
    )
    result = seen.result("state")
    assert result.failure is not None
    assert (result.status, result.failure.code) == (Status.FAILED, "until-not-held")
    assert result.failure.message == "it ran 3 times and `until` does not hold: `'ready' in result.output`"
    assert result.output == ["starting"]


async def test_a_failed_attempt_is_no_reason_to_break_off_an_until(tmp_path: Path) -> None:
    """An expression that cannot be evaluated on a failed result is taken as not holding."""
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: state
              hosts: a
              until: result.output[0] == "attempt 3"
              retry: {{attempts: 9, delay: 1s}}
              script: |
                {counting(tmp_path, 0)} >/dev/null; test $n -gt 1 || exit 1; echo "attempt $n"
            """
        ),
        clock=SkippingClock(),
    )
    assert (seen.result("state").status, seen.result("state").attempt) == (Status.OK, 3)


async def test_each_item_of_a_loop_has_its_own_attempts(tmp_path: Path) -> None:
    """One item that needs three attempts leaves the others at one."""
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: each
              hosts: a
              loop: {{over: [1, 3, 1]}}
              retry: {{attempts: 5, delay: 1s}}
              script: |
                f={tmp_path}/at${{Using:loop.index}}; n=$(cat $f 2>/dev/null || echo 0); n=$((n + 1)); echo $n > $f
                echo $n; test $n -ge $Using:item
            """
        ),
        clock=SkippingClock(),
    )
    result = seen.result("each")
    assert (result.status, [item.attempt for item in result.items]) == (Status.OK, [1, 3, 1])
    assert (result.output, result.attempt) == (["1", "3", "1"], 3)


async def test_a_stop_while_it_waits_says_what_the_last_attempt_said(tmp_path: Path) -> None:
    """Nothing runs then, so the stop is at once, and the host is cancelled with the last output."""
    control = RunControl()

    class Stopping(SkippingClock):
        async def sleep(self, seconds: float) -> None:
            if seconds >= 60:
                control.request_stop("Ctrl-C")
                await asyncio.Event().wait()
            await super().sleep(seconds)

    seen = await run(
        tmp_path,
        book("- {id: bad, hosts: a, retry: {attempts: 3, delay: 1m}, script: 'echo seen; exit 7'}"),
        clock=Stopping(),
        control=control,
    )
    result = seen.result("bad")
    assert (result.status, result.output) == (Status.CANCELLED, ["seen"])
    assert result.failure is not None
    assert (
        result.failure.message
        == "the run was stopped before attempt 2; attempt 1 ended with: the script ended with exit code 7"
    )


async def test_an_unreachable_host_is_asked_again_later(tmp_path: Path) -> None:
    """Every `retry_after`, until it is there; what waits says so."""
    clock, transport = SkippingClock(), LateTransport(refusals=3)
    seen = await run(
        tmp_path,
        book("- {id: work, hosts: a, unreachable: {retry_after: 5m, give_up_after: 1h}, script: echo here}"),
        clock=clock,
        transports={"local": transport},
    )
    assert (seen.result("work").status, seen.result("work").output) == (Status.OK, ["here"])
    assert [event.what for event in waits(seen)] == [Waits.UNREACHABLE] * 3
    assert clock.slept.count(300) == 3


async def test_a_host_that_stays_away_is_given_up(tmp_path: Path) -> None:
    """After `give_up_after` in all it is unreachable, and the failure says how long it was waited for."""
    transport = LateTransport(refusals=10_000)
    seen = await run(
        tmp_path,
        book("- {id: work, hosts: a, unreachable: {retry_after: 25m, give_up_after: 1h}, script: echo here}"),
        clock=SkippingClock(),
        transports={"local": transport},
    )
    result: Result = seen.result("work")
    assert result.failure is not None
    assert (result.status, transport.asked) == (Status.UNREACHABLE, 4)
    assert result.failure.message == "the host refused the connection; given up after 1h 00m"
    assert seen.exit_code == 3


async def test_unreachable_may_be_ignored_and_nothing_else_is(tmp_path: Path) -> None:
    """`unreachable: ignore` forgives a host that was not reached, not one whose script failed."""
    text = "- {id: work, hosts: a, unreachable: ignore, script: exit 1}"
    away = await run(tmp_path, book(text), transports={"local": LateTransport(refusals=1)})
    assert (away.result("work").status, away.result("work").ignored) == (Status.UNREACHABLE, True)
    assert away.exit_code == 0
    there = await run(tmp_path, book(text))
    assert (there.result("work").status, there.result("work").ignored) == (Status.FAILED, False)


class UntilThere(SkippingClock):
    """A clock on which every wait ends when a file is there: nobody gets on who keeps others from making it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    async def sleep(self, seconds: float) -> None:
        async with asyncio.timeout(60):
            while not self.file.exists():
                await asyncio.sleep(0.01)
        await super().sleep(seconds)


async def test_what_waits_holds_no_slot(tmp_path: Path) -> None:
    """With a throttle of 1 the second host runs while the first one waits for its next attempt."""
    there = tmp_path / "there"
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: work
              hosts: [a, b]
              throttle: 1
              retry: {{attempts: 2, delay: 5m}}
              script: 'test $Using:number = 2 && touch {there}; test -e {there}'
            """
        ),
        clock=UntilThere(there),
    )
    assert [seen.result("work", host).attempt for host in "ab"] == [2, 1]
    assert seen.exit_code == 0


async def test_a_loop_gives_its_slot_back_when_all_of_its_items_wait(tmp_path: Path) -> None:
    """Two items at once, both between attempts: the other host runs; as long as one works the slot is kept."""
    there = tmp_path / "there"
    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: work
              hosts: [a, b]
              throttle: 1
              loop: {{over: [1, 2, 3], throttle: 2}}
              retry: {{attempts: 2, delay: 5m}}
              script: 'test $Using:number = 2 && touch {there}; test -e {there}'
            """
        ),
        clock=UntilThere(there),
    )
    assert [item.attempt for item in seen.result("work", "a").items] == [2, 2, 1]
    assert [item.attempt for item in seen.result("work", "b").items] == [1, 1, 1]


async def test_a_late_host_does_not_hold_its_wave(tmp_path: Path) -> None:
    """The next wave begins while a host of the first one cannot be reached; it works when it is back."""
    there = tmp_path / "there"

    class FirstIsAway(LateTransport):
        async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
            if endpoint.host == "a" and not there.exists():
                raise Unreachable("ssh-refused", "the host refused the connection")
            return await self._real.connect(endpoint, login)

    seen = await run(
        tmp_path,
        book(
            f"""\
            - id: work
              hosts: [a, b]
              waves: [1, 1]
              unreachable: {{retry_after: 5m, give_up_after: 1h}}
              script: 'touch {there}; echo here'
            """
        ),
        clock=UntilThere(there),
        transports={"ssh": FirstIsAway(refusals=0)},
        inventory="version: 1\nconnection: {transport: ssh, shell: sh}\nhosts: {a: {}, b: {}, c: {}}\n",
    )
    assert [seen.result("work", host).output for host in "ab"] == [["here"], ["here"]]
    assert seen.result("work", "a").attempt == 2
