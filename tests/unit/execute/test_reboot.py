"""`reboot`: an order, a host that goes and comes back as another start, and a test that passes; each may fail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.engine.observe import Waits
from runner.engine.result import Status
from runner.errors import Unreachable
from runner.execute.bodies import reboot_scripts as scripts
from runner.transport.endpoint import Endpoint
from runner.transport.port import Login
from tests.support.powershell_host import Call, FakeHost, FakeLink, FakeWinrm, Refused
from tests.unit.execute.alone import Done, SkippingClock, do

HEAD = """\
targets: {all: {hosts: win}}
sessions: {warm: {target: all}}
"""
INVENTORY = "version: 1\nconnection: {transport: winrm, use_ssl: true}\nhosts: {win: {}}\n"


@dataclass
class Machine:
    """A Windows host that is away for some seconds after it was told to restart, ``after`` some in which it still is.

    ``goes`` False: it takes the order and stays up. ``refuses``: what it says in place of restarting. ``tells``: what
    it says when asked for its start, None for the start's number. ``passes``: when its test passes, in seconds.
    """

    after: float = 3.0
    away: float = 20.0
    goes: bool = True
    refuses: str = ""
    tells: Callable[[int], str] | None = None
    passes: float = 0.0
    clock: SkippingClock = field(default_factory=SkippingClock)
    messages: list[str] = field(default_factory=list)
    ordered_at: float | None = None
    links: int = 0

    @property
    def is_away(self) -> bool:
        return self.ordered_at is not None and self.goes and 0 <= self._since - self.after < self.away

    @property
    def _since(self) -> float:
        return self.clock.now - (self.ordered_at or 0.0)

    @property
    def start(self) -> int:
        gone = self.ordered_at is not None and self.goes and self._since >= self.after
        return 2 if gone else 1

    def boot(self, call: Call) -> None:
        call.write(self.tells(self.start) if self.tells else str(self.start))

    def restart(self, call: Call) -> None:
        self.messages.append(call.arguments[0])
        if self.refuses:
            raise Refused(self.refuses)
        self.ordered_at = self.clock.now

    def test(self, call: Call) -> None:
        call.write(self.clock.now >= self.passes)

    def host(self) -> FakeHost:
        def assign(call: Call) -> None:
            call.host.carriers[-1].runspace.variables["v"] = 5

        def read(call: Call) -> None:
            call.write(call.host.carriers[-1].runspace.variables.get("v"))

        return FakeHost(
            scripts={
                scripts.BOOT_POWERSHELL: self.boot,
                scripts.RESTART_POWERSHELL: self.restart,
                "Test-Up": self.test,
                "$v = 5": assign,
                "$v": read,
            }
        )


@dataclass
class Network(FakeWinrm):
    """The way to the machine, which is closed while it is away."""

    machine: Machine = field(default_factory=Machine)

    async def connect(self, endpoint: Endpoint, login: Login | None) -> FakeLink:
        self.machine.links += 1
        if self.machine.is_away:
            raise Unreachable("connection-refused", "nobody listens there")
        return await super().connect(endpoint, login)


async def reboot(
    folder: Path, machine: Machine, body: str = "{}", *, before: str = "", after: str = ""
) -> Done:
    return await do(
        folder,
        f"{before}- {{id: x, target: all, reboot: {body}}}\n{after}",
        head=HEAD,
        inventory=INVENTORY,
        clock=machine.clock,
        transports={"winrm": Network({"win": machine.host()}, machine=machine)},
    )


async def test_a_host_that_goes_and_comes_back(tmp_path: Path) -> None:
    """It was restarted when it answers as another start, over a new link; users were told, slots were given back."""
    machine = Machine()
    done = await reboot(tmp_path, machine, "{message: updates}")
    result = done.result("x", "win")
    assert (result.status, result.changed, result.output["rebooted"]) == (Status.CHANGED, True, True)
    assert 23 <= result.output["elapsed"] <= 35
    assert result.waited == pytest.approx(machine.clock.now)
    assert machine.messages == ["updates"]
    assert set(done.slots.log) == {"start 1", "away"}
    assert {waits.what for waits in done.waits()} == {Waits.REBOOT}
    assert {waits.reason for waits in done.waits()} == {
        "the host restarts: it has not gone down yet", "the host restarts: nobody listens there"
    }  # fmt: skip


async def test_a_host_that_takes_the_order_and_stays(tmp_path: Path) -> None:
    """Answering as the same start is no restart, however often it is asked anew."""
    done = await reboot(tmp_path, Machine(goes=False), "{timeout: 1m}")
    assert done.code("x", "win") == "reboot-not-down"
    assert "still up from the same start" in done.message("x", "win")
    assert done.result("x", "win").output["rebooted"] is False


async def test_a_host_that_does_not_come_back(tmp_path: Path) -> None:
    """The failure says how long it was waited for and what the last try saw."""
    machine = Machine(away=1000)
    done = await reboot(tmp_path, machine, "{timeout: 2m}")
    assert done.code("x", "win") == "reboot-not-back"
    assert "2m 00s" in done.message("x", "win")
    assert "nobody listens there" in done.message("x", "win")
    assert machine.clock.now == pytest.approx(120)


async def test_a_host_that_refuses(tmp_path: Path) -> None:
    """Who may not restart it is told so in the host's words, and nothing is waited for."""
    machine = Machine(refuses="shutdown.exe: Access is denied.(5)")
    done = await reboot(tmp_path, machine)
    assert done.code("x", "win") == "reboot-refused"
    assert "Access is denied.(5)" in done.message("x", "win")
    assert (done.result("x", "win").changed, machine.clock.sleeps) == (False, [])


