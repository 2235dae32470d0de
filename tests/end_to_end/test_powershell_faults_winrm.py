"""WinRM hosts that are ill in every way, before, while and after a session is open, in one run beside good ones."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from runner.lab.certificates import Flaw
from runner.lab.troubles import ANY, Kind, Trouble
from runner.lab.wsman_settings import Manners, Quotas
from tests.end_to_end.faults import black_hole, listener
from tests.end_to_end.powershell_fleet import CREDENTIAL, PASSWORD, ntlm_users
from tests.end_to_end.site import Finished, Site
from tests.support.openssh import OpenSsh, free_port
from tests.support.winrm_lab import USER, front_end

pytestmark = [pytest.mark.sshd]

TLS = {"use_ssl": True, "session_option": {"skip_revocation_check": True}}
BASIC = {"authentication": "basic"}
QUICK = {"connect_timeout": "3s"}
OPENING = {"session_option": {"open_timeout": "12s"}}
WRONG = {"credential": "wrong"}


@dataclass(frozen=True)
class Ill:
    """A host: what the lab does wrong, how it is connected to, and how that must end.

    ``silent`` hosts are those of the step with a timeout; ``said`` are words that must be told.
    """

    trouble: tuple[Trouble, ...] = ()
    front: Mapping[str, Any] = field(default_factory=dict)
    connection: Mapping[str, Any] = field(default_factory=dict)
    status: str = "unreachable"
    code: str | None = None
    may_have_run: bool = False
    silent: bool = False
    said: str = ""
    address: str = "127.0.0.1"


def always(kind: Kind, on: str = ANY, **more: Any) -> tuple[Trouble, ...]:
    """A trouble that befalls every request of a kind."""
    return (Trouble(kind=kind, on=on, times=None, **more),)


def once(kind: Kind, on: str, **more: Any) -> tuple[Trouble, ...]:
    """A trouble that befalls the first such request."""
    return (Trouble(kind=kind, on=on, **more),)


def flawed(flaw: Flaw, code: str, said: str) -> Ill:
    """A host with a certificate that is not to be trusted."""
    return Ill(front={"tls": flaw}, connection=TLS, code=code, said=said)


#: Hosts that go on well, some of them after trouble.
GOOD: dict[str, Ill] = {
    "good-http": Ill(status="ok"),
    "good-https": Ill(front={"tls": Flaw.NONE}, connection=TLS, status="ok"),
    "good-basic": Ill(
        front={"tls": Flaw.NONE}, connection=TLS | BASIC | {"credential": "plain"}, status="ok"
    ),
    "cut-and-back": Ill(once(Kind.CUT, "Receive", skip=1), status="ok"),
    "away-and-back": Ill(once(Kind.OUTAGE, "Receive", seconds=2, skip=1), status="ok"),
    "undeletable": Ill(always(Kind.DROP, "Delete"), status="ok"),
    "forgetful": Ill(once(Kind.UNAUTHORIZED, "Command"), status="ok"),
}

#: Hosts that nothing can be sent to.
UNREACHABLE: dict[str, Ill] = {
    "wrong-ca": flawed(Flaw.WRONG_CA, "tls-untrusted", "skip_ca_check"),
    "wrong-name": flawed(Flaw.WRONG_NAME, "tls-wrong-name", "skip_cn_check"),
    "expired": flawed(Flaw.EXPIRED, "tls-expired", "expired"),
    "revoked": Ill(
        front={"tls": Flaw.REVOKED}, connection={"use_ssl": True}, code="tls-revoked", said="revoked"
    ),
    "password-ntlm": Ill(connection=WRONG, code="login-refused", said="password"),
    "password-basic": Ill(
        front={"tls": Flaw.NONE}, connection=TLS | BASIC | WRONG, code="login-refused", said="password"
    ),
    "password-credssp": Ill(
        front={"mechanisms": frozenset({"credssp"}), "tls": Flaw.NONE},
        connection=TLS | WRONG | {"authentication": "credssp"},
        code="login-refused",
        said="password",
    ),
    "no-ticket": Ill(
        connection={"authentication": "kerberos", "credential": None},
        code="kerberos-no-ticket",
        address="localhost",
    ),
    "no-basic": Ill(
        front={"mechanisms": frozenset({"negotiate"}), "tls": Flaw.NONE},
        connection=TLS | BASIC | {"credential": "plain"},
        code="login-not-offered",
        said="Negotiate",
    ),
    "never-good-enough": Ill(always(Kind.UNAUTHORIZED), code="login-refused"),
    "page": Ill(always(Kind.SERVER_ERROR, "Create"), code="wsman-http-error", said="500"),
    "many-shells": Ill(
        front={"quotas": Quotas(max_shells_per_user=0)}, code="quota-shells", said="MaxShellsPerUser"
    ),
    "many-users": Ill(
        front={"quotas": Quotas(max_concurrent_users=0)}, code="quota-users", said="MaxConcurrentUsers"
    ),
    "unknown-configuration": Ill(
        connection={"configuration_name": "Nobody.Here"}, code="configuration-unknown", said="Nobody.Here"
    ),
    "denied": Ill(once(Kind.FAULT, "Create", code=5), code="configuration-denied"),
    "dropping": Ill(always(Kind.DISCONNECT), code="winrm-dropped"),
    "silent-login": Ill(always(Kind.DROP), connection=QUICK, code="connect-timeout"),
    "silent-opening": Ill(always(Kind.DROP, "Create"), connection=OPENING, code="pool-open-timeout"),
    "silent-beginning": Ill(always(Kind.DROP, "Receive"), connection=OPENING, code="pool-open-timeout"),
}

#: Hosts that fall ill when a session is open.
LOST: dict[str, Ill] = {
    "cut-command": Ill(once(Kind.CUT, "Command"), status="failed", code="connection-lost", may_have_run=True),
    "refused-command": Ill(
        once(Kind.FAULT, "Command", code=5), status="failed", code="configuration-denied", may_have_run=True
    ),
    "killed": Ill(once(Kind.KILL, "Command"), status="failed", code="shell-gone", may_have_run=True),
    "page-later": Ill(
        always(Kind.SERVER_ERROR, "Command"),
        status="failed",
        may_have_run=True,
        code="wsman-http-error",
        said="500",
    ),
    "silent-command": Ill(
        always(Kind.DROP, "Command"), status="timed_out", code="step-timeout", may_have_run=True, silent=True
    ),
    "kept-nothing": Ill(
        once(Kind.CUT, "Receive", skip=1),
        front={"manners": Manners.OMI},
        status="failed",
        code="pool-end-missed",
        may_have_run=True,
        said="how it ended",
    ),
}

#: Hosts where there is no server of ours: what listens there, or nothing.
PORTS = {
    "nothing": Ill(code="connection-refused"),
    "silent-port": Ill(connection=QUICK, code="connect-timeout"),
    "silent-tls": Ill(connection=QUICK | TLS, code="connect-timeout"),
    "hole": Ill(connection=QUICK, code="connect-timeout"),
    "babble": Ill(code="winrm-dropped"),
}

HOSTS = GOOD | UNREACHABLE | LOST | PORTS


@dataclass
class Fleet:
    """What was done: the run as a program reads it, as a person sees it, and the shells left on each host."""

    done: Finished
    shown: Finished
    shells: dict[str, int]


async def _ports(stack: AsyncExitStack) -> dict[str, int]:
    return {
        "nothing": free_port(),
        "silent-port": await stack.enter_async_context(listener()),
        "silent-tls": await stack.enter_async_context(listener()),
        "hole": await stack.enter_async_context(black_hole()),
        "babble": await stack.enter_async_context(listener(b"220 ready\r\n")),
    }


async def _run(site: Site) -> Fleet:
    """Start every host, and run the playbook of all."""
    trust = site.folder / "ca.pem"
    async with AsyncExitStack() as stack:
        ports, fronts = await _ports(stack), {}
        for name, ill in HOSTS.items():
            if name in PORTS:
                continue
            given = {"users": {USER: PASSWORD}, **ill.front}
            front = fronts[name] = await stack.enter_async_context(front_end(**given))
            ports[name] = front.port
            for trouble in ill.trouble:
                front.troubles.add(trouble)
            if "tls" in ill.front:
                with trust.open("ab") as file:
                    file.write(front.ca_file.read_bytes())
        site.environment |= {
            "WIN_PASSWORD": PASSWORD,
            "WRONG": "not the password",
            "SSL_CERT_FILE": str(trust),
            "RUNNER_WINRM_CRL": str(fronts["revoked"].crl_file),
        }
        _write(site, ports)
        done = await site.run()
        for name, front in fronts.items():
            front.troubles.clear()
            for trouble in HOSTS[name].trouble:
                front.troubles.add(trouble)
        shells = {name: front.shells for name, front in fronts.items()}
        shown = await site.run(output="plain")
    return Fleet(done, shown, shells)


def _write(site: Site, ports: Mapping[str, int]) -> None:
    common = {"transport": "winrm", "shell": "powershell", "session_option": {"cancel_timeout": "2s"}}
    hosts: dict[str, Any] = {}
    for name, ill in HOSTS.items():
        connection = {"credential": "win", "trusted_hosts": "*", **ill.connection}
        connection = {key: value for key, value in connection.items() if value is not None}
        connection["session_option"] = common["session_option"] | connection.get("session_option", {})
        hosts[name] = {"address": ill.address, "connection": {**connection, "port": ports[name]}}
    silent: dict[str, dict[str, Any]] = {name: {} for name, ill in HOSTS.items() if ill.silent}
    inventory = {"version": 1, "connection": common, "hosts": hosts, "groups": {"silent": {"hosts": silent}}}
    site.write("inventory.yml", json.dumps(inventory, indent=1))
    site.book(
        """\
