"""`reboot` over a real sshd that goes down with all it runs and comes back as another (see rebooting.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.rebooting import REFUSES, rebooting, restarts
from tests.end_to_end.site import Site
from tests.support.openssh import OpenSsh

pytestmark = [pytest.mark.sshd]


@pytest.fixture
def goes(tmp_path: Path) -> Iterator[OpenSsh]:
    with rebooting(tmp_path / "host") as server:
        yield server


@pytest.fixture
def refuses(tmp_path: Path) -> Iterator[OpenSsh]:
    with rebooting(tmp_path / "host", REFUSES) as server:
        yield server


def site_on(folder: Path, server: OpenSsh) -> Site:
    site = Site(folder / "site", server)
    site.hosts("web", host_key_checking="accept_new", connect_timeout="5s")
    inventory = (site.folder / "inventory.yml").read_text()
    site.write("inventory.yml", inventory.replace("127.0.0.2", "127.0.0.1"))
    return site


async def test_a_host_is_restarted_once_and_waited_for(tmp_path: Path, goes: OpenSsh) -> None:
    """The run goes on when the host is back and its test passes; the kept session is a new one, which is told."""
    site = site_on(tmp_path, goes)
    site.book(
        f"""\
        - {{id: before, session: warm, script: 'v=1; echo $v'}}
        - {{id: reboot, target: all, reboot: {{timeout: 50s, message: for updates, test: test -e {tmp_path}}}}}
        - {{id: after, session: warm, script: 'echo "v=$v"'}}
        """
    )
    done = await site.run()
    assert done.code == 0, done.stderr
    result = done.result("reboot", "web")
    assert (result["status"], result["output"]["rebooted"]) == ("changed", True)
    assert done.output("before", "web") == ["1"]
    assert done.output("after", "web") == ["v="]
    assert "web: session `warm` ended with the restart" in done.stderr
    assert restarts(goes) == 1
    assert (goes.folder / "orders").read_text() == "systemctl reboot\n"
    assert (goes.folder / "wall").read_text() == "for updates\n"


async def test_a_refusal_is_told_in_the_hosts_words(tmp_path: Path, refuses: OpenSsh) -> None:
    """Each way is tried, what each said is in the message, and nothing was restarted."""
    site = site_on(tmp_path, refuses)
    done = await site.run_steps("- {id: reboot, target: all, reboot: {}}\n")
    assert done.code == 1
    failure = done.result("reboot", "web")["failure"]
    assert failure["code"] == "reboot-refused"
    assert "systemctl: Interactive authentication required.; shutdown: " in failure["message"]
    assert (refuses.folder / "orders").read_text() == "systemctl reboot\nshutdown -r now\nreboot \n"
    assert restarts(refuses) == 0
