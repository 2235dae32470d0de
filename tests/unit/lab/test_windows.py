"""A lab with Windows-like hosts, really up: what clients need is written, sessions open, troubles are taken."""

from __future__ import annotations

import gzip
import http.client
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncssh
import pytest
import requests
import yaml
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from runner.errors import UsageError
from runner.lab.certificates import Flaw
from runner.lab.control import lab_down, lab_status, lab_up, render_lab
from runner.lab.fleet import lab_hosts
from runner.lab.recordings import PACKED
from runner.lab.state import LabCondition, LabState, marked_processes
from runner.lab.trouble_calls import lab_certificate, lab_trouble, read_trouble
from runner.lab.troubles import Kind, Trouble
from tests.support.pack_recordings import RECORDINGS, packed


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """Five Linux hosts, of them one database, and two Windows-like ones."""
    directory = tmp_path_factory.mktemp("lab")
    yield lab_up(5, directory, windows=2)
    lab_down(directory)


def connection(lab: LabState, name: str) -> dict[str, Any]:
    """How a Windows-like host is reached, as the inventory says."""
    group = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["groups"]["windows"]
    return {**group["connection"], **group["hosts"][name]["connection"]}


def client(lab: LabState, name: str, **settings: Any) -> WSMan:
    """A client of a Windows-like host."""
    how = connection(lab, name)
    given = {
        "port": how["port"],
        "ssl": how["use_ssl"],
        "auth": how["authentication"],
        "username": "Administrator",
        "password": lab.directory.password.read_text(encoding="utf-8").strip(),
        "cert_validation": str(lab.directory.authority),
        "no_proxy": True,
    }
    return WSMan("127.0.0.1", **{**given, **settings})


OF_A_LAB = ([1033], [127])
"""en-US, as recorded, and the invariant culture, which a real engine has where the language is C."""


def cultures(wsman: WSMan) -> list[int]:
    """What example 2 of the reference runs: the culture's number."""
    with wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_script("Get-Culture")
        return [found.lcid for found in shell.invoke()]


@pytest.mark.pwsh
@pytest.mark.parametrize("name", ["win-01", "win-02"])
def test_a_session_opens_as_the_inventory_says(lab: LabState, name: str) -> None:
    """One over https, one over http with encrypted messages."""
    assert connection(lab, name)["use_ssl"] == (name == "win-01")
    assert cultures(client(lab, name)) in OF_A_LAB


@pytest.mark.pwsh
def test_basic_is_a_login_too(lab: LabState) -> None:
    """Over https."""
    assert cultures(client(lab, "win-01", auth="basic")) in OF_A_LAB


@pytest.mark.pwsh
def test_a_certificate_is_a_login_over_https(lab: LabState) -> None:
    """Without the password; only its owner can read it."""
    path = lab.directory.client_certificate
    settings = {"username": None, "password": None, "auth": "certificate"}
    files = {"certificate_pem": str(path), "certificate_key_pem": str(path)}
    assert cultures(client(lab, "win-01", **settings, **files)) in OF_A_LAB
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.pwsh
@pytest.mark.parametrize(
    ("name", "auth", "user"),
    [
        ("win-01", "basic", "admin@exchangelabs.com"),
        ("win-02", "negotiate", "Domain01\\User01"),
        ("win-02", "credssp", "Domain01\\Admin01"),
    ],
)
def test_the_users_of_the_examples_log_in(lab: LabState, name: str, auth: str, user: str) -> None:
    """Those of Invoke-Command's reference, with the password of the lab."""
    assert cultures(client(lab, name, auth=auth, username=user)) in OF_A_LAB