async def test_a_host_that_tells_no_start_is_left_alone(tmp_path: Path) -> None:
    """What could not be seen to come back is not restarted."""
    machine = Machine(tells=lambda _: "")
    done = await reboot(tmp_path, machine)
    assert done.code("x", "win") == "reboot-unknown"
    assert machine.ordered_at is None


async def test_a_restart_of_user_space_alone_is_one(tmp_path: Path) -> None:
    """The kernel and the first process stay, and systemd's count of such restarts grows."""
    machine = Machine(tells=lambda start: f"5e0c/11+{start}")
    done = await reboot(tmp_path, machine)
    assert done.result("x", "win").output["rebooted"] is True


async def test_a_count_that_is_not_told_any_more_is_no_restart(tmp_path: Path) -> None:
    """A host that goes down answers for a while, and its systemd may not."""
    counts = iter(["3"])
    machine = Machine(after=1000, tells=lambda _: f"5e0c/11+{next(counts, '')}")
    done = await reboot(tmp_path, machine, "{timeout: 1m}")
    assert done.code("x", "win") == "reboot-not-down"


async def test_the_machine_of_the_run_is_left_alone(tmp_path: Path) -> None:
    """Whatever it is named and however it is reached: it is known by its start."""
    own = subprocess.run(
        ["sh", "-c", scripts.BOOT], capture_output=True, text=True, check=True
    ).stdout.strip()
    machine = Machine(tells=lambda _: own)
    done = await reboot(tmp_path, machine)
    assert done.code("x", "win") == "reboot-controller"
    assert (machine.ordered_at, done.result("x", "win").changed) == (None, False)


async def test_its_test_must_pass(tmp_path: Path) -> None:
    """The test is run until it passes, within the time that the restart began."""
    machine = Machine(passes=60)
    done = await reboot(tmp_path, machine, "{test: Test-Up}")
    assert done.result("x", "win").status is Status.CHANGED
    assert machine.clock.now >= 60
    done = await reboot(tmp_path, Machine(passes=1000), "{test: Test-Up, timeout: 2m}")
    assert done.code("x", "win") == "reboot-test"
    assert "the last value of the script is false" in done.message("x", "win")


async def test_sessions_are_opened_anew(tmp_path: Path) -> None:
    """A kept session of the host is gone whatever its `on_loss` says, which is told; the next step gets a new one."""
    done = await reboot(
        tmp_path,
        Machine(),
        before="- {id: set, session: warm, script: $v = 5}\n",
        after="- {id: read, session: warm, script: $v}\n",
    )
    assert done.result("read", "win").status is Status.OK
    assert done.result("read", "win").output == [None]
    assert any("`warm`" in notice for notice in done.notices())


async def test_it_is_not_done_under_check(tmp_path: Path) -> None:
    """A check restarts nothing."""
    machine = Machine()
    done = await do(
        tmp_path, "- {id: x, target: all, reboot: {}}\n", head=HEAD, inventory=INVENTORY, check=True,
        clock=machine.clock, transports={"winrm": Network({"win": machine.host()}, machine=machine)},
    )  # fmt: skip
    assert done.result("x", "win").status is Status.SKIPPED
    assert machine.links == 0
