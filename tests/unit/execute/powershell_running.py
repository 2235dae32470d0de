"""PowerShell steps on hosts that are in this process: an inventory of two, sessions, and scripts that they know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.powershell_host import Call, FakeHost, FakeWinrm, Refused, Stays
from tests.unit.execute.running import Seen, run

INVENTORY = """\
version: 1
connection: {transport: winrm, use_ssl: true}
hosts: {win: {}, other: {}}
"""

HEAD = """\
version: 1
targets: {all: {hosts: win}, both: {hosts: all}}
sessions:
  warm: {target: all}
  again: {target: all, on_loss: reopen}
  clean: {target: all, reset: step}
steps:
"""


def answering(*values: Any) -> Any:
    return lambda call: call.write(*values)


def throwing(message: str) -> Any:
    def script(call: Call) -> None:
        raise Refused(message)

    return script


def staying(call: Call) -> None:
    call.write("begun")
    raise Stays


def assign(call: Call) -> None:
    call.host.carriers[-1].runspace.variables["v"] = 5


def read(call: Call) -> None:
    call.write(call.host.carriers[-1].runspace.variables.get("v"))


def host(**more: Any) -> FakeHost:
    scripts = {
        "$v = 5": assign,
        "$v": read,
        "hang": staying,
        "throw 'bad'": throwing("bad"),
        "'x'": answering("x"),
    }
    return FakeHost(scripts=scripts | more.pop("scripts", {}), **more)


async def play(folder: Path, win: FakeHost, steps: str, **more: Any) -> Seen:
    hosts = {"win": win, "other": more.pop("other", FakeHost())}
    text = HEAD + "".join(f"  {line}\n" for line in steps.strip("\n").splitlines())
    return await run(folder, text, inventory=INVENTORY, transports={"winrm": FakeWinrm(hosts)}, **more)
