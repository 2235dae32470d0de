"""The examples of Invoke-Command's reference on the wire: what each sends to WinRM is what the reference implies.

Every host is one front end in this process that remembers what it was asked; it answers as the lab does. The logins go
over http with messages sealed by NTLM, as Invoke-Command's do where nothing is said, unless the example says https.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.lab.certificates import Flaw
from runner.lab.engines import in_process_engine
from runner.lab.psrp_messages import CREATE_PIPELINE, Joiner
from runner.lab.recordings import unpack_recordings
from runner.lab.replay_recordings import Recordings
from runner.lab.troubles import Kind, Trouble
from runner.lab.wsman_settings import Quotas
from runner.lab.wsman_soap import NAMESPACES
from tests.docs.conftest import ROOT
from tests.support.examples import (
    EXAMPLES,
    EXCHANGE,
    FOLDER,
    comparable,
    path_of,
    recorded_output,
    recorded_run,
)
from tests.support.recorded import runs_of
from tests.support.recorded_own import of_client
from tests.support.recorded_requests import Asked, asked
from tests.support.winrm_lab import WinrmHost, front_end

PASSWORD = "Winter 2026!"
GUESTS = (
    "Administrator",
    "Domain01\\User01",
    "Domain01\\Admin01",
    "server01\\user01",
    "admin@exchangelabs.com",
)
OVER_WINRM = [number for number, example in EXAMPLES.items() if number < 19]
OVER_HTTPS = {14, 15, 16}
PREFIX = "http://schemas.microsoft.com/powershell/"


@dataclass(frozen=True)
class Finished:
    """A run that has ended: its exit code, the results by step and host, and what it said."""

    code: int
    results: dict[tuple[str, str], dict[str, Any]]
    said: str


@dataclass
class Fleet:
    """Every host of the examples, which are all one front end."""

    host: WinrmHost
    folder: Path
    names: tuple[str, ...]

    @property
    def uri(self) -> str:
        """What takes the place of Exchange's address."""
        return f"https://localhost:{self.host.port}"

    def pipelines(self) -> list[Asked]:
        """The pipelines that were asked for, in their order."""
        texts = [
            request.body.findtext("rsp:CommandLine/rsp:Arguments", None, NAMESPACES)
            for request in self.host.requests
        ]
        messages = [message for text in texts if text for message in Joiner().feed(base64.b64decode(text))]
        return [asked(message.body) for message in messages if message.kind == CREATE_PIPELINE]

    def operations(self, name: str) -> list[Any]:
        """The requests for one operation."""
        return [request for request in self.host.requests if request.operation == name]

    async def run(self, playbook: Path, *arguments: str) -> Finished:
        """Run a playbook of a copy of the examples, with the URI of this fleet."""
        copy = self.folder / "invoke-command"
        if not copy.exists():
            shutil.copytree(FOLDER, copy)
        text = playbook.read_text().replace(f"https://{EXCHANGE}", self.uri)
        (copy / playbook.name).write_text(text)
        scheme = {"use_ssl": self.host.url.startswith("https")}
        connection = {
            "transport": "winrm",
            "trusted_hosts": "*",
            "port": self.host.port,
            "connect_timeout": "5m",  # 200 logins of a machine with little to spare
            **scheme,
        }
        inventory = {
            "version": 1,
            "connection": connection,
            "vars": {"ansible_user": "Administrator", "ansible_password": PASSWORD},
            "hosts": {name: {"address": "localhost"} for name in self.names},
        }
        (self.folder / "inventory.yml").write_text(json.dumps(inventory))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "WINDOWS_PASSWORD": PASSWORD,
        }
        if scheme["use_ssl"]:
            environment["SSL_CERT_FILE"] = str(self.host.ca_file)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runner", "run", str(copy / playbook.name)),
            *("-i", str(self.folder / "inventory.yml"), "-o", "json", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=self.folder,
        )
        stdout, stderr = await process.communicate()
        assert process.returncode is not None
        document = json.loads(stdout)
        results = {(each["step"], each["host"]): each for each in document.get("results", ())}
        return Finished(process.returncode, results, stdout.decode() + stderr.decode())


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    """What the hosts of a lab answer."""
    folder = tmp_path_factory.mktemp("recordings")
    unpack_recordings(folder)
    return Recordings(folder)


