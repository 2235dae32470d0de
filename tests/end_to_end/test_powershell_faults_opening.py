"""PowerShell over SSH and as a process where the login, the subsystem or the program is wrong, or the line is cut."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.faults import black_hole, listener, password_server
from tests.end_to_end.site import PATIENCE, Finished, Run, Site
from tests.support import openssh
from tests.support.engines import program, scripted_command, subsystem
from tests.support.openssh import OpenSsh, free_port, make_key

pytestmark = [pytest.mark.sshd]

CHANGED, UNKNOWN = "127.0.0.2", "127.0.0.3"


@dataclass(frozen=True)
class Ill:
    """A host over SSH, or a process of this machine: how it is connected to, and how that must end."""

    connection: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    said: str = ""
    address: str = "127.0.0.1"
    status: str = "unreachable"

    @property
    def local(self) -> bool:
        """Whether it is a process of this machine."""
        return self.connection.get("transport") == "local"


LOCAL = {"transport": "local"}
HOSTS: dict[str, Ill] = {
    "good": Ill(status="ok"),
    "near": Ill(LOCAL | {"interpreter": "good"}, status="ok"),
    "wrong_key": Ill({"key_file_path": "other_key"}, "login-refused"),
    "wrong_password": Ill({"credential": "wrong"}, "login-refused", said="password"),
    "changed": Ill(code="host-key-changed", address=CHANGED),
    "unknown": Ill(code="host-key-unknown", address=UNKNOWN),
    "nothing": Ill(code="connection-refused"),
    "silent": Ill(code="connect-timeout"),
    "hole": Ill(code="connect-timeout"),
    "wrong_subsystem": Ill({"subsystem": "pwsh7"}, "subsystem-missing", "Subsystem pwsh7 "),
    "no_engine": Ill({"subsystem": "ps-missing"}, "engine-missing", "`ps-missing`"),
    "ending": Ill({"subsystem": "ps-ending"}, "engine-ended", "5"),
    "babbling": Ill({"subsystem": "ps-babbling"}, "engine-not-speaking"),
    "near_missing": Ill(LOCAL | {"interpreter": "missing"}, "engine-missing"),
    "near_ending": Ill(LOCAL | {"interpreter": "ending"}, "engine-ended", "5"),
    "near_babbling": Ill(LOCAL | {"interpreter": "babbling"}, "engine-not-speaking"),
    "cut": Ill(code="connection-lost", status="failed"),
}

STEPS = """\
- {id: work, target: all, template: true, script: "{{ words }}"}
- {id: after, target: all, script: say on}
- {id: report, run_if: always, needs: [{step: after, wait: all}], script: echo done}
"""
HEAD = """\
targets: {all: {hosts: all}}
credentials: {wrong: {username: x, password: {env: WRONG}}}
"""


def _programs(folder: Path) -> dict[str, str]:
    """What is started in place of PowerShell, by name."""
    kinds = {
        "good": scripted_command(),
        "ending": ["sh", "-c", "exit 5"],
        "babbling": ["sh", "-c", "echo PowerShell 7.6.5; echo; echo 'PS />'"],
    }
    made = {}
    for name, command in kinds.items():
        (folder / name).mkdir(parents=True)
        made[name] = program(folder / name, command)
    return made | {"missing": str(folder / "missing" / "pwsh")}


async def _ports(site: Site, sshd: OpenSsh, cut: OpenSsh, stack: AsyncExitStack) -> dict[str, int]:
    right = site.write("right-password", "right")
    ports = {name: sshd.port for name, ill in HOSTS.items() if not ill.local}
    return ports | {
        "wrong_password": await stack.enter_async_context(password_server(sshd.folder / "host_key", right)),
        "nothing": free_port(),
        "silent": await stack.enter_async_context(listener()),
        "hole": await stack.enter_async_context(black_hole()),
        "cut": cut.port,
    }


def _write(
    site: Site, sshd: OpenSsh, cut: OpenSsh, ports: Mapping[str, int], programs: Mapping[str, str]
) -> None:
    strange = " ".join(make_key(site.folder / "other_key").with_suffix(".pub").read_text().split()[:2])
    known = [f"[127.0.0.1]:{port} {sshd.host_key}" for port in {sshd.port, ports["wrong_password"]}]
    with (site.home / ".ssh" / "known_hosts").open("a") as file:
        file.write("\n".join([*known, f"[{CHANGED}]:{sshd.port} {strange}", ""]))
    hosts: dict[str, Any] = {}
    for name, ill in HOSTS.items():
        connection = dict(ill.connection)
        if ill.local:
            connection["interpreter"] = programs[connection["interpreter"]]
        else:
            connection = {"user_name": sshd.user, "subsystem": "ps-good", "port": ports[name]} | connection
        if name == "cut":
            connection["key_file_path"] = str(cut.client_key)
        elif "key_file_path" in connection:
            connection["key_file_path"] = str(site.folder / connection["key_file_path"])
        words = "say begun\nsleep" if name == "cut" else "say fine"
        hosts[name] = {"address": ill.address, "connection": connection, "vars": {"words": words}}
    common = {"transport": "ssh", "shell": "powershell", "connect_timeout": "5s"}
    site.write("inventory.yml", json.dumps({"version": 1, "connection": common, "hosts": hosts}, indent=1))
    site.environment["WRONG"] = "not the password"
    site.book(STEPS, HEAD)


async def _cut(site: Site, run: Run, cut: OpenSsh) -> None:
    """Break the connection once the script there has begun."""
    events = site.folder / "events.jsonl"
    while run.process.returncode is None and not (events.exists() and '"text": "begun' in events.read_text()):
        await asyncio.sleep(0.05)
    cut.signal_children(signal.SIGKILL)


async def _run(site: Site, folder: Path) -> Finished:
    programs = _programs(folder / "programs")
    lines = (
        "".join(subsystem([path], f"ps-{name}") for name, path in programs.items())
        + f"MaxStartups 200\nListenAddress {CHANGED}\nListenAddress {UNKNOWN}\n"
    )
    async with AsyncExitStack() as stack:
        sshd = stack.enter_context(openssh.running(folder / "sshd", extra=lines))
        cut = stack.enter_context(openssh.running(folder / "cut", extra=lines))
        site.know(cut)
        (site.home / ".ssh" / "id_ed25519").write_bytes(sshd.client_key.read_bytes())
        _write(site, sshd, cut, await _ports(site, sshd, cut, stack), programs)
        run = await site.start("-o", "jsonl=events.jsonl")
        done, _ = await asyncio.gather(run.finish(), _cut(site, run, cut))
    return done


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, server: OpenSsh) -> Iterator[Finished]:
    """One run of all."""
    folder = tmp_path_factory.mktemp("opening")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.end_to_end.site.PATIENCE", 3 * PATIENCE)
        yield asyncio.run(_run(Site(folder / "site", server), folder))


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_ends_in_its_status(done: Finished, host: str) -> None:
    """Status, code, whether anything may have run, and the way out."""
    ill, result = HOSTS[host], done.result("work", host)
    failure = result["failure"] or {"code": None, "may_have_run": False, "message": "", "hints": []}
    found = (result["status"], failure["code"], failure["may_have_run"])
    assert found == (ill.status, ill.code, ill.status == "failed"), failure
    assert ill.said in failure["message"] + "\n".join(failure["hints"])
    assert ("nothing was run" in failure["message"]) == (ill.status == "unreachable")
    expected = {"ok": ["fine"], "unreachable": [], "failed": ["begun"]}
    assert result["output"] == expected[ill.status]


def test_the_good_hosts_go_on(done: Finished) -> None:
    """The next step runs on them and on no other; the last one runs at the end, and nobody reads a traceback."""
    assert done.statuses("after") == {
        name: "ok" if ill.status == "ok" else "skipped" for name, ill in HOSTS.items()
    }
    assert done.output("report", "localhost") == ["done"]
    assert done.code == 1
    assert "Traceback" not in done.stdout + done.stderr
