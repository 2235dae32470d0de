"""A fleet of good hosts and hosts that are ill in every way: each ends in its status, and the good ones go on."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.end_to_end.faults import OWN_SSHD, black_hole, listener, password_server
from tests.end_to_end.site import Finished, Site
from tests.support.openssh import OpenSsh, free_port, make_key

pytestmark = [pytest.mark.sshd]

CUT, FREEZE = "127.0.0.14", "127.0.0.15"

STEPS = f"""\
- id: work
  target: all
  timeout: 3s
  script: |
    {OWN_SSHD.replace(chr(10), chr(10) + "    ")}
    echo begun
    case $Using:inventory_hostname in
      cut) kill -KILL "$(own_sshd)"; sleep 30;;
      frozen) sleep 0.2; kill -STOP "$(own_sshd)"; sleep 30;;
      slow) sleep 30;;
      failing) exit 4;;
    esac
- {{id: after, target: all, script: echo on}}
- {{id: report, run_if: always, needs: [{{step: after, wait: all}}], script: echo done}}
"""

#: Host to status, code, and whether it may have run.
EXPECTED = {
    "good1": ("ok", None, False),
    "good2": ("ok", None, False),
    "good3": ("ok", None, False),
    "nothing": ("unreachable", "connection-refused", False),
    "nameless": ("unreachable", "name-not-resolved", False),
    "wrongkey": ("unreachable", "login-refused", False),
    "changed": ("unreachable", "host-key-changed", False),
    "unknown": ("unreachable", "host-key-unknown", False),
    "password": ("unreachable", "login-refused", False),
    "silent": ("unreachable", "connect-timeout", False),
    "greeting": ("unreachable", "connect-timeout", False),
    "hole": ("unreachable", "connect-timeout", False),
    "cut": ("failed", "connection-lost", True),
    "frozen": ("timed_out", "step-timeout", True),
    "slow": ("timed_out", "step-timeout", True),
    "failing": ("failed", "exit-code", True),
}
UNREACHABLE = [name for name, (status, _, _) in EXPECTED.items() if status == "unreachable"]
GOOD = [name for name, (status, _, _) in EXPECTED.items() if status == "ok"]
BAD = [name for name in EXPECTED if name not in GOOD]


async def _fleet(site: Site, stack: AsyncExitStack) -> None:
    """Write the inventory, and start what its hosts are."""
    server, known = site.server, site.home / ".ssh" / "known_hosts"
    other = make_key(site.folder / "other_key")
    strange = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    right = site.write("right-password", "right")
    password = await stack.enter_async_context(password_server(server.folder / "host_key", right))
    known.write_text(
        f"[127.0.0.*]:{server.port},![127.0.0.12]:{server.port},![127.0.0.13]:{server.port} {server.host_key}\n"
        f"[127.0.0.12]:{server.port} {strange}\n"
        f"[127.0.0.1]:{password} {server.host_key}\n"
    )
    ill: dict[str, dict[str, Any]] = {
        "nothing": {"address": "127.0.0.1", "connection": {"port": free_port()}},
        "nameless": {"address": "no-such-host.invalid"},
        "wrongkey": {"address": "127.0.0.11", "connection": {"key_file_path": str(other)}},
        "changed": {"address": "127.0.0.12"},
        "unknown": {"address": "127.0.0.13"},
        "password": {"address": "127.0.0.1", "connection": {"port": password, "credential": "wrong"}},
        "silent": {"connection": {"port": await stack.enter_async_context(listener())}},
        "greeting": {"connection": {"port": await stack.enter_async_context(listener(b"SSH-2.0-x\r\n"))}},
        "hole": {"connection": {"port": await stack.enter_async_context(black_hole())}},
        "cut": {"address": CUT},
        "frozen": {"address": FREEZE},
    }
    hosts = {}
    for number, name in enumerate(EXPECTED, 1):
        default = "127.0.0.1" if name in {"silent", "greeting", "hole"} else f"127.0.0.{number % 10 + 1}"
        hosts[name] = {"address": default} | ill.get(name, {})
    connection = {
        "transport": "ssh",
        "user_name": server.user,
        "port": server.port,
        "connect_timeout": "3s",
        "session_option": {"cancel_timeout": "500ms"},
    }
    inventory = {"version": 1, "connection": connection, "hosts": hosts}
    site.write("inventory.yml", json.dumps(inventory, indent=1))
    site.environment["WRONG"] = "not the password"
    site.book(
        STEPS, "targets: {all: {hosts: all}}\ncredentials: {wrong: {username: x, password: {env: WRONG}}}\n"
    )


async def _run_fleets(site: Site) -> tuple[Finished, Finished, Finished]:
    """The whole fleet; the good hosts and the unreachable ones alone; and the whole fleet as a person sees it."""
    async with AsyncExitStack() as stack:
        await _fleet(site, stack)
        only = ":".join(GOOD + UNREACHABLE)
        whole, reachable, shown = await asyncio.gather(
            site.run(), site.run("-l", only), site.run(output="plain")
        )
    return whole, reachable, shown


@pytest.fixture(scope="module")
def fleets(tmp_path_factory: pytest.TempPathFactory, server: OpenSsh) -> tuple[Finished, Finished, Finished]:
    """The three runs, made once."""
    return asyncio.run(_run_fleets(Site(tmp_path_factory.mktemp("faults") / "site", server)))


Fleets = tuple[Finished, Finished, Finished]


@pytest.mark.parametrize("host", EXPECTED)
def test_each_host_ends_in_its_status(fleets: Fleets, host: str) -> None:
    """Every fault has its status and code, and says whether anything ran; a good host ends well beside them."""
    result = fleets[0].result("work", host)
    failure = result["failure"]
    code = failure["code"] if failure else None
    may_have_run = bool(failure and failure["may_have_run"])
    assert (result["status"], code, may_have_run) == EXPECTED[host], failure
    if result["status"] == "unreachable":
        assert "nothing was run" in failure["message"]
        assert result["output"] == []
    else:
        assert result["output"] == ["begun"]


def test_hints_are_about_what_was_tried(fleets: Fleets) -> None:
    """A refused password is told with the password to check, a refused key with where keys stand on the host."""
    hints = {host: fleets[0].result("work", host)["failure"]["hints"] for host in ("password", "wrongkey")}
    assert "password of the credential" in hints["password"][0]
    assert "authorized_keys" in hints["wrongkey"][0]


def test_good_hosts_go_on(fleets: Fleets) -> None:
    """The next step runs on the good hosts, is held back on the others, and what runs always runs."""
    whole = fleets[0]
    assert whole.statuses("after") == {n: "ok" if n in GOOD else "skipped" for n in EXPECTED}
    assert all(whole.result("after", name)["held_back"] for name in BAD)
    assert whole.output("report", "localhost") == ["done"]


def test_what_may_still_run_is_named(fleets: Fleets) -> None:
    """Only what could not be ended is named: where the link was cut or hangs, not where a timeout ended the script."""
    left = fleets[0].document["summary"]["may_still_run"]
    assert sorted(left) == ["`work` on `cut`", "`work` on `frozen`"]


def test_exit_codes(fleets: Fleets) -> None:
    """1 where something failed; 3 where nothing failed but a host was unreachable."""
    whole, reachable, shown = fleets
    assert (whole.code, reachable.code, shown.code) == (1, 3, 1)
    assert whole.document["summary"]["exit_code"] == 1
    assert reachable.document["summary"]["exit_code"] == 3
    assert set(reachable.statuses("work").values()) == {"ok", "unreachable"}


def test_a_person_reads_each_fault(fleets: Fleets) -> None:
    """Every ill host stands in the plain output with its reason; no traceback anywhere."""
    shown = fleets[2].stderr
    text = fleets[2].stdout + shown
    for name in BAD:
        assert name in text
    for words in (
        "refused the connection",
        "cannot be resolved",
        "is not the known one",
        "nothing was run",
        "may still run",
    ):
        assert words in text, text
    cut = shown.partition("x work failed on cut")[2].partition("\n\n")[0]
    assert "may have run" in cut
    assert "and failed" not in cut
    assert not any("Traceback" in done.stderr + done.stdout for done in fleets)
