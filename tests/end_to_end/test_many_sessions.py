"""More kept sessions on one connection's host than sshd gives channels: nothing waits for what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.support import openssh
from tests.support.engines import scripted_command, subsystem

pytestmark = [pytest.mark.sshd]

MANY = 12
"""More than sshd's MaxSessions, which is 10 by default."""


def _head(shell: str) -> str:
    sessions = "".join(f"  s{number}: {{target: all}}\n" for number in range(MANY))
    return f"targets: {{all: {{hosts: all, shell: {shell}}}}}\nsessions:\n{sessions}"


def _steps(first: str, between: str, then: str) -> str:
    """Every session is opened, then a step without one runs, and only then come the sessions' last steps."""
    opening = [f"- {{id: a{n}, session: s{n}, script: '{first.format(n=n)}'}}" for n in range(MANY)]
    closing = [f"- {{id: b{n}, session: s{n}, script: '{then.format(n=n)}'}}" for n in range(MANY)]
    return "\n".join([*opening, f"- {{id: between, target: all, script: '{between}'}}", *closing]) + "\n"


@pytest.mark.parametrize("allowed", ["10", "3", "1"])
@pytest.mark.parametrize("shell", ["sh", "python"])
async def test_more_sessions_on_a_host_than_channels(
    site: Site, tmp_path: Path, shell: str, allowed: str
) -> None:
    """Twelve kept interpreters and a step beside them run to their ends, however few sessions sshd allows."""
    with openssh.running(tmp_path / "few", {"MaxSessions": allowed}) as server:
        (server.folder / "authorized_keys").write_bytes(
            site.server.client_key.with_suffix(".pub").read_bytes()
        )
        site.know(server)
        site.hosts("a", port=server.port)
        nothing, then = ("true", "echo $x") if shell == "sh" else ("pass", "print(x)")
        done = await site.run_steps(_steps("x={n}", nothing, then), head=_head(shell))
        logins = server.logins()
        assert done.code == 0, done.stdout
        assert [done.output(f"b{n}", "a") for n in range(MANY)] == [[str(n)] for n in range(MANY)]
    assert logins <= MANY + 1


async def test_hosts_that_share_a_connection(site: Site) -> None:
    """One session over twelve names of one host: each name keeps an interpreter of its own, over two logins."""
    connection = {"transport": "ssh", "user_name": site.server.user, "port": site.server.port}
    hosts = {f"h{number}": {"address": "127.0.0.1"} for number in range(MANY)}
    site.write("inventory.yml", json.dumps({"version": 1, "connection": connection, "hosts": hosts}))
    logins = site.server.logins()
    done = await site.run_steps(
        """\
        - {id: one, session: warm, script: 'x=$Using:inventory_hostname'}
        - {id: two, needs: [{step: one, wait: all}], session: warm, script: 'echo $x'}
        """
    )
    assert done.code == 0, done.stdout
    assert {done.output("two", f"h{n}")[0] for n in range(MANY)} == {f"h{n}" for n in range(MANY)}
    assert site.server.logins() == logins + 2


async def test_more_powershell_sessions_than_channels(site: Site, tmp_path: Path) -> None:
    """Twelve runspace pools over the subsystem and a pool of one step beside them run to their ends."""
    with openssh.running(tmp_path / "few", extra=subsystem(scripted_command())) as server:
        (server.folder / "authorized_keys").write_bytes(
            site.server.client_key.with_suffix(".pub").read_bytes()
        )
        site.know(server)
        site.hosts("a", port=server.port)
        done = await site.run_steps(_steps("say {n}", "say x", "say on"), head=_head("powershell"))
        assert done.code == 0, done.stdout
        assert server.logins() == 2
