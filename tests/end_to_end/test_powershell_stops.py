"""Stops of PowerShell over each carrier: the pipeline first, then the session, then what carries it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.powershell_fleet import (
    CREDENTIAL,
    PASSWORD,
    Host,
    ntlm_users,
    over_process,
    over_ssh,
    over_winrm,
)
from tests.end_to_end.site import PATIENCE, Finished, Run, Site, nap, processes_with, until_gone
from tests.support.openssh import OpenSsh

pytestmark = [pytest.mark.sshd]

SESSIONS = "sessions: {strict: {target: all}, lenient: {target: all, on_loss: reopen}}\n"


@dataclass
class Place:
    """A site with one host ``win``; the processes of its engines are known by ``mark``."""

    site: Site
    mark: str
    head: str

    async def run(self, *steps: dict[str, object]) -> Finished:
        """Run steps to the end."""
        self.write(*steps)
        return await self.site.run()

    def write(self, *steps: dict[str, object]) -> None:
        """Write the playbook."""
        self.site.book("".join(f"- {json.dumps(step)}\n" for step in steps), self.head + SESSIONS)

    async def begun(self, *steps: dict[str, object]) -> Run:
        """Start a run, and wait until its script has said ``begun``."""
        self.write(*steps)
        run = await self.site.start("-o", "jsonl=events.jsonl")
        async with asyncio.timeout(PATIENCE):
            while "begun\\n" not in self.events():
                await asyncio.sleep(0.05)
        return run

    def events(self) -> str:
        """What was told so far."""
        path = self.site.folder / "events.jsonl"
        return path.read_text() if path.exists() else ""


@pytest.fixture(params=["local", "ssh", "winrm"])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, server: OpenSsh, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    """A host whose engine is the scripted one, over each carrier; no process of it is left at the end."""
    hosts, mark, head = {"win": Host()}, nap(), ""
    site = Site(tmp_path / "site", server)
    async with AsyncExitStack() as stack:
        if request.param == "local":
            way = over_process(tmp_path / "engines", mark)
        elif request.param == "ssh":
            other, way = await stack.enter_async_context(over_ssh(tmp_path / "engines", hosts, mark))
            site.know(other)
            (site.home / ".ssh" / "id_ed25519").write_bytes(other.client_key.read_bytes())
        else:
            head, site.environment["WIN_PASSWORD"] = CREDENTIAL, PASSWORD
            monkeypatch.setenv("NTLM_USER_FILE", str(ntlm_users(tmp_path)))
            _, way = await over_winrm(tmp_path, hosts, mark, stack)
        connection = {"shell": "powershell", **way("win", hosts["win"])}
        if request.param != "local":
            connection["session_option"] = {"cancel_timeout": "2s"}
        inventory = {"version": 1, "hosts": {"win": {"address": "127.0.0.1", "connection": connection}}}
        site.write("inventory.yml", json.dumps(inventory))
        yield Place(site, mark, head)
        await until_gone(mark)
        await site.close()


async def test_a_timeout_spares_a_session_that_stops(place: Place) -> None:
    """What the script says when it is stopped arrives, and the variables are there for the next step."""
    done = await place.run(
        {"id": "a", "session": "strict", "script": "$v = kept"},
        {
            "id": "b",
            "session": "strict",
            "timeout": "2s",
            "script": "say begun\nfinally cleaned",
            "ignore_errors": True,
        },
        {"id": "c", "session": "strict", "script": "$v"},
    )
    stopped = done.result("b", "win")
    assert (stopped["status"], stopped["output"]) == ("timed_out", ["begun", "cleaned"]), stopped["failure"]
    assert not stopped["session_lost"]
    assert done.output("c", "win") == ["kept"]


@pytest.mark.parametrize("session", ["strict", "lenient"])
async def test_a_session_that_does_not_stop_is_given_up(place: Place, session: str) -> None:
    """The next step is refused as nothing is known of the session, or has a new one, as its author said."""
    done = await place.run(
        {"id": "a", "session": session, "script": "$v = kept"},
        {
            "id": "b",
            "session": session,
            "timeout": "2s",
            "script": "say begun\nignore-stop",
            "ignore_errors": True,
        },
        {"id": "c", "session": session, "script": "$v"},
    )
    stopped, after = done.result("b", "win"), done.result("c", "win")
    assert (stopped["status"], stopped["session_lost"]) == ("timed_out", True)
    assert stopped["failure"]["may_have_run"]
    if session == "strict":
        assert (after["status"], after["failure"]["code"]) == ("failed", "session-lost")
    else:
        assert after["output"] == [None]


@pytest.mark.parametrize("session", ["strict", "lenient"])
async def test_a_session_that_breaks_is_given_up(place: Place, session: str) -> None:
    """An engine that dies and a stream that cannot be read end the session, and what was in it is gone."""
    done = await place.run(
        {"id": "a", "session": session, "script": "$v = kept"},
        {"id": "b", "session": session, "script": "say begun\nbreak foreign-fragment", "ignore_errors": True},
        {"id": "c", "session": session, "script": "$v", "ignore_errors": True},
        {"id": "d", "session": session, "script": "say begun\ndie 3", "ignore_errors": True},
        {"id": "e", "session": session, "script": "$v"},
    )
    assert done.result("b", "win")["session_lost"]
    for step in ("c", "e"):
        after = done.result(step, "win")
        if session == "strict":
            assert (after["status"], after["failure"]["code"]) == ("failed", "session-lost")
        else:
            assert after["output"] == [None]


async def test_an_interrupt_ends_the_pipeline(place: Place) -> None:
    """Ctrl-C once: the script is stopped, says what it has to say, and nothing of it is left."""
    run = await place.begun({"id": "a", "target": "all", "script": "say begun\nfinally cleaned"})
    run.signal(signal.SIGINT)
    done = await run.finish()
    result = done.result("a", "win")
    assert (done.code, result["status"], result["output"]) == (130, "cancelled", ["begun", "cleaned"])
    await until_gone(place.mark)


async def test_a_second_interrupt_waits_for_nothing(place: Place) -> None:
    """Ctrl-C twice: what does not stop is left at once, and told as what may still run unless its end is known."""
    run = await place.begun({"id": "a", "target": "all", "script": "say begun\nignore-stop"})
    run.signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE):
        while "still here" not in place.events():
            await asyncio.sleep(0.05)
    run.signal(signal.SIGINT)
    done = await run.finish()
    assert done.code == 130
    assert done.statuses("a") == {"win": "cancelled"}
    left = processes_with(place.mark)
    assert not left or done.document["summary"]["may_still_run"] == ["`a` on `win`"]
