"""`runner doctor` over a lab: what is well, and what a lab can do wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.lab.certificates import Flaw
from runner.lab.control import lab_down, lab_up
from runner.lab.state import LabState
from runner.lab.trouble_calls import lab_certificate, lab_trouble
from runner.lab.troubles import Kind, Trouble
from tests.support.command_line import Done, Typed
from tests.support.engines import engine_program, real_engine

PLAYBOOK = """\
version: 1
name: Cultures
credentials:
  lab: {username: Administrator, password: {env: RUNNER_LAB_PASSWORD}}
targets:
  constrained: {hosts: win-02, configuration_name: Microsoft.Exchange}
  unknown: {hosts: win-02, configuration_name: Nowhere}
steps:
  - {hosts: windows, script: Get-Culture}
"""

LOCAL = """\
version: 1
targets:
  here: {{local: true, shell: powershell, interpreter: {interpreter}}}
steps:
  - {{target: here, script: 1..3}}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """Five Linux hosts, a database without PowerShell among them, and two Windows-like ones: https and http."""
    directory = tmp_path_factory.mktemp("lab")
    yield lab_up(5, directory, windows=2)
    lab_down(directory)


@pytest.fixture
def environment(lab: LabState, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `environment.sh` of the lab sets, and a playbook that has its credential."""
    monkeypatch.setenv("SSL_CERT_FILE", str(lab.directory.authority))
    monkeypatch.setenv("RUNNER_LAB_PASSWORD", lab.directory.password.read_text(encoding="utf-8").strip())
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{folder / 'no-tickets'}")
    (folder / "site.yml").write_text(PLAYBOOK, encoding="utf-8")


def findings(done: Done, place: str) -> dict[str, dict[str, Any]]:
    """What was found at a place, by check."""
    document = json.loads(done.out)
    return {finding["check"]: finding for finding in document["findings"] if finding["place"] == place}


def missing(found: dict[str, dict[str, Any]]) -> list[str]:
    """The checks that something is missing of."""
    return [check for check, finding in found.items() if not finding["ok"]]


def test_the_controller_alone(typed: Typed) -> None:
    """Without targets nothing is connected to, and the programs of local steps are listed."""
    done = typed("doctor", "-o", "json")
    document = json.loads(done.out)
    assert {finding["place"] for finding in document["findings"]} == {"controller"}
    assert {"runner", "sh", "bash", "python3", "pwsh"} <= set(findings(done, "controller"))


def test_linux_hosts(typed: Typed, lab: LabState) -> None:
    """One small script tells of the interpreters, the clock and the directory for temporary files."""
    done = typed("doctor", "-i", str(lab.inventory), "web", "-o", "json")
    assert done.code == 0
    for host in ("web-01", "web-02", "web-03"):
        found = findings(done, host)
        assert list(found) == [
            *("login", "bash", "dd", "sha256sum"),
            *("python3", "clock", "temporary files"),
        ]
        assert missing(found) == []


def test_a_host_that_is_not_there(typed: Typed, lab: LabState) -> None:
    """It is told with the hint of a run, the others are looked at, and the exit code is 3."""
    done = typed("doctor", "-i", str(lab.inventory), "-i", "nowhere.invalid,", "all:!windows", "-o", "json")
    assert done.code == 3
    found = findings(done, "nowhere.invalid")
    assert missing(found) == ["login"]
    assert found["login"]["hint"]
    assert missing(findings(done, "app-01")) == []


@pytest.mark.pwsh
@pytest.mark.usefixtures("environment")
def test_windows_hosts_of_a_playbook(typed: Typed, lab: LabState) -> None:
    """Each thing on the way to a session is told, over https and over http, and nothing is left open."""
    done = typed("doctor", "-i", str(lab.inventory), "-p", "site.yml", "-o", "json")
    assert done.code == 0, done.out
    first, second = findings(done, "win-01"), findings(done, "win-02")
    assert list(first) == [
        *("listener", "certificate", "authentication", "clock"),
        *("login", "session configuration", "PowerShell"),
    ]
    assert list(second) == [check for check in first if check != "certificate"]
    assert "issued by CN=runner lab CA" in first["certificate"]["seen"]
    assert first["authentication"]["seen"] == "offers Negotiate, Basic, CredSSP"
    assert first["login"]["seen"] == "as Administrator by negotiate"
    assert first["session configuration"]["seen"] == "Microsoft.PowerShell"
    assert first["PowerShell"]["seen"][0].isdigit()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("flaw", "words", "mend"),
    [
        (Flaw.EXPIRED, "expired on", "Set-WSManInstance winrm/config/Listener"),
        (Flaw.WRONG_NAME, "is not for", "New-SelfSignedCertificate"),
        (Flaw.WRONG_CA, "comes from no trusted authority", "export SSL_CERT_FILE=$PWD/win-01.pem"),
        (Flaw.REVOKED, "was revoked", "Set-WSManInstance winrm/config/Listener"),
    ],
)
def test_a_bad_certificate(
    flaw: Flaw, words: str, mend: str, typed: Typed, lab: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told who it says it is and why it was refused, with the commands that mend it."""
    lab_certificate("win-01", flaw, lab.directory.path)
    if flaw is Flaw.REVOKED:
        monkeypatch.setenv("RUNNER_WINRM_CRL", str(lab.directory.revocations))
    try:
        done = typed("doctor", "-i", str(lab.inventory), "-p", "site.yml", "win-01", "-o", "json")
    finally:
        lab_certificate("win-01", Flaw.NONE, lab.directory.path)
    assert done.code == 3
    found = findings(done, "win-01")
    assert missing(found) == ["certificate"]
    assert words in found["certificate"]["seen"]
    assert "SHA-256" in found["certificate"]["seen"]
    assert any(mend in line for line in found["certificate"]["mend"]["lines"])


@pytest.mark.usefixtures("environment")
def test_a_wrong_password(typed: Typed, lab: LabState, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login is told as refused; the ways that were seen before it stay well; the password is not shown."""
    monkeypatch.setenv("RUNNER_LAB_PASSWORD", "n0t-this-0ne")
    done = typed("doctor", "-i", str(lab.inventory), "-p", "site.yml", "win-02")
    assert done.code == 3
    assert "ok   authentication" in done.out
    assert "MISS login" in done.out
    assert "refused the login of `Administrator`" in done.out
    assert "n0t-this-0ne" not in done.out + done.err


@pytest.mark.usefixtures("environment")
def test_a_credential_of_a_playbook_that_is_not_named(typed: Typed, lab: LabState) -> None:
    """An inventory names credentials, and playbooks have them: the option that brings both together is told."""
    done = typed("doctor", "-i", str(lab.inventory), "win-01")
    assert done.code == 1
    assert "nobody knows the credential `lab`" in done.out
    assert "`--playbook PATH`" in done.out


@pytest.mark.pwsh
@pytest.mark.usefixtures("environment")
def test_an_endpoint_that_takes_no_scripts(typed: Typed, lab: LabState, folder: Path) -> None:
    """It is looked at like any other, for no script is run; one that is not there is told with how to list them."""
    text = PLAYBOOK.replace(
        "hosts: windows, script: Get-Culture", "target: constrained, command: Get-Mailbox"
    )
    (folder / "exchange.yml").write_text(text, encoding="utf-8")
    done = typed("doctor", "-i", str(lab.inventory), "-p", "exchange.yml", "-o", "json")
    assert done.code == 0
    assert findings(done, "win-02")["session configuration"]["seen"] == "Microsoft.Exchange"
    (folder / "exchange.yml").write_text(text.replace("target: constrained", "target: unknown"))
    done = typed("doctor", "-i", str(lab.inventory), "-p", "exchange.yml", "-o", "json")
    found = findings(done, "win-02")
    assert done.code == 3
    assert missing(found) == ["session configuration"]
    assert "Get-PSSessionConfiguration" in found["session configuration"]["mend"]["lines"][0]


@pytest.mark.usefixtures("environment")
def test_a_listener_that_hangs_up(typed: Typed, lab: LabState) -> None:
    """What answers there is in doubt, and the command lists the listeners of the host."""
    lab_trouble("win-02", Trouble(kind=Kind.DISCONNECT, times=1), lab.directory.path)
    done = typed("doctor", "-i", str(lab.inventory), "-p", "site.yml", "win-02", "-o", "json")
    found = findings(done, "win-02")
    assert done.code == 3
    assert missing(found) == ["listener"]
    assert found["listener"]["mend"] == {"where": "host", "lines": ["winrm enumerate winrm/config/listener"]}


@pytest.mark.pwsh
def test_powershell_over_ssh(typed: Typed, lab: LabState) -> None:
    """A host with the subsystem is well; one without is told the line to add, and whether PowerShell is there."""
    done = typed("doctor", "-i", str(lab.inventory), "--shell", "powershell", "web-01,db-01", "-o", "json")
    web, db = findings(done, "web-01"), findings(done, "db-01")
    installed = db["pwsh"]["ok"]  # lab hosts have the programs of this machine, a real PowerShell among them
    assert done.code == (3 if installed else 1)
    assert real_engine() or not installed
    assert list(web) == ["login", "subsystem", "PowerShell"]
    assert missing(web) == []
    assert "subsystem" in missing(db)
    assert "Subsystem powershell /" in db["subsystem"]["mend"]["lines"][0]
    assert "-sshs -NoLogo -NoProfile" in db["subsystem"]["mend"]["lines"][0]


def test_powershell_without_its_line_in_sshd_config(typed: Typed, lab: LabState) -> None:
    """Where PowerShell is on the host, the line to add has its path."""
    [host] = [served.host for served in lab.hosts if served.host.name == "db-01"]
    program = lab.directory.programs(host) / "pwsh"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    try:
        done = typed("doctor", "-i", str(lab.inventory), "--shell", "powershell", "db-01", "-o", "json")
    finally:
        program.unlink()
    found = findings(done, "db-01")
    assert done.code == 3
    assert missing(found) == ["subsystem"]
    assert found["pwsh"]["seen"] == str(program)
    line = f"Subsystem powershell {program} -sshs -NoLogo -NoProfile"
    assert line in found["subsystem"]["mend"]["lines"][0]


@pytest.mark.parametrize(("interpreter", "well"), [("no-such-pwsh", False), (None, True)])
@pytest.mark.pwsh
def test_powershell_on_this_controller(
    interpreter: str | None, well: bool, typed: Typed, folder: Path
) -> None:
    """A playbook's local PowerShell steps are looked at too: the program they name starts, or is missing."""
    named = interpreter or engine_program(folder)
    (folder / "local.yml").write_text(LOCAL.format(interpreter=named), encoding="utf-8")
    done = typed("doctor", "-p", "local.yml", "-o", "json")
    found = findings(done, "localhost")
    assert done.code == (0 if well else 3)
    assert missing(found) == ([] if well else ["pwsh"])
    assert named in found["pwsh"]["seen"]
    assert found["pwsh"]["mend"] is None


def test_a_playbook_that_is_wrong(typed: Typed, folder: Path) -> None:
    """It is refused as a run would refuse it, and nothing is connected to."""
    (folder / "wrong.yml").write_text(PLAYBOOK.replace("script:", "scirpt:"), encoding="utf-8")
    done = typed("doctor", "-p", "wrong.yml")
    assert done.code == 2
    assert "did you mean `script`?" in done.err
    assert done.out == ""