def test_no_password_is_in_the_inventory_or_readable_by_others(lab: LabState) -> None:
    """It is in one file of mode 0600, which the environment reads."""
    password = lab.directory.password.read_text(encoding="utf-8").strip()
    assert len(password) > 16
    for path in lab.directory.path.rglob("*"):
        if path.is_file() and password in path.read_text(encoding="utf-8", errors="replace"):
            assert path.stat().st_mode & 0o077 == 0, path
    assert password not in lab.inventory.read_text(encoding="utf-8")
    said = subprocess.run(
        [
            "sh",
            "-c",
            '. "$1" && echo "$RUNNER_LAB_PASSWORD" && echo "$SSL_CERT_FILE"',
            "-",
            lab.directory.environment,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == [password, str(lab.directory.authority)]


def test_no_password_is_in_a_process_list(lab: LabState) -> None:
    """Neither among arguments nor in the environment of the server."""
    password = lab.directory.password.read_bytes().strip()
    for pid in [*marked_processes(lab.token), lab.pid]:
        for name in ("cmdline", "environ"):
            assert password not in Path(f"/proc/{pid}/{name}").read_bytes()


@pytest.mark.pwsh
@pytest.mark.parametrize(("name", "offered"), [("web-01", True), ("app-01", True), ("db-01", False)])
async def test_powershell_is_a_subsystem_of_some_hosts(lab: LabState, name: str, offered: bool) -> None:
    """It answers packets; a database has none and says so."""
    document = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
    [group] = [group for group in document["groups"].values() if name in group["hosts"]]
    async with asyncssh.connect(
        "127.0.0.1",
        group["hosts"][name]["connection"]["port"],
        username=group["connection"]["user_name"],
        client_keys=[document["connection"]["key_file_path"]],
        known_hosts=document["connection"]["known_hosts"],
        config=[],
        agent_path=None,
    ) as ssh:
        if not offered:
            with pytest.raises(asyncssh.ChannelOpenError):
                await ssh.create_process(subsystem="powershell", encoding=None)
            return
        process = await ssh.create_process(subsystem="powershell", encoding=None)
        pipeline = uuid4()
        process.stdin.write(f"<Command PSGuid='{pipeline}' />\n".encode())
        assert (await process.stdout.readline()).strip() == f"<CommandAck PSGuid='{pipeline}' />".encode()
        process.close()


def test_the_status_names_every_host(lab: LabState) -> None:
    """And what a shell needs first."""
    state = lab_status(lab.directory.path)
    assert [served.host.name for served in state.hosts][-2:] == ["win-01", "win-02"]
    assert "2 windows" in render_lab(state)
    assert "environment.sh" in render_lab(state)


def test_another_number_of_windows_hosts_starts_anew(tmp_path: Path) -> None:
    """The password stays, and without Windows-like hosts nothing speaks of them."""
    first = lab_up(1, tmp_path, windows=1)
    try:
        password = first.directory.password.read_text(encoding="utf-8")
        assert lab_up(1, tmp_path, windows=1).condition is LabCondition.RUNNING
        assert lab_up(1, tmp_path, windows=2).condition is LabCondition.RESTARTED
        assert first.directory.password.read_text(encoding="utf-8") == password
        without = lab_up(1, tmp_path)
        assert "windows" not in yaml.safe_load(without.inventory.read_text(encoding="utf-8"))["groups"]
        assert not without.directory.environment.exists()
    finally:
        lab_down(tmp_path)


@pytest.mark.pwsh
def test_down_ends_engines(tmp_path: Path) -> None:
    """Also of a client that has not closed its session."""
    lab = lab_up(1, tmp_path, windows=1)
    wsman = client(lab, "win-01")
    with wsman:
        RunspacePool(wsman).open()
        assert len(marked_processes(lab.token)) == 1
        lab_down(tmp_path)
    assert marked_processes(lab.token) == []


def test_a_trouble_is_taken_over_http_and_https(lab: LabState) -> None:
    """It befalls the next request, and can be taken back."""
    for name in ("win-01", "win-02"):
        lab_trouble(
            name,
            Trouble(kind=Kind.REDIRECT, times=None, location="http://127.0.0.1:1/wsman"),
            lab.directory.path,
        )
        assert status(lab, name) == 302
        lab_trouble(name, None, lab.directory.path)
        assert status(lab, name) == 401


def test_a_certificate_goes_bad_and_good_again(lab: LabState) -> None:
    """For who connects next; the host that speaks http has none."""
    lab_certificate("win-01", Flaw.EXPIRED, lab.directory.path)
    with pytest.raises(requests.exceptions.SSLError, match="expired"):
        status(lab, "win-01")
    lab_certificate("win-01", Flaw.NONE, lab.directory.path)
    assert status(lab, "win-01") == 401
    with pytest.raises(UsageError, match="it speaks http"):
        lab_certificate("win-02", Flaw.EXPIRED, lab.directory.path)


def status(lab: LabState, name: str) -> int:
    """The status of a request without a login."""
    how = connection(lab, name)
    scheme = "https" if how["use_ssl"] else "http"
    answer = requests.post(
        f"{scheme}://127.0.0.1:{how['port']}/wsman",
        data=b"",
        verify=str(lab.directory.authority),
        allow_redirects=False,
        timeout=30,
    )
    return answer.status_code


def test_a_trouble_is_read_from_a_command_line() -> None:
    """Details are keys with values; what is none of them is refused with an example."""
    read = read_trouble("delay", ["on=Receive", "seconds=2.5", "skip=1", "times=0"])
    assert read == Trouble(kind=Kind.DELAY, on="Receive", seconds=2.5, skip=1, times=None)
    for detail in ("seconds=soon", "colour=red", "on"):
        with pytest.raises(UsageError, match="says nothing about a trouble") as told:
            read_trouble("delay", [detail])
        assert "on=Receive seconds=2" in told.value.hints[0]


def test_a_trouble_must_fit(lab: LabState) -> None:
    """A host without WinRM, an unknown one, and a trouble that names no operation are refused."""
    for name in ("web-01", "win-09"):
        with pytest.raises(UsageError, match="no Windows-like host"):
            lab_trouble(name, None, lab.directory.path)
    with pytest.raises(UsageError, match="say which one"):
        lab_trouble("win-01", Trouble(kind=Kind.KILL), lab.directory.path)


def test_a_stranger_cannot_cause_trouble(lab: LabState) -> None:
    """Without the lab's token there is no such address."""
    how = connection(lab, "win-02")
    asked = http.client.HTTPConnection("127.0.0.1", how["port"], timeout=30)
    asked.request(
        "POST", "/runner-lab/troubles", json.dumps({"kind": "drop"}), {"X-Runner-Lab-Token": "wrong"}
    )
    assert asked.getresponse().status == 404
    asked.close()


def test_wrong_numbers_are_refused(tmp_path: Path) -> None:
    """Nothing is started."""
    for windows in (-1, 51):
        with pytest.raises(UsageError, match="from 0 to 50"):
            lab_up(1, tmp_path, windows=windows)


def test_windows_hosts_come_last() -> None:
    """Whatever else is there stays as it is without them."""
    assert lab_hosts(5, 2)[:5] == lab_hosts(5)
    assert [(host.name, host.user) for host in lab_hosts(5, 2)[5:]] == [
        ("win-01", "Administrator"),
        ("win-02", "Administrator"),
    ]


def test_stand_ins_are_those_of_the_recordings() -> None:
    """So that a real engine gives what the recordings say."""
    recording = json.loads((RECORDINGS / "e14-exchange.json").read_bytes())
    stand_ins = PACKED.with_name("stand_ins.ps1").read_text(encoding="utf-8")
    assert stand_ins.endswith(recording["runs"][0]["script"].strip() + "\n")


def test_the_recordings_of_the_lab_are_those_of_the_tests() -> None:
    """`python -m tests.support.pack_recordings` packs them anew."""
    assert gzip.decompress(PACKED.read_bytes()) == gzip.decompress(packed())
