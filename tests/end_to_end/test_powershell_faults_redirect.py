"""WinRM hosts that send the runner elsewhere: followed with leave, and never in circles or out of https."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.lab.certificates import Flaw
from runner.lab.troubles import Kind, Trouble
from tests.end_to_end.powershell_fleet import CREDENTIAL, PASSWORD, ntlm_users
from tests.end_to_end.site import Finished, Site
from tests.support.openssh import OpenSsh
from tests.support.winrm_lab import USER, WinrmHost, front_end

TRUST = "trusted_hosts: ['127.0.0.1']"

pytestmark = [pytest.mark.sshd]


@dataclass(frozen=True)
class Sent:
    """Where a host sends the runner, in which ``{port}`` is the port of the host ``to``, and how that must end."""

    location: str
    tls: bool = False
    to: str = ""
    leave: bool = True
    code: str | None = None
    said: str = ""

    @property
    def status(self) -> str:
        """Of the step there."""
        return "unreachable" if self.code else "ok"


HOSTS: dict[str, Sent] = {
    "followed": Sent("/wsman?once"),
    "followed_https": Sent("https://127.0.0.1:{port}/wsman", tls=True, to="good"),
    "upgraded": Sent("https://127.0.0.1:{port}/wsman", to="good"),
    "loop": Sent("/wsman/{{n}}", code="redirect-loop", said="maximum_redirection"),
    "loop_https": Sent("/wsman/{{n}}", tls=True, code="redirect-loop", said="maximum_redirection"),
    "circle": Sent("/wsman", code="redirect-loop", said="circle"),
    "circle_https": Sent("/wsman", tls=True, code="redirect-loop", said="circle"),
    "downgrade": Sent(
        "http://127.0.0.1:{port}/wsman",
        tls=True,
        to="bare",
        code="redirect-refused",
        said="from https to http",
    ),
    "stranger": Sent(
        "http://localhost:{port}/wsman", to="bare", code="redirect-refused", said="another host"
    ),
    "no_leave": Sent("/wsman?once", leave=False, code="redirect-refused", said="allow_redirection"),
    "no_address": Sent("ftp://127.0.0.1/", code="redirect-refused", said="not to an address"),
}


@dataclass(frozen=True)
class Fleet:
    """A run, and how many shells it opened and left on each host."""

    done: Finished
    opened: dict[str, int]
    left: dict[str, int]


async def _run(site: Site) -> Fleet:
    fronts: dict[str, WinrmHost] = {}
    trust = site.folder / "ca.pem"
    async with AsyncExitStack() as stack:
        ways = {"good": True, "bare": False} | {name: sent.tls for name, sent in HOSTS.items()}
        for name, tls in ways.items():
            front = await stack.enter_async_context(
                front_end(users={USER: PASSWORD}, tls=Flaw.NONE if tls else None)
            )
            fronts[name] = front
            if tls:
                with trust.open("ab") as file:
                    file.write(front.ca_file.read_bytes())
        for name, sent in HOSTS.items():
            location = sent.location.format(port=fronts[sent.to].port if sent.to else "")
            times = 1 if sent.status == "ok" else None
            fronts[name].troubles.add(Trouble(kind=Kind.REDIRECT, times=times, location=location))
        site.environment |= {"WIN_PASSWORD": PASSWORD, "SSL_CERT_FILE": str(trust)}
        _write(site, fronts)
        done = await site.run()
        opened = {name: front.counters.shells_opened for name, front in fronts.items()}
        left = {name: front.shells for name, front in fronts.items()}
    return Fleet(done, opened, left)


def _write(site: Site, fronts: dict[str, WinrmHost]) -> None:
    targets, steps = "targets:\n", ""
    for name, front in fronts.items():
        leave = ", allow_redirection: true" if name in HOSTS and HOSTS[name].leave else ""
        targets += f"  {name}: {{connection_uri: '{front.url}', credential: win{leave}, "
        targets += (
            "session_option: {skip_revocation_check: true}}\n" if "https" in front.url else f"{TRUST}}}\n"
        )
        steps += f"- {{id: {name}, needs: [], target: {name}, script: 1..3}}\n"
    site.book(
        steps + "- {id: report, run_if: always, script: echo done}\n", CREDENTIAL + targets + "sessions: {}\n"
    )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, server: OpenSsh) -> Iterator[Fleet]:
    """One run of all."""
    folder: Path = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "NTLM_USER_FILE", str(ntlm_users(folder)))
        patch.setattr("tests.end_to_end.site.PATIENCE", 180.0)
        yield asyncio.run(_run(Site(folder / "site", server)))


def _result(fleet: Fleet, step: str) -> dict[str, Any]:
    (found,) = [result for result in fleet.done.document["results"] if result["step"] == step]
    return dict(found)


@pytest.mark.parametrize("host", HOSTS)
def test_a_redirection_ends_as_it_must(fleet: Fleet, host: str) -> None:
    """It is followed, or the host is unreachable, nothing was run there, and it is told why or how to go on."""
    sent, result = HOSTS[host], _result(fleet, host)
    failure = result["failure"] or {"code": None, "may_have_run": False, "message": "", "hints": []}
    assert (result["status"], failure["code"], failure["may_have_run"]) == (sent.status, sent.code, False), (
        failure
    )
    assert sent.said in failure["message"] + "\n".join(failure["hints"])
    if sent.code is None:
        assert result["output"] == [1, 2, 3]
    else:
        assert "nothing was run" in failure["message"]


def test_the_good_hosts_go_on(fleet: Fleet) -> None:
    """Those beside run their steps, the last step runs, and the run says that hosts were unreachable."""
    assert {_result(fleet, name)["status"] for name in ("good", "bare", "report")} == {"ok"}
    assert fleet.done.code == 3


def test_shells_are_opened_where_the_runner_was_sent_and_closed(fleet: Fleet) -> None:
    """Nobody who follows without right opens one: the host over http has its own step's alone."""
    expected = {"good": 3, "bare": 1, "followed": 1}
    assert {name: count for name, count in fleet.opened.items() if count} == expected
    assert {name: count for name, count in fleet.left.items() if count} == {}
