"""Secrets over PowerShell remoting: with a real key exchange, and in nothing that a run writes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.support.engines import program, scripted_command
from tests.support.openssh import OpenSsh

SECRET = "hunter2-and-more"


@pytest.fixture
async def site(tmp_path: Path, server: OpenSsh) -> AsyncIterator[Site]:
    """A site with one host whose engine echoes what it is sent."""
    empty = Site(tmp_path / "site", server)
    connection = {
        "transport": "local",
        "shell": "powershell",
        "interpreter": program(tmp_path, scripted_command()),
    }
    empty.write("inventory.yml", json.dumps({"version": 1, "connection": connection, "hosts": {"win": {}}}))
    yield empty
    await empty.close()


def everything_written(site: Site) -> bytes:
    """Every file below the site but those that the test gave the secret in."""
    given = {"given.json"}
    return b"".join(p.read_bytes() for p in site.folder.rglob("*") if p.is_file() and p.name not in given)


async def test_a_secret_that_a_host_gives_is_masked(site: Site) -> None:
    """A secure string that a script outputs is decrypted, known as a secret from then on, and shown nowhere."""
    script = f"secure {SECRET}\nsay it is {SECRET}"
    site.book("- {id: a, target: all, file: s.ps1}\n")
    site.write("s.ps1", script)
    finished = await site.run()
    result = finished.result("a", "win")
    assert result["output"] == ["********", "it is ********"], result["failure"]
    assert SECRET not in finished.stdout + finished.stderr


async def test_a_secret_that_is_sent_comes_back_masked(site: Site) -> None:
    """A secure string travels encrypted and arrives as one: what the engine echoes of it is masked everywhere."""
    site.book(
        "- {id: a, target: all, script: 'echo arguments', args: ['{{ inputs.word }}']}\n",
        "inputs: {word: {type: secure_string}}\n",
    )
    site.write("given.json", json.dumps({"word": SECRET}))
    finished = await site.run("-e", "@given.json", "--trace", "trace.log")
    assert finished.output("a", "win") == ["********"], finished.result("a", "win")["failure"]
    assert SECRET not in finished.stdout + finished.stderr
    trace = (site.folder / "trace.log").read_text()
    for kind in ("CreatePipeline", "EncryptedSessionKey", "PipelineOutput", "PipelineState"):
        assert kind in trace
    assert SECRET.encode() not in everything_written(site)


async def test_a_refused_key_fails_the_step_and_sends_nothing(site: Site, tmp_path: Path) -> None:
    """Where the host refuses the key exchange nothing is sent in clear, and the step fails."""
    refusing = {"transport": "local", "shell": "powershell"}
    refusing["interpreter"] = program(tmp_path, [*scripted_command(), "--refuse-key"])
    site.write("inventory.yml", json.dumps({"version": 1, "connection": refusing, "hosts": {"win": {}}}))
    site.book(
        "- {id: a, target: all, script: 'echo arguments', args: ['{{ inputs.word }}']}\n",
        "inputs: {word: {type: secure_string}}\n",
    )
    site.write("given.json", json.dumps({"word": SECRET}))
    finished = await site.run("-e", "@given.json")
    assert finished.statuses("a")["win"] in {"failed", "unreachable"}
    assert not finished.result("a", "win")["output"]
    assert SECRET not in finished.stdout + finished.stderr