- {id: work, target: loud, script: 1..3}
- {id: silence, needs: [], target: silent, timeout: 5s, script: 1..3}
- {id: after, needs: [work], target: loud, script: 1..3}
- {id: report, run_if: always, needs: [{step: after, wait: all}], script: echo done}
""",
        CREDENTIAL.replace("}}\n", f"}}, {MORE}}}\n")
        + "targets: {all: {hosts: all}, loud: {hosts: 'all:!silent'}, silent: {hosts: silent}}\n",
    )


MORE = (
    f"plain: {{username: {USER}, password: {{env: WIN_PASSWORD}}}}, "
    f"wrong: {{username: {USER}, password: {{env: WRONG}}}}"
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, server: OpenSsh) -> Iterator[Fleet]:
    """The run, made once."""
    folder = tmp_path_factory.mktemp("winrm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "NTLM_USER_FILE", str(ntlm_users(folder)))
        # forty hosts in one process beside other tests
        patch.setattr("tests.end_to_end.site.PATIENCE", 180.0)
        yield asyncio.run(_run(Site(folder / "site", server)))


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_ends_in_its_status(fleet: Fleet, host: str) -> None:
    """With its code, with whether the script may have run, and with words that name host, trouble and way out."""
    ill = HOSTS[host]
    result = fleet.done.result("silence" if ill.silent else "work", host)
    failure = result["failure"] or {"code": None, "may_have_run": False, "message": "", "hints": []}
    assert (result["status"], failure["code"], failure["may_have_run"]) == (
        ill.status,
        ill.code,
        ill.may_have_run,
    ), failure
    told = failure["message"] + "\n".join(failure["hints"])
    assert ill.said in told
    if ill.status == "ok":
        assert result["output"] == [1, 2, 3]
    elif ill.status == "unreachable":
        assert "may have run" not in told
    if ill.may_have_run:
        assert "nothing was run" not in told


def test_the_good_hosts_go_on(fleet: Fleet) -> None:
    """The next step runs on them and on no other; the last one runs at the end."""
    loud = {name: ill for name, ill in HOSTS.items() if not ill.silent}
    assert fleet.done.statuses("after") == {
        name: "ok" if ill.status == "ok" else "skipped" for name, ill in loud.items()
    }
    assert fleet.done.output("report", "localhost") == ["done"]


def test_no_shell_is_left_where_one_can_be_deleted(fleet: Fleet) -> None:
    """Also after a loss; a host that does not answer the Delete keeps its own."""
    kept = {name for name, left in fleet.shells.items() if left}
    assert kept <= {"undeletable", "silent-command"}


def test_a_person_reads_each_fault(fleet: Fleet) -> None:
    """Every ill host stands in the plain output; no traceback anywhere, and no password."""
    text = fleet.shown.stdout + fleet.shown.stderr
    for name, ill in HOSTS.items():
        if ill.status != "ok":
            assert name in text
    for done in (fleet.done, fleet.shown):
        for secret in ("Traceback", PASSWORD, "not the password"):
            assert secret not in done.stdout + done.stderr
    assert fleet.shown.code == fleet.done.code == 1