@asynccontextmanager
async def fleet(
    answers: Recordings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tls: Flaw | None = None,
    names: tuple[str, ...] = (),
) -> AsyncIterator[Fleet]:
    """All hosts of the examples, and further ones."""
    logins = [f"{guest.rpartition(chr(92))[0]}:{guest.rpartition(chr(92))[2]}" for guest in GUESTS]
    users = folder / "ntlm"
    users.write_text("".join(f"{login}:{PASSWORD}\n" for login in logins))
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    async with front_end(
        users=dict.fromkeys(GUESTS, PASSWORD),
        engine=in_process_engine(answers),
        quotas=Quotas(max_shells_per_user=1000),
        application_names=("wsman", "PowerShell"),
        tls=tls,
        mechanisms=frozenset({"basic", "negotiate", "credssp"}),
        unencrypted=False,
    ) as host:
        known = {name for example in EXAMPLES.values() for name in example.hosts}
        yield Fleet(host, folder, (*sorted(known), *names))


@pytest.mark.parametrize("number", OVER_WINRM)
async def test_an_example_asks_for_what_the_reference_implies(
    number: int, answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions, their configuration, pipelines with arguments and `$Using:` values, and the recorded answer."""
    example = EXAMPLES[number]
    tls = Flaw.NONE if number in OVER_HTTPS else None
    async with fleet(answers, tmp_path, monkeypatch, tls=tls) as hosts:
        finished = await hosts.run(path_of(number))

        assert finished.code == 0, finished.said
        creations = hosts.operations("Create")
        shells = example.shells or len(example.steps) * len(example.hosts)
        assert len(creations) == shells
        assert {request.resource_uri for request in creations} == {PREFIX + example.configuration}
        assert hosts.host.shells == 0, "a session was left open"
        wanted = [recorded_run(name).asked for name in example.steps.values()]
        assert comparable(hosts.pipelines()) == comparable(wanted * len(example.hosts))
        for name, (step, host) in _recorded(example.steps, finished):
            assert finished.results[step, host]["output"] == recorded_output(name)


def _recorded(steps: Any, finished: Finished) -> list[tuple[str, tuple[str, str]]]:
    return [(steps[step], (step, host)) for step, host in finished.results if step in steps]


async def test_a_using_value_is_sent_as_powershells_own_client_sends_it(
    answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 9: the entry of `--%` for `$Using:Log` equals that of the recorded client, key and value."""
    [own] = runs_of(of_client("using"))
    async with fleet(answers, tmp_path, monkeypatch) as hosts:
        await hosts.run(path_of(9))
        [pipeline] = hosts.pipelines()
    using = pipeline.statements[0][0].using
    assert using.keys() == {"$using:log"}
    assert using["$using:log"] == own.asked.statements[0][0].using["$using:log"]


async def test_a_simple_block_is_a_command_where_it_is_said(
    answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 2 with `command`: equal to what PowerShell's own client makes of that block."""
    book = path_of(2).read_text().replace("script: Get-Culture", "command: Get-Culture")
    (tmp_path / "02-command.yml").write_text(book)
    async with fleet(answers, tmp_path, monkeypatch) as hosts:
        await hosts.run(tmp_path / "02-command.yml")
        assert comparable(hosts.pipelines()) == comparable(
            [run.asked for run in runs_of(of_client("simple-command"))]
        )


async def test_200_computers_answer(
    answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 7 with a file of 200 names: a result for each, and all are counted."""
    names = tuple(f"Machine{number:03d}" for number in range(1, 201))
    shutil.copytree(FOLDER, tmp_path / "invoke-command")
    (tmp_path / "invoke-command" / "Machines.txt").write_text("\n".join(names))
    async with fleet(answers, tmp_path, monkeypatch, names=names) as hosts:
        finished = await hosts.run(path_of(7))
        assert finished.code == 0, finished.said
        assert hosts.host.counters.shells_opened == 200
    assert finished.results["summary", "localhost"]["output"] == ["7.6.5: 200"]
    assert {host for step, host in finished.results if step == "ask"} == set(names)


async def test_exchange_is_logged_in_to_by_basic(
    answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 14, over https; as a script the command would be refused, since Exchange has no language."""
    async with fleet(answers, tmp_path, monkeypatch, tls=Flaw.NONE) as hosts:
        await hosts.run(path_of(14))
        assert set(hosts.host.counters.logins) == {"Basic"}
        book = path_of(14).read_text()
        head = book[: book.index("    command: Set-Mailbox")]
        (tmp_path / "14-script.yml").write_text(
            f"{head}    script: Set-Mailbox Dan -DisplayName 'Dan Park'\n"
        )
        refused = await hosts.run(tmp_path / "14-script.yml")
        assert refused.code == 1
        assert "no-language mode" in refused.said


@pytest.mark.parametrize("flaw", [Flaw.WRONG_CA, Flaw.WRONG_NAME])
async def test_the_checks_of_a_certificate_are_skipped_where_it_is_said(
    flaw: Flaw, answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 15 against a bad certificate; without its session option nothing is sent."""
    async with fleet(answers, tmp_path, monkeypatch, tls=flaw) as hosts:
        finished = await hosts.run(path_of(15))
        assert finished.code == 0, finished.said
        book = path_of(15).read_text().replace(", session_option: so", "")
        (tmp_path / "15-checked.yml").write_text(book)
        before = len(hosts.host.requests)
        checked = await hosts.run(tmp_path / "15-checked.yml")
        assert checked.results["hot_fixes", "Server01"]["status"] == "unreachable"
        assert len(hosts.host.requests) == before


@pytest.mark.parametrize(("hops", "status"), [(1, "ok"), (2, "unreachable")])
async def test_a_second_redirection_is_an_error_of_the_host(
    hops: int, status: str, answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 16: one hop is followed, the second exceeds MaximumRedirection and stops no other step."""
    book = path_of(16).read_text() + "\n  - id: other\n    needs: []\n    shell: sh\n    script: echo here\n"
    (tmp_path / "16-redirected.yml").write_text(book)
    async with fleet(answers, tmp_path, monkeypatch, tls=Flaw.NONE) as hosts:
        location = f"{hosts.uri}/PowerShell?hop={{n}}"
        hosts.host.troubles.add(Trouble(kind=Kind.REDIRECT, location=location, times=hops))
        finished = await hosts.run(tmp_path / "16-redirected.yml")
    [found] = [result for (step, _), result in finished.results.items() if step == "mailbox"]
    assert found["status"] == status, finished.said
    assert finished.results["other", "localhost"]["output"] == ["here"]
    if hops == 2:
        assert found["failure"]["code"] == "redirect-loop"


async def test_the_second_hop_gets_the_credential(
    answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 17: the host is given user and password, with which it can log in further on."""
    async with fleet(answers, tmp_path, monkeypatch) as hosts:
        await hosts.run(path_of(17))
        delegated = list(hosts.host.front.delegated)
        assert set(hosts.host.counters.logins) == {"CredSSP"}
    assert [getattr(each, "username", None) for each in delegated] == ["Admin01"]
    assert [getattr(each, "password", None) for each in delegated] == [PASSWORD]


async def test_a_session_takes_no_login_of_a_step(
    answers: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Example 17 as 5.1's text has it, `-Session` beside `-Authentication` and `-Credential`, is refused by name."""
    book = path_of(17).read_text()
    head = book[: book.index("steps:")]
    steps = (
        "sessions: {s: {target: server}}\n"
        "steps:\n"
        "  - id: script\n"
        "    session: s\n"
        "    connection: {authentication: credssp, credential: admin01}\n"
        "    script: Get-Item x\n"
    )
    (tmp_path / "17-of-5.1.yml").write_text(head + steps)
    async with fleet(answers, tmp_path, monkeypatch) as hosts:
        refused = await hosts.run(tmp_path / "17-of-5.1.yml")
        assert refused.code == 2, refused.said
        assert "session" in refused.said
        assert hosts.host.requests == []


async def test_options_name_no_host(tmp_path: Path) -> None:
    """Example 22 as its text has it, `-Options` without `-HostName`, is refused with what is missing."""
    book = path_of(22).read_text().replace("    hosts: LinuxServer5\n", "")
    (tmp_path / "22.yml").write_text(book)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runner", "validate", str(tmp_path / "22.yml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    said, _ = await process.communicate()
    assert process.returncode == 2
    assert b"`hosts`" in said
