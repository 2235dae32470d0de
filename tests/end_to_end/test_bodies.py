"""The bodies that set, ask and wait, from a playbook to a real sshd and back through the real command line."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.end_to_end.site import PATIENCE, Site

pytestmark = [pytest.mark.sshd]


class _Handler(BaseHTTPRequestHandler):
    """Answers `/json` with what it was sent, everything else with 404."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        self.answer(json.dumps({"you": json.loads(sent), "token": self.headers["x-token"]}).encode())

    def do_GET(self) -> None:
        self.answer(b'{"state": "up"}')

    def answer(self, body: bytes) -> None:
        found = self.path == "/json"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_ensure_settles_each_host_once(site: Site, tmp_path: Path) -> None:
    """Hosts that are not as they should be are changed and those that are stay; a second run changes nothing."""
    site.hosts("a", "b")
    (tmp_path / "b").touch()
    steps = f"""\
        - id: made
          target: all
          register: made
          ensure:
            test: test -e "$Using:where/$Using:inventory_hostname"
            set: |
              touch "$Using:where/$Using:inventory_hostname"
              echo made
          vars: {{where: {tmp_path}}}
        - {{id: told, target: all, when: made.changed, script: 'echo ${{Using:made.output[0]}}'}}
        """
    done = await site.run_steps(steps)
    assert done.code == 0, done.stderr
    assert done.statuses("made") == {"a": "changed", "b": "ok"}
    assert done.statuses("told") == {"a": "ok", "b": "skipped"}
    assert (tmp_path / "a").exists()
    assert (await site.run_steps(steps)).statuses("made") == {"a": "ok", "b": "ok"}


async def test_a_check_changes_nothing_and_ends_with_five(site: Site, tmp_path: Path) -> None:
    """`--check` compares over the real line: what would change ends with 5, and nothing on the host is touched."""
    site.hosts("a")
    path = tmp_path / "f"
    path.write_text("old\n")
    steps = f"""\
        - {{id: file, target: all, copy: {{content: "new\\n", dest: '{path}'}}}}
        - {{id: made, target: all, ensure: {{test: 'test -e {tmp_path}/made', set: 'touch {tmp_path}/made'}}}}
        - {{id: run, target: all, script: 'touch {tmp_path}/ran', register: ran}}
        - {{id: reads, target: all, assert: {{that: ran.exit_code == 0}}}}
        """
    done = await site.run_steps(steps, "--check", "--diff")
    assert done.code == 5
    assert [done.result(step, "a")["status"] for step in ("file", "made")] == ["changed"] * 2
    assert done.result("run", "a")["skip_reason"] == "not run under --check"
    assert done.result("reads", "a")["skip_reason"] == "not known until the run"
    assert path.read_text() == "old\n"
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.name not in {"site", "f"}) == []
    assert (await site.run_steps(steps)).code == 0
    assert (path.read_text(), (tmp_path / "made").exists()) == ("new\n", True)
    assert (await site.run_steps(steps, "--check")).code == 0


async def test_waiting_for_what_comes_later(site: Site, tmp_path: Path, web: str) -> None:
    """A step that runs beside it makes what the host and this machine wait for."""
    site.hosts("a")
    steps = f"""\
        - {{id: make, needs: [], target: all, script: 'sleep 1.5; touch {tmp_path}/ready'}}
        - {{id: path, needs: [], target: all, wait_for: {{path: '{tmp_path}/ready', from: host, interval: 200ms}}}}
        - {{id: port, needs: [], target: all, wait_for: {{port: {site.server.port}, from: host}}}}
        - {{id: url, needs: [], target: all, wait_for: {{url: '{web}/json', from: host}}}}
        - {{id: here, needs: [], target: all, wait_for: {{url: '{web}/json'}}}}
        - {{id: never, needs: [], target: all, wait_for: {{path: /no/such, from: host, timeout: 1s, interval: 300ms}}}}
        """
    done = await site.run_steps(steps)
    assert done.code == 1, done.stderr
    assert {done.result(step, "a")["status"] for step in ("path", "port", "url", "here")} == {"ok"}
    assert done.output("path", "a")["tries"] > 1
    assert done.result("never", "a")["failure"]["code"] == "wait-timeout"
    assert "it is not there" in done.result("never", "a")["failure"]["message"]


async def test_http_asks_and_later_steps_read(site: Site, web: str) -> None:
    """The answer's values reach a host's script; the secret that was sent is in no result."""
    site.hosts("a")
    done = await site.run_steps(
        f"""\
        - id: ask
          http: {{url: '{web}/json', method: post, json: {{host: a}}, headers: {{X-Token: '{{{{ inputs.token }}}}'}}}}
          register: asked
        - id: use
          target: all
          script: echo ${{Using:you.host}}
          using: {{you: '{{{{ results.asked.localhost.output.json.you }}}}'}}
        - {{id: gone, http: {{url: '{web}/gone'}}}}
        """,
        "-e",
        "token=hunter2222",
        head="inputs: {token: {type: string, secret: true}}\n",
    )
    assert done.code == 1, done.stderr
    assert done.output("use", "a") == ["a"]
    assert done.output("ask", "localhost")["status"] == 200
    assert done.result("gone", "localhost")["failure"]["code"] == "http-status"
    assert "hunter2222" not in done.stdout + done.stderr


async def asked(site: Site) -> str:
    """Wait until a run waits for an answer; gives its id."""
    async with asyncio.timeout(PATIENCE):
        while not (found := list((site.folder / ".runner" / "runs").glob("*/control/waiting-*"))):
            await asyncio.sleep(0.05)
    return found[0].parents[1].name


def answer(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runner", "runs", "approve", *words],
        cwd=site.folder, env=site.variables(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--reject",), 4)])
async def test_a_gate_is_answered_from_outside(site: Site, words: tuple[str, ...], code: int) -> None:
    """`runs approve` opens it, `--reject` ends the run with 4; nothing behind it runs before that."""
    site.hosts("a")
    (site.folder / ".git").mkdir(exist_ok=True)
    site.book(
        """\
        - {id: before, target: all, script: echo 1}
        - {id: go, gate: {message: Go on?, timeout: 1h}}
        - {id: after, target: all, script: echo 2}
        """
    )
    run = await site.start(output="jsonl")
    name = await asked(site)
    answered = await asyncio.to_thread(answer, site, name, "go", *words)
    assert answered.returncode == 0, answered.stderr
    done = await run.finish()
    assert done.code == code, done.stderr
    results = [event["result"] for event in map(json.loads, done.stdout.splitlines()) if "result" in event]
    seen = {result["step"]: result for result in results}
    assert seen["before"]["status"] == "ok"
    if code == 0:
        assert (seen["go"]["status"], seen["after"]["output"]) == ("ok", ["2"])
    else:
        assert seen["go"]["failure"]["code"] == "gate-rejected"
        assert seen.get("after", {"status": "cancelled"})["status"] in {"cancelled", "skipped"}
