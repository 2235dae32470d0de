"""PowerShell engines that are ill in every way, over a process, SSH and WinRM (http, https), with a good one beside."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.end_to_end.powershell_fleet import (
    BANNER,
    CREDENTIAL,
    ENGINE_LOST,
    FAULTS,
    LATE,
    LIMITS,
    PASSWORD,
    Host,
    ntlm_users,
    over_process,
    over_ssh,
    over_winrm,
    write_fleet,
)
from tests.end_to_end.site import Finished, Site, nap, until_gone
from tests.support.openssh import OpenSsh
from tests.support.winrm_lab import WinrmHost

pytestmark = [pytest.mark.sshd]


def _as_winrm_says(host: Host) -> Host:
    return replace(host, code="command-gone") if host.code == ENGINE_LOST else host


#: What is ill over each carrier.
FLEETS: dict[str, dict[str, Host]] = {
    "local": {**FAULTS, "banner": Host(options=BANNER)},
    "ssh": {**FAULTS, **LATE, "banner": Host(options=BANNER)},
    "winrm": {name: _as_winrm_says(host) for name, host in (FAULTS | LATE | LIMITS).items()},
    "winrm-https": {name: _as_winrm_says(host) for name, host in (FAULTS | LATE | LIMITS).items()},
}


@dataclass(frozen=True)
class Run:
    """A run of a fleet, and how many shells it left on WinRM hosts that close them."""

    hosts: dict[str, Host]
    done: Finished
    shells: dict[str, int]


def _trust(site: Site, fronts: Mapping[str, WinrmHost]) -> Path:
    """The file of the hosts' authorities."""
    return site.write("ca.pem", "".join(front.ca_file.read_text() for front in fronts.values()))


async def _run(carrier: str, folder: Path, server: OpenSsh) -> Run:
    hosts, mark, head, shells = FLEETS[carrier], nap(), "", {}
    site = Site(folder / "site", server)
    async with AsyncExitStack() as stack:
        if carrier == "local":
            way = over_process(folder / "engines", mark)
        elif carrier == "ssh":
            other, way = await stack.enter_async_context(over_ssh(folder / "engines", hosts, mark))
            site.know(other)
            (site.home / ".ssh" / "id_ed25519").write_bytes(other.client_key.read_bytes())
        else:
            head, site.environment["WIN_PASSWORD"] = CREDENTIAL, PASSWORD
            tls = carrier == "winrm-https"
            fronts, way = await over_winrm(folder, hosts, mark, stack, tls=tls)
            if tls:
                site.environment["SSL_CERT_FILE"] = str(_trust(site, fronts))
        write_fleet(site, hosts, {name: way(name, host) for name, host in hosts.items()}, head)
        done = await site.run()
        if carrier.startswith("winrm"):
            shells = {name: front.shells for name, front in fronts.items()}
        else:
            await until_gone(mark)
    await until_gone(mark)
    return Run(hosts, done, shells)


@pytest.fixture(scope="module", params=FLEETS)
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: OpenSsh
) -> Iterator[Run]:
    """The run of a whole fleet, made once for each carrier; no engine of it lives any more."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "NTLM_USER_FILE", str(ntlm_users(folder)))
        # fifteen engines at once beside other tests
        patch.setattr("tests.end_to_end.site.PATIENCE", 180.0)
        yield asyncio.run(_run(request.param, folder, server))


def step(host: Host) -> str:
    """The step in which a host's fault shows."""
    return "silence" if host.silent else "work"


def test_each_engine_ends_in_its_status(run: Run) -> None:
    """Every fault has its status and code, and says whether the script may have run."""
    expected = {name: (host.status, host.code, host.may_have_run) for name, host in run.hosts.items()}
    found = {}
    for name, host in run.hosts.items():
        result = run.done.result(step(host), name)
        failure = result["failure"] or {"code": None, "may_have_run": False}
        found[name] = (result["status"], failure["code"], failure["may_have_run"])
    assert found == expected


def test_the_good_ones_go_on(run: Run) -> None:
    """What is well runs the next step, what is ill is held back, and the last step runs at the end."""
    expected = {
        name: "ok" if host.status == "ok" else "skipped"
        for name, host in run.hosts.items()
        if not host.silent
    }
    assert run.done.statuses("after") == expected
    assert run.done.output("report", "localhost") == ["done"]
    assert run.done.code == 1


def test_messages_name_the_host_and_the_way_out(run: Run) -> None:
    """Each message that is the host's own says which host; limits name the key that raises them."""
    for name, host in run.hosts.items():
        failure = run.done.result(step(host), name)["failure"]
        if failure is None:
            continue
        if host.status != "timed_out":
            assert f"`{name}`" in failure["message"]
        assert host.said in failure["message"] + "\n".join(failure["hints"])
        if host.status == "unreachable":
            assert "may have run" not in failure["message"]
        else:
            assert "nothing was run" not in failure["message"]


def test_what_came_before_is_kept(run: Run) -> None:
    """Output of a script that was cut short stands in its result."""
    for name in ("dying", "slow", "unstopped"):
        assert run.done.result(step(run.hosts[name]), name)["output"] == ["begun"], name


def test_no_session_stays_on_the_host(run: Run) -> None:
    """A shell is deleted at the end, also where its pool was lost; only engines that do not end keep theirs."""
    stubborn = {"unclosed", "unstarted", "uncreated", "unstopped", "deaf", "late"}
    assert {name: left for name, left in run.shells.items() if left and name not in stubborn} == {}


def test_nobody_reads_a_traceback(run: Run) -> None:
    """Each is told in a sentence."""
    assert "Traceback" not in run.done.stdout + run.done.stderr
