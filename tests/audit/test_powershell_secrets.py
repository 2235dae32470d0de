"""No secret of PowerShell remoting is written anywhere, in any usual encoding, though every library logs at DEBUG."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.powershell_fleet import Host, ntlm_users, over_process, over_ssh, over_winrm
from tests.end_to_end.site import Site, nap
from tests.support.openssh import OpenSsh, running
from tests.support.winrm_lab import USER

PASSWORD = "Winter 2026!"
TOKEN = "t0ken+of/the=house & more"
RETURNED = "returned-by-the-host-42"
SECRETS = (PASSWORD, TOKEN, RETURNED)
_PATIENCE = 180.0
"""Seconds for one run."""

#: Run by the interpreter at its start: every library of the runner tells everything it knows into a file. The engine,
#: which stands for the host, keeps what it knows to itself.
LOUD = """\
import logging, sys
if "runner.lab.scripted_engine" not in sys.orig_argv:
    logging.basicConfig(filename="debug.log", level=logging.DEBUG)
for name in ("psrpcore", "pypsrp", "asyncssh", "asyncio", "aiohttp", "httpx", "httpcore", "spnego", "urllib3"):
    logging.getLogger(name).setLevel(logging.DEBUG)
logging.getLogger("loud").debug("everything is told")
"""

HEAD = f"""\
inputs: {{token: {{type: secure_string}}}}
credentials:
  win: {{username: 'LAB\\{USER}', password: {{env: WIN_PASSWORD}}}}
targets: {{all: {{hosts: all}}}}
"""

STEPS = """\
- {id: sent, target: all, script: echo arguments, args: ["{{ inputs.token }}"]}
- {id: opened, needs: [], target: all, ignore_errors: true, script: unlock, args: ["{{ inputs.token }}"]}
- {id: given, needs: [], target: all, file: given.ps1}
- {id: wrong, needs: [], target: all, ignore_errors: true, script: "fail no\\nthrow no", args: ["{{ inputs.token }}"]}
- {id: broken, needs: [], target: all, ignore_errors: true, script: break bad-message, args: ["{{ inputs.token }}"]}
"""


def forms(secret: str) -> dict[str, bytes]:
    """A secret as it is usually written, by the name of the way."""
    plain, wide = secret.encode(), secret.encode("utf-16-le")
    return {
        "plain": plain,
        "wide": wide,
        "base64": base64.b64encode(plain),
        "base64 of wide": base64.b64encode(wide),
        "url": urllib.parse.quote(secret, safe="").encode(),
        "form": urllib.parse.quote_plus(secret).encode(),
        "json": json.dumps(secret)[1:-1].encode(),
        "basic": base64.b64encode(f"LAB\\{USER}:{secret}".encode()),
        "hex": plain.hex().encode(),
    }


def found(text: bytes) -> list[tuple[str, str]]:
    """Which secrets stand in a text, and how they are written there."""
    return [(secret, way) for secret in SECRETS for way, form in forms(secret).items() if form in text]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server for the site's keys; PowerShell goes other ways here."""
    with running(tmp_path_factory.mktemp("sshd")) as running_server:
        yield running_server


