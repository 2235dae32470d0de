"""`delegate_to`: where the body runs, whose result it is, and which connections are opened for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from runner.engine.observe import OutputReceived
from runner.engine.result import Status
from runner.errors import Unreachable
from runner.transport.endpoint import Endpoint
from runner.transport.local import LocalTransport
from runner.transport.port import Link, Login
from tests.unit.execute.running import Seen, run

APART = """\
version: 1
connection: {transport: ssh, shell: sh}
hosts: {a: {vars: {number: 1}}, b: {vars: {number: 2}}, lb1: {}, lb2: {}}
"""


@dataclass
class Wire:
    """Connections to this machine under many names; ``away`` are those that nobody reaches."""

    away: frozenset[str] = frozenset()
    name: str = "ssh"
    opened: list[str] = field(default_factory=list)
    real: LocalTransport = field(default_factory=LocalTransport)

    async def connect(self, endpoint: Endpoint, login: Login | None) -> Link:
        self.opened.append(endpoint.address)
        if endpoint.address in self.away:
            raise Unreachable("ssh-refused", "the host refused the connection")
        return await self.real.connect(endpoint, login)

    async def close(self) -> None:
        await self.real.close()


async def delegated(folder: Path, steps: str, wire: Wire) -> Seen:
    text = "version: 1\nname: x\nsteps:\n" + dedent(steps)
    return await run(folder, text, transports={"ssh": wire}, inventory=APART)


async def test_only_the_delegate_is_connected_to(tmp_path: Path) -> None:
    """Once for all hosts and steps; output and result are the host's, with its variables."""
    wire = Wire()
    seen = await delegated(
        tmp_path,
        """\
        - {id: drain, hosts: [a, b], delegate_to: lb1, script: 'echo $Using:number'}
        - {id: back, hosts: [a, b], delegate_to: lb1, script: 'echo again'}
        """,
        wire,
    )
    assert wire.opened == ["lb1"]
    assert [seen.result("drain", host).output for host in "ab"] == [["1"], ["2"]]
    told = {
        (e.step, e.host, e.text) for e in seen.events if isinstance(e, OutputReceived) and e.step == "drain"
    }
    assert told == {("drain", "a", "1\n"), ("drain", "b", "2\n")}


async def test_a_delegate_that_fails_keeps_no_other_from_its_turn(tmp_path: Path) -> None:
    """All are tried, one after another; the message says which was not reached."""
    wire = Wire(away=frozenset({"lb1"}))
    seen = await delegated(
        tmp_path, "- {id: drain, hosts: a, delegate_to: [lb1, lb2], script: 'echo done'}\n", wire
    )
    result = seen.result("drain")
    assert result.failure is not None
    assert (result.status, result.output) == (Status.UNREACHABLE, ["done"])
    assert result.failure.message == "1 of 2 delegates failed: on `lb1`: the host refused the connection"
    assert [(item.item, item.status) for item in result.items] == [
        ("lb1", Status.UNREACHABLE),
        ("lb2", Status.OK),
    ]


async def test_items_go_to_every_delegate(tmp_path: Path) -> None:
    """A loop on several delegates: each item on each of them, in order."""
    seen = await delegated(
        tmp_path,
        f"""\
        - id: drain
          hosts: a
          delegate_to: [lb1, lb2]
          loop: [x, y]
          script: 'echo $Using:item >> {tmp_path}/log'
        """,
        Wire(),
    )
    assert (tmp_path / "log").read_text().split() == ["x", "x", "y", "y"]
    assert [item.item for item in seen.result("drain").items] == ["x", "y"]


async def test_several_delegates_each_have_their_attempts(tmp_path: Path) -> None:
    """What went well at the first is not done there again because of the second."""
    seen = await delegated(
        tmp_path,
        f"""\
        - id: drain
          hosts: a
          delegate_to: [lb1, lb2]
          retry: {{attempts: 3, delay: 1ms}}
          script: 'echo run >> {tmp_path}/log; test $(wc -l < {tmp_path}/log) != 2'
        """,
        Wire(),
    )
    result = seen.result("drain")
    assert [item.attempt for item in result.items] == [1, 2]
    assert (result.status, (tmp_path / "log").read_text().count("run")) == (Status.OK, 3)
