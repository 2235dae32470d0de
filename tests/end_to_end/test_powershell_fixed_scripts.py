"""The fixed scripts of locks, `wait_for` and `reboot` on a real engine: what they do cannot be replayed."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.execute.bodies.reboot_scripts import BOOT, BOOT_POWERSHELL
from runner.execute.bodies.wait_scripts import PATH_POWERSHELL, PORT_POWERSHELL, URL_POWERSHELL
from runner.execute.locks.scripts import POWERSHELL as LOCK
from tests.end_to_end.site import Finished, Site
from tests.support.openssh import OpenSsh

pytestmark = [pytest.mark.pwsh(real=True), pytest.mark.sshd]

A, B = "a" * 32, "b" * 32
ABOUT = '"run": "r1",\n"user": "ännä"'


@pytest.fixture
async def site(tmp_path: Path, server: OpenSsh) -> AsyncIterator[Site]:
    """A site with one host that is this machine's own PowerShell."""
    empty = Site(tmp_path / "site", server)
    connection = {"transport": "local", "shell": "powershell"}
    empty.write("inventory.yml", json.dumps({"version": 1, "connection": connection, "hosts": {"win": {}}}))
    yield empty
    await empty.close()


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    """The port of a web server that answers with the number in the URL's path."""

    class Numbers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path.strip("/")))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Numbers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


async def asked(site: Site, script: str, *calls: list[Any], first: str = "1") -> Finished:
    """Ask the script with each of these arguments, one after the other in a session that ``first`` begins."""
    steps: list[dict[str, Any]] = [{"id": "first", "session": "warm", "script": first}]
    steps += [
        {"id": f"a{number}", "session": "warm", "script": script, "args": call, "ignore_errors": True}
        for number, call in enumerate(calls)
    ]
    site.book("".join(f"- {json.dumps(step)}\n" for step in steps))
    return await site.run()


async def test_a_lock_is_taken_renewed_refused_and_given_back(site: Site) -> None:
    """Tokens grow, one holds it, another is told who, and nothing but the newest file is left; as with sh."""
    folder = site.folder / "locks[1]"
    folder.mkdir()
    calls = [
        [verb, holding, 60, ABOUT, "", str(folder)]
        for verb, holding in (
            *(("take", A), ("take", B), ("take", A), ("keep", A), ("show", B)),
            *(("give", B), ("give", A), ("show", B), ("take", B)),
        )
    ]
    finished = await asked(site, LOCK, *calls)
    answers = [finished.output(f"a{number}", "win") for number in range(len(calls))]
    told = [[line.partition("\n")[0].split()[:2] for line in answer] for answer in answers]
    assert told == [
        *([["taken", "1"]], [["held", "1"]], [["taken", "1"]], [["taken", "1"]], [["held", "1"]]),
        *([["other"]], [["given"]], [["free"]], [["taken", "2"]]),
    ]
    head, _, text = answers[1][0].partition("\n")
    assert re.fullmatch(rf"held 1 [0-9]+ {re.escape(str(folder))}", head)
    held = json.loads(text)
    assert (held["token"], held["holding"], held["user"]) == (1, A, "ännä")
    assert 0 < held["expires"] - int(head.split()[2]) <= 60
    assert [path.name for path in folder.iterdir()] == [".runner-lock.2"]


async def test_an_expired_lock_is_taken(site: Site) -> None:
    """By the host's clock, and by one alone: the next token is the taker's."""
    folder = site.folder / "locks"
    folder.mkdir()
    text = '{\n"version": 1,\n"expires": 7,\n"token": 3,\n' + f'"holding": "{A}",\n{ABOUT}\n}}\n'
    (folder / ".runner-lock.3").write_text(text)
    finished = await asked(site, LOCK, ["take", B, 60, ABOUT, "", str(folder)])
    assert finished.output("a0", "win") == ["taken 4"]


async def test_a_port_is_looked_at(site: Site) -> None:
    """One that answers is there, and one that nobody listens at is not, for a reason."""
    with socket.create_server(("127.0.0.1", 0)) as there, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ports = [there.getsockname()[1], bound.getsockname()[1]]
        finished = await asked(site, PORT_POWERSHELL, *(["127.0.0.1", port, 5.0] for port in ports))
    assert [finished.statuses(f"a{number}")["win"] for number in (0, 1)] == ["ok", "failed"]
    assert "refused" in finished.result("a1", "win")["failure"]["message"]


async def test_a_path_is_looked_at(site: Site) -> None:
    """A name is no pattern."""
    (site.folder / "a1").touch()
    paths = [str(site.folder / name) for name in ("a1", "a[1]")]
    finished = await asked(site, PATH_POWERSHELL, *([path] for path in paths))
    assert [finished.statuses(f"a{number}")["win"] for number in (0, 1)] == ["ok", "failed"]


async def test_a_url_is_looked_at_also_by_a_strict_session(site: Site, web: int) -> None:
    """The status is told, whatever it is; without an answer there is a reason that speaks of the connection."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        urls = [f"http://127.0.0.1:{port}/{path}" for port, path in ((web, 200), (web, 404), (web, 503))]
        urls.append(f"http://127.0.0.1:{bound.getsockname()[1]}/")
        strict = "Set-StrictMode -Version Latest"
        finished = await asked(site, URL_POWERSHELL, *([url, 5.0] for url in urls), first=strict)
    assert [finished.output(f"a{number}", "win") for number in range(3)] == [[200], [404], [503]]
    assert "refused" in finished.result("a3", "win")["failure"]["message"]


async def test_a_start_is_told_as_by_sh(site: Site) -> None:
    """The word that only a restart changes is the same for both shells, and the same when it is asked for again."""
    finished = await asked(site, BOOT_POWERSHELL, [], [])
    by_sh = subprocess.run(["sh", "-c", BOOT], capture_output=True, text=True, check=True).stdout
    assert [finished.output(f"a{number}", "win") for number in (0, 1)] == [[by_sh]] * 2