@pytest.fixture
async def site(tmp_path: Path, server: OpenSsh, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A host over a process, over SSH and over WinRM, whose engines echo what they are sent; each library is loud."""
    hosts, mark = {"near": Host(), "through": Host(), "far": Host()}, nap()
    monkeypatch.setenv("NTLM_USER_FILE", str(ntlm_users(tmp_path)))
    # three engines at once beside other tests
    monkeypatch.setattr("tests.end_to_end.site.PATIENCE", _PATIENCE)
    empty = Site(tmp_path / "site", server)
    empty.write("loud/sitecustomize.py", LOUD)
    empty.write("temporary/here", "")
    empty.environment |= {
        "WIN_PASSWORD": PASSWORD,
        "TMPDIR": str(empty.folder / "temporary"),
        "PYTHONPATH": f"{empty.folder / 'loud'}{os.pathsep}{Path(__file__).parents[2]}",
    }
    async with AsyncExitStack() as stack:
        near = over_process(tmp_path / "engines", mark)
        _, far = await over_winrm(tmp_path, {"far": hosts["far"]}, mark, stack)
        sshd, through = await stack.enter_async_context(
            over_ssh(tmp_path / "subsystems", {"through": hosts["through"]}, mark)
        )
        empty.know(sshd)
        (empty.home / ".ssh" / "id_ed25519").write_bytes(sshd.client_key.read_bytes())
        ways = {"near": near, "through": through, "far": far}
        connections = {name: ways[name](name, host) for name, host in hosts.items()}
        inventory = {
            "version": 1,
            "connection": {"shell": "powershell"},
            "hosts": {
                name: {"address": "127.0.0.1", "connection": dict(way)} for name, way in connections.items()
            },
        }
        empty.write("inventory.yml", json.dumps(inventory))
        empty.book(STEPS, HEAD)
        empty.write("given.ps1", f"secure {RETURNED}\nsay it is {RETURNED}\n")
        empty.write("given.json", json.dumps({"token": TOKEN}))
        yield empty
        await empty.close()


def everything_written(site: Site) -> dict[str, bytes]:
    """Every file below the site but those that the test gave the secrets in."""
    given = {"given.json", "given.ps1"}
    files = [path for path in site.folder.rglob("*") if path.is_file() and path.name not in given]
    return {str(path.relative_to(site.folder)): path.read_bytes() for path in files}


async def _watched(mine: str) -> bytes:
    """What command lines say until this is cancelled; those of the machine that hold ``mine``."""
    seen: set[bytes] = set()
    with suppress(asyncio.CancelledError):
        while True:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes())
            await asyncio.sleep(0.1)
    return b"\n".join(line for line in seen if mine.encode() in line)


@pytest.mark.parametrize("output", ["plain", "rich", "json", "jsonl"])
async def test_nothing_that_is_written_holds_a_secret(site: Site, output: str) -> None:
    """Neither output, files, logs of libraries, nor process lists, whatever the form of the output."""
    watching = asyncio.create_task(_watched(str(site.folder.parent)))
    async with asyncio.timeout(_PATIENCE * 2):
        done = await site.run("-e", "@given.json", "-v", "-o", "jsonl=events.jsonl", output=output)
    watching.cancel()
    listed = await watching
    assert done.code == 0, done.stdout + done.stderr
    events = (site.folder / "events.jsonl").read_text()
    assert {name for name in ("near", "through", "far") if f'"{name}"' in events} == {
        "near",
        "through",
        "far",
    }
    assert "********" in events  # what the host echoed came, and was masked
    log = (site.folder / "debug.log").read_text()
    assert "everything is told" in log
    assert "DEBUG:asyncssh:" in log
    written = everything_written(site) | {
        "standard output": done.stdout.encode(),
        "standard error": done.stderr.encode(),
        "process list": listed,
    }
    assert {name: found(text) for name, text in written.items() if found(text)} == {}


async def test_an_error_within_the_runner_shows_no_secret(site: Site) -> None:
    """An injected mistake of our own, in the midst of a step, is told without what the step was sent."""
    site.write(
        "loud/sitecustomize.py",
        LOUD
        + """
import sys
class Spoil:
    def find_spec(self, name, path=None, target=None):
        if name == "runner.psrp.in_flight":
            from runner.execute.powershell.request import PreparedPipeline
            from runner.psrp.pool import Pool
            async def run(self, request, receiver):
                raise RuntimeError(f"a mistake with {request!r}")
            Pool.run = run
        return None
sys.meta_path.insert(0, Spoil())
""",
    )
    done = await site.run("-e", "@given.json", "-v", output="plain")
    assert done.code not in {0, None}
    assert "a mistake with" in done.stdout + done.stderr + json.dumps(
        [text.decode(errors="replace") for text in everything_written(site).values()]
    )
    written = everything_written(site) | {"output": (done.stdout + done.stderr).encode()}
    written.pop("loud/sitecustomize.py")
    assert {name: found(text) for name, text in written.items() if found(text)} == {}
